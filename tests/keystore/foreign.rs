//! Stores that keytool, openssl and Java made, whole and spoiled: what `show` and `verify` say of them,
//! and that Java agrees.
//!
//! To add one: a line in [`STORES`] with what should be seen, or in the lists of faults below.
//!
//! Over 400 lines: the lists of stores and faults stand with the cases that read them.

use sha1::{Digest, Sha1};

use crate::desk::{Desk, NAME, desk};

/// Name; how to make it (`openssl`: the rest of `pkcs12 -export`; `keytool`: its words; `java`: of
/// `Make` below); entries as Java lists them; points of `verify` that are not ok, with their grade.
const STORES: &[(&str, &str, &str, &str)] = &[
    (
        "openssl",
        "openssl -name JVB -in rsa.chain -inkey rsa.key",
        "jvb=key2",
        "",
    ),
    (
        "openssl-nameless",
        "openssl -in rsa.chain -inkey rsa.key",
        "1=key2",
        "",
    ),
    (
        "openssl-legacy",
        "openssl -legacy -name jvb -in rsa.chain -inkey rsa.key",
        "jvb=key2",
        "warn protection",
    ),
    (
        "openssl-3des",
        "openssl -name jvb -in ec.chain -inkey p256.key -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        "jvb=key2",
        "warn protection",
    ),
    (
        "openssl-aes128",
        "openssl -name jvb -in ec.chain -inkey p256.key -keypbe AES-128-CBC -certpbe AES-128-CBC -macalg sha512",
        "jvb=key2",
        "",
    ),
    (
        "openssl-open-certificates",
        "openssl -name jvb -in ec.chain -inkey p256.key -certpbe NONE",
        "jvb=key2",
        "",
    ),
    (
        "openssl-unsealed",
        "openssl -nomac -name jvb -in ec.chain -inkey p256.key",
        "jvb=key2",
        "",
    ),
    (
        "openssl-alone",
        "openssl -name jvb -in p256.pem -inkey p256.key",
        "jvb=key1",
        "warn chain",
    ),
    (
        "openssl-open-key",
        "openssl -name jvb -in ec.chain -inkey p256.key -keypbe NONE",
        "",
        "bad protection",
    ),
    (
        "openssl-trusts-nobody",
        "openssl -nokeys -in self.pem -caname root",
        "",
        "bad entries",
    ),
    (
        "keytool-p12",
        "keytool -genkeypair -alias jvb -keyalg RSA -keysize 2048 -dname CN=meet.example.org -ext san=dns:meet.example.org -storetype PKCS12",
        "jvb=key1",
        "",
    ),
    (
        "keytool-jks",
        "keytool -genkeypair -alias jvb -keyalg EC -groupname secp256r1 -dname CN=meet.example.org -ext san=dns:meet.example.org -storetype JKS",
        "jvb=key1",
        "warn protection",
    ),
    (
        "keytool-old",
        "keytool -J-Dkeystore.pkcs12.legacy -genkeypair -alias jvb -keyalg RSA -keysize 2048 -dname CN=meet.example.org -ext san=dns:meet.example.org -storetype PKCS12",
        "jvb=key1",
        "warn protection",
    ),
    (
        "keytool-trust-p12",
        "keytool -importcert -alias Root -file root.pem -storetype PKCS12",
        "root=trusted",
        "bad entries",
    ),
    (
        "keytool-trust-jks",
        "keytool -importcert -alias Root -file root.pem -storetype JKS",
        "root=trusted",
        "bad entries warn protection",
    ),
    (
        "keytool-client",
        "keytool -genkeypair -alias jvb -keyalg EC -groupname secp384r1 -dname CN=meet.example.org -ext san=dns:meet.example.org -ext eku=clientAuth -storetype PKCS12",
        "jvb=key1",
        "warn purpose",
    ),
    (
        "keytool-small",
        "keytool -genkeypair -alias jvb -keyalg RSA -keysize 1024 -dname CN=meet.example.org -ext san=dns:meet.example.org -storetype PKCS12",
        "jvb=key1",
        "bad key bad strength",
    ),
    (
        "keytool-sha1",
        "keytool -genkeypair -alias jvb -keyalg RSA -keysize 2048 -sigalg SHA1withRSA -dname CN=meet.example.org -ext san=dns:meet.example.org -storetype PKCS12",
        "jvb=key1",
        "bad strength",
    ),
    (
        "keytool-dsa",
        "keytool -genkeypair -alias jvb -keyalg DSA -keysize 2048 -dname CN=meet.example.org -ext san=dns:meet.example.org -storetype PKCS12",
        "jvb=key1",
        "bad key warn signatures",
    ),
    (
        "keytool-other-name",
        "keytool -genkeypair -alias jvb -keyalg EC -groupname secp256r1 -dname CN=meet.example.org -ext san=dns:talk.example.org,dns:*.org -storetype PKCS12",
        "jvb=key1",
        "bad names",
    ),
    (
        "keytool-over",
        "keytool -genkeypair -alias jvb -keyalg EC -groupname secp256r1 -startdate -60d -validity 30 -dname CN=meet.example.org -ext san=dns:meet.example.org -storetype PKCS12",
        "jvb=key1",
        "bad dates",
    ),
    (
        "keytool-secret",
        "keytool -genseckey -alias word -keyalg AES -keysize 256 -storetype PKCS12",
        "word=key0",
        "bad entries",
    ),
];

#[test]
fn stores_of_others_are_seen_as_java_sees_them() {
    let Some(desk) = desk() else { return };
    desk.write("rsa.chain", desk.read("rsa.pem middle.pem"));
    desk.write("ec.chain", desk.read("p256.pem middle.pem"));
    let mut lists = Vec::new();
    let mut serves = Vec::new();
    for (name, how, _, faults) in STORES {
        let _ = std::fs::remove_file(desk.path(name));
        match how.split_once(' ').unwrap() {
            ("openssl", words) => drop(desk.openssl(&format!(
                "pkcs12 -export -passout file:password -out {name} {words}"
            ))),
            (_, words) => drop(desk.keytool(&format!(
                "{words} -keystore {name} -storepass:file password"
            ))),
        }
        lists.push(format!("list\t{name}\tpassword"));
        let shown = desk.json(&format!(
            "keystore show {name} --password-file password --json"
        ));
        assert!(
            !shown["algorithms"].as_array().unwrap().is_empty(),
            "{name}"
        );
        let verdict = desk.json(&format!(
            "keystore verify {name} --password-file password --domain {NAME} --json"
        ));
        let mut found: Vec<String> = verdict["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| finding["grade"] != "ok")
            .map(|finding| {
                assert!(finding["cure"].is_string(), "{name}: {finding}");
                format!(
                    "{} {}",
                    finding["grade"].as_str().unwrap(),
                    finding["about"].as_str().unwrap()
                )
            })
            .filter(|finding| finding != "warn mode")
            .collect();
        found.sort();
        assert_eq!(found.join(" "), *faults, "{name}: {verdict:#}");
        let accepted = !faults.contains("bad ");
        assert_eq!(verdict["accepted"], accepted, "{name}");
        if accepted && *name != "keytool-client" {
            let alias = shown["entries"][0]["alias"].as_str().unwrap();
            serves.push(format!("serve-key\t{name}\tpassword\t{alias}\t{NAME}"));
        }
    }
    let (success, said) = desk.java(&lists);
    assert!(success, "{said}");
    for ((name, _, entries, _), line) in STORES.iter().zip(said.lines()) {
        let java = line.split_once(": ").map_or("", |(_, list)| list);
        assert_eq!(java.trim(), *entries, "{name}: what Java lists");
        assert_eq!(ours(desk, name), *entries, "{name}: what we list");
    }
    let (success, said) = desk.java(&serves);
    assert!(success, "{said}");
    assert!(serves.len() >= 9);
}

/// What `show` lists, in the words of Java's proof; what Java does not see is left out.
fn ours(desk: &Desk, name: &str) -> String {
    let shown = desk.json(&format!(
        "keystore show {name} --password-file password --json"
    ));
    // Java passes over a key that stands there unencrypted, and `verify` says so.
    let verdict = desk.json(&format!(
        "keystore verify {name} --password-file password --json"
    ));
    if verdict.to_string().contains("Java passes over such a key") {
        return String::new();
    }
    let mut entries: Vec<String> = shown["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| {
            let alias = entry["alias"].as_str().unwrap();
            let length = entry["chain"].as_array().unwrap().len();
            match entry["kind"].as_str().unwrap() {
                "PrivateKeyEntry" | "SecretKeyEntry" => Some(format!("{alias}=key{length}")),
                "trustedCertEntry" => Some(format!("{alias}=trusted")),
                _ => None,
            }
        })
        .collect();
    entries.sort();
    entries.join(" ")
}

#[test]
fn a_store_that_does_not_open_says_why() {
    let Some(desk) = desk() else { return };
    let build = |out: &str, options: &str| {
        let said = desk.program(&format!(
            "keystore build --cert rsa.pem --key rsa.key --out {out} --password-file password {options}"
        ));
        assert_eq!(said.code, 0, "{}", said.err);
    };
    build("whole.p12", "");
    build("whole.old", "--compat");
    build("whole.jks", "--format jks");
    desk.program(
        "keystore trust --cert root.pem --out whole.trust --password-file password --format jks",
    );
    desk.write("wrong", "not the password");
    for store in ["whole.p12", "whole.old", "whole.jks", "whole.trust"] {
        let bytes = desk.read(store);
        desk.write(&format!("{store}.cut"), &bytes[..bytes.len() - 30]);
        desk.write(&format!("{store}.half"), &bytes[..bytes.len() / 2]);
        desk.write(&format!("{store}.more"), [&bytes[..], b"more"].concat());
    }
    let changed = |store: &str, from_end: usize| {
        let mut bytes = desk.read(store);
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        desk.write(&format!("{store}.changed"), bytes);
    };
    changed("whole.p12", 3 + 4 + 22 + 10); // in the seal
    changed("whole.old", 3 + 4 + 10 + 10);
    changed("whole.jks", 5); // in the digest
    // An alias in upper case, with a digest that is right.
    let jks = desk.read("whole.jks");
    let mut upper = jks[..jks.len() - 20].to_vec();
    let at = upper
        .windows(3)
        .position(|window| window == b"jvb")
        .unwrap();
    upper[at..at + 3].copy_from_slice(b"JVB");
    let wide: Vec<u8> = crate::desk::PASSWORD
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let digest = Sha1::new()
        .chain_update(wide)
        .chain_update("Mighty Aphrodite")
        .chain_update(&upper)
        .finalize();
    upper.extend(digest);
    desk.write("upper.jks", upper);
    let _ = std::fs::remove_file(desk.path("key.jks"));
    desk.keytool("-importkeystore -srckeystore whole.p12 -srcstorepass:file password -destkeystore key.jks -deststoretype JKS -deststorepass:file password -srcalias jvb -destkeypass another -srckeypass:file password");
    let _ = std::fs::remove_file(desk.path("store.jceks"));
    desk.keytool("-genkeypair -alias jvb -keyalg RSA -keysize 2048 -dname CN=x -storetype JCEKS -keystore store.jceks -storepass:file password");
    desk.openssl("pkcs12 -export -name jvb -in rsa.pem -inkey rsa.key -passout file:password -nomac -keypbe NONE -certpbe NONE -out open.p12");
    desk.openssl("pkcs12 -export -name jvb -in rsa.pem -inkey rsa.key -passout file:password -certpbe AES-192-CBC -out aes192.p12");
    desk.write("own-word", "a word of its own");
    let (success, said) =
        desk.java(&["rekey\twhole.p12\tpassword\tjvb\town-word\trekeyed.p12".to_owned()]);
    assert!(success, "{said}");
    let ber = [
        &[0x30, 0x80, 2, 1, 3][..],
        &desk.read("whole.p12")[7..],
        &[0, 0],
    ]
    .concat();
    desk.write("ber.p12", ber);
    desk.write("empty.p12", "");
    desk.write("noise.p12", "neither of them");

    let damaged_jks = "the JKS keystore is damaged: it is cut, or a length in it is wrong";
    let damaged_p12 = "the PKCS12 keystore is damaged: it is cut, or a length in it is wrong";
    let changed_jks = "the JKS keystore is damaged: it was changed after it was written";
    let changed_p12 = "the PKCS12 keystore is damaged: it was changed after it was written";
    let anew = "make it anew, or take it from a backup";
    let look = "look at the first line of the password's file; upper and lower case count";
    let pem = "make one of PEM files: `jitsi-install keystore build`";
    let mut refused = Vec::new();
    for (store, word, why, hint) in [
        (
            "rekeyed.p12",
            "password",
            "the password opens the PKCS12 keystore, but not the private key in it",
            "make it anew with one password for both, which is what Java's servers expect",
        ),
        (
            "ber.p12",
            "password",
            "the PKCS12 keystore uses lengths without an end (BER), which is not read",
            "make it anew with `jitsi-install keystore build`",
        ),
        (
            "whole.p12",
            "wrong",
            "the password does not open the PKCS12 keystore",
            look,
        ),
        (
            "whole.old",
            "wrong",
            "the password does not open the PKCS12 keystore",
            look,
        ),
        (
            "whole.jks",
            "wrong",
            "the password does not open the JKS keystore",
            look,
        ),
        (
            "whole.trust",
            "wrong",
            "the password does not open the JKS keystore",
            look,
        ),
        ("whole.p12.cut", "password", damaged_p12, anew),
        ("whole.p12.half", "password", damaged_p12, anew),
        ("whole.p12.half", "wrong", damaged_p12, anew),
        ("whole.p12.more", "password", damaged_p12, anew),
        ("whole.p12.changed", "password", changed_p12, anew),
        ("whole.old.cut", "password", damaged_p12, anew),
        ("whole.old.changed", "password", changed_p12, anew),
        ("whole.jks.cut", "password", damaged_jks, anew),
        ("whole.jks.half", "password", damaged_jks, anew),
        ("whole.jks.more", "password", damaged_jks, anew),
        ("whole.jks.changed", "password", changed_jks, anew),
        ("whole.trust.half", "password", damaged_jks, anew),
        (
            "empty.p12",
            "password",
            "not a keystore: the file is empty",
            pem,
        ),
        (
            "noise.p12",
            "password",
            "not a keystore: it begins neither as PKCS12 nor as JKS",
            pem,
        ),
        ("rsa.pem", "password", "not a keystore: it is PEM", pem),
        (
            "p256.der",
            "password",
            "not a keystore: it is DER, but not PKCS12",
            pem,
        ),
        (
            "store.jceks",
            "password",
            "not a keystore: it is JCEKS, which is not read here",
            pem,
        ),
    ] {
        let said = desk.program(&format!("keystore show {store} --password-file {word}"));
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{store}");
        assert_eq!(
            said.err,
            format!("error: `{store}`: {why}\n  hint: {hint}\n")
        );
        let said = desk.program(&format!("keystore verify {store} --password-file {word}"));
        assert_eq!((said.code, said.err.as_str()), (1, ""), "{store}");
        assert!(
            said.out.contains(why) && said.out.contains(hint),
            "{store}: {}",
            said.out
        );
        assert!(
            said.out
                .ends_with("Java cannot serve TLS with it, or should not\n")
        );
        if store.starts_with("whole") || store == "rekeyed.p12" {
            refused.push(format!("serve-key\t{store}\t{word}\tjvb\t{NAME}"));
        }
    }
    for (store, why) in [
        (
            "upper.jks",
            "bad   alias       `JVB` has upper-case letters, so that Java does not find it",
        ),
        (
            "key.jks",
            "bad   key         the password opens the JKS keystore, but not the private key in it",
        ),
        (
            "open.p12",
            "bad   password    everybody can open the keystore, without one",
        ),
        (
            "aes192.p12",
            "bad   protection  AES-192: Java 17 does not read it",
        ),
    ] {
        let said = desk.program(&format!("keystore verify {store} --password-file password"));
        assert_eq!(said.code, 1, "{store}");
        assert!(said.out.contains(why), "{store}: {}", said.out);
        refused.push(format!("serve-key\t{store}\tpassword\tjvb\t{NAME}"));
    }
    // Java refuses every one of them too; bytes after the end it overlooks.
    refused.retain(|proof| !proof.contains(".more"));
    let (success, said) = desk.java(&refused);
    assert!(!success, "{said}");
    let failed = said
        .lines()
        .filter(|line| line.starts_with("FAIL "))
        .count();
    assert_eq!(failed, refused.len(), "{said}");

    let said = desk.program("keystore show whole.p12");
    assert_eq!(
        said.err,
        "error: `whole.p12`: the PKCS12 keystore opens with a password only\n  hint: name a file with it: `--password-file FILE`\n"
    );
    let said = desk.program("keystore show whole.jks");
    assert_eq!(said.code, 0);
    assert!(said.out.contains("jvb  PrivateKeyEntry, 1 certificate\n"));
    assert_eq!(
        said.err,
        "warning: `whole.jks`: without a password nobody knows whether it was changed\n"
    );
}

#[test]
fn a_chain_of_others_is_examined() {
    let Some(desk) = desk() else { return };
    // Java's key entries take any chain; openssl writes what it is given.
    let store = |name: &str, chain: &str, key: &str, options: &str| {
        desk.write("some.chain", desk.read(chain));
        desk.openssl(&format!(
            "pkcs12 -export -name jvb -in some.chain -inkey {key} -passout file:password -out {name} {options}"
        ));
        desk.program(&format!("keystore verify {name} --password-file password --domain {NAME} --cert rsa.pem --key rsa.key")).out
    };
    let said = store("gap.p12", "rsa.pem root.pem", "rsa.key", "");
    assert!(said.contains("warn  chain       the intermediate certificate is missing: who does not know `CN=Middle` refuses it"), "{said}");
    assert!(
        said.contains("hint: give the full chain, such as acme.sh's `fullchain.cer`"),
        "{said}"
    );
    let said = store("stale.p12", "rsa.pem stale.pem", "rsa.key", "");
    assert!(
        said.contains("bad   chain       `CN=rsa` is not issued by `CN=Middle`, which comes next"),
        "{said}"
    );
    assert!(
        said.contains("bad   source      the same leaf as in PEM, but not the same chain or key"),
        "{said}"
    );
    let said = store("forged.p12", "rsa.pem forged.pem", "rsa.key", "");
    assert!(
        said.contains("bad   signatures  that on `CN=rsa` was not made by `CN=Middle`"),
        "{said}"
    );
    let said = store("source.p12", "p256.pem middle.pem", "p256.key", "");
    assert!(
        said.contains("bad   source      another certificate than that in PEM"),
        "{said}"
    );
    let said = store("none.p12", "byclient.pem middle.pem", "p256.key", "");
    assert!(
        said.contains("bad   names       do not cover `meet.example.org`: no name at all"),
        "{said}"
    );
    assert!(
        said.contains("warn  purpose     `CN=byclient` is not for TLS servers"),
        "{said}"
    );

    // Two keys in one store: Jetty takes whichever comes first.
    desk.openssl(
        "pkcs12 -export -name one -in rsa.pem -inkey rsa.key -passout file:password -out two.p12",
    );
    let _ = std::fs::remove_file(desk.path("both.p12"));
    for (from, alias) in [("two.p12", "one"), ("source.p12", "jvb")] {
        desk.keytool(&format!("-importkeystore -srckeystore {from} -srcstorepass:file password -srcalias {alias} -destkeystore both.p12 -deststoretype PKCS12 -deststorepass:file password"));
    }
    let said = desk.program("keystore verify both.p12 --password-file password");
    assert!(
        said.out
            .contains("warn  entries     2 private keys: which one is served is not certain"),
        "{}",
        said.out
    );
    assert_eq!(said.code, 0, "{}", said.out);
    let _ = std::fs::remove_file(desk.path("both.jks"));
    desk.keytool("-importkeystore -srckeystore both.p12 -srcstorepass:file password -destkeystore both.jks -deststoretype JKS -deststorepass:file password");
    let shown = desk.json("keystore show both.jks --password-file password --json");
    assert_eq!(shown["entries"].as_array().unwrap().len(), 2);
}

#[test]
fn hostile_names_are_shown_and_steer_nothing() {
    let Some(desk) = desk() else { return };
    let evil = "\u{1b}[31mred\u{1b}]0;title\u{7}\u{202e}gnp\u{9b}2J\nnew line";
    desk.certify_with(
        "evil",
        "p256",
        &format!("/O={evil}/CN=evil"),
        "-addext subjectAltName=DNS:meet.example.org",
    );
    let alias = "a".repeat(8192);
    desk.openssl(&format!("pkcs12 -export -name {alias} -in evil.pem -inkey p256.key -passout file:password -out evil.p12"));
    desk.keytool("-importkeystore -srckeystore evil.p12 -srcstorepass:file password -destkeystore evil.jks -deststoretype JKS -deststorepass:file password");
    for store in ["evil.p12", "evil.jks"] {
        for words in ["show", "verify", "show --json", "verify --json"] {
            let said = desk.program(&format!(
                "keystore {words} {store} --password-file password"
            ));
            assert_eq!(said.code, 0, "{}", said.out);
            let text = said.out + &said.err;
            assert!(
                text.chars().all(|c| c == '\n' || !c.is_control()),
                "{text:?}"
            );
            assert!(!text.contains('\u{202e}'));
            if words == "show" {
                assert!(
                    text.contains(
                        r"O=\u{1b}[31mred\u{1b}]0;title\u{7}\u{202e}gnp\u{9b}2J\nnew line"
                    ),
                    "{text}"
                );
                assert!(
                    text.contains(&format!("\n{}…  PrivateKeyEntry", &alias[..60])),
                    "{text}"
                );
            }
        }
        let shown = desk.json(&format!(
            "keystore show {store} --password-file password --json"
        ));
        assert_eq!(shown["entries"][0]["alias"], alias);
    }
    desk.write("evil.chain", desk.read("evil.pem"));
    let said = desk.program(
        "keystore build --cert evil.pem --key p256.key --out evil.out --password-file password",
    );
    assert_eq!(said.code, 0);
    assert!(
        said.err.lines().count() == 1 && !said.err.contains('\u{1b}'),
        "{:?}",
        said.err
    );
    let said = desk.program(
        "keystore build --cert evil.pem --key rsa.key --out evil.out --password-file password",
    );
    assert_eq!(said.code, 1);
    assert!(
        !said.err.contains('\u{1b}') && said.err.contains(r"`O=\u{1b}[31mred"),
        "{:?}",
        said.err
    );
}
