# Settings of /etc/rc.d/rc.jitsi-accounts, written by jitsi-install. Yours go into /etc/default/jitsi-accounts.

ACCOUNTS=<< accounts.program >>
ACCOUNTS_CONFIG=<< accounts.config_dir ~ "/accounts.toml" >>
ACCOUNTS_USER=<< accounts.user >>
ACCOUNTS_GROUP=<< accounts.group >>
ACCOUNTS_STATE_DIR=<< accounts.state >>
ACCOUNTS_LOG_DIR=<< accounts.log_dir >>
ACCOUNTS_RUN_DIR=<< accounts.run_dir >>
# Who may write to the socket.
ACCOUNTS_WEB_GROUP=<< accounts.web_group >>
