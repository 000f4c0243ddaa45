package standin;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** The REST port: health, and how many others are in the brewery. */
public final class Desk {
    private Desk() {}

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
                default -> text = "a stand-in has nothing else\n";
            }
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }
}
