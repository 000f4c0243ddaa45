//! The account service on the machine itself: the real program behind both web servers, on SQLite
//! and on database servers of Debian's, from an apply to a purge. Its package is a stand-in of the
//! name with the program that was built here.

use std::fs;
use std::process::Command;
use std::sync::Mutex;

use super::accounts_back as back;
use super::cases::Cases;
use super::container::{Container, Said};
use super::debs;
use super::journey::{DOMAIN, SITE, site};
use super::rootfs::{FOLDER, Release, download, stanza};
use super::services::Server;
use super::shell::done;

/// Where people are kept, and the package that it takes.
#[derive(Clone, Copy)]
pub(crate) enum Database {
    Sqlite,
    MariaDb,
    PostgreSql,
}

impl Database {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::MariaDb => "mariadb",
            Self::PostgreSql => "postgresql",
        }
    }

    /// With Prosody's driver.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["lua-dbi-sqlite3"],
            Self::MariaDb => &["mariadb-server", "lua-dbi-mysql"],
            Self::PostgreSql => &["postgresql", "lua-dbi-postgresql"],
        }
    }

    /// Gives Prosody's role another password, where there is one.
    pub(super) fn spoil(self) -> &'static str {
        match self {
            Self::Sqlite => "true",
            Self::MariaDb => {
                "mariadb -e \"ALTER USER 'jitsi_accounts_reader'@'localhost' IDENTIFIED BY 'other'\""
            }
            Self::PostgreSql => {
                "cd / && runuser -u postgres -- psql -qc \"ALTER ROLE jitsi_accounts_reader PASSWORD 'other'\""
            }
        }
    }

    /// A right that Prosody's role should not have or not lack: how it is given or taken, what the
    /// doctor says, and the cure.
    pub(super) fn rights(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            // Slackware's tests have more.
            Self::Sqlite => &[(
                "chmod o+r /var/lib/jitsi-accounts/accounts.sqlite",
                "open to more",
                "chmod 0640 /var/lib/jitsi-accounts/accounts.sqlite",
            )],
            Self::MariaDb => &[(
                "mariadb -e \"GRANT SELECT ON jitsi_accounts.accounts TO 'jitsi_accounts_reader'@'localhost'\"",
                "SELECT on accounts",
                "mariadb -e \"REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'jitsi_accounts_reader'@'localhost'\" && jitsi-install apply --yes",
            )],
            Self::PostgreSql => &[
                (
                    "cd / && runuser -u postgres -- psql -q jitsi_accounts -c 'GRANT SELECT, DELETE ON accounts TO jitsi_accounts_reader'",
                    "SELECT on accounts, DELETE on accounts",
                    "cd / && runuser -u postgres -- psql -q jitsi_accounts -c 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM jitsi_accounts_reader' && jitsi-install apply --yes",
                ),
                (
                    "cd / && runuser -u postgres -- psql -q jitsi_accounts -c 'GRANT UPDATE ON prosody_login TO PUBLIC'",
                    "UPDATE on prosody_login",
                    "cd / && runuser -u postgres -- psql -q jitsi_accounts -c 'REVOKE ALL ON prosody_login FROM PUBLIC'",
                ),
                (
                    "cd / && runuser -u postgres -- psql -q jitsi_accounts -c 'REVOKE SELECT ON prosody_login FROM jitsi_accounts_reader'",
                    "does not read",
                    "jitsi-install apply --yes",
                ),
            ],
        }
    }

    /// Asks the server itself which databases and roles of ours it has.
    fn ours(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::MariaDb => Some(
                "mariadb -BN -e \"SHOW DATABASES LIKE 'jitsi%'; SELECT User FROM mysql.user WHERE User LIKE 'jitsi%' ORDER BY User\"",
            ),
            Self::PostgreSql => Some(
                "cd / && runuser -u postgres -- psql -Atc \"SELECT datname FROM pg_database WHERE datname LIKE 'jitsi%' UNION ALL (SELECT rolname FROM pg_roles WHERE rolname LIKE 'jitsi%' ORDER BY 1)\"",
            ),
        }
    }

    /// What Prosody's role sees of a table of people and of its own view.
    fn as_reader(self, table: &str) -> Option<String> {
        let word = "$(sed -n 's/^accounts_reader_password = \"\\(.*\\)\"/\\1/p' /etc/jitsi-install/secrets.toml)";
        match self {
            Self::Sqlite => None,
            Self::MariaDb => Some(format!(
                "MYSQL_PWD={word} mariadb --no-defaults -u jitsi_accounts_reader -BN jitsi_accounts -e 'SELECT COUNT(*) FROM {table}'"
            )),
            Self::PostgreSql => Some(format!(
                "PGPASSWORD={word} psql -h 127.0.0.1 -U jitsi_accounts_reader -At jitsi_accounts -c 'SELECT COUNT(*) FROM {table}'"
            )),
        }
    }
}

/// apt's lists of a release stand in one place.
static DOWNLOADS: Mutex<()> = Mutex::new(());

/// All of it.
pub(crate) fn take(release: Release, server: Server, database: Database) {
    let title = format!(
        "accounts on {} with {} and {}",
        release.name(),
        server.name(),
        database.name()
    );
    let mut cases = Cases::new(&title);
    let debs = debs::built().unwrap_or_else(|error| panic!("no stand-ins: {error}"));
    let name = format!("accounts-{}", database.name());
    if let Some(mut machine) = cases.must("it boots", Container::boot(release, &name, debs)) {
        let furnished = furnish(&machine, release, database, &debs.index);
        if cases.must("packages can be put there", furnished).is_some() {
            travel(&mut cases, &machine, server, database);
        }
        cases.must("it powers off", machine.stop());
    }
    cases.finish();
}

/// A package of the program, curl, and the database server's packages.
fn furnish(
    machine: &Container,
    release: Release,
    database: Database,
    index: &str,
) -> Result<(), String> {
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut wanted = vec!["curl"];
    wanted.extend(database.packages());
    let one_at_a_time = DOWNLOADS.lock();
    download(release, &wanted, place.path())?;
    drop(one_at_a_time);
    let tree = place.path().join("tree");
    let text = |error: std::io::Error| error.to_string();
    fs::create_dir_all(tree.join("usr/sbin")).map_err(text)?;
    fs::create_dir_all(tree.join("DEBIAN")).map_err(text)?;
    fs::copy(
        env!("CARGO_BIN_EXE_jitsi-accounts"),
        tree.join("usr/sbin/jitsi-accounts"),
    )
    .map_err(text)?;
    let control = "Package: jitsi-accounts\nVersion: 0.1.0\nArchitecture: amd64\nMaintainer: A test <test@example.org>\n\
                   Description: stand-in for the package, with the real program\n";
    fs::write(tree.join("DEBIAN/control"), control).map_err(text)?;
    done(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "-Znone", "--build"])
            .arg(&tree)
            .arg(place.path().join("jitsi-accounts_0.1.0_amd64.deb")),
    )?;
    fs::remove_dir_all(&tree).map_err(text)?;
    let mut all = index.to_owned();
    for entry in fs::read_dir(place.path()).map_err(text)?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|end| end == "deb") {
            all.push_str(&stanza(&path)?);
            let bytes = fs::read(&path).map_err(text)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            machine.put(&format!("{FOLDER}/{name}"), &bytes, 0o644)?;
        }
    }
    machine.index(&all)?;
    match machine.sh("apt-get -q -y install --no-install-recommends curl") {
        said if said.code == 0 => Ok(()),
        said => Err(said.whole()),
    }
}

fn travel(cases: &mut Cases, machine: &Container, server: Server, database: Database) {
    let put = machine.put(SITE, site(server, &[]).as_bytes(), 0o644);
    cases.must("the site file can be written", put);
    let said = machine.sh("jitsi-install apply --yes");
    cases.holds("a site without accounts", said.code == 0, || said.whole());
    back::token_opens(cases, machine, "at first", "success");
    let generations = machine.sh("ls /var/lib/jitsi-install/generations | tail -n 1");
    let generation = generations.out.trim().parse().unwrap_or(0);
    let text = back::with_accounts(server, database);
    let put = machine.put(SITE, text.as_bytes(), 0o644);
    cases.must("and with them", put);
    let mut succeeds = |name: &str, line: &str| -> Said {
        let said = machine.sh(line);
        cases.holds(name, said.code == 0, || said.whole());
        said
    };
    succeeds("an apply brings accounts", "jitsi-install apply --yes");
    let get = |path: &str| {
        format!(
            "curl -sS --max-time 20 --cacert /etc/jitsi/certs/{DOMAIN}.ca.crt --resolve {DOMAIN}:443:127.0.0.1 -w '\\n%{{http_code}}' https://{DOMAIN}{path} 2>&1 || curl -ksS --max-time 20 --resolve {DOMAIN}:443:127.0.0.1 -w '\\n%{{http_code}}' https://{DOMAIN}{path}"
        )
    };
    let page = succeeds("pages can be asked for", &get("/accounts/sign-up"));
    cases.holds(
        "the sign-up page comes through the web server",
        page.out.ends_with("200") && page.out.contains("<form"),
        || page.whole(),
    );
    let said = machine.sh("jitsi-install apply --yes");
    cases.holds(
        "a second apply has nothing to do",
        said.code == 0 && said.whole().contains("everything is in order"),
        || said.whole(),
    );
    let said = machine.sh("stat -c '%a %U' /run/jitsi-accounts/web.sock; stat -c '%a %U:%G' /etc/jitsi-accounts/key /etc/jitsi-accounts/accounts.toml");
    cases.same(
        "socket and secrets are nobody else's",
        said.out,
        "660 jitsi-accounts\n640 root:jitsi-accounts\n640 root:jitsi-accounts\n".to_owned(),
    );
    let said = machine.sh("runuser -u nobody -- curl -s --unix-socket /run/jitsi-accounts/web.sock http://x/accounts/sign-up");
    cases.holds(
        "a stranger has no way to the socket",
        said.code != 0,
        || said.whole(),
    );
    let said = machine.sh("systemd-analyze security --no-pager jitsi-accounts jicofo 2>&1 | grep -o 'Overall.*' ; for u in jitsi-accounts jicofo; do systemd-analyze security --no-pager $u | tail -1; done");
    println!("{}", said.out);
    let said = machine.sh("systemd-analyze security --no-pager --threshold=20 jitsi-accounts");
    cases.holds("its sandbox is tight", said.code == 0, || said.whole());

    let made = machine.sh("runuser -u jitsi-accounts -- jitsi-accounts users add ann --admin");
    cases.holds(
        "an administrator gets a link",
        made.code == 0
            && made
                .out
                .contains(&format!("https://{DOMAIN}/accounts/setup?t=")),
        || made.whole(),
    );
    let link = made
        .out
        .trim()
        .trim_start_matches(&format!("https://{DOMAIN}"))
        .to_owned();
    let page = machine.sh(&get(&link));
    cases.holds("the link opens a page", page.out.ends_with("200"), || {
        page.whole()
    });
    let token = link.split("t=").nth(1).unwrap_or("no token").to_owned();
    let logs = machine.sh(&format!("sync; sleep 1; grep -r -l -F -e '{token}' /var/log; journalctl --no-pager | grep -c -F -e '{token}'"));
    cases.same("no log has the token", logs.out, "0\n".to_owned());

    // Nobody is turned away while it starts anew: the socket is systemd's.
    let line = format!(
        "(sleep 1; systemctl restart jitsi-accounts) & for i in $(seq 60); do curl -ksS -o /dev/null --max-time 20 --resolve {DOMAIN}:443:127.0.0.1 -w '%{{http_code}}\\n' https://{DOMAIN}/accounts/sign-in; sleep 0.05; done | sort | uniq -c; wait"
    );
    let said = machine.sh(&line);
    cases.same(
        "nobody is turned away by a restart",
        said.out.trim().to_owned(),
        "60 200".to_owned(),
    );

    roles(cases, machine, database);
    back::she_has_a_password(cases, machine, &token);
    back::rights_are_examined(cases, machine, database);
    back::a_change_is_refused(cases, machine, database);
    back::back_and_forth(cases, machine, database, generation);
    leave(cases, machine, database);
}

/// Who may read what.
fn roles(cases: &mut Cases, machine: &Container, database: Database) {
    let Some(ours) = database.ours() else { return };
    let all = "jitsi_accounts\njitsi_accounts\njitsi_accounts_reader\n".to_owned();
    let said = machine.sh(ours);
    cases.same("database and roles are there", said.out, all);
    if let (Some(view), Some(table)) = (
        database.as_reader("prosody_login"),
        database.as_reader("accounts"),
    ) {
        let said = machine.sh(&view);
        cases.same(
            "Prosody's role reads its view",
            said.out.trim().to_owned(),
            "1".to_owned(),
        );
        let said = machine.sh(&table);
        cases.holds("and nothing else", said.code != 0, || said.whole());
    }
    // Somebody changes a password by hand: seen, and mended.
    machine.sh(database.spoil());
    let plan = machine.sh("jitsi-install plan");
    cases.holds(
        "a role that no longer comes in is seen",
        plan.out.contains("jitsi_accounts"),
        || plan.whole(),
    );
    let said = machine.sh("jitsi-install apply --yes");
    cases.holds("and mended", said.code == 0, || said.whole());
    let said = machine.sh(&database.as_reader("prosody_login").unwrap_or_default());
    cases.same(
        "and comes in again",
        said.out.trim().to_owned(),
        "1".to_owned(),
    );
}

/// Back, forth, away, away for good.
fn leave(cases: &mut Cases, machine: &Container, database: Database) {
    let count = match database {
        Database::Sqlite => "ls /var/lib/jitsi-accounts/accounts.sqlite",
        Database::MariaDb => "mariadb -BN jitsi_accounts -e 'SELECT COUNT(*) FROM accounts'",
        Database::PostgreSql => {
            "cd / && runuser -u postgres -- psql -At jitsi_accounts -c 'SELECT COUNT(*) FROM accounts'"
        }
    };
    let before = machine.sh(count);
    let said = machine.sh("jitsi-install uninstall --yes");
    cases.holds("it can be uninstalled", said.code == 0, || said.whole());
    let said = machine.sh(
        "systemctl is-active jitsi-accounts jitsi-accounts.socket; ls /run/jitsi-accounts/web.sock",
    );
    cases.holds(
        "service and socket are gone then",
        !said.out.lines().any(|line| line == "active") && !said.out.contains("web.sock"),
        || said.whole(),
    );
    let server = match database {
        Database::Sqlite => "true",
        Database::MariaDb => "systemctl start mariadb",
        Database::PostgreSql => "systemctl start postgresql && sleep 3",
    };
    machine.sh(server);
    let after = machine.sh(count);
    cases.same("people's data stays", after.out, before.out);
    let said = machine.sh("jitsi-install apply --yes");
    cases.holds("it can be laid out again", said.code == 0, || said.whole());
    let said = machine.sh("runuser -u jitsi-accounts -- jitsi-accounts users list");
    cases.holds(
        "with the people of before",
        said.out.contains("ann"),
        || said.whole(),
    );
    let said = machine.sh("jitsi-install uninstall --purge --yes");
    cases.holds("it can be purged", said.code == 0, || said.whole());
    machine.sh(server);
    let said = machine.sh("ls -d /var/lib/jitsi-accounts /etc/jitsi-accounts 2>/dev/null");
    cases.same("then nothing of it is left", said.out, String::new());
    if let Some(ours) = database.ours() {
        let said = machine.sh(ours);
        cases.same("not in the server either", said.out, String::new());
    }
}
