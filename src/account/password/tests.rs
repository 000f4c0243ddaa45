//! What the hasher promises.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::form::{Digest, Form, Unread};
use super::*;

fn hasher(change: impl FnOnce(&mut Passwords)) -> Hasher {
    let mut rules = Passwords {
        argon2_memory: 1024,
        concurrent: 2,
        scram_iterations: 4096,
        ..Passwords::default()
    };
    change(&mut rules);
    Hasher::new(Arc::new(rules))
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn kept(hash: &str) -> Keys {
    Keys {
        hash: secret(hash),
        scram_sha_1: None,
        scram_sha_256: None,
    }
}

/// The keys that are to be kept instead.
async fn upgraded(hasher: &Hasher, password: &str, keys: &Keys) -> Option<Keys> {
    match hasher.check(&secret(password), Some(keys)).await.unwrap() {
        Verdict::Right(newer) => newer,
        Verdict::Wrong => panic!("`{password}` is right"),
    }
}

#[tokio::test]
async fn what_is_made_is_right_and_nothing_else_is() {
    let hasher = hasher(|rules| rules.scram = vec!["SHA-1".into(), "sha-256".into()]);
    for password in [
        "C0rrect-horse-7",
        " ",
        "pässwörd ½ \u{1f434}",
        "\u{7}bell",
        &"x".repeat(1024),
    ] {
        let keys = hasher.make(&secret(password), "ann").await.unwrap();
        assert!(
            keys.hash
                .reveal()
                .starts_with("$argon2id$v=19$m=1024,t=2,p=1$")
        );
        assert_ne!(
            keys,
            hasher.make(&secret(password), "ann").await.unwrap(),
            "salted"
        );
        assert_eq!(upgraded(&hasher, password, &keys).await, None);
        for wrong in ["", "C0rrect-horse-8", "C0rrect-horse-7 ", &"x".repeat(1025)] {
            let verdict = hasher.check(&secret(wrong), Some(&keys)).await;
            assert_eq!(verdict, Ok(Verdict::Wrong), "{wrong:?}");
        }
        let parts = |keys: &Option<Secret<String>>| {
            keys.as_ref().map(|keys| keys.reveal().split('$').count())
        };
        // SASLprep has no form for a bell.
        let wanted = (!password.contains('\u{7}')).then_some(4);
        assert_eq!(
            (parts(&keys.scram_sha_1), parts(&keys.scram_sha_256)),
            (wanted, wanted)
        );
    }
    let nobody = hasher.check(&secret("C0rrect-horse-7"), None).await;
    assert_eq!(nobody, Ok(Verdict::Wrong));
    for nothing in ["", "!", "md5$a$b", "{CLEARTEXT}x", "rubbish"] {
        let verdict = hasher.check(&secret(nothing), Some(&kept(nothing))).await;
        assert_eq!(verdict, Ok(Verdict::Wrong));
    }
}

/// RFC 5802, section 5, and RFC 7677, section 3, as PostgreSQL and others keep them.
#[test]
fn keys_of_the_rfcs() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    for (digest, salt, text) in [
        (
            Digest::Sha1,
            "QSXCR+Q6sek8bf92",
            "4096$QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=$D+CSWLOshSulAsxiupA+qs2/fTE=",
        ),
        (
            Digest::Sha256,
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "4096$W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        ),
    ] {
        let salt = STANDARD.decode(salt).unwrap();
        let keys = scram::keys(digest, "pencil", &salt, 4096).unwrap();
        assert_eq!(scram::text(4096, &salt, &keys).reveal(), text);
    }
}

#[test]
fn passwords_are_prepared_as_servers_do() {
    for (typed, prepared) in [
        ("I\u{ad}X", Some("IX")),
        ("user", Some("user")),
        ("USER", Some("USER")),
        ("\u{aa}", Some("a")),
        ("\u{2168}", Some("IX")),
        ("\u{7}", None),
        ("\u{627}1", None),
        ("a\u{a0}b", Some("a b")),
        ("\u{1f434}", Some("\u{1f434}")),
    ] {
        assert_eq!(scram::prepare(typed).as_deref(), prepared, "{typed:?}");
    }
}

#[tokio::test]
async fn one_password_typed_in_two_ways() {
    let hasher = hasher(|_| ());
    let keys = hasher.make(&secret("pässwörd ½"), "ann").await.unwrap();
    for typed in [
        "pässwörd ½",
        "pässwörd 1\u{2044}2",
        "pa\u{308}sswo\u{308}rd ½",
    ] {
        assert_eq!(upgraded(&hasher, typed, &keys).await, None, "{typed}");
    }
    // Django takes what was typed as it is.
    let salt = "saltsaltsaltsalt";
    let raw = proof::stretch(Digest::Sha256, 1000, salt.as_bytes(), "½".as_bytes(), 32).unwrap();
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(&*raw);
    let keys = kept(&format!("pbkdf2_sha256$1000${salt}${text}"));
    assert!(upgraded(&hasher, "½", &keys).await.is_some());
}

#[tokio::test]
async fn older_kinds_and_weaker_parameters_are_brought_up_to_date() {
    let old = hasher(|rules| rules.argon2_passes = 1);
    let new = hasher(|rules| rules.scram = vec!["SHA-1".into()]);
    let password = "C0rrect-horse-7";
    let weaker = old.make(&secret(password), "ann").await.unwrap();
    let keys = upgraded(&new, password, &weaker).await.unwrap();
    assert!(keys.hash.reveal().contains(",t=2,"));
    assert!(keys.scram_sha_1.is_some() && keys.scram_sha_256.is_none());
    assert_eq!(upgraded(&new, password, &keys).await, None);

    // SCRAM keys come, go and grow with the settings; the hash is none the worse for it.
    let both = hasher(|rules| rules.scram = vec!["SHA-1".into(), "SHA-256".into()]);
    let more = upgraded(&both, password, &keys).await.unwrap();
    assert_eq!(more.hash, keys.hash);
    assert!(more.scram_sha_256.is_some());
    let none = upgraded(&hasher(|_| ()), password, &more).await.unwrap();
    assert_eq!((none.scram_sha_1, none.scram_sha_256), (None, None));
    let longer = hasher(|rules| {
        rules.scram = vec!["SHA-1".into()];
        rules.scram_iterations = 20_000;
    });
    let grown = upgraded(&longer, password, &keys).await.unwrap();
    assert!(grown.scram_sha_1.unwrap().reveal().starts_with("20000$"));
    // A wrong password brings nothing about.
    let wrong = new.check(&secret("wrong"), Some(&weaker)).await;
    assert_eq!(wrong, Ok(Verdict::Wrong));
}

#[test]
fn scram_keys_follow_from_hashes_where_the_site_asks_for_them() {
    let mut rules = Passwords::default();
    let django = "pbkdf2_sha256$216000$KvqAT0cnjggh$E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=";
    let keys = Keys::taken_over(django, &rules).unwrap();
    assert_eq!((keys.scram_sha_1, keys.scram_sha_256), (None, None));
    rules.scram = vec!["SHA-1".into(), "SHA-256".into()];
    let keys = Keys::taken_over(django, &rules).unwrap();
    let made = scram::keys(Digest::Sha256, "C0rrect-horse-7", b"KvqAT0cnjggh", 216_000).unwrap();
    assert_eq!(
        keys.scram_sha_256,
        Some(scram::text(216_000, b"KvqAT0cnjggh", &made))
    );
    assert_eq!(keys.scram_sha_1, None);
}

#[test]
fn what_would_cost_too_much_is_not_taken() {
    let hash = "E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=";
    for costly in [
        format!("pbkdf2_sha256$5000001$salt${hash}"),
        format!("pbkdf2_sha256$99999999999999999999$salt${hash}"),
        format!("$argon2id$v=19$m=262145,t=1,p=1$c2FsdHNhbHQ${hash}"),
        format!("$argon2id$v=19$m=65536,t=33,p=1$c2FsdHNhbHQ${hash}"),
        format!("$argon2id$v=19$m=4294967295,t=4294967295,p=1$c2FsdHNhbHQ${hash}"),
        format!("$argon2id$v=19$m=65536,t=1,p=17$c2FsdHNhbHQ${hash}"),
        format!("scrypt$4194304$salt$1$1${hash}"),
        format!("scrypt$16384$salt$8$4294967295${hash}"),
        format!("scrypt$9223372036854775808$salt$8$1${hash}"),
        "$2b$31$p3eo8HGGvxP8ouMQsoX9mu1R4nZwLiL3tVfqHN86Oqz/k14/gpf/a".into(),
        format!("{{CRYPT}}$5$rounds=999999999$salt${}", "a".repeat(43)),
        format!("scram_sha_256$5000001$c2FsdA==${hash}${hash}"),
    ] {
        assert_eq!(Form::parse(&costly), Err(Unread::Costly), "{costly}");
    }
    for spoiled in [
        format!("pbkdf2_sha256$0$salt${hash}"),
        format!("pbkdf2_sha256$-1$salt${hash}"),
        format!("pbkdf2_sha256$+1$salt${hash}"),
        "pbkdf2_sha256$1$salt$".into(),
        "pbkdf2_sha256$1$salt$YQ==".into(),
        format!("pbkdf2_sha256$1$salt${hash}$x"),
        format!("scrypt$3$salt$1$1${hash}"),
        format!("scrypt$0$salt$1$1${hash}"),
        format!("$argon2id$v=19$m=8,t=1$c2FsdHNhbHQ${hash}"),
        format!("$argon2id$v=19$m=1,t=0,p=1$c2FsdHNhbHQ${hash}"),
        "{SSHA}YQ==".into(),
        "{SSHA".into(),
        format!("pbkdf2_sha256$1${}${hash}", "x".repeat(2000)),
    ] {
        assert_eq!(Form::parse(&spoiled), Err(Unread::Spoiled), "{spoiled}");
    }
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let hasher = hasher(|rules| {
        rules.concurrent = 1;
        rules.argon2_memory = 16 * 1024;
    });
    let keys = hasher
        .make(&secret("C0rrect-horse-7"), "ann")
        .await
        .unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (hasher, keys) = (hasher.clone(), keys.clone());
        tasks.spawn(async move {
            let began = Instant::now();
            let verdict = hasher.check(&secret("C0rrect-horse-7"), Some(&keys)).await;
            (verdict, began.elapsed())
        });
    }
    let (mut right, mut busy) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            (Ok(verdict), _) => {
                assert_eq!(verdict, Verdict::Right(None));
                right += 1;
            }
            (Err(Busy), took) => {
                // At once, or after eight seconds on a machine that is as slow as that.
                assert!(took < Duration::from_secs(10));
                busy += 1;
            }
        }
    }
    assert_eq!(right + busy, 200);
    assert!((1..=33).contains(&right), "{right}");
    assert_eq!(hasher.load(), 0, "every place is free again");
    assert!(hasher.check(&secret("x"), Some(&keys)).await.is_ok());
}

#[tokio::test]
async fn a_refusal_takes_as_long_whoever_is_refused() {
    let hasher = hasher(|_| ());
    let costly = kept(
        "pbkdf2_sha256$1000000$saltsaltsaltsaltsaltsa$4mHZalR86wrFbLj68BrN3cdMFAyhB6zX7DtWOR7Q2kM=",
    );
    let cheap = kept("{SSHA}MDEyMzQ1Njc4OTAxMjM0NTY3ODlhYmNk");
    let refused = async |keys: Option<&Keys>| {
        let began = Instant::now();
        let verdict = hasher.check(&secret("wrong"), keys).await;
        assert_eq!(verdict, Ok(Verdict::Wrong));
        began.elapsed()
    };
    // The first one is how the costly kind comes to be known.
    let first = refused(Some(&costly)).await;
    for keys in [None, Some(&cheap), Some(&kept("")), Some(&costly)] {
        let took = refused(keys).await;
        assert!(took * 3 > first * 2, "{took:?} after {first:?}");
    }
    // Who is right does not wait for that.
    let mine = hasher
        .make(&secret("C0rrect-horse-7"), "ann")
        .await
        .unwrap();
    let began = Instant::now();
    let verdict = hasher.check(&secret("C0rrect-horse-7"), Some(&mine)).await;
    assert_eq!(verdict, Ok(Verdict::Right(None)));
    assert!(began.elapsed() < first, "{:?} {first:?}", began.elapsed());
}
