//! Debian 12 and 13, and what descends from them.

use super::{Account, AccountsPlace, Init, Packages, Platform, ProsodyPlace, Release, WebPlace};
use crate::name::{AbsPath, Owner};
use crate::site::ProsodyVersion;

pub(super) fn platform(release: Release) -> Platform {
    let path = AbsPath::fixed;
    let trixie = release == Release::Debian13;
    Platform {
        release,
        init: Init::Systemd,
        prosody: ProsodyPlace {
            version: if trixie {
                ProsodyVersion::V13
            } else {
                ProsodyVersion::V0_12
            },
            config: path("/etc/prosody"),
            data: path("/var/lib/prosody"),
            logs: path("/var/log/prosody"),
            pidfile: path("/run/prosody/prosody.pid"),
            account: account("prosody", "prosody", None),
            plugins: path("/usr/share/jitsi-meet/prosody-plugins"),
            own_plugins: path("/usr/local/share/jitsi-install/prosody-plugins"),
            lua: "5.4",
            // lua-basexx is installed for Lua 5.1 and 5.2 only, lua-inspect for 5.1 to 5.3, while
            // Prosody runs on 5.4; both are pure Lua and work there.
            stray_modules: vec![
                ("basexx", path("/usr/share/lua/5.2/basexx.lua")),
                ("inspect", path("/usr/share/lua/5.3/inspect.lua")),
            ],
            lua_path: path("/usr/local/share/lua/5.4"),
        },
        nginx: WebPlace {
            site_dir: path("/etc/nginx/sites-available"),
            enabled_dir: Some(path("/etc/nginx/sites-enabled")),
            logs: path("/var/log/nginx"),
            account: account("www-data", "www-data", None),
            http2_directive: trixie,
        },
        caddy: WebPlace {
            site_dir: path("/etc/caddy"),
            enabled_dir: None,
            logs: path("/var/log/caddy"),
            account: account("caddy", "caddy", None),
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
            mariadb: ("mariadb", path("/run/mysqld/mysqld.sock")),
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
        init_dir: path("/etc/systemd/system"),
        caddy_state: path("/var/lib/caddy"),
        sysctl_dir: path("/etc/sysctl.d"),
        packages: Packages {
            prosody: vec![
                "prosody",
                "lua-basexx",
                "lua-cjson",
                "lua-inspect",
                "lua-luaossl",
                "lua-sec",
            ],
            plugins: vec!["jitsi-meet-prosody"],
            dbi_sqlite: vec!["lua-dbi-sqlite3"],
            dbi_mariadb: vec!["lua-dbi-mysql"],
            dbi_postgresql: vec!["lua-dbi-postgresql"],
            jicofo: vec![
                if trixie {
                    "openjdk-21-jre-headless"
                } else {
                    "openjdk-17-jre-headless"
                },
                "jicofo",
            ],
            videobridge: vec![
                if trixie {
                    "openjdk-21-jre-headless"
                } else {
                    "openjdk-17-jre-headless"
                },
                "jitsi-videobridge2",
            ],
            meet: vec!["jitsi-meet-web"],
            nginx: vec!["nginx"],
            caddy: vec!["caddy"],
            accounts: vec!["jitsi-accounts"],
            mariadb: vec!["mariadb-server"],
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
