# Settings of the videobridge process, written by jitsi-install. Read by systemd (EnvironmentFile)
# and by sh (`.`), so: KEY=value, nothing else. No password belongs here, the environment is not
# private.

# Java heap. The process takes some 500 MB more for its network buffers.
VIDEOBRIDGE_MAX_MEMORY=<< videobridge.memory >>

# Named, because on a machine with one processor or under 2 GB Java would choose SerialGC, whose
# pauses are heard.
VIDEOBRIDGE_GC_TYPE=G1GC

# Further options of the Java command, parted by spaces.
JAVA_SYS_PROPS=
<%- if family == "slackware" %>

# Where things are, for rc.jitsi-videobridge; /etc/default/jitsi-videobridge has the last word.
JAVA=<< java >>
VIDEOBRIDGE_HOME=<< videobridge.home >>
VIDEOBRIDGE_CONFIG_DIR=<< videobridge.config_dir >>
VIDEOBRIDGE_USER=<< videobridge.user >>
VIDEOBRIDGE_GROUP=<< videobridge.group >>
VIDEOBRIDGE_LOG_DIR=<< videobridge.log_dir >>
VIDEOBRIDGE_TRUSTSTORE=<< truststore.path >>
VIDEOBRIDGE_TRUSTSTORE_PASSWORD=<< truststore.password >>
<%- if videobridge.udp_port < 1024 or (videobridge.websockets and videobridge.websocket_port < 1024) %>
# A port below 1024 is in use: leave the process the right to take it.
VIDEOBRIDGE_LOW_PORTS=yes
<%- endif %>
<%- if videobridge.rest_shutdown %>
# After a graceful shutdown over REST it comes back, with the keystore that is there by then.
VIDEOBRIDGE_COMES_BACK=yes
<%- endif %>
RUN_DIR=<< run_dir >>
<%- endif %>
