//! Meeting tokens: made, and taken apart.

use std::process::Command;

use super::{SMALL, STAGED, desk, run_in};

#[test]
fn tokens_are_minted_and_taken_apart() {
    let desk = desk(SMALL);
    let said = run_in(desk.path(), "token mint --room Team --site s.toml --root r");
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("there are no secrets in `/etc/jitsi-install/secrets.toml` of `r` yet"),
        "{}",
        said.err
    );
    assert_eq!(
        run_in(desk.path(), &format!("apply {STAGED} --yes -q")).code,
        0
    );
    let said = run_in(
        desk.path(),
        "token mint --room Team --name Ada --moderator --for 30m --site s.toml --root r",
    );
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let token = said.out.trim().to_owned();
    let said = run_in(
        desk.path(),
        &format!("token inspect {token} --room team --site s.toml --root r"),
    );
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("ok   signature     is right")
            && said.out.ends_with("the site accepts it\n"),
        "{}",
        said.out
    );
    assert!(said.out.contains("context.user  moderates"));
    let said = run_in(
        desk.path(),
        &format!("token inspect {token} --room other --site s.toml --root r"),
    );
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("bad  room          is `team`, and does not open `other`"),
        "{}",
        said.out
    );
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let said = run_in(
        desk.path(),
        &format!("token inspect {forged} --site s.toml --root r"),
    );
    assert!(
        said.out.contains("bad  signature") && said.code == 1,
        "{}",
        said.out
    );
    let said = run_in(desk.path(), "token inspect abc --site s.toml --root r");
    assert!(
        said.out.contains("is not a JWT") && said.code == 1,
        "{}",
        said.out
    );
    let said = run_in(
        desk.path(),
        "token mint --room Team --link --site s.toml --root r",
    );
    assert!(
        said.out
            .starts_with("https://meet.example.org/team#jwt=%22ey"),
        "{}",
        said.out
    );
    let link = said.out.trim().to_owned();
    assert_eq!(
        run_in(
            desk.path(),
            &format!("token inspect {link} --site s.toml --root r")
        )
        .code,
        0
    );
    for (args, words) in [
        ("--room a/b", "is no room name"),
        (
            "--room x --for 31d",
            "a token may last from 1 second to 30 days",
        ),
        ("--room x --for 5", "write a number and s, m, h or d"),
        ("--room * --link", "a link opens one room"),
        ("--room x --key k --key-id i", "this site signs with HS256"),
    ] {
        let said = run_in(
            desk.path(),
            &format!("token mint {args} --site s.toml --root r"),
        );
        assert_eq!(
            (said.code, said.out.as_str()),
            (64, ""),
            "{args}: {}",
            said.err
        );
        assert!(said.err.contains(words), "{args}: {}", said.err);
    }
}

#[test]
fn rs256_signs_with_a_key_of_ones_own() {
    let desk = desk(
        "schema = 1\ndomain = \"meet.example.org\"\n[auth.token]\nalgorithm = \"RS256\"\n\
         key_server = \"https://id.example.org/asap\"\nkeys_url = \"https://id.example.org/jwks.json\"\n",
    );
    let openssl = |args: &str| {
        let done = Command::new("openssl")
            .args(args.split(' '))
            .current_dir(desk.path())
            .output();
        done.is_ok_and(|output| output.status.success())
    };
    if !openssl("genrsa -out sign.pem 2048") || !openssl("rsa -in sign.pem -pubout -out check.pem")
    {
        eprintln!("SKIPPED: `openssl` is not installed");
        return;
    }
    openssl("genrsa -traditional -out old.pem 2048");
    openssl("rsa -in old.pem -pubout -out oldcheck.pem");
    let here = "--site s.toml --root r";
    for (key, check) in [("sign.pem", "check.pem"), ("old.pem", "oldcheck.pem")] {
        let said = run_in(
            desk.path(),
            &format!("token mint --room Team --key {key} --key-id meet-1 {here}"),
        );
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        let token = said.out.trim();
        let said = run_in(
            desk.path(),
            &format!("token inspect {token} --key {check} --json {here}"),
        );
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(json["accepted"], true, "{}", said.out);
        assert_eq!(
            (&json["header"]["alg"], &json["header"]["kid"]),
            (&"RS256".into(), &"meet-1".into())
        );
        for claim in ["aud", "iss", "sub", "room", "nbf", "exp"] {
            assert!(!json["claims"][claim].is_null(), "{claim}");
        }
    }
    let said = run_in(
        desk.path(),
        &format!("token mint --room Team --key sign.pem --key-id meet-1 {here}"),
    );
    let said = run_in(
        desk.path(),
        &format!(
            "token inspect {} --key oldcheck.pem {here}",
            said.out.trim()
        ),
    );
    assert_eq!(said.code, 1);
    assert!(said.out.contains("bad  signature"), "{}", said.out);
    for (args, words) in [
        ("mint --room x", "this site signs with RS256"),
        ("inspect a.b.c", "this site signs with RS256"),
    ] {
        let said = run_in(desk.path(), &format!("token {args} {here}"));
        assert_eq!(said.code, 64, "{}", said.err);
        assert!(said.err.contains(words), "{}", said.err);
    }
    let said = run_in(
        desk.path(),
        &format!("token mint --room x --key check.pem --key-id k {here}"),
    );
    assert_eq!(said.code, 1);
    assert!(
        said.err.starts_with("error: the signing key: "),
        "{}",
        said.err
    );
}
