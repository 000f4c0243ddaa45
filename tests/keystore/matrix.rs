//! Every key in every format, and every chain in every format, made by the program itself and proved
//! by Java (which signs and talks TLS), by keytool and by openssl.
//!
//! To add a key or a chain: a line in [`KEYS`] or [`CHAINS`]; the files are made in `desk.rs`.
//!
//! Over 400 lines: the lists stand with what is proved of each pair of them.

use std::collections::BTreeSet;

use crate::desk::{Desk, NAME, PASSWORD, desk, said};

/// Name, file of the key, name of its leaf, file with its pass phrase.
const KEYS: &[(&str, &str, &str, Option<&str>)] = &[
    ("rsa2048-pkcs8", "rsa.key", "rsa", None),
    ("rsa2048-pkcs1", "rsa.pkcs1", "rsa", None),
    ("rsa3072-pkcs1", "rsa3072.pkcs1", "rsa3072", None),
    ("rsa4096-pkcs8", "rsa4096.key", "rsa4096", None),
    ("p256-pkcs8", "p256.key", "p256", None),
    ("p256-sec1", "p256.sec1", "p256", None),
    ("p256-parameters", "p256.parameters p256.sec1", "p256", None),
    ("p384-sec1", "p384.sec1", "p384", None),
    ("p384-pkcs8", "p384.key", "p384", None),
    ("p521-sec1", "p521.sec1", "p521", None),
    ("ed25519", "ed25519.key", "ed25519", None),
    ("ed25519-version-2", "ed25519.v2", "ed25519", None),
    ("locked-aes256-sha256", "rsa.locked8", "rsa", Some("phrase")),
    (
        "locked-aes128-sha1",
        "p256.locked-sha1",
        "p256",
        Some("phrase"),
    ),
    (
        "locked-3des-sha512",
        "p256.locked-3des",
        "p256",
        Some("phrase"),
    ),
    (
        "locked-scrypt",
        "ed25519.locked-scrypt",
        "ed25519",
        Some("phrase"),
    ),
    ("not-locked-after-all", "p521.key", "p521", Some("phrase")),
];

/// Name, files in the order given, leaf and key, certificates that come out.
const CHAINS: &[(&str, &str, &str, &[&str])] = &[
    ("two", "p256.pem middle.pem", "p256", &["p256", "middle"]),
    (
        "root",
        "rsa.pem middle.pem root.pem",
        "rsa",
        &["rsa", "middle", "root"],
    ),
    (
        "backwards",
        "root.pem middle.pem p384.pem",
        "p384",
        &["p384", "middle", "root"],
    ),
    (
        "twice",
        "p256.pem middle.pem p256.pem middle.pem",
        "p256",
        &["p256", "middle"],
    ),
    ("alone", "p256.pem", "p256", &["p256"]),
    ("self-signed", "self.pem", "self", &["self"]),
    (
        "cross-signed",
        "old.pem crossed.pem middle.pem root.pem p256.pem",
        "p256",
        &["p256", "middle", "crossed", "old"],
    ),
    (
        "no-subject",
        "nameless.pem middle.pem",
        "rsa",
        &["nameless", "middle"],
    ),
    ("comments-crlf", "chatty.pem", "p256", &["p256", "middle"]),
    ("by-rsa", "byrsa.pem rsaca.pem", "p256", &["byrsa", "rsaca"]),
];

const FORMATS: &[(&str, &str)] = &[
    ("p12", "--format pkcs12"),
    ("old.p12", "--compat"),
    ("jks", "--format jks"),
];

/// One store to be made: name, chain, key, pass phrase, certificates that come out.
struct Wanted<'a> {
    name: String,
    chain: String,
    key: String,
    phrase: Option<&'a str>,
    order: Vec<&'a str>,
}

fn wanted() -> Vec<Wanted<'static>> {
    let keys = KEYS.iter().map(|(name, key, leaf, phrase)| Wanted {
        name: (*name).to_owned(),
        chain: format!("{leaf}.pem middle.pem"),
        key: (*key).to_owned(),
        phrase: *phrase,
        order: vec![leaf, "middle"],
    });
    let chains = CHAINS.iter().map(|(name, chain, key, order)| Wanted {
        name: (*name).to_owned(),
        chain: (*chain).to_owned(),
        key: format!("{key}.key"),
        phrase: None,
        order: order.to_vec(),
    });
    keys.chain(chains).collect()
}

#[test]
fn every_key_and_chain_in_every_format_serves_tls_in_java() {
    let Some(desk) = desk() else { return };
    let text = String::from_utf8(desk.read("p256.pem middle.pem")).unwrap();
    let chatty = format!("\u{feff}Bag Attributes\n    friendlyName: x\n{text}the end");
    desk.write("chatty.pem", chatty.replace('\n', "\r\n"));
    let mut proofs = Vec::new();
    let mut stores = BTreeSet::new();
    for Wanted {
        name,
        chain,
        key,
        phrase,
        order,
    } in wanted()
    {
        desk.write(&format!("{name}.chain"), desk.read(&chain));
        desk.write(&format!("{name}.private"), desk.read(&key));
        let phrase = phrase.map_or(String::new(), |file| format!(" --key-password-file {file}"));
        for (ending, options) in FORMATS {
            let out = format!("matrix/{name}.{ending}");
            let build = format!(
                "keystore build --cert {name}.chain --key {name}.private --out {out} --password-file password {options}{phrase}"
            );
            let made = desk.program(&build);
            assert_eq!(
                (made.code, made.out.as_str()),
                (0, ""),
                "{build}: {}",
                made.err
            );
            let missing = made.err.contains("warning: ");
            assert_eq!(missing, name == "alone", "{build}: {}", made.err);
            assert_eq!(desk.mode(&out), 0o640, "{out}");

            let before = (desk.read(&out), desk.inode(&out));
            let again = desk.program(&build);
            assert!(
                again.err.contains(&format!("left as it was `{out}`")),
                "{}",
                again.err
            );
            assert_eq!(before, (desk.read(&out), desk.inode(&out)), "{out}");

            let leaf = desk.fingerprint(order[0]);
            let shown = desk.json(&format!(
                "keystore show {out} --password-file password --json"
            ));
            let entry = &shown["entries"][0];
            assert_eq!(shown["entries"].as_array().unwrap().len(), 1);
            assert_eq!(
                (&entry["alias"], &entry["kind"]),
                (&"jvb".into(), &"PrivateKeyEntry".into())
            );
            let found: Vec<_> = entry["chain"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["fingerprint_sha256"].clone())
                .collect();
            let expected: Vec<_> = order.iter().map(|name| desk.fingerprint(name)).collect();
            assert_eq!(found, expected, "{out}");

            let plain = desk.unlocked(&name, !phrase.is_empty());
            let verify = format!(
                "keystore verify {out} --password-file password --domain {NAME} --cert {name}.chain --key {plain} --json"
            );
            let verdict = desk.json(&verify);
            assert_eq!(verdict["accepted"], true, "{verify}: {verdict:#}");
            let grades: BTreeSet<_> = verdict["findings"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|finding| finding["grade"] != "ok")
                .map(|finding| finding["about"].as_str().unwrap().to_owned())
                .collect();
            let mut warned = BTreeSet::new();
            if *ending != "p12" {
                warned.insert("protection".to_owned());
            }
            if name == "alone" {
                warned.insert("chain".to_owned());
            }
            assert_eq!(grades, warned, "{verify}");

            if *ending != "jks" {
                read_by_openssl(desk, &out, &plain, order.len(), ending);
            }
            proofs.push(format!("serve-key\t{out}\tpassword\tjvb\t{NAME}"));
            proofs.push(format!("keytool\t{out}\tpassword\tjvb\t{leaf}"));
            assert!(stores.insert(out));
        }
    }
    assert!(stores.len() >= 80, "{}", stores.len());
    let (success, said) = desk.java(&proofs);
    println!("{said}");
    assert!(success, "{said}");
    let proved = said.lines().filter(|line| line.starts_with("OK ")).count();
    assert_eq!(proved, proofs.len());
}

/// openssl finds the same key, all certificates, the alias, and the ciphers that were asked for.
fn read_by_openssl(desk: &Desk, store: &str, key: &str, certificates: usize, ending: &str) {
    let said = desk.openssl(&format!(
        "pkcs12 -in {store} -passin file:password -info -nodes -out opened.pem"
    ));
    let (mac, cipher) = match ending {
        "p12" => (
            "MAC: sha256, Iteration 10000",
            "PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256",
        ),
        _ => (
            "MAC: sha1, Iteration 10000",
            "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 10000",
        ),
    };
    assert!(said.contains(mac), "{store}: {said}");
    assert_eq!(said.matches(cipher).count(), 2, "{store}: {said}");
    let text = String::from_utf8(desk.read("opened.pem")).unwrap();
    assert_eq!(
        text.matches("BEGIN CERTIFICATE").count(),
        certificates,
        "{store}"
    );
    // On the leaf the library that writes old stores puts the subject; the key's name is the alias.
    let names = text.matches("friendlyName: jvb").count();
    assert_eq!(
        names,
        if ending == "p12" { 2 } else { 1 },
        "{store}: {text}"
    );
    assert_eq!(text.matches("localKeyID: ").count(), 2, "{store}: {text}");
    let public = |file: &str| desk.openssl(&format!("pkey -in {file} -pubout"));
    assert_eq!(public("opened.pem"), public(key), "{store}");
}

#[test]
fn truststores_of_both_forms_are_trusted_by_java() {
    let Some(desk) = desk() else { return };
    for (name, chain) in [
        ("trust-self", "self.pem"),
        ("trust-rsa", "rsa.pem middle.pem"),
    ] {
        let key = name.trim_start_matches("trust-");
        desk.write(&format!("{name}.chain"), desk.read(chain));
        desk.program(&format!(
            "keystore build --cert {name}.chain --key {key}.key --out {name}.served --password-file password"
        ));
    }
    let mut proofs = Vec::new();
    for (ending, options) in [("p12", ""), ("jks", "--format jks")] {
        for (name, certificates) in [("one", "root.pem"), ("both", "root.pem self.pem root.pem")] {
            let out = format!("cli-{name}.{ending}");
            let trust = format!(
                "keystore trust --cert {certificates} --out {out} --password-file password {options} --alias ca"
            );
            let said = desk.program(&trust);
            assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
            let aliases = if name == "one" { "ca" } else { "ca-1, ca-2" };
            assert!(
                said.err.ends_with(&format!(", trusts {aliases}\n")),
                "{}",
                said.err
            );
            assert_eq!(desk.mode(&out), 0o644);
            let before = desk.read(&out);
            assert!(
                desk.program(&trust)
                    .err
                    .starts_with(&format!("left as it was `{out}`"))
            );
            assert_eq!(desk.read(&out), before);
            let trusts = |verb: &str, server: &str| {
                format!(
                    "{verb}\t{out}\tpassword\t{server}.pem\ttrust-{server}.served\tpassword\t{NAME}"
                )
            };
            proofs.push(trusts("trust", "rsa"));
            proofs.push(trusts(
                if name == "one" { "distrust" } else { "trust" },
                "self",
            ));
            let shown = desk.json(&format!(
                "keystore show {out} --password-file password --json"
            ));
            for entry in shown["entries"].as_array().unwrap() {
                assert_eq!(entry["kind"], "trustedCertEntry");
            }
        }
    }
    // What was one certificate becomes two: not the same any more.
    let said = desk.program("keystore trust --cert root.pem self.pem --out cli-one.jks --password-file password --format jks --alias ca");
    assert!(said.err.starts_with("wrote `"), "{}", said.err);
    desk.program("keystore trust --cert root.pem --out cli-one.jks --password-file password --format jks --alias ca");
    let (success, said) = desk.java(&proofs);
    assert!(success, "{said}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("OK ")).count(),
        8
    );
}

#[test]
fn what_stands_there_is_compared_by_meaning() {
    let Some(desk) = desk() else { return };
    let build = |out: &str, rest: &str| {
        desk.program(&format!(
            "keystore build --cert rsa.pem --key rsa.key --out {out} {rest}"
        ))
        .err
    };
    desk.write("other-password", "another word");
    let usual = "--password-file password";
    for (first, second, same) in [
        (usual, usual, true),
        ("--password-file password --format jks", usual, false),
        (usual, "--password-file password --format jks", false),
        (usual, "--password-file password --compat", false),
        ("--password-file password --compat", usual, false),
        (
            "--password-file password --compat",
            "--password-file password --compat",
            true,
        ),
        (usual, "--password-file password --alias other", false),
        (usual, "--password-file other-password", false),
        (
            "--password-file password --format jks",
            "--password-file password --format jks",
            true,
        ),
        (
            "--password-file password --format jks",
            "--password-file other-password --format jks",
            false,
        ),
        (
            "--password-file password --format jks",
            "--password-file password --format jks --alias a",
            false,
        ),
    ] {
        let _ = std::fs::remove_file(desk.path("meaning.p12"));
        assert!(build("meaning.p12", first).contains("wrote `"), "{first}");
        let said = build("meaning.p12", second);
        assert_eq!(
            said.contains("left as it was"),
            same,
            "{first}, then {second}: {said}"
        );
        assert_eq!(
            said.contains("wrote `"),
            !same,
            "{first}, then {second}: {said}"
        );
    }
    // openssl's and keytool's own stores of the same content are as good as ours.
    desk.openssl("pkcs12 -export -name jvb -in rsa.pem -inkey rsa.key -passout file:password -out foreign.p12");
    assert!(build("foreign.p12", usual).contains("left as it was"));
    desk.keytool("-importkeystore -srckeystore foreign.p12 -srcstorepass:file password -destkeystore foreign.jks -deststoretype JKS -deststorepass:file password");
    assert!(
        build("foreign.jks", "--password-file password --format jks").contains("left as it was")
    );
}

#[test]
fn owner_and_mode_are_given_and_kept() {
    let Some(desk) = desk() else { return };
    let build = |rest: &str| {
        desk.program(&format!(
            "keystore build --cert rsa.pem --key rsa.key --out owned.p12 --password-file password {rest}"
        ))
    };
    let _ = std::fs::remove_file(desk.path("owned.p12"));
    assert_eq!(build("--mode 600").code, 0);
    assert_eq!(desk.mode("owned.p12"), 0o600);
    assert!(build("").err.contains("left as it was `"));
    assert_eq!(desk.mode("owned.p12"), 0o600, "nothing was asked");
    let said = build("--mode 0640").err;
    assert!(
        said.contains("left as it was, with another owner or mode, `"),
        "{said}"
    );
    assert_eq!(desk.mode("owned.p12"), 0o640);
    assert!(!build("--mode 0644").err.contains("everybody"));
    let said = build("").err;
    let open = "warning: `owned.p12`: everybody on this machine may read it; `--mode 640` takes that away\n";
    assert!(said.ends_with(open), "{said}");
    assert_eq!(build("--mode 0640").code, 0);
    for (bad, why) in [
        ("--mode 9", "write three octal digits, as in 640"),
        ("--mode 4755", "write three octal digits, as in 640"),
        ("--owner root", "write a user and a group, as in root:jvb"),
        (
            "--owner no-such-user:root",
            "there is no user `no-such-user`",
        ),
        (
            "--owner root:no-such-group",
            "there is no group `no-such-group`",
        ),
    ] {
        let said = build(bad);
        assert_eq!(said.code, 64, "{bad}");
        assert!(said.err.contains(why), "{bad}: {}", said.err);
    }
    let is_root = desk.owner("owned.p12").0 == 0;
    if !is_root {
        println!("SKIPPED: only root may give files away");
        return;
    }
    let said = build("--owner 65534:65534");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(desk.owner("owned.p12"), (65534, 65534));
    // A change keeps what nobody asked to change.
    assert_eq!(build("--alias other").code, 0);
    assert_eq!(
        (desk.owner("owned.p12"), desk.mode("owned.p12")),
        ((65534, 65534), 0o640)
    );
    assert_eq!(build("--owner root:root").code, 0);
    assert_eq!(desk.owner("owned.p12"), (0, 0));
}

#[test]
fn the_bridge_s_group_may_read_what_root_writes() {
    let Some(desk) = desk() else { return };
    // A private view of the file system, in which the group is there, or not.
    let build = |groups: &str, out: &str| {
        desk.write("groups", groups);
        let program = env!("CARGO_BIN_EXE_jitsi-install");
        let script = format!(
            "mount --bind groups /etc/group && {program} keystore build --cert rsa.pem --key rsa.key --out {out} --password-file password"
        );
        let mut command = desk.command("unshare");
        said(command.args(["-m", "sh", "-c", &script]))
    };
    let _ = std::fs::remove_file(desk.path("theirs.p12"));
    let _ = std::fs::remove_file(desk.path("ours.p12"));
    let (success, said) = build("root:x:0:\njvb:x:54321:\n", "theirs.p12");
    if !success {
        assert!(
            said.contains("ermitted") || said.contains("ermission"),
            "{said}"
        );
        println!("SKIPPED: only root may give files away");
        return;
    }
    assert_eq!(desk.owner("theirs.p12"), (0, 54321));
    assert_eq!(desk.mode("theirs.p12"), 0o640);
    assert!(build("root:x:0:\n", "ours.p12").0);
    assert_eq!(desk.owner("ours.p12").0, 0);
    assert_ne!(desk.owner("ours.p12").1, 54321);
}

#[test]
fn passwords_are_taken_as_they_stand() {
    let Some(desk) = desk() else { return };
    let mut proofs = Vec::new();
    for (name, password) in [
        ("quotes", "it's \"quoted\" `twice`"),
        (
            "shell",
            "$(touch was-run); ${HOME} && touch was-run; `touch was-run`",
        ),
        ("spaces", "  spaces all around  "),
        ("backslash", r"a\nb\\c%20<&>"),
        ("long", &"long ".repeat(100)),
    ] {
        // Java's proof takes the end off; a space at the end is then another password.
        let password = if name == "spaces" {
            password.trim_end()
        } else {
            password
        };
        let password = password.trim_end();
        desk.write(
            &format!("word-{name}"),
            format!("{password}\nsecond line\n"),
        );
        desk.write(&format!("only-{name}"), password);
        for (ending, options) in FORMATS {
            let out = format!("word-{name}.{ending}");
            let said = desk.program(&format!(
                "keystore build --cert p256.pem --key p256.key --out {out} --password-file word-{name} {options}"
            ));
            assert_eq!(said.code, 0, "{name}: {}", said.err);
            assert!(
                !said.err.contains(password) && !said.out.contains(password),
                "{name}"
            );
            proofs.push(format!("serve-key\t{out}\tonly-{name}\tjvb\t{NAME}"));
        }
    }
    let (success, said) = desk.java(&proofs);
    assert!(success, "{said}");
    assert!(!desk.path("was-run").exists());
    assert!(
        PASSWORD.contains(['"', '\'', '$', '#']),
        "the password of all other tests"
    );
}
