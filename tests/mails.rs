//! Every mail in every language: whole, in that language, and safe whatever people type.
#![cfg(feature = "accounts")]

use std::sync::Arc;

use jitsi_install::account::login::Login;
use jitsi_install::account::password::Hasher;
use jitsi_install::account::post::{self, Mail, Reader};
use jitsi_install::account::seal::Seal;
use jitsi_install::account::settings::Settings;
use jitsi_install::account::store::Store;
use jitsi_install::account::text::catalogue::LANGUAGES;
use jitsi_install::account::text::{Overrides, Texts};
use jitsi_install::account::{Account, AccountId, Actor, Office, Origin, Role, State, World};

const LINK: &str = "https://meet.example.org/accounts/any?t=abc-DEF_123";
const OTHER: &str = "https://meet.example.org/accounts/any?t=other";

struct Still;

impl World for Still {
    fn millis(&self) -> i64 {
        1_795_387_200_000
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// An office with an administrator's own texts and templates; its folder goes with the first part.
async fn office(overrides: Overrides) -> (tempfile::TempDir, Office) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display();
    let settings = Settings::parse(&format!(
        "schema = 1\npublic_url = \"https://meet.example.org/accounts\"\n\
         site_name = \"Example & Friends\"\ndatabase = \"sqlite:{place}/a.sqlite\"\n"
    ))
    .unwrap();
    let settings = Arc::new(settings);
    let office = Office {
        store: Store::connect(&settings.database, None).await.unwrap(),
        world: Arc::new(Still),
        hasher: Hasher::new(Arc::new(settings.passwords.clone())),
        seal: Seal::new(b"0123456789abcdef0123456789abcdef"),
        settings,
        texts: Arc::new(Texts::new("en", overrides).unwrap()),
        policy: Arc::default(),
    };
    (folder, office)
}

fn account(language: &str) -> Account {
    Account {
        id: AccountId("0".repeat(31)),
        login: Login::from_store("ann".into()),
        email: Some("ann@example.org".into()),
        display_name: "Ann Example".into(),
        state: State::Active,
        role: Role::Member,
        language: language.into(),
        origin: Origin::Signup,
        reason: "I sing.".into(),
        created: 0,
        state_since: 0,
        last_seen: None,
        has_totp: false,
    }
}

/// One of each.
fn all(office: &Office, ann: &Account) -> Vec<(&'static str, Mail)> {
    let actor = Actor {
        address: Some([192, 0, 2, 7].into()),
        ..Actor::default()
    };
    let reader = Reader {
        address: "board@example.org",
        language: &ann.language,
    };
    let reason = Some(ann.reason.as_str());
    vec![
        ("confirm", post::confirm(office, ann, LINK)),
        ("already-registered", post::already_registered(office, ann)),
        ("waiting", post::waiting(office, ann)),
        ("approved", post::approved(office, ann)),
        ("rejected", post::rejected(office, ann, reason)),
        ("rejected, no reason", post::rejected(office, ann, None)),
        ("expired", post::expired(office, ann)),
        (
            "somebody-waits",
            post::somebody_waits(office, &reader, ann, actor.address, LINK, OTHER),
        ),
        (
            "people-wait",
            post::people_wait(office, &reader, 3, std::slice::from_ref(ann)),
        ),
        ("reset", post::reset(office, ann, LINK)),
        (
            "password-changed",
            post::password_changed(office, ann, &actor),
        ),
        (
            "email-change",
            post::email_change(office, ann, "new@example.org", LINK),
        ),
        (
            "email-changed",
            post::email_changed(office, ann, "old@example.org", &actor, LINK),
        ),
        ("setup", post::setup(office, ann, LINK)),
        (
            "second-factor-on",
            post::second_factor_on(office, ann, &actor),
        ),
        (
            "second-factor-off",
            post::second_factor_off(office, ann, &actor),
        ),
        (
            "recovery-code-used",
            post::recovery_code_used(office, ann, &actor, 1),
        ),
        ("suspended", post::suspended(office, ann, reason)),
        ("resumed", post::resumed(office, ann)),
        ("deleted", post::deleted(office, ann)),
        ("test", post::test(office, &reader)),
    ]
}

#[tokio::test]
async fn every_mail_is_whole_in_every_language() {
    let (_folder, office) = office(Overrides::default()).await;
    let english: Vec<String> = all(&office, &account("en"))
        .into_iter()
        .map(|(_, mail)| mail.subject)
        .collect();
    for language in LANGUAGES {
        for (at, (name, mail)) in all(&office, &account(language)).into_iter().enumerate() {
            let Mail {
                recipient,
                subject,
                text,
                html,
            } = mail;
            let what = format!("{name} in {language}:\n{subject}\n{text}");
            assert!(recipient.ends_with("@example.org"), "{what}");
            assert!(
                subject.contains("Example & Friends") && subject.len() < 100,
                "{what}"
            );
            assert!(
                language == "en" || subject != english[at],
                "not translated: {what}"
            );
            assert!(text.len() > 100 && html.len() > 500, "{what}");
            for part in [&text, &html] {
                assert!(
                    !part.contains(&format!("mail.{}", name.replace('-', "_"))),
                    "{what}"
                );
                assert!(!part.contains("{{") && !part.contains("{%"), "{what}");
            }
            assert!(!text.contains("\n\n\n") && !text.contains('<'), "{what}");
            assert!(html.contains(&format!("lang=\"{language}\"")), "{what}");
            // Nothing is fetched when the mail is read.
            for word in ["<img", "<script", "<link", "url(", "http://"] {
                assert!(!html.contains(word), "{what}\n{html}");
            }
            assert!(
                html.contains("Example &amp; Friends") && !html.contains("Example & F"),
                "{what}"
            );
            if !matches!(name, "test" | "somebody-waits") {
                assert!(text.contains("ann") || text.contains("Ann"), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn links_are_in_both_parts() {
    let (_folder, office) = office(Overrides::default()).await;
    for (name, mail) in all(&office, &account("de")) {
        if matches!(
            name,
            "confirm" | "reset" | "setup" | "email-change" | "email-changed" | "somebody-waits"
        ) {
            assert!(
                mail.text.contains(&format!("\n{LINK}\n")),
                "{name}: {}",
                mail.text
            );
            assert!(
                mail.html.contains(&format!("href=\"{LINK}\"")),
                "{name}: {}",
                mail.html
            );
        }
    }
    let ann = account("en");
    let mail = post::already_registered(&office, &ann);
    assert!(
        mail.text
            .contains("\nhttps://meet.example.org/accounts/forgot\n"),
        "{}",
        mail.text
    );
    let mail = post::recovery_code_used(&office, &ann, &Actor::default(), 1);
    assert!(mail.text.contains("1 code is left"), "{}", mail.text);
    assert!(mail.text.contains("2026-11-22 22:40 UTC"), "{}", mail.text);
    assert_eq!(
        format!("{mail:?}"),
        format!("Mail {{ subject: {:?}, .. }}", mail.subject)
    );
}

#[tokio::test]
async fn what_people_type_stays_what_it_is() {
    let (_folder, office) = office(Overrides::default()).await;
    let mut ann = account("en");
    ann.display_name = "Ann\r\nBcc: all@example.org\u{202e}\u{2028}<b>{{ login }}</b>".into();
    ann.reason = "<script>alert(1)</script>\r\n\r\n-- \nApprove:\nhttps://example.net/".into();
    let lines = |mail: &Mail| mail.text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (name, mail) in all(&office, &ann) {
        let what = format!("{name}: {}\n{}\n{}", mail.subject, mail.text, mail.html);
        assert!(
            !mail.subject.contains("Bcc") && !mail.subject.contains(['\r', '\n']),
            "{what}"
        );
        assert!(
            !mail.text.contains(['\r', '\u{202e}', '\u{2028}']),
            "{what}"
        );
        assert!(
            !lines(&mail).iter().any(|line| line.starts_with("Bcc:")),
            "{what}"
        );
        assert!(
            !lines(&mail)
                .iter()
                .any(|line| line.starts_with("https://example.net")),
            "{what}"
        );
        assert!(
            !mail.html.contains("<script") && !mail.html.contains("<b>"),
            "{what}"
        );
    }
    // Nobody knows yet who typed the name of an unconfirmed account.
    ann.state = State::Unconfirmed;
    for mail in [
        post::confirm(&office, &ann, LINK),
        post::expired(&office, &ann),
    ] {
        assert!(
            !mail.text.contains("Bcc") && !mail.html.contains("Bcc"),
            "{}",
            mail.text
        );
    }
}

#[tokio::test]
async fn an_administrators_templates_come_first() {
    let mut overrides = Overrides::default();
    overrides
        .add(
            "mail/de/waiting.txt",
            "Moin {{ name }}, {{ t(key=\"mail.waiting.after\") }}",
        )
        .unwrap();
    overrides
        .add("locale/de.toml", "mail.waiting.subject = \"Kurz warten\"")
        .unwrap();
    let (_folder, office) = office(overrides).await;
    let mail = post::waiting(&office, &account("de"));
    assert_eq!(mail.subject, "Kurz warten");
    assert!(
        mail.text
            .starts_with("Moin Ann Example, Sobald entschieden ist"),
        "{}",
        mail.text
    );
    assert!(mail.html.contains("Guten Tag Ann Example"), "{}", mail.html);
    assert!(
        post::waiting(&office, &account("fr"))
            .text
            .starts_with("Bonjour")
    );
}
