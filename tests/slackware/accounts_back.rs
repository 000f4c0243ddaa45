//! What an administrator does to the account service by hand, a boot, settings that are refused, and the
//! way back: a rollback, an uninstall, a purge.

use super::accounts::{Database, PASSWORD, SCRIPT, page, people_sign_in, pid, sign_in};
use super::cases::Cases;
use super::machine::Machine;

/// By hand: each verb, and the end of the program without one.
pub(super) fn the_script(machine: &Machine, cases: &mut Cases) {
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
pub(super) fn wrong_settings(machine: &Machine, cases: &mut Cases, database: Database) {
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

pub(super) fn a_boot(machine: &Machine, cases: &mut Cases, database: Database) {
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
pub(super) fn back_and_forth(machine: &Machine, cases: &mut Cases, database: Database) {
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
         /run/jitsi-accounts/web.sock 2> /dev/null; pgrep -f 'jitsi-account[s] serve'",
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

pub(super) fn away(machine: &Machine, cases: &mut Cases, database: Database) {
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
