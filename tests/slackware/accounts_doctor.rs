//! The doctor and accounts: everything spoiled that its checks look at, and mended by their cures.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::accounts::{Database, people_sign_in};
use super::cases::Cases;
use super::machine::Machine;

/// The doctor's checks, and how it ended.
fn examined(machine: &Machine) -> (Vec<Value>, i32) {
    let said = machine.installer(&["doctor", "--json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap_or_default();
    (
        json["checks"].as_array().cloned().unwrap_or_default(),
        said.code,
    )
}

/// The check of this id with a word in its title.
fn of<'c>(checks: &'c [Value], id: &str, word: &str) -> Option<&'c Value> {
    let has = |check: &&Value| {
        check["id"] == id
            && check["title"]
                .as_str()
                .is_some_and(|title| title.contains(word))
    };
    checks.iter().find(has)
}

/// As the service tells it, which counts every fifteen seconds.
pub(super) fn nobody_administers(machine: &Machine, cases: &mut Cases) {
    let (checks, _) = examined(machine);
    let check = of(&checks, "D-64", "");
    let holds = check.is_some_and(|check| {
        let cure = check["cure"].as_str().unwrap_or_default();
        check["verdict"] == "warn" && cure.contains("jitsi-accounts users add")
    });
    cases.holds("the doctor misses an administrator", holds, || {
        format!("{check:#?}")
    });
}

/// What is done, and the check that turns: id, words of title, evidence and cure. `apply` or what
/// stands last takes it back.
type Spoiled = [(
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
)];

const SPOILED: &Spoiled = &[
    (
        "chmod 666 /run/jitsi-accounts/web.sock",
        "D-61",
        "socket",
        "everybody may speak",
        "rc.jitsi-accounts restart",
        "/etc/rc.d/rc.jitsi-accounts restart",
    ),
    (
        "chgrp bin /run/jitsi-accounts/web.sock",
        "D-61",
        "socket",
        "no way to it",
        "rc.jitsi-accounts restart",
        "/etc/rc.d/rc.jitsi-accounts restart",
    ),
    (
        "rm /run/jitsi-accounts/web.sock",
        "D-61",
        "socket",
        "missing",
        "rc.jitsi-accounts restart",
        "/etc/rc.d/rc.jitsi-accounts restart",
    ),
    (
        "sed -i 's/^language = .*/language = 5/' /etc/jitsi-accounts/accounts.toml",
        "D-60",
        "settings",
        "accounts.toml`: line",
        "jitsi-install apply",
        "jitsi-install apply --yes",
    ),
    (
        "rm /usr/sbin/jitsi-accounts",
        "D-60",
        "settings",
        "could not be run",
        "package `jitsi-accounts`",
        "installpkg /var/cache/jitsi-install/packages/jitsi-accounts-*.txz",
    ),
    (
        "echo other > /etc/prosody/accounts.key",
        "D-62",
        "share",
        "different words",
        "jitsi-install apply",
        "jitsi-install apply --yes",
    ),
    (
        "echo other-word-that-nobody-has-been-told > /etc/prosody/accounts.key; cat /etc/prosody/accounts.key > /etc/jitsi-accounts/prosody.key",
        "D-62",
        "share",
        "does not take",
        "rc.jitsi-accounts restart",
        "jitsi-install apply --yes",
    ),
    (
        "/etc/rc.d/rc.jitsi-accounts stop",
        "D-60",
        "answers",
        "nothing listens",
        "rc.jitsi-accounts",
        "/etc/rc.d/rc.jitsi-accounts start",
    ),
];

const SPOILED_SQLITE: &Spoiled = &[
    (
        "chmod 600 /var/lib/jitsi-accounts/accounts.sqlite",
        "D-65",
        "view",
        "Prosody cannot read it",
        "chmod 0640",
        "chmod 640 /var/lib/jitsi-accounts/accounts.sqlite",
    ),
    (
        "chmod 644 /var/lib/jitsi-accounts/accounts.sqlite",
        "D-65",
        "view",
        "open to more",
        "chmod 0640",
        "chmod 640 /var/lib/jitsi-accounts/accounts.sqlite",
    ),
    (
        "chmod 755 /var/lib/jitsi-accounts",
        "D-65",
        "view",
        "open to more",
        "jitsi-install apply",
        "jitsi-install apply --yes",
    ),
];

const SPOILED_MARIADB: &Spoiled = &[
    (
        "mysql -e \"GRANT SELECT ON jitsi_accounts.accounts TO 'jitsi_accounts_reader'@'localhost'\"",
        "D-65",
        "view",
        "may also: SELECT on accounts",
        "REVOKE ALL PRIVILEGES",
        "mysql -e \"REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'jitsi_accounts_reader'@'localhost'\" && jitsi-install apply --yes",
    ),
    (
        "mysql -e \"GRANT UPDATE (password) ON jitsi_accounts.accounts TO 'jitsi_accounts_reader'@'localhost'\"",
        "D-65",
        "view",
        "UPDATE on accounts.password",
        "REVOKE ALL PRIVILEGES",
        "mysql -e \"REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'jitsi_accounts_reader'@'localhost'\" && jitsi-install apply --yes",
    ),
    (
        "mysql -e \"GRANT INSERT ON *.* TO 'jitsi_accounts_reader'@'localhost'\"",
        "D-65",
        "view",
        "INSERT on everything",
        "REVOKE ALL PRIVILEGES",
        "mysql -e \"REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'jitsi_accounts_reader'@'localhost'\" && jitsi-install apply --yes",
    ),
    (
        "mysql -e \"REVOKE SELECT ON jitsi_accounts.prosody_login FROM 'jitsi_accounts_reader'@'localhost'\"",
        "D-65",
        "view",
        "does not read",
        "jitsi-install apply",
        "jitsi-install apply --yes",
    ),
    (
        "mysql -e \"DROP USER 'jitsi_accounts_reader'@'localhost'\"",
        "D-65",
        "view",
        "Access denied",
        "jitsi-install apply",
        "jitsi-install apply --yes",
    ),
];

/// Well, then spoiled in one place after the other, each mended by its cure.
pub(super) fn the_doctor(machine: &Machine, cases: &mut Cases, database: Database) {
    let is_well = |cases: &mut Cases, when: &str| {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let (checks, code) = examined(machine);
            let ours = checks
                .iter()
                .filter(|check| check["id"].as_str() >= Some("D-60"));
            let turned: Vec<&Value> = ours.filter(|check| check["verdict"] != "ok").collect();
            // Jicofo finds Prosody again after a moment.
            if code == 0 && turned.is_empty() || Instant::now() > until {
                let bad = checks.iter().filter(|check| check["verdict"] == "bad");
                let all: Vec<&Value> = turned.into_iter().chain(bad).collect();
                let is_well = code == 0 && all.is_empty();
                return cases.holds(&format!("the doctor is content {when}"), is_well, || {
                    format!("{code} {all:#?}")
                });
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    };
    is_well(cases, "when all is well");
    let more = match database {
        Database::Sqlite => SPOILED_SQLITE,
        Database::MariaDb => SPOILED_MARIADB,
    };
    for (how, id, title, evidence, cure, back) in SPOILED.iter().chain(more) {
        let spoiled = machine.sh(how);
        cases.holds(how, spoiled.code == 0, || spoiled.whole());
        let (checks, code) = examined(machine);
        let check = of(&checks, id, title);
        let has = |check: &Value, key: &str, word: &str| {
            check[key].as_str().is_some_and(|text| text.contains(word))
        };
        let holds = code == 1
            && check.is_some_and(|check| {
                check["verdict"] == "bad"
                    && has(check, "evidence", evidence)
                    && has(check, "cure", cure)
            });
        cases.holds(&format!("{id} {title} turns: {how}"), holds, || {
            format!("{code} {check:#?}")
        });
        let said = machine.sh(back);
        cases.holds(&format!("mended: {how}"), said.code == 0, || said.whole());
    }
    is_well(cases, "after all was mended");
    people_sign_in(machine, cases, "after the doctor");
}
