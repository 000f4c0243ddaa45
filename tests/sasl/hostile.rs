//! What no honest client sends, and passwords that honest people have.

use super::alike::UNLIMITED;
use super::cases::Cases;
use super::databases::{Database, Kind};
use super::logins::ALL;
use super::people::PASSWORD;
use super::place::{self, DOMAIN, Way};
use super::standin_service::StandinService;
use super::xmpp::{Client, Login, challenge};

fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "' OR '1'='1",
        "ann'--",
        "ann\" --",
        "ann`",
        "\\",
        "%",
        "_",
        "an_",
        "ann\u{301}",
        "a b",
        " ann",
        "ann ",
        "ann@meet.test",
        "ann/x",
        "<x/>",
        "&amp;",
        "\u{202e}nna",
        "ａｎｎ\u{200b}x",
        "\u{7f}",
        "\u{1f600}",
        "$$$",
        "=",
        ",",
        "=2C",
        "n=ann,r=x",
        "*",
        "(|(uid=*))",
    ]
    .map(str::to_owned)
    .into();
    names.extend([
        "x".repeat(1023),
        "x".repeat(1024),
        "x".repeat(8192),
        "ä".repeat(600),
        "'".repeat(5000),
    ]);
    names
}

fn plain(name: &[u8], password: &[u8]) -> Login {
    Login::Raw("PLAIN", [b"\0", name, b"\0", password].concat())
}

#[test]
fn nothing_hostile_gets_in_or_breaks_anything() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let Some(database) = Database::start(Kind::Sqlite, place.path()) else {
        return;
    };
    let mut cases = Cases::new("hostile sign-ins");
    let service = StandinService::start(([127, 0, 0, 1], 0).into());
    let options = format!(
        "{ALL}\n{UNLIMITED}\nsql_hashed_database = {}\nsql_hashed_service = \"{}\"",
        database.settings(place.path()),
        service.url()
    );
    let prosody = place::Prosody::start(place.path(), &options);
    let mut refused = |label: String, way: Way, login: &Login| {
        let answer = prosody.sign_in(way, login);
        let fits = answer.as_ref().is_err_and(|refusal| {
            ["not-authorized", "malformed-request", "invalid-authzid"]
                .contains(&refusal.condition.as_str())
        });
        cases.holds(&label, fits, || format!("{answer:?}"));
    };
    for name in names() {
        let label: String = name.chars().take(30).collect();
        refused(
            format!("PLAIN {label}"),
            Way::Bosh,
            &plain(name.as_bytes(), b"password"),
        );
        refused(
            format!("SCRAM {label}"),
            Way::C2s,
            &Login::scram_sha_1(&name, PASSWORD),
        );
    }
    for (label, bytes) in [
        ("nothing", b"".to_vec()),
        ("one NUL", b"\0".to_vec()),
        ("no password", b"\0ann\0".to_vec()),
        ("no name", b"\0\0C0rrect-horse-7".to_vec()),
        (
            "more after the password",
            b"\0ann\0C0rrect-horse-7\0more".to_vec(),
        ),
        ("a NUL at the end", b"\0ann\0C0rrect-horse-7\0".to_vec()),
        ("a NUL in the name", b"\0an\0n\0C0rrect-horse-7".to_vec()),
        ("no UTF-8", b"\0ann\0C0rrect\xff\xfe".to_vec()),
        ("no UTF-8 name", b"\0\xc3\x28\0C0rrect-horse-7".to_vec()),
        ("overlong UTF-8", b"\0\xc0\xaf\0C0rrect-horse-7".to_vec()),
        ("a surrogate", b"\0ann\0\xed\xa0\x80".to_vec()),
        (
            "8 KB of password",
            [b"\0ann\0".to_vec(), vec![b'x'; 8192]].concat(),
        ),
        (
            "100 KB of password",
            [b"\0ann\0".to_vec(), vec![b'x'; 100_000]].concat(),
        ),
        (
            "somebody else's rights",
            b"ben@meet.test\0ann\0C0rrect-horse-7".to_vec(),
        ),
    ] {
        refused(
            format!("PLAIN: {label}"),
            Way::Bosh,
            &Login::Raw("PLAIN", bytes),
        );
    }
    for bytes in [
        "",
        ",",
        "n,,",
        "n,,n=",
        "n,,n=ann",
        "n,,n=ann,r=",
        "n,,n==2,r=x",
        "y,,n=ann,r=x,",
        "p=tls-unique,,n=ann,r=x",
        "n,a=ben,n=,r=x",
        "n,,m=x,n=ann",
    ] {
        let login = Login::Raw("SCRAM-SHA-256", bytes.into());
        let answer = prosody.sign_in(Way::C2s, &login);
        cases.holds(&format!("SCRAM: {bytes}"), answer.is_err(), || {
            format!("{answer:?}")
        });
    }
    // a proof that is none
    for proof in ["p=", "p=AAAA", "p=%%%%", "p=", "x"] {
        let mut client = prosody.visit(Way::C2s, DOMAIN);
        client.open().expect("it listens");
        let (_, said) = challenge(&mut *client, "SCRAM-SHA-1", "ann").expect("a challenge");
        let nonce = said.split(',').next().unwrap_or_default();
        let last = base64(&format!("c=biws,{nonce},{proof}"));
        let answer = client.exchange(
            &format!("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{last}</response>"),
            &mut |_| true,
        );
        cases.holds(
            &format!("proof {proof}"),
            answer
                .as_ref()
                .is_ok_and(|stanza| stanza.local() == "failure"),
            || format!("{answer:?}"),
        );
        let answer = client.exchange(
            "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            &mut |_| true,
        );
        cases.holds(
            "and nothing more",
            answer
                .as_ref()
                .is_ok_and(|stanza| stanza.local() == "failure"),
            || format!("{answer:?}"),
        );
    }
    // what people type arrives as they typed it
    for password in [
        "pä sswörd",
        "ª①ﬁ",
        "a\u{a0}b",
        "\"\\'\u{1f600}<&>",
        " leading and trailing ",
        "$1$2$3",
        &"long ".repeat(200),
    ] {
        let answer = prosody.sign_in(Way::Bosh, &Login::plain("ann", password));
        cases.holds("a wrong one", answer.is_err(), || format!("{answer:?}"));
        let last = service.state.last.lock().unwrap().clone();
        cases.same("the service sees", last.as_str(), password);
    }
    let good = prosody.sign_in(
        Way::Bosh,
        &Login::Raw("PLAIN", b"ann@meet.test\0ann\0C0rrect-horse-7".to_vec()),
    );
    cases.holds("one's own rights", good.is_ok(), || format!("{good:?}"));
    cases.same("nothing stumbled", prosody.says("raceback"), Vec::new());
    cases.same("nothing is wrong", prosody.says("\terror\t"), Vec::new());
    cases.finish();
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
