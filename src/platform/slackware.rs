//! Slackware 15.0 and -current with SlackBuilds.org's packages.

use super::{Account, AccountsPlace, Init, Packages, Platform, ProsodyPlace, Release, WebPlace};
use crate::name::{AbsPath, Owner};
use crate::site::ProsodyVersion;

pub(super) fn platform(release: Release) -> Platform {
    let path = AbsPath::fixed;
    Platform {
        release,
        init: Init::RcD,
        prosody: ProsodyPlace {
            // SlackBuilds.org has 0.12.5 for both.
            version: ProsodyVersion::V0_12,
            config: path("/etc/prosody"),
            data: path("/var/lib/prosody"),
            logs: path("/var/log/prosody"),
            // `/run` is empty after a boot, and nobody would make a folder for Prosody there. Its
            // pid file is locked while it runs, so one that is left over does no harm.
            pidfile: path("/var/lib/prosody/prosody.pid"),
            // No package makes accounts: SlackBuilds.org has the administrator make them.
            account: account("prosody", "prosody", Some("/var/lib/prosody")),
            plugins: path("/usr/share/jitsi-meet/prosody-plugins"),
            own_plugins: path("/usr/local/share/jitsi-install/prosody-plugins"),
            lua: "5.4",
            stray_modules: Vec::new(),
            lua_path: path("/usr/local/share/lua/5.4"),
        },
        nginx: WebPlace {
            // The SlackBuild's nginx.conf ends with `include /etc/nginx/conf.d/*.conf;`.
            site_dir: path("/etc/nginx/conf.d"),
            enabled_dir: None,
            logs: path("/var/log/nginx"),
            account: account("nobody", "nogroup", None),
            http2_directive: true,
        },
        caddy: WebPlace {
            site_dir: path("/etc/caddy"),
            enabled_dir: None,
            logs: path("/var/log/caddy"),
            account: account("caddy", "caddy", Some("/var/lib/caddy")),
            http2_directive: false,
        },
        accounts: AccountsPlace {
            program: path("/usr/sbin/jitsi-accounts"),
            config: path("/etc/jitsi-accounts"),
            state: path("/var/lib/jitsi-accounts"),
            run: path("/run/jitsi-accounts"),
            account: account(
                "jitsi-accounts",
                "jitsi-accounts",
                Some("/var/lib/jitsi-accounts"),
            ),
            logrotate: path("/etc/logrotate.d"),
            mariadb: ("mysqld", path("/run/mysql/mysql.sock")),
            postgresql: "postgresql",
        },
        jicofo: account("jicofo", "jicofo", Some("/usr/share/jicofo")),
        videobridge: account("jvb", "jvb", Some("/usr/share/jitsi-videobridge")),
        jicofo_state: path("/var/lib/jicofo"),
        videobridge_state: path("/var/lib/jitsi-videobridge"),
        jicofo_home: path("/usr/share/jicofo"),
        videobridge_home: path("/usr/share/jitsi-videobridge"),
        meet_home: path("/usr/share/jitsi-meet"),
        jitsi_config: path("/etc/jitsi"),
        jitsi_logs: path("/var/log/jitsi"),
        meet_state: path("/var/lib/jitsi-meet"),
        java: path("/usr/bin/java"),
        init_dir: path("/etc/rc.d"),
        caddy_state: path("/var/lib/caddy"),
        sysctl_dir: path("/etc/sysctl.d"),
        packages: Packages {
            prosody: vec![
                "prosody",
                "luasec",
                "luasocket",
                "luaexpat",
                "lua-filesystem",
                "lua-cjson",
                "luaossl",
                "lua-basexx",
                "lua-inspect",
            ],
            plugins: vec!["jitsi-meet-prosody"],
            dbi_sqlite: vec!["luadbi"],
            dbi_mariadb: vec!["luadbi"],
            dbi_postgresql: vec!["luadbi"],
            jicofo: vec!["zulu-openjdk17", "jicofo"],
            videobridge: vec!["zulu-openjdk17", "jitsi-videobridge"],
            meet: vec!["jitsi-meet-web"],
            nginx: vec!["nginx"],
            caddy: vec!["caddy"],
            accounts: vec!["jitsi-accounts"],
            mariadb: vec!["mariadb"],
            postgresql: vec!["postgresql"],
        },
        stage: None,
    }
}

fn account(user: &str, group: &str, made_with_home: Option<&str>) -> Account {
    Account {
        owner: Owner::new(user, group),
        made_with_home: made_with_home.map(AbsPath::fixed),
    }
}
