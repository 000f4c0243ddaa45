package org.jitsi.jicofo;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import standin.Desk;
import standin.Member;

/**
 * A stand-in for Jicofo, written for tests: reads the same configuration with the same library, logs
 * in, joins the brewery and answers for its health. It opens no conferences.
 */
public final class Main {
    private Main() {}

    /** Ends with 0 when its configuration or its port stops it, as Jicofo does. */
    public static void main(String[] arguments) {
        try {
            Config config = ConfigFactory.load().getConfig("jicofo");
            Config client = config.getConfig("xmpp.client");
            Member member = new Member("Jicofo", client.getString("hostname"), client.getInt("port"),
                    client.getString("domain"), client.getString("username"), client.getString("password"),
                    config.getString("bridge.brewery-jid"), "focus");
            Config rest = config.getConfig("rest");
            Desk.open(rest.getString("host"), rest.getInt("port"), member);
            new Thread(member, "xmpp").start();
        } catch (ConfigException | IOException error) {
            System.err.println("Jicofo (a stand-in) does not start: " + error.getMessage());
            System.exit(0);
        }
    }
}
