package standin;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** The REST port: health, how many others are in the brewery, meetings, and "no more of them". */
public final class Desk {
    /** How many meetings are said to run; without it none. */
    private static final Path MEETINGS = Path.of("/run/standin-meetings");

    private static volatile boolean takesShutdown;

    private Desk() {}

    /** As with `rest.shutdown.enabled`. */
    public static void takeShutdown() {
        takesShutdown = true;
    }

    private static void endAfterTheLastMeeting() {
        try {
            while (meetings() > 0) {
                Thread.sleep(200);
            }
        } catch (IOException | InterruptedException error) {
            System.err.println("a stand-in ends: " + error);
        }
        System.exit(0);
    }

    /** Opens it. */
    public static void open(String host, int port, Member member) throws IOException {
        serve(HttpServer.create(new InetSocketAddress(host, port), 0), member);
    }

    /** The same over TLS, for everybody, with the key of a store. */
    public static void openSecured(int port, String store, String password, Member member)
            throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance(new File(store), password.toCharArray());
        KeyManagerFactory keepers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keepers.init(keys, password.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keepers.getKeyManagers(), null, null);
        HttpsServer server = HttpsServer.create(new InetSocketAddress(port), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        serve(server, member);
    }

    private static void serve(HttpServer server, Member member) {
        server.createContext("/", exchange -> {
            int status = 404;
            String text = "";
            switch (exchange.getRequestURI().getPath()) {
                case "/about/health" -> status = member.isInside() ? 200 : 500;
                case "/stats" -> {
                    status = 200;
                    text = "{\"bridge_selector\":{\"operational_bridge_count\":" + member.others()
                            + ",\"bridge_count\":" + member.others() + "}}\n";
                }
                case "/metrics" -> {
                    status = 200;
                    text = "# TYPE jitsi_jvb_conferences gauge\njitsi_jvb_conferences " + meetings() + ".0\n";
                }
                case "/colibri/drain/enable", "/colibri/drain/disable" -> {
                    status = exchange.getRequestMethod().equals("POST") ? 200 : 405;
                    boolean drains = exchange.getRequestURI().getPath().endsWith("enable");
                    System.err.println((drains ? "drains with " : "takes more than ") + meetings() + " meetings");
                }
                case "/colibri/shutdown" -> {
                    String kind = exchange.getRequestHeaders().getFirst("Content-Type");
                    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
                    if (!takesShutdown) {
                        status = 404;
                    } else if (!exchange.getRequestMethod().equals("POST") || !kind.startsWith("application/json")) {
                        status = 415;
                    } else if (body.contains("\"graceful-shutdown\":true")) {
                        status = 200;
                        new Thread(Desk::endAfterTheLastMeeting).start();
                    } else {
                        status = 400;
                    }
                }
                default -> text = "a stand-in has nothing else\n";
            }
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    private static int meetings() throws IOException {
        return Files.exists(MEETINGS) ? Integer.parseInt(Files.readString(MEETINGS).trim()) : 0;
    }
}
