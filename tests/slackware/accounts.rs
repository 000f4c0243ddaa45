//! Accounts on a Slackware machine: a site that gets them, loses them by a rollback, has them again
//! and is uninstalled. The account service, Prosody with our module, LuaDBI and the database server
//! are real; `rc.mysqld` is a stand-in.

use super::boot::order;
use super::cases::Cases;
use super::journey::{SITE, machine, site};
use super::machine::{Machine, Said};
use super::tree;

const SCRIPT: &str = "/etc/rc.d/rc.jitsi-accounts";
const PASSWORD: &str = "violet kettle 42 drums";

/// Where people are kept, and by which web server they come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    MariaDb,
}

impl Database {
    fn web(self) -> &'static str {
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
        an_administrator(&machine, &mut cases);
        people_sign_in(&machine, &mut cases, "once they have a password");
        the_script(&machine, &mut cases);
        wrong_settings(&machine, &mut cases, database);
        a_boot(&machine, &mut cases, database);
        back_and_forth(&machine, &mut cases, database);
        away(&machine, &mut cases, database);
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
fn pid(machine: &Machine) -> Option<String> {
    let said = machine.run(&[SCRIPT, "status"]);
    let (_, rest) = said.out.split_once("jitsi-accounts is running (pid ")?;
    let (pid, _) = rest.split_once(')')?;
    (said.code == 0).then(|| pid.to_owned())
}

/// A page through the web server; the last line is the status.
fn page(machine: &Machine, arguments: &str, path: &str) -> Said {
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

fn people_sign_in(machine: &Machine, cases: &mut Cases, when: &str) {
    for (name, password, want) in [
        ("ann", PASSWORD, "success"),
        ("ann", "wrong", "not-authorized"),
        ("nobody", PASSWORD, "not-authorized"),
    ] {
        let what = format!("Prosody lets people in {when}: {name}, {password}");
        cases.same(&what, sign_in(machine, name, password).as_str(), want);
    }
}

/// By hand: each verb, and the end of the program without one.
fn the_script(machine: &Machine, cases: &mut Cases) {
    let before = pid(machine);
    let said = machine.run(&[SCRIPT, "start"]);
    let holds = said.code == 0 && said.out.contains("already running");
    cases.holds("a second start does nothing", holds, || said.whole());
    let said = machine.run(&[SCRIPT, "restart"]);
    let after = pid(machine);
    let holds = said.code == 0 && after.is_some() && after != before;
    cases.holds("restart", holds, || said.whole());
    let said = page(machine, "", "/account");
    cases.holds("and it answers", said.out.ends_with("\n200"), || {
        said.whole()
    });
    machine.sh(&format!("kill -KILL {}", after.clone().unwrap_or_default()));
    let back = "for i in $(seq 100); do curl -sf http://127.0.0.1:8481/readyz > /dev/null && exit 0; sleep 0.1; done; exit 1";
    let said = machine.sh(&format!("sleep 0.5; {back}"));
    let again = pid(machine);
    let holds = said.code == 0 && again.is_some() && again != after;
    cases.holds("killed, it comes back", holds, || said.whole());
    let said = machine.run(&[SCRIPT, "stop"]);
    cases.holds("stop", said.code == 0, || said.whole());
    let said = machine.run(&[SCRIPT, "status"]);
    let holds = said.code == 3 && said.out.contains("not running");
    cases.holds("status knows", holds, || said.whole());
    let said = machine
        .sh("pgrep -fx '/usr/sbin/jitsi-accounts serve.*'; pgrep -f 'rc.jitsi-accounts keep'");
    cases.same("nothing of it runs", said.out.as_str(), "");
    let said = page(machine, "-o /dev/null", "/sign-in");
    cases.same("its pages say so", said.out.as_str(), "\n502");
    let said = machine.installer(&["status"]);
    let holds = said.code == 1 && said.out.contains("jitsi-accounts: it does not run");
    cases.holds("and so does status", holds, || said.whole());
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds(
        "an apply starts it",
        said.code == 0 && pid(machine).is_some(),
        || said.whole(),
    );
}

/// Settings that the program refuses: by hand it stays down and says so, and an apply takes back what
/// it has written.
fn wrong_settings(machine: &Machine, cases: &mut Cases, database: Database) {
    let file = "/etc/jitsi-accounts/accounts.toml";
    let good = machine.read(file);
    machine.write(
        file,
        &good.replace("language = \"en\"", "language = \"xx\""),
    );
    machine.run(&[SCRIPT, "stop"]);
    let said = machine.run(&[SCRIPT, "start"]);
    cases.same("wrong settings do not start", said.code, 1);
    let said = machine.run(&[SCRIPT, "status"]);
    let holds = said.code == 3 && said.out.contains("refused its configuration (status 65)");
    cases.holds("and are named", holds, || said.whole());
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 0 && machine.read(file) == good && pid(machine).is_some();
    cases.holds("an apply mends them", holds, || said.whole());
    let own = "/etc/jitsi-install/templates/accounts/accounts.toml";
    let template = include_str!("../../templates/accounts/accounts.toml");
    machine.write(
        own,
        &template.replace("schema = 1", "schema = 1\nwrong = true"),
    );
    if database == Database::MariaDb {
        // which the same apply mends before it fails
        machine.sh(
            "mysql -e \"ALTER USER 'jitsi_accounts_reader'@'localhost' IDENTIFIED BY 'other'\"",
        );
    }
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 1 && said.err.contains("taken back");
    cases.holds("a template that is refused is taken back", holds, || {
        said.whole()
    });
    cases.same("with the settings of before", machine.read(file), good);
    cases.holds("and it runs", pid(machine).is_some(), || {
        machine.run(&[SCRIPT, "status"]).whole()
    });
    machine.sh(&format!(
        "rm -r {own}; rmdir /etc/jitsi-install/templates/accounts"
    ));
    people_sign_in(machine, cases, "after that");
}

fn a_boot(machine: &Machine, cases: &mut Cases, database: Database) {
    let said = machine.sh("/etc/rc.d/rc.K");
    cases.holds("all stop at shutdown", said.code == 0, || said.whole());
    cases.same("it too", pid(machine), None);
    // what is left of the others, as in a boot
    machine.sh("for i in $(seq 100); do pgrep -x 'nginx|caddy|java|lua5.4|mariadbd' > /dev/null || break; sleep 0.1; done");
    let said = machine.sh("/etc/rc.d/rc.M");
    cases.holds("the machine boots", said.code == 0, || said.whole());
    cases.holds("it runs", pid(machine).is_some(), || {
        machine.run(&[SCRIPT, "status"]).whole()
    });
    cases.same("all run", machine.pids(database.web()).len(), 4);
    people_sign_in(machine, cases, "after a boot");
    let said = page(machine, "", "/admin/users");
    cases.holds(
        "she is still signed in",
        said.out.ends_with("\n200"),
        || said.whole(),
    );
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 0 && said.err.contains("everything is in order");
    cases.holds("an apply after it has nothing to do", holds, || {
        said.whole()
    });
}

/// A rollback to the site without accounts, and forth again.
fn back_and_forth(machine: &Machine, cases: &mut Cases, database: Database) {
    let said = machine.installer(&["rollback", "1", "--yes"]);
    cases.holds("a rollback to the site of tokens", said.code == 0, || {
        said.whole()
    });
    is_gone(machine, cases, "after a rollback");
    cases.same("the others run", machine.pids(database.web()).len(), 4);
    cases.same(
        "nobody signs in by a password",
        sign_in(machine, "ann", PASSWORD).contains("success"),
        false,
    );
    let config = machine.sh("cat /etc/prosody/*.lua /etc/prosody/conf.d/* 2> /dev/null");
    let holds =
        config.out.contains("authentication = \"token\"") && !config.out.contains("sql_hashed");
    cases.holds("Prosody wants tokens", holds, || config.out.clone());
    whose_people_are(machine, cases, "after a rollback", database);
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("accounts again", said.code == 0, || said.whole());
    people_sign_in(machine, cases, "after all of it");
    let said = page(machine, "", "/admin/users");
    cases.holds(
        "her session is what it was",
        said.out.ends_with("\n200"),
        || said.whole(),
    );
}

/// Nothing of it runs, starts or answers.
fn is_gone(machine: &Machine, cases: &mut Cases, when: &str) {
    let said = machine.sh(
        "ls -d /etc/rc.d/rc.jitsi-accounts /etc/jitsi-accounts /etc/logrotate.d/jitsi-accounts /etc/prosody/accounts.key \
         /run/jitsi-accounts/web.sock 2> /dev/null; pgrep -f 'jitsi-accounts serve'",
    );
    cases.same(
        &format!("nothing of it is there {when}"),
        said.out.as_str(),
        "",
    );
    let local = machine.read("/etc/rc.d/rc.local") + &machine.read("/etc/rc.d/rc.local_shutdown");
    cases.holds(
        &format!("nor started {when}"),
        !local.contains("accounts"),
        || local.clone(),
    );
    let said = page(machine, "", "/sign-in");
    let holds = !said.out.contains("name=\"password\"");
    cases.holds(&format!("no sign-in page answers {when}"), holds, || {
        said.whole()
    });
}

/// No account that comes later may get the number to which people belong.
fn whose_people_are(machine: &Machine, cases: &mut Cases, when: &str, database: Database) {
    let said = machine.sh(
        "stat -c %U:%G /var/lib/jitsi-accounts; getent passwd jitsi-accounts | cut -d: -f1,6,7",
    );
    let folder = match database {
        Database::Sqlite => "jitsi-accounts:prosody",
        // nothing is in it
        Database::MariaDb => "",
    };
    let user = "jitsi-accounts:/var/lib/jitsi-accounts:/bin/false";
    let want = format!("{folder}\n{user}\n");
    cases.same(
        &format!("people have their owner {when}"),
        said.out.trim_start(),
        want.trim_start(),
    );
}

fn away(machine: &Machine, cases: &mut Cases, database: Database) {
    let said = machine.installer(&["uninstall", "--yes"]);
    cases.holds("uninstall", said.code == 0, || said.whole());
    is_gone(machine, cases, "after uninstall");
    let kept = match database {
        Database::Sqlite => "/var/lib/jitsi-accounts/accounts.sqlite",
        Database::MariaDb => "/var/lib/mysql/jitsi_accounts/accounts.ibd",
    };
    let is_kept = || machine.sh(&format!("test -s {kept}")).code == 0;
    cases.holds("people stay", is_kept(), || {
        machine.sh("ls -R /var/lib/jitsi-accounts").out
    });
    whose_people_are(machine, cases, "after an uninstall", database);
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("laid out once more", said.code == 0, || said.whole());
    people_sign_in(machine, cases, "after an uninstall");
    let said = machine.installer(&["uninstall", "--purge", "--yes"]);
    cases.holds("purge", said.code == 0, || said.whole());
    is_gone(machine, cases, "after a purge");
    let said = machine.sh("ls -d /var/lib/jitsi-accounts /var/log/jitsi/accounts 2> /dev/null");
    let rest = machine
        .sh("getent passwd jitsi-accounts jicofo jvb; getent group jitsi-accounts jicofo jvb");
    cases.same("nobody of ours is left", rest.out.as_str(), "");
    cases.same("then people are gone", said.out.as_str(), "");
    cases.holds("with their database", !is_kept(), String::new);
}
