package org.jitsi.videobridge;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.DatagramSocket;
import java.security.GeneralSecurityException;
import standin.Desk;
import standin.Member;

/**
 * A stand-in for the videobridge, written for tests: reads the same configuration with the same
 * library, takes its ports, logs in, joins the brewery and answers for its health. It carries no media.
 */
public final class MainKt {
    /** By which systemd knows that another start would be in vain. */
    private static final int CONFIGURATION_ERROR = 78;

    /** Held as long as the program: a socket that nobody knows is closed with the rubbish. */
    private static DatagramSocket socket;

    private MainKt() {}

    /** Ends with 78 when the configuration is wrong, with 1 when a port is taken. */
    public static void main(String[] arguments) {
        try {
            Config config = ConfigFactory.load().getConfig("videobridge");
            Config client = config.getConfig("apis.xmpp-client.configs.main");
            Member member = new Member("Videobridge", client.getString("HOSTNAME"), client.getInt("PORT"),
                    client.getString("DOMAIN"), client.getString("USERNAME"), client.getString("PASSWORD"),
                    client.getString("MUC_JIDS"), client.getString("MUC_NICKNAME"));
            Config rest = config.getConfig("http-servers.private");
            int media = config.getInt("ice.udp.port");
            if (config.hasPath("apis.rest.enabled") && config.getBoolean("apis.rest.enabled")
                    && config.hasPath("rest.shutdown.enabled") && config.getBoolean("rest.shutdown.enabled")) {
                Desk.takeShutdown();
            }
            Desk.open(rest.getString("host"), rest.getInt("port"), member);
            socket = new DatagramSocket(media);
            if (config.hasPath("websockets.enabled")
                    && config.getBoolean("websockets.enabled")) {
                Config open = config.getConfig("http-servers.public");
                Desk.openSecured(open.getInt("tls-port"), open.getString("key-store-path"),
                        open.getString("key-store-password"), member);
            }
            new Thread(member, "xmpp").start();
            System.err.println("Videobridge (a stand-in) has UDP port " + socket.getLocalPort());
        } catch (ConfigException error) {
            System.err.println("Videobridge (a stand-in): " + error.getMessage());
            System.exit(CONFIGURATION_ERROR);
        } catch (IOException | GeneralSecurityException error) {
            System.err.println("Videobridge (a stand-in) does not start: " + error.getMessage());
            System.exit(1);
        }
    }
}
