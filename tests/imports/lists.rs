//! Lists and LDIF files from end to end, with hashes that OpenSSL made.

use std::fmt::Write as _;
use std::process::Command;

use jitsi_install::account::import::{ImportError, from_csv, from_ldif};
use jitsi_install::account::{Role, State};

use crate::office::{Desk, notes, options, sums};
use crate::skip;

const RIGHT: &str = "C0rrect-horse-7";

#[tokio::test]
async fn a_list() {
    let desk = Desk::new(&[]).await;
    let text = "\u{feff}login;email;name;groups;role;state;password\r\n\
        Ann;ann@example.org;Ann;choir|staff;admin;active;pbkdf2_sha1$1000$salt$\r\n\
        ben;ben@example.org;;choir;;pending;\r\n\
        carl;ANN@example.org;\"Carl\r\nC\";;;;argon2$argon2id$v=19$m=102400,t=2,p=8$Q3B6ZElDTE9CYm1BMmVWTE9WMnY3WQ$CssCm1eSE6IRgCDnI/mLYSqcMjZfu3A3vYLfvkjBHXE\r\n\
        ann;;;;;;\r\n\
        a b;;;;;;\r\n\
        dora;;;;boss;;\r\n\
        focus;;;;;;\r\n\
        eve;;;;;;pbkdf2_sha256$4000000000$salt$E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=\r\n";
    let done = from_csv(
        &desk.office,
        "p.csv",
        text.as_bytes(),
        &options(false),
        &mut |_| (),
    )
    .await
    .unwrap();
    assert_eq!(sums(&done), (4, 0, 3, 3), "{done:#?}");
    assert_eq!(
        notes(&done.refused),
        [
            "ann: comes to the name `ann`, and so does p.csv:2",
            "a b: the name has a character that a name may not have",
            "dora: no role is called `boss`",
        ]
    );
    assert_eq!(
        notes(&done.must_reset),
        [
            "Ann: a spoiled hash",
            "ben: no password",
            "eve: a hash that costs too much to check",
        ]
    );
    assert_eq!(notes(&done.left_alone), ["focus: is the name of a service"]);
    assert_eq!(
        notes(&done.changed),
        ["carl: without its e-mail address `ANN@example.org`: p.csv:2 has it too"]
    );
    assert_eq!(desk.account("ann").await.role, Role::Admin);
    assert_eq!(desk.account("ben").await.state, State::Pending);
    assert_eq!(desk.account("carl").await.display_name, "Carl C");
    assert!(desk.signs_in("carl", RIGHT).await);
    assert!(!desk.signs_in("ann", "").await);
    // Somebody who signed up here meanwhile keeps name and address.
    let other = "login,email\nann,x@example.org\nfred,ben@EXAMPLE.org\n";
    let done = from_ldif(
        &desk.office,
        "p.ldif",
        &b"dn: uid=ann\nobjectClass: person\nuid: ann\n"[..],
        &options(false),
        &mut |_| (),
    )
    .await
    .unwrap();
    assert_eq!(
        notes(&done.refused),
        ["ann: the name `ann` belongs to an account that came by `csv` and is active"]
    );
    let done = from_csv(
        &desk.office,
        "q.csv",
        other.as_bytes(),
        &options(false),
        &mut |_| (),
    )
    .await
    .unwrap();
    assert_eq!((done.taken, done.already), (1, 1));
    assert_eq!(
        notes(&done.changed),
        ["fred: without its e-mail address `ben@EXAMPLE.org`: another account has it"]
    );
}

#[tokio::test]
async fn a_break_in_the_middle_is_gone_on_from() {
    let desk = Desk::new(&[]).await;
    let mut text = String::from("login,email,groups\n");
    for number in 0..5000 {
        let _ = writeln!(
            text,
            "user{number:05},user{number:05}@example.org,everybody"
        );
    }
    let torn = format!(
        "{}{}",
        &text[..=text[..text.len() / 2].rfind('\n').unwrap()],
        "\n\"".to_owned() + &"x".repeat(100_000)
    );
    let failed = from_csv(
        &desk.office,
        "p.csv",
        torn.as_bytes(),
        &options(false),
        &mut |_| (),
    )
    .await;
    assert!(
        matches!(failed, Err(ImportError::Source { .. })),
        "{failed:?}"
    );
    let mut steps = Vec::new();
    let done = from_csv(
        &desk.office,
        "p.csv",
        text.as_bytes(),
        &options(false),
        &mut |report| steps.push(report.seen),
    )
    .await
    .unwrap();
    assert_eq!((done.taken + done.already, done.refused.count), (5000, 0));
    assert!(
        done.already > 2000,
        "what was read before the break was kept"
    );
    assert_eq!(steps, [2000, 4000, 5000]);
    let group = desk
        .office
        .store
        .group_by_name("everybody")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        desk.office.store.members(&group.id, 10_000).await.unwrap(),
        5000
    );
}

/// Hashes by OpenSSL, by name of the kind.
fn made_elsewhere() -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (kind, option) in [
        ("sha512crypt", "-6"),
        ("sha256crypt", "-5"),
        ("md5crypt", "-1"),
    ] {
        let made = Command::new("openssl")
            .args(["passwd", option, RIGHT])
            .output();
        match made.map(|output| String::from_utf8(output.stdout).unwrap()) {
            Ok(hash) => found.push((kind, format!("{{CRYPT}}{}", hash.trim()))),
            Err(_) => skip("hashes of crypt(3)", "openssl is missing"),
        }
    }
    found
}

#[tokio::test]
async fn an_ldif_file_with_hashes_of_the_real_programs() {
    let desk = Desk::new(&["SHA-1"]).await;
    let hashes = made_elsewhere();
    let mut text =
        String::from("version: 1\n\ndn: dc=example,dc=org\nobjectClass: organization\n\n");
    for (number, (_, hash)) in hashes.iter().enumerate() {
        let _ = write!(
            text,
            "dn: uid=u{number},dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: u{number}\ncn: U {number}\nmail: u{number}@example.org\nuserPassword: {hash}\n\n"
        );
    }
    text += "dn: uid=plain,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: plain\nuserPassword:: QzBycmVjdC1ob3JzZS03\n";
    let done = from_ldif(
        &desk.office,
        "p.ldif",
        text.as_bytes(),
        &options(false),
        &mut |_| (),
    )
    .await
    .unwrap();
    assert_eq!(
        (done.taken, done.left_alone.count),
        (hashes.len() as u64 + 1, 1),
        "{done:#?}"
    );
    for (number, (kind, _)) in hashes.iter().enumerate() {
        let login = format!("u{number}");
        if *kind == "md5crypt" {
            assert!(!desk.signs_in(&login, RIGHT).await, "{kind}");
            assert!(done.must_reset.listed.iter().any(|note| note.name == login));
        } else {
            desk.keeps_password(&login, RIGHT).await;
        }
    }
    desk.keeps_password("plain", RIGHT).await;
}
