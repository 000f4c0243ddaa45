# Settings of the Jicofo process, written by jitsi-install. Read by systemd (EnvironmentFile) and by
# sh (`.`), so: KEY=value, nothing else. No password belongs here, the environment is not private.

# Java heap. The process takes some 300 MB more.
JICOFO_MAX_MEMORY=<< jicofo.memory >>

# Further options of the Java command, parted by spaces.
JAVA_SYS_PROPS=
<%- if family == "slackware" %>

# Where things are, for rc.jicofo; /etc/default/jicofo has the last word.
JAVA=<< java >>
JICOFO_HOME=<< jicofo.home >>
JICOFO_CONFIG_DIR=<< jicofo.config_dir >>
JICOFO_USER=<< jicofo.user >>
JICOFO_GROUP=<< jicofo.group >>
JICOFO_LOG_DIR=<< jicofo.log_dir >>
JICOFO_TRUSTSTORE=<< truststore.path >>
JICOFO_TRUSTSTORE_PASSWORD=<< truststore.password >>
RUN_DIR=<< run_dir >>
<%- endif %>
