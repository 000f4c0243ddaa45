# The account service's log, written by jitsi-install. The program keeps its log open, so it is copied.
<< accounts.log_dir ~ "/jitsi-accounts.log" >> {
    weekly
    rotate 8
    missingok
    notifempty
    compress
    copytruncate
    su << accounts.user >> << accounts.group >>
}
