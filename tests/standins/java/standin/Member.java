package standin;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** An account that sits in the brewery, and comes back whenever Prosody does. */
public final class Member implements Runnable {
    private final String name;
    private final String host;
    private final int port;
    private final String domain;
    private final String user;
    private final String password;
    private final String brewery;
    private final String nickname;
    private final Set<String> others = ConcurrentHashMap.newKeySet();
    private volatile boolean inside;

    /** Does nothing yet; `name` is what its own log calls it, `nickname` what the brewery does. */
    public Member(String name, String host, int port, String domain, String user, String password, String brewery,
            String nickname) {
        this.name = name;
        this.host = host;
        this.port = port;
        this.domain = domain;
        this.user = user;
        this.password = password;
        this.brewery = brewery;
        this.nickname = nickname;
    }

    /** Is it in the brewery? */
    public boolean isInside() {
        return inside;
    }

    /** Who else is. */
    public int others() {
        return others.size();
    }

    /** Never ends. */
    @Override
    public void run() {
        while (true) {
            try (Stream stream = new Stream(host, port, domain, user, password)) {
                stay(stream);
            } catch (IOException error) {
                System.err.println(name + " (a stand-in): " + error.getMessage());
            }
            inside = false;
            others.clear();
            try {
                Thread.sleep(500);
            } catch (InterruptedException ignored) {
                return;
            }
        }
    }

    private void stay(Stream stream) throws IOException {
        // Its own presence makes focus known to Prosody's client_proxy.
        stream.write("<presence/>");
        stream.write("<presence to='" + Stream.escaped(brewery + "/" + nickname)
                + "'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        while (true) {
            String stanza = stream.read();
            String from = Stream.attribute(stanza, "from");
            String type = Stream.attribute(stanza, "type");
            if (stanza.startsWith("<presence") && from.toLowerCase().startsWith(brewery.toLowerCase())) {
                note(stanza, from.substring(from.indexOf('/') + 1), type);
            } else if (stanza.startsWith("<iq") && (type.equals("get") || type.equals("set"))) {
                stream.write("<iq type='result' id='" + Stream.attribute(stanza, "id") + "' to='" + from + "'/>");
            }
        }
    }

    private void note(String stanza, String who, String type) throws IOException {
        if (type.equals("error")) {
            throw new IOException("the brewery refuses: " + stanza);
        }
        if (stanza.contains("code='110'") || stanza.contains("code=\"110\"")) {
            inside = !type.equals("unavailable");
            System.err.println(name + " (a stand-in) is in the brewery: " + inside);
        } else if (type.equals("unavailable")) {
            others.remove(who);
        } else {
            others.add(who);
        }
    }
}
