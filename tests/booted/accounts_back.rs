//! A booted site that gets accounts, goes back to tokens and forth again, and a change that the account
//! service refuses.

use super::accounts::Database;
use super::cases::Cases;
use super::container::{Container, Said};
use super::journey::{DOMAIN, site};
use super::services::Server;

const PASSWORD: &str = "violet kettle 42 drums";
/// What the web server is asked with.
const CURL: &str = "curl -sS --max-time 20 --cacert /etc/jitsi/certs/meet.example.org.crt --resolve meet.example.org:443:127.0.0.1 \
    -H 'Origin: https://meet.example.org' -w '\\n%{http_code}'";

/// The site with accounts.
pub(super) fn with_accounts(server: Server, database: Database) -> String {
    let word = format!("\"{}\"", database.name());
    let changes = [
        ("auth.mode", "\"sql_hashed\""),
        ("accounts.database", word.as_str()),
        ("accounts.staff_second_factor", "false"),
        ("accounts.smtp.host", "\"localhost\""),
        ("accounts.smtp.tls", "\"none\""),
    ];
    site(server, &changes)
}

/// What Prosody says to a name and a password, or to a token.
fn sign_in(machine: &Container, name: &str, word: &str) -> String {
    let script = include_str!("../proving/sign_in.sh");
    let said = machine.run(&["bash", "-c", script, DOMAIN, name, word]);
    format!("{}{}", said.out.trim(), said.err.trim())
}

/// Signs in as before there were accounts: by a token of the site, minted then.
pub(super) fn token_opens(cases: &mut Cases, machine: &Container, when: &str, want: &str) {
    let minted = "test -s /root/token || jitsi-install token mint --room hall > /root/token; cat /root/token";
    let minted = machine.sh(minted);
    let got = sign_in(machine, "", minted.out.trim());
    cases.same(&format!("a token opens rooms {when}"), got.as_str(), want);
}

/// She chooses a password by the link's token, and signs in with it.
pub(super) fn she_has_a_password(cases: &mut Cases, machine: &Container, token: &str) {
    let said = machine.sh(&format!(
        "{CURL} -o /dev/null --data-urlencode t={token} --data-urlencode 'password={PASSWORD}' https://{DOMAIN}/accounts/setup"
    ));
    cases.same("a password is chosen", said.out.as_str(), "\n303");
    she_signs_in(cases, machine, "with her password");
    token_opens(cases, machine, "no more", "invalid-mechanism");
}

fn she_signs_in(cases: &mut Cases, machine: &Container, when: &str) {
    for (name, word, want) in [
        ("ann", PASSWORD, "success"),
        ("ann", "wrong", "not-authorized"),
    ] {
        let got = sign_in(machine, name, word);
        cases.same(
            &format!("{name} signs in {when}: {word}"),
            got.as_str(),
            want,
        );
    }
    let form = format!("--data-urlencode name=ann --data-urlencode 'password={PASSWORD}'");
    let said = machine.sh(&format!(
        "{CURL} -o /dev/null {form} https://{DOMAIN}/accounts/sign-in"
    ));
    cases.same(
        &format!("and on the pages {when}"),
        said.out.as_str(),
        "\n303",
    );
}

/// A change that `jitsi-accounts check` refuses: all of it is taken back.
pub(super) fn a_change_is_refused(cases: &mut Cases, machine: &Container, database: Database) {
    let template = include_str!("../../templates/accounts/accounts.toml");
    let own = "/etc/jitsi-install/templates/accounts/accounts.toml";
    let file = "/etc/jitsi-accounts/accounts.toml";
    let good = machine.read(file).unwrap_or_default();
    let wrong = template.replace("schema = 1", "schema = 1\nwrong = true");
    cases.must(
        "a template of one's own",
        machine.put(own, wrong.as_bytes(), 0o644),
    );
    // which the same apply mends before it fails
    machine.sh(database.spoil());
    let said = machine.sh("jitsi-install apply --yes");
    let holds =
        said.code == 1 && said.err.contains("taken back") && said.err.contains("jitsi-accounts");
    cases.holds("settings that are refused fail an apply", holds, || {
        said.whole()
    });
    cases.same(
        "they are taken back",
        machine.read(file).unwrap_or_default(),
        good,
    );
    let check = machine
        .sh("jitsi-accounts check && systemctl is-active jitsi-accounts jitsi-accounts.socket");
    cases.holds("it runs with those of before", check.code == 0, || {
        check.whole()
    });
    she_signs_in(cases, machine, "after that");
    machine.sh("rm -r /etc/jitsi-install/templates/accounts");
    let said = machine.sh("jitsi-install apply --yes");
    cases.holds("an apply without them succeeds", said.code == 0, || {
        said.whole()
    });
}

/// A rollback to the generation without accounts, and forth again.
pub(super) fn back_and_forth(
    cases: &mut Cases,
    machine: &Container,
    database: Database,
    generation: u32,
) {
    let said = machine.sh(&format!("jitsi-install rollback {generation} --yes"));
    cases.holds("a rollback to the site of tokens", said.code == 0, || {
        said.whole()
    });
    let gone = machine.sh(
        "systemctl is-active jitsi-accounts jitsi-accounts.socket | grep -x active; pgrep -f 'jitsi-account[s] serve'; \
         ls -d /etc/jitsi-accounts /etc/systemd/system/jitsi-accounts* /usr/lib/systemd/system/jitsi-accounts* /etc/prosody/accounts.key /run/jitsi-accounts/web.sock 2> /dev/null",
    );
    cases.same("accounts are gone", gone.out.as_str(), "");
    let config = machine.sh("cat /etc/prosody/prosody.cfg.lua /etc/prosody/conf.*/*");
    let holds =
        config.out.contains("authentication = \"token\"") && !config.out.contains("sql_hashed");
    cases.holds("Prosody wants tokens", holds, || config.out.clone());
    token_opens(cases, machine, "again", "success");
    cases.holds(
        "and a password nothing",
        sign_in(machine, "ann", PASSWORD) != "success",
        String::new,
    );
    let page = machine.sh(&format!("{CURL} https://{DOMAIN}/accounts/sign-in"));
    let holds = !page.out.contains("name=\"password\"");
    cases.holds("no sign-in page answers", holds, || page.whole());
    // Nobody who comes later may get the number of those to whom people belong; in a server they are
    // the server's.
    let stays = machine.sh("getent passwd jitsi-accounts > /dev/null; echo $?; ls /var/lib/jitsi-accounts/accounts.sqlite > /dev/null; echo $?");
    let words: Vec<&str> = stays.out.lines().collect();
    let want = match database {
        Database::Sqlite => ["0", "0"],
        Database::MariaDb | Database::PostgreSql => ["2", "2"],
    };
    cases.same("the owner of people stays with them", words, want.to_vec());
    let said = machine.sh("jitsi-install apply --yes");
    cases.holds("accounts again", said.code == 0, || said.whole());
    she_signs_in(cases, machine, "after all of it");
    token_opens(cases, machine, "no more, once again", "invalid-mechanism");
    doctor(cases, machine);
}

/// The doctor has nothing against accounts.
fn doctor(cases: &mut Cases, machine: &Container) {
    // Figures are counted every fifteen seconds.
    let said = machine.sh("for i in $(seq 25); do jitsi-install doctor > /tmp/said; grep -q '^ok .*D-64' /tmp/said && break; sleep 1; done; grep -E -A1 ' D-6[0-9] ' /tmp/said");
    let checks: Vec<&str> = said
        .out
        .lines()
        .filter(|line| line.contains("D-6"))
        .collect();
    let holds = checks.len() == 9 && checks.iter().all(|line| line.starts_with("ok "));
    cases.holds("the doctor has nothing against accounts", holds, || {
        said.whole()
    });
}

/// Prosody's role gets a right more, or loses its own: seen by the doctor and mended by its cure.
pub(super) fn rights_are_examined(cases: &mut Cases, machine: &Container, database: Database) {
    for (how, says, back) in database.rights() {
        let said = machine.sh(how);
        cases.holds(how, said.code == 0, || said.whole());
        let said: Said = machine.sh("jitsi-install doctor | grep -A1 D-65");
        let holds =
            said.out.starts_with("bad ") && said.out.contains(says) && said.out.contains("hint: ");
        cases.holds(&format!("the doctor sees it: {how}"), holds, || {
            said.whole()
        });
        let said = machine.sh(back);
        cases.holds(back, said.code == 0, || said.whole());
        let said = machine.sh("jitsi-install doctor | grep D-65");
        cases.holds(
            &format!("mended: {how}"),
            said.out.starts_with("ok "),
            || said.whole(),
        );
    }
}
