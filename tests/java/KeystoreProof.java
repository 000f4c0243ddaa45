import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Proves that Java can use a keystore or truststore, not merely list it.
 *
 * <pre>
 * serve-key FILE PASSWORDFILE ALIAS NAME
 * keytool   FILE PASSWORDFILE ALIAS SHA256
 * list      FILE PASSWORDFILE
 * rekey     FILE PASSWORDFILE ALIAS KEYPASSWORDFILE OUT   (not a proof: gives the key a password of its own)
 * trust     FILE PASSWORDFILE SERVERCERTPEM SERVERKEYSTORE SERVERPASSWORDFILE NAME
 * distrust  (as trust; proves that the handshake is refused)
 * batch     FILE      one of the above on each line, its words parted by tabs
 * </pre>
 *
 * keytool is the tool itself, in this machine: it needs
 * --add-exports java.base/sun.security.tools.keytool=ALL-UNNAMED. PKCS12 is opened as such and JKS as such; Java's habit of
 * opening either as the other is turned off.
 *
 * One line for each proof: "OK ..." on stdout, or "FAIL ..." on stderr and exit code 1; 64 for usage.
 */
public final class KeystoreProof {
    private static final int TIMEOUT_MS = 10_000;

    private static final class Refuted extends Exception {
        Refuted(String why) {
            super(why);
        }
    }

    public static void main(String[] args) throws Exception {
        Security.setProperty("keystore.type.compat", "false");
        List<String[]> cases = new ArrayList<>();
        if (args.length == 2 && args[0].equals("batch")) {
            for (String line : Files.readAllLines(Path.of(args[1]))) {
                cases.add(line.split("\t"));
            }
        } else {
            cases.add(args);
        }
        int failed = 0;
        for (String[] words : cases) {
            try {
                System.out.println("OK " + String.join(" ", words) + ": " + prove(words));
            } catch (Exception e) {
                failed++;
                System.err.println("FAIL " + String.join(" ", words) + ": " + e);
            }
        }
        System.exit(failed == 0 ? 0 : 1);
    }

    private static String prove(String[] words) throws Exception {
        if (words.length == 5 && words[0].equals("serve-key")) {
            return serveKey(words[1], words[2], words[3], words[4]);
        }
        if (words.length == 5 && words[0].equals("keytool")) {
            return keytool(words[1], words[2], words[3], words[4]);
        }
        if (words.length == 3 && words[0].equals("list")) {
            return list(words[1], words[2]);
        }
        if (words.length == 6 && words[0].equals("rekey")) {
            KeyStore store = load(words[1], password(words[2]));
            char[] password = password(words[2]);
            store.setKeyEntry(
                    words[3],
                    store.getKey(words[3], password),
                    password(words[4]),
                    store.getCertificateChain(words[3]));
            try (OutputStream out = Files.newOutputStream(Path.of(words[5]))) {
                store.store(out, password);
            }
            return "written";
        }
        boolean trust = words.length == 7 && words[0].equals("trust");
        if (trust || (words.length == 7 && words[0].equals("distrust"))) {
            return trust(words, trust);
        }
        System.err.println("usage: KeystoreProof serve-key|keytool|list|trust|distrust|batch ... (see the source)");
        System.exit(64);
        throw new AssertionError();
    }

    private static String serveKey(String file, String passwordFile, String alias, String name) throws Exception {
        char[] password = password(passwordFile);
        KeyStore store = load(file, password);
        if (store.size() != 1 || !store.isKeyEntry(alias)) {
            throw new Refuted("entries are " + Collections.list(store.aliases()) + ", not the one key " + alias);
        }
        PrivateKey key = (PrivateKey) store.getKey(alias, password);
        Certificate[] chain = store.getCertificateChain(alias);
        if (key == null || chain == null) {
            throw new Refuted("alias has no " + (key == null ? "key" : "chain"));
        }
        String algorithm = switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            case "EdDSA" -> "Ed25519";
            default -> throw new Refuted("key is " + key.getAlgorithm());
        };
        byte[] text = "signed and verified".getBytes();
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(chain[0]);
        signature.update(text);
        if (!signature.verify(signed)) {
            throw new Refuted("the leaf does not verify what the key has signed");
        }
        for (int i = 0; i + 1 < chain.length; i++) {
            chain[i].verify(chain[i + 1].getPublicKey());
        }
        X509Certificate last = (X509Certificate) chain[chain.length - 1];
        if (last.getSubjectX500Principal().equals(last.getIssuerX500Principal())) {
            last.verify(last.getPublicKey());
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("last", last);
        Handshake seen = handshake(trusted, store, password, name);
        if (!Arrays.equals(seen.leaf.getEncoded(), chain[0].getEncoded())) {
            throw new Refuted("the server has shown another certificate");
        }
        return algorithm + ", " + chain.length + " certificates, " + seen.protocol + " " + seen.cipher;
    }

    private static String keytool(String file, String passwordFile, String alias, String fingerprint)
            throws Exception {
        PrintStream out = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true));
        try {
            String[] words = {
                "-list", "-v", "-keystore", file, "-storetype", type(file), "-storepass:file", passwordFile
            };
            // By its name, since nothing but this proof needs the tool's package to be opened.
            Class<?> tool = Class.forName("sun.security.tools.keytool.Main");
            tool.getMethod("main", String[].class).invoke(null, (Object) words);
        } finally {
            System.setOut(out);
        }
        String text = said.toString();
        String colons = text.replace(":", "").toLowerCase(Locale.ROOT);
        for (String wanted : new String[] {"contains 1 entry", "Alias name: " + alias, "PrivateKeyEntry"}) {
            if (!text.contains(wanted)) {
                throw new Refuted("keytool does not say \"" + wanted + "\": " + text);
            }
        }
        if (!colons.contains(fingerprint)) {
            throw new Refuted("keytool shows another certificate: " + text);
        }
        return "listed as " + type(file);
    }

    /** Each entry as ALIAS=KIND, with the length of a key's chain; in the order of the aliases. */
    private static String list(String file, String passwordFile) throws Exception {
        KeyStore store = KeyStore.getInstance(type(file));
        store.load(new ByteArrayInputStream(Files.readAllBytes(Path.of(file))), password(passwordFile));
        List<String> entries = new ArrayList<>();
        for (String alias : Collections.list(store.aliases())) {
            Certificate[] chain = store.getCertificateChain(alias);
            entries.add(alias + "=" + (store.isKeyEntry(alias) ? "key" + (chain == null ? 0 : chain.length) : "trusted"));
        }
        Collections.sort(entries);
        return String.join(" ", entries);
    }

    private static String type(String file) throws Exception {
        byte[] bytes = Files.readAllBytes(Path.of(file));
        return bytes.length > 1 && bytes[0] == (byte) 0xfe && bytes[1] == (byte) 0xed ? "JKS" : "PKCS12";
    }

    private static String trust(String[] words, boolean expected) throws Exception {
        KeyStore trusted = load(words[1], password(words[2]));
        for (String alias : Collections.list(trusted.aliases())) {
            if (!trusted.isCertificateEntry(alias)) {
                throw new Refuted("entry " + alias + " is no trusted certificate");
            }
        }
        if (trusted.size() == 0) {
            throw new Refuted("nothing is trusted");
        }
        Certificate shown;
        try (InputStream in = new FileInputStream(words[3])) {
            shown = CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        char[] password = password(words[5]);
        Handshake seen;
        try {
            seen = handshake(trusted, load(words[4], password), password, words[6]);
        } catch (javax.net.ssl.SSLHandshakeException e) {
            if (!expected) {
                return "refused: " + e.getMessage();
            }
            throw e;
        }
        if (!expected) {
            throw new Refuted("the server was trusted");
        }
        if (!Arrays.equals(seen.leaf.getEncoded(), shown.getEncoded())) {
            throw new Refuted("the server has shown another certificate");
        }
        return trusted.size() + " trusted, " + seen.protocol + " " + seen.cipher;
    }

    private record Handshake(String protocol, String cipher, Certificate leaf) {}

    /** A TLS server with the keystore and a client with the truststore that asks for NAME. */
    private static Handshake handshake(KeyStore trusted, KeyStore keys, char[] password, String name)
            throws Exception {
        KeyManagerFactory serving = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        serving.init(keys, password);
        SSLContext server = SSLContext.getInstance("TLS");
        server.init(serving.getKeyManagers(), null, null);
        TrustManagerFactory trusting = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trusting.init(trusted);
        SSLContext client = SSLContext.getInstance("TLS");
        client.init(null, trusting.getTrustManagers(), null);

        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (SSLServerSocket door =
                (SSLServerSocket) server.getServerSocketFactory().createServerSocket(0, 1, loopback)) {
            door.setSoTimeout(TIMEOUT_MS);
            // Failures of the server show on the client, as a connection that ends or does not answer.
            // Nobody waits for the server: closing TLS 1.3, it waits for the client to close.
            Thread host = new Thread(() -> {
                try (SSLSocket guest = (SSLSocket) door.accept()) {
                    guest.setSoTimeout(TIMEOUT_MS);
                    int heard = guest.getInputStream().read();
                    guest.getOutputStream().write(heard + 1);
                    guest.getOutputStream().flush();
                } catch (Exception e) {
                    // the client tells
                }
            });
            host.setDaemon(true);
            host.start();
            // The socket is connected first, so that NAME is checked and sent as SNI, not looked up.
            try (Socket plain = new Socket(loopback, door.getLocalPort());
                    SSLSocket socket = (SSLSocket)
                            client.getSocketFactory().createSocket(plain, name, door.getLocalPort(), true)) {
                socket.setSoTimeout(TIMEOUT_MS);
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                socket.getOutputStream().write(41);
                socket.getOutputStream().flush();
                if (socket.getInputStream().read() != 42) {
                    throw new Refuted("the server did not answer");
                }
                return new Handshake(
                        socket.getSession().getProtocol(),
                        socket.getSession().getCipherSuite(),
                        socket.getSession().getPeerCertificates()[0]);
            }
        }
    }

    private static KeyStore load(String file, char[] password) throws Exception {
        KeyStore store = KeyStore.getInstance(type(file));
        store.load(new ByteArrayInputStream(Files.readAllBytes(Path.of(file))), password);
        for (String alias : Collections.list(store.aliases())) {
            if (!alias.equals(alias.toLowerCase(Locale.ROOT))) {
                throw new Refuted("alias " + alias + " is not in lower case");
            }
        }
        return store;
    }

    private static char[] password(String file) throws Exception {
        return Files.readString(Path.of(file)).stripTrailing().toCharArray();
    }
}
