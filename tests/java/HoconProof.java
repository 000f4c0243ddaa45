import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Reads HOCON files with the library that Jicofo and the videobridge read theirs with, and prints
 * what they would see: one line `path = json` for each leaf, sorted.
 *
 * <p>A list of objects is walked (`list[0].key`); any other list, and an empty object, is a leaf.
 * With several files each begins with a line `# FILE`. Exit status: 0, 1 when a file cannot be
 * read, parsed or resolved (the reason on standard error), 2 without arguments.
 *
 * <pre>
 * mvn -q -B -f tests/java/pom.xml generate-resources     # once; afterwards also with -o
 * java -cp target/java/config.jar tests/java/HoconProof.java jicofo.conf jvb.conf
 * </pre>
 */
public final class HoconProof {
    private static final ConfigRenderOptions JSON = ConfigRenderOptions.concise();

    public static void main(String[] files) {
        if (files.length == 0) {
            System.err.println("usage: HoconProof FILE...");
            System.exit(2);
        }
        boolean good = true;
        for (String file : files) {
            if (files.length > 1) {
                System.out.println("# " + file);
            }
            good &= prove(file);
        }
        System.exit(good ? 0 : 1);
    }

    private static boolean prove(String file) {
        try {
            // A missing file would otherwise be an empty one.
            ConfigParseOptions strict = ConfigParseOptions.defaults().setAllowMissing(false);
            Config config = ConfigFactory.parseFile(new File(file), strict).resolve();
            TreeMap<String, String> leaves = new TreeMap<>();
            walk(new ArrayList<>(), "", config.root(), leaves);
            leaves.forEach((path, json) -> System.out.println(path + " = " + json));
            return true;
        } catch (ConfigException error) {
            System.err.println(file + ": " + error.getMessage());
            return false;
        }
    }

    /** `outside` is the path down to the last list, `keys` what follows it. */
    private static void walk(List<String> keys, String outside, ConfigValue value, TreeMap<String, String> leaves) {
        if (value instanceof ConfigObject && !((ConfigObject) value).isEmpty()) {
            ((ConfigObject) value).forEach((key, inner) -> {
                List<String> deeper = new ArrayList<>(keys);
                deeper.add(key);
                walk(deeper, outside, inner, leaves);
            });
            return;
        }
        String path = outside + (keys.isEmpty() ? "" : (outside.isEmpty() ? "" : ".") + ConfigUtil.joinPath(keys));
        if (value instanceof ConfigList && holdsObjects((ConfigList) value)) {
            int index = 0;
            for (ConfigValue item : (ConfigList) value) {
                walk(new ArrayList<>(), path + "[" + index++ + "]", item, leaves);
            }
            return;
        }
        if (!path.isEmpty()) {
            leaves.put(path, value.render(JSON));
        }
    }

    private static boolean holdsObjects(ConfigList list) {
        return list.stream().anyMatch(item -> item instanceof ConfigObject);
    }
}
