package standin;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** The REST port: health, and how many others are in the brewery. */
public final class Desk {
    private Desk() {}

    /** Opens it. */
    public static void open(String host, int port, Member member) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(host, port), 0);
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
