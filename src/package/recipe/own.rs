//! Files of this program's own that go into packages for Slackware.

/// Name and text.
const FILES: &[(&str, &str)] = &[
    (
        "nginx.conf",
        include_str!("../../../slackbuilds/nginx/nginx.conf"),
    ),
    (
        "nginx.logrotate",
        include_str!("../../../slackbuilds/nginx/nginx.logrotate"),
    ),
    ("rc.caddy", include_str!("../../../rc.d/rc.caddy")),
    (
        "rc.go-mmproxy",
        include_str!("../../../slackbuilds/go-mmproxy/rc.go-mmproxy"),
    ),
    (
        "rc.haproxy",
        include_str!("../../../slackbuilds/haproxy/rc.haproxy"),
    ),
    ("rc.jicofo", include_str!("../../../rc.d/rc.jicofo")),
    (
        "rc.jitsi-videobridge",
        include_str!("../../../rc.d/rc.jitsi-videobridge"),
    ),
    (
        "rc.nginx",
        include_str!("../../../slackbuilds/nginx/rc.nginx"),
    ),
    (
        "rc.turnserver",
        include_str!("../../../slackbuilds/coturn/rc.turnserver"),
    ),
];

/// The text of one of them.
#[must_use]
pub fn own_file(name: &str) -> Option<&'static str> {
    let (_, text) = FILES.iter().find(|(own, _)| *own == name)?;
    Some(text)
}

/// The names of all.
#[must_use]
pub fn own_file_names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}
