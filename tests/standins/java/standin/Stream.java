package standin;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * A client's XMPP stream, as far as the stand-ins need one: TLS that checks the certificate for the
 * domain against the JVM's truststore, log-in with a password, stanzas.
 */
final class Stream implements AutoCloseable {
    private final String domain;
    private Socket socket;
    private InputStream in;
    private OutputStream out;

    /** Connects, and is logged in when it returns. */
    Stream(String host, int port, String domain, String user, String password) throws IOException {
        this.domain = domain;
        socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(host, port), 5000);
            socket.setSoTimeout(10_000);
            take(socket);
            open();
            write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
            expect("<proceed");
            secure(port);
            String features = open();
            if (!features.contains(">PLAIN<")) {
                throw new IOException("no PLAIN among " + features);
            }
            byte[] plain = ("\0" + user + "\0" + password).getBytes(StandardCharsets.UTF_8);
            write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
                    + Base64.getEncoder().encodeToString(plain) + "</auth>");
            expect("<success");
            open();
            write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                    + "<resource>" + user + "</resource></bind></iq>");
            expect("<iq ");
            // From here on it may be silent for as long as it likes.
            socket.setSoTimeout(0);
            socket.setKeepAlive(true);
        } catch (IOException error) {
            close();
            throw error;
        }
    }

    private void take(Socket socket) throws IOException {
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    private void secure(int port) throws IOException {
        SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
        SSLSocket tls = (SSLSocket) factory.createSocket(socket, domain, port, true);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setServerNames(List.of(new SNIHostName(domain)));
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        socket = tls;
        take(tls);
    }

    /** Opens the stream (anew) and gives its features. */
    private String open() throws IOException {
        write("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='"
                + domain + "'>");
        String features = read();
        if (!features.startsWith("<stream:features")) {
            throw new IOException("no features but " + features);
        }
        return features;
    }

    void write(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private String expect(String beginning) throws IOException {
        String stanza = read();
        if (!stanza.startsWith(beginning) || stanza.contains("type='error'")) {
            throw new IOException("not " + beginning + " but " + stanza);
        }
        return stanza;
    }

    /** The next whole element below the stream's; its end is an error. */
    String read() throws IOException {
        StringBuilder text = new StringBuilder();
        int depth = 0;
        while (true) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("Prosody closed the connection");
            }
            if (next != '<') {
                if (depth > 0) {
                    text.append((char) next);
                }
                continue;
            }
            String tag = tag();
            if (tag.startsWith("<?") || tag.startsWith("<stream:stream")) {
                continue;
            }
            if (tag.startsWith("</stream:stream")) {
                throw new EOFException("Prosody ended the stream");
            }
            text.append(tag);
            if (tag.startsWith("</")) {
                depth--;
            } else if (!tag.endsWith("/>")) {
                depth++;
            }
            if (depth == 0) {
                byte[] bytes = text.toString().getBytes(StandardCharsets.ISO_8859_1);
                return new String(bytes, StandardCharsets.UTF_8);
            }
        }
    }

    /** From `<`, which is read already, to `>`; one inside quotes does not count. */
    private String tag() throws IOException {
        StringBuilder tag = new StringBuilder("<");
        int quote = 0;
        while (true) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("Prosody closed the connection");
            }
            tag.append((char) next);
            if (quote != 0) {
                quote = next == quote ? 0 : quote;
            } else if (next == '\'' || next == '"') {
                quote = next;
            } else if (next == '>') {
                return tag.toString();
            }
        }
    }

    /** An attribute of a stanza's first tag. */
    static String attribute(String stanza, String name) {
        String tag = stanza.substring(0, stanza.indexOf('>'));
        for (String quote : List.of("'", "\"")) {
            int at = tag.indexOf(" " + name + "=" + quote);
            if (at >= 0) {
                int from = at + name.length() + 3;
                return tag.substring(from, tag.indexOf(quote, from));
            }
        }
        return "";
    }

    /** Letters that mean something in XML. */
    static String escaped(String text) {
        return text.chars()
                .mapToObj(letter -> "<>&'\"".indexOf(letter) >= 0 ? "&#" + letter + ";" : Character.toString(letter))
                .collect(Collectors.joining());
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException ignored) {
            System.err.println(String.format(Locale.ROOT, "closing: %s", ignored.getMessage()));
        }
    }
}
