//! What is such a word, and what is none.

use super::*;

#[test]
fn domains_are_names_and_nothing_else() {
    for good in [
        "meet.example.org",
        "a.b",
        "xn--bcher-kva.example",
        "1.example.org",
    ] {
        assert!(Domain::parse(good).is_ok(), "{good}");
    }
    let long = format!("{}.org", "a".repeat(300));
    for bad in [
        "",
        "localhost",
        "Meet.example.org",
        "https://meet.example.org",
        "meet.example.org/x",
        "192.0.2.1",
        "-a.org",
        "a-.org",
        "a..org",
        ".a.org",
        "a.org.",
        "a_b.org",
        "a b.org",
        "a\".org",
        "a\n.org",
        "a$(id).org",
        "é.org",
        "a\0.org",
        &long,
    ] {
        assert!(Domain::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn paths_are_absolute_and_plain() {
    assert_eq!(
        AbsPath::parse("/etc/jitsi/").unwrap().as_str(),
        "/etc/jitsi"
    );
    for bad in [
        "", "/", "etc", "/a/../b", "/a//b", "/a/./b", "/a b", "/a$b", "/a\nb", "/a\"b", "/é",
    ] {
        assert!(AbsPath::parse(bad).is_err(), "{bad:?}");
    }
    assert_eq!(AbsPath::fixed("/a").parent(), None);
    assert_eq!(AbsPath::fixed("/a/b").parent(), Some(AbsPath::fixed("/a")));
}

#[test]
fn prosody_encodes_store_names() {
    let domain = Domain::parse("auth.meet-1.example.org").unwrap();
    assert_eq!(domain.as_store_name(), "auth%2emeet%2d1%2eexample%2eorg");
}

#[test]
fn addresses_have_a_domain() {
    assert!(Email::parse("admin@example.org").is_ok());
    for bad in [
        "admin",
        "@example.org",
        "a@b",
        "a b@example.org",
        "a\"@example.org",
        "a<@example.org",
    ] {
        assert!(Email::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn addresses_come_in_their_order_each_once() {
    let said = "::1 STREAM localhost\n::1 DGRAM\n127.0.0.1 STREAM\nnothing\n\n::1 RAW\n";
    let found: Vec<String> = addresses(said).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["::1", "127.0.0.1"]);
    assert!(addresses("").is_empty());
}
