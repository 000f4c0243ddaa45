//! Accounts on a Slackware machine: a site that gets them, loses them by a rollback, has them again
//! and is uninstalled. The account service, Prosody with our module, LuaDBI and the database server
//! are real; `rc.mysqld` is a stand-in.

use super::accounts_back as back;
use super::accounts_doctor as doctor;
use super::boot::order;
use super::cases::Cases;
use super::journey::{SITE, machine, site};
use super::machine::{Machine, Said};
use super::tree;

pub(super) const SCRIPT: &str = "/etc/rc.d/rc.jitsi-accounts";
pub(super) const PASSWORD: &str = "violet kettle 42 drums";

/// Where people are kept, and by which web server they come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    MariaDb,
}

impl Database {
    pub(super) fn web(self) -> &'static str {
        match self {
            Self::Sqlite => "nginx",
            Self::MariaDb => "caddy",
        }
    }

    /// With accounts, or by tokens as before.
    fn site(self, has_accounts: bool) -> String {
        let (web, word) = match self {
            Self::Sqlite => ("\"nginx\"", "\"sqlite\""),
            Self::MariaDb => ("\"caddy\"", "\"mariadb\""),
        };
        let mut changes = vec![("web.server", web)];
        if has_accounts {
            changes.extend([
                ("auth.mode", "\"sql_hashed\""),
                ("accounts.database", word),
                ("accounts.staff_second_factor", "false"),
                ("accounts.smtp.host", "\"localhost\""),
                ("accounts.smtp.tls", "\"none\""),
            ]);
        }
        site(&changes)
    }

    /// Its services before the others, in starting order.
    fn order(self) -> Vec<String> {
        let server = (self == Self::MariaDb).then_some("mysqld");
        let all = ["jitsi-accounts", "prosody", "jicofo", "jitsi-videobridge"];
        let all = server.into_iter().chain(all).chain([self.web()]);
        all.map(str::to_owned).collect()
    }
}

pub(crate) fn take(database: Database) {
    let machine = machine();
    machine.bring_accounts();
    let mut cases = Cases::new(&format!("accounts on Slackware, with {}", database.web()));
    if database == Database::MariaDb {
        a_server_is_there(&machine, &mut cases);
    }
    machine.write(SITE, &database.site(false));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("a site without accounts", said.code == 0, || said.whole());
    machine.write(SITE, &database.site(true));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("that gets accounts", said.code == 0, || said.whole());
    if said.code == 0 {
        once_more(&machine, &mut cases, database);
        who_may_what(&machine, &mut cases, database);
        doctor::nobody_administers(&machine, &mut cases);
        an_administrator(&machine, &mut cases);
        people_sign_in(&machine, &mut cases, "once they have a password");
        back::the_script(&machine, &mut cases);
        back::wrong_settings(&machine, &mut cases, database);
        back::a_boot(&machine, &mut cases, database);
        back::back_and_forth(&machine, &mut cases, database);
        doctor::the_doctor(&machine, &mut cases, database);
        back::away(&machine, &mut cases, database);
    }
    let left = machine.end();
    cases.same("nothing is left of the root", left, Vec::new());
    cases.finish();
}

/// As the system has it once its folder of data was made.
fn a_server_is_there(machine: &Machine, cases: &mut Cases) {
    let said = machine.sh(
        "installpkg /var/cache/jitsi-install/packages/mariadb-*.txz \
         && mysql_install_db --user=mysql --datadir=/var/lib/mysql --skip-test-db > /dev/null",
    );
    cases.holds("MariaDB has a folder of data", said.code == 0, || {
        said.whole()
    });
}

/// Its process id by the script's word, while it runs.
pub(super) fn pid(machine: &Machine) -> Option<String> {
    let said = machine.run(&[SCRIPT, "status"]);
    let (_, rest) = said.out.split_once("jitsi-accounts is running (pid ")?;
    let (pid, _) = rest.split_once(')')?;
    (said.code == 0).then(|| pid.to_owned())
}

/// A page through the web server; the last line is the status.
pub(super) fn page(machine: &Machine, arguments: &str, path: &str) -> Said {
    machine.sh(&format!(
        "curl -sS --max-time 20 --cacert /etc/jitsi/certs/meet.example.org.crt -b /root/cookies -c /root/cookies \
         -H 'Origin: https://meet.example.org' -w '\\n%{{http_code}}' {arguments} 'https://meet.example.org/accounts{path}'"
    ))
}

fn once_more(machine: &Machine, cases: &mut Cases, database: Database) {
    let before = (pid(machine), machine.pids(database.web()));
    cases.holds("it runs", before.0.is_some(), || {
        machine.run(&[SCRIPT, "status"]).whole()
    });
    cases.same("and so do the others", before.1.len(), 4);
    let found = tree::of(&machine.root());
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 0 && said.err.contains("everything is in order");
    cases.holds("a second apply has nothing to do", holds, || said.whole());
    let after = (pid(machine), machine.pids(database.web()));
    cases.same("and restarts nothing", after, before);
    let passing = [
        "/var/log",
        "/var/lib/prosody",
        "/var/lib/mysql",
        "/var/lib/jitsi-accounts",
        "/var/lib/jitsi-install/lock",
    ];
    let changed = tree::differences(&found, &tree::of(&machine.root()), &passing);
    cases.same("and changes nothing", changed, Vec::new());
    let mut want = database.order();
    let local = machine.read("/etc/rc.d/rc.local");
    cases.same(
        "it starts before Prosody",
        order(&local, "start"),
        want.clone(),
    );
    want.reverse();
    let local = machine.read("/etc/rc.d/rc.local_shutdown");
    cases.same("and stops after it", order(&local, "stop"), want);
    let said = machine.installer(&["status"]);
    cases.holds("status is content", said.code == 0, || said.whole());
}

fn who_may_what(machine: &Machine, cases: &mut Cases, database: Database) {
    let owners = "stat -c '%n %a %U:%G' /run/jitsi-accounts /run/jitsi-accounts/web.sock /etc/jitsi-accounts/key \
        /etc/jitsi-accounts/accounts.toml /etc/prosody/accounts.key /var/log/jitsi/accounts/jitsi-accounts.log";
    let group = match database {
        Database::Sqlite => "nogroup",
        Database::MariaDb => "caddy",
    };
    let want = format!(
        "/run/jitsi-accounts 2750 jitsi-accounts:{group}\n\
         /run/jitsi-accounts/web.sock 660 jitsi-accounts:{group}\n\
         /etc/jitsi-accounts/key 640 root:jitsi-accounts\n\
         /etc/jitsi-accounts/accounts.toml 640 root:jitsi-accounts\n\
         /etc/prosody/accounts.key 640 root:prosody\n\
         /var/log/jitsi/accounts/jitsi-accounts.log 640 jitsi-accounts:jitsi-accounts\n"
    );
    cases.same("owners and modes", machine.sh(owners).out, want);
    if database == Database::Sqlite {
        let said = machine.sh("cd /var/lib/jitsi-accounts && stat -c '%a %U:%G' . accounts.sqlite");
        let want = "2750 jitsi-accounts:prosody\n640 jitsi-accounts:prosody\n";
        cases.same("Prosody reads SQLite's file", said.out.as_str(), want);
    }
    let number = pid(machine).unwrap_or_default();
    let said = machine.sh(&format!(
        "stat -c %U /proc/{number}; grep -E '^(CapEff|NoNewPrivs)' /proc/{number}/status"
    ));
    let want = "jitsi-accounts\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n";
    cases.same("it has no rights", said.out.as_str(), want);
    let secrets = machine.read("/etc/jitsi-install/secrets.toml");
    let shown = machine.sh(
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ /var/log/jitsi/accounts/* | tr '\\0' '\\n'",
    );
    for line in secrets.lines().filter(|line| line.starts_with("accounts_")) {
        let word = line.split('"').nth(1).unwrap_or_default();
        let holds = word.len() >= 32 && !shown.out.contains(word);
        let name = line.split(' ').next().unwrap_or_default();
        cases.holds("no process and no log shows a secret", holds, || {
            name.to_owned()
        });
    }
    let knock = "setpriv --reuid 1 --regid 1 --clear-groups curl -sS --unix-socket /run/jitsi-accounts/web.sock http://x/accounts/sign-in";
    let said = machine.sh(knock);
    let holds = said.code == 7 && said.out.is_empty();
    cases.holds("a stranger has no way to the socket", holds, || {
        said.whole()
    });
}

fn an_administrator(machine: &Machine, cases: &mut Cases) {
    let said = page(machine, "", "/sign-up");
    let holds = said.out.ends_with("\n200") && said.out.contains("<form");
    cases.holds("the sign-up page comes", holds, || said.whole());
    let made = machine.run(&["jitsi-accounts", "users", "add", "ann", "--admin"]);
    let token = made
        .out
        .trim()
        .strip_prefix("https://meet.example.org/accounts/setup?t=");
    cases.holds("an administrator gets a link", token.is_some(), || {
        made.whole()
    });
    let token = token.unwrap_or_default();
    let said = page(machine, "", &format!("/setup?t={token}"));
    cases.holds("the link opens", said.out.ends_with("\n200"), || {
        said.whole()
    });
    let form =
        format!("-o /dev/null --data-urlencode t={token} --data-urlencode 'password={PASSWORD}'");
    let said = page(machine, &form, "/setup");
    cases.same("a password is chosen", said.out.as_str(), "\n303");
    let said = page(machine, &form, "/setup");
    cases.holds("once", !said.out.ends_with("303"), || said.whole());
    let form =
        format!("-o /dev/null --data-urlencode name=ann --data-urlencode 'password={PASSWORD}'");
    let said = page(machine, &form, "/sign-in");
    cases.same("she signs in", said.out.as_str(), "\n303");
    let said = page(machine, "", "/admin/users");
    let holds = said.out.ends_with("\n200") && said.out.contains("ann");
    cases.holds("the console answers", holds, || said.whole());
    let said = machine.sh(&format!("grep -rlF {token} /var/log"));
    cases.same("no log has the token", said.out.as_str(), "");
    // What root did by hand left nothing of root's.
    let said = machine.sh("find /var/lib/jitsi-accounts ! -user jitsi-accounts");
    cases.same("nothing of root's is beside", said.out.as_str(), "");
}

/// What Prosody says to a name and a password.
pub(super) fn sign_in(machine: &Machine, name: &str, password: &str) -> String {
    let script = include_str!("../proving/sign_in.sh");
    let said = machine.run(&["bash", "-c", script, "meet.example.org", name, password]);
    format!("{}{}", said.out.trim(), said.err.trim())
}

pub(super) fn people_sign_in(machine: &Machine, cases: &mut Cases, when: &str) {
    for (name, password, want) in [
        ("ann", PASSWORD, "success"),
        ("ann", "wrong", "not-authorized"),
        ("nobody", PASSWORD, "not-authorized"),
    ] {
        let what = format!("Prosody lets people in {when}: {name}, {password}");
        cases.same(&what, sign_in(machine, name, password).as_str(), want);
    }
}
