//! The account service, whole and then broken in one place.

use super::{Desk, Fake};
use crate::doctor::{Check, Verdict};
use crate::name::Mode;

const SITE: &str =
    "[auth]\nmode = \"sql_hashed\"\n[accounts]\n[accounts.smtp]\nhost = \"mail.example.org\"\n";
const SOCKET: &str = "/run/jitsi-accounts/web.sock";
const FILE: &str = "/var/lib/jitsi-accounts/accounts.sqlite";

/// The check of this id and this word in its title.
fn of(desk: &Desk, fake: &Fake, id: &str, word: &str) -> Check {
    let mut all = desk.examine(fake).into_iter();
    all.find(|check| check.id == id && check.title.contains(word))
        .unwrap_or_else(|| panic!("no {id} about {word}"))
}

/// Examined after one change.
fn turns(
    desk: &Desk,
    id: &str,
    word: &str,
    verdict: Verdict,
    says: &str,
    change: &dyn Fn(&mut Fake),
) {
    let mut fake = Fake::running();
    let check = of(desk, &fake, id, word);
    assert_eq!(check.verdict, Verdict::Good, "{check:?}");
    change(&mut fake);
    let check = of(desk, &fake, id, word);
    assert_eq!(check.verdict, verdict, "{check:?}");
    assert!(check.evidence.contains(says), "{check:?}");
    assert_eq!(
        check.cure.is_empty(),
        verdict == Verdict::Skipped,
        "{check:?}"
    );
}

#[test]
fn what_is_wrong_with_accounts_is_named() {
    let desk = Desk::new(SITE);
    let bad = |id: &str, word: &str, says: &str, change: &dyn Fn(&mut Fake)| {
        turns(&desk, id, word, Verdict::Bad, says, change);
    };
    let mode = |path: &'static str, mode: u32| {
        move |fake: &mut Fake| fake.places.get_mut(path).expect("it is there").mode = Mode(mode)
    };
    let group = |path: &'static str| {
        move |fake: &mut Fake| {
            fake.places.get_mut(path).expect("it is there").group = "adm".to_owned()
        }
    };
    bad("D-60", "settings", "line 3: no", &|fake| {
        fake.wrong = Some(vec!["line 3: no".to_owned()]);
    });
    bad("D-60", "settings", "silent", &|fake| fake.wrong = None);
    bad("D-61", "socket", "missing", &|fake| {
        fake.places.remove(SOCKET);
    });
    bad("D-61", "socket", "no socket", &|fake| {
        fake.places.get_mut(SOCKET).expect("it is there").is_socket = false;
    });
    bad("D-61", "socket", "no way to it", &mode(SOCKET, 0o600));
    bad("D-61", "socket", "everybody", &mode(SOCKET, 0o666));
    bad("D-61", "socket", "no way to it", &group(SOCKET));
    bad(
        "D-61",
        "socket",
        "no way to it",
        &mode("/run/jitsi-accounts", 0o750),
    );
    bad("D-62", "share", "does not take", &|fake| {
        fake.question = Some(401)
    });
    bad("D-62", "share", "knows no secret", &|fake| {
        fake.question = Some(404)
    });
    bad("D-62", "share", "nothing listens", &|fake| {
        fake.question = None
    });
    bad("D-65", "view", "cannot read it", &mode(FILE, 0o600));
    bad("D-65", "view", "cannot read it", &group(FILE));
    bad("D-65", "view", "open to more", &mode(FILE, 0o644));
    bad(
        "D-65",
        "view",
        "open to more",
        &mode("/var/lib/jitsi-accounts", 0o2755),
    );
    turns(
        &desk,
        "D-64",
        "administers",
        Verdict::Warn,
        "nobody is",
        &|fake| {
            fake.administrators = 0;
        },
    );
    turns(
        &desk,
        "D-64",
        "administers",
        Verdict::Skipped,
        "does not tell",
        &|fake| fake.http = None,
    );
    let key = |path: &'static str| {
        move |fake: &mut Fake| {
            *fake = fake
                .clone()
                .edited(path, |seen| seen.bytes = b"other\n".to_vec());
        }
    };
    bad(
        "D-62",
        "share",
        "different words",
        &key("/etc/prosody/accounts.key"),
    );
    bad(
        "D-62",
        "share",
        "different words",
        &key("/etc/jitsi-accounts/prosody.key"),
    );
}

#[test]
fn a_role_may_read_one_view() {
    for engine in ["mariadb", "postgresql"] {
        let desk = Desk::new(&SITE.replace(
            "[accounts]\n",
            &format!("[accounts]\ndatabase = \"{engine}\"\n"),
        ));
        turns(
            &desk,
            "D-65",
            "view",
            Verdict::Bad,
            "SELECT on accounts",
            &|fake| {
                fake.rights = Some(vec!["SELECT on accounts".to_owned()]);
            },
        );
        turns(
            &desk,
            "D-65",
            "view",
            Verdict::Bad,
            "access denied",
            &|fake| fake.rights = None,
        );
    }
}

#[test]
fn what_does_not_concern_a_site_is_skipped() {
    let verdicts = |desk: &Desk, fake: &Fake| -> Vec<Verdict> {
        let checks = desk.examine(fake).into_iter();
        let ours = checks.filter(|check| check.id >= "D-60");
        ours.map(|check| check.verdict).collect()
    };
    let none = verdicts(&Desk::new(""), &Fake::running());
    assert_eq!(none, [Verdict::Skipped; 9]);
    // By tokens Prosody asks nobody; and of a tree only files are looked at.
    let tokens = Desk::new(&SITE.replace("sql_hashed", "token"));
    for (id, word) in [("D-62", "share"), ("D-65", "view")] {
        let check = of(&tokens, &Fake::running(), id, word);
        assert_eq!(check.verdict, Verdict::Skipped, "{check:?}");
    }
    let tree = verdicts(&Desk::new(SITE), &Fake::default());
    let good = tree.iter().filter(|one| **one == Verdict::Good).count();
    assert_eq!((good, tree.len()), (3, 9), "{tree:?}");
}

#[test]
fn the_way_to_accounts_is_none_to_prosody() {
    for server in ["nginx", "caddy"] {
        let desk = Desk::new(&format!("{SITE}[web]\nserver = \"{server}\"\n"));
        let check = of(&desk, &Fake::default(), "D-47", "");
        assert_eq!(check.verdict, Verdict::Good, "{check:?}");
    }
}
