import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Properties;
import java.util.TreeSet;

/**
 * Reads properties files as java.util.logging reads its own, and prints for each a line `#`, then a
 * line `KEY VALUE` for each key, sorted, both in hexadecimal digits of their UTF-8.
 *
 * <pre>
 * java tests/java/PropertiesProof.java FILE...
 * </pre>
 */
public final class PropertiesProof {
    public static void main(String[] files) throws Exception {
        for (String file : files) {
            System.out.println("#");
            Properties read = new Properties();
            try (InputStream in = new FileInputStream(file)) {
                read.load(in);
            }
            for (String key : new TreeSet<>(read.stringPropertyNames())) {
                System.out.println(hex(key) + " " + hex(read.getProperty(key)));
            }
        }
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
    }
}
