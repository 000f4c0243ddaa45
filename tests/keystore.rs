//! Keystores, proved by the programs that read them: Java (signing and TLS), keytool, openssl.
//!
//! Keys and certificates are made anew by openssl at each run, so that no key lies in the sources.
//! Without openssl, javac or keytool the tests say `SKIPPED:` and pass, or fail if `CHECK_STRICT`
//! is 1. What is proved of which key is listed in `keystore/desk.rs`.
#![cfg(feature = "install")]

#[path = "keystore/desk.rs"]
mod desk;
#[path = "keystore/foreign.rs"]
mod foreign;
#[path = "keystore/hostile.rs"]
mod hostile;
#[path = "keystore/matrix.rs"]
mod matrix;
#[path = "keystore/refusals.rs"]
mod refusals;
#[path = "keystore/untouched.rs"]
mod untouched;

use desk::{Case, NAME, alias, cases, desk, password, run};
use jitsi_install::keystore::{
    Password, build_pkcs12, build_truststore, describe, pkcs12_holds, truststore_holds,
};

#[test]
fn java_signs_and_talks_tls_with_every_kind_of_key() {
    let Some(desk) = desk() else { return };
    let text = String::from_utf8(desk.read("p256.pem middle.pem")).unwrap();
    let chatty = format!("\u{feff}Bag Attributes\n{text}the end").replace('\n', "\r\n");
    desk.write("crlf.pem", chatty);
    let key = String::from_utf8(desk.read("p256.key")).unwrap();
    desk.write("crlf.key", key.replace('\n', "\r\n"));

    let (jvb, password) = (alias("jvb"), password());
    let mut proofs = Vec::new();
    for (name, chain, key, order) in cases() {
        let pair = desk
            .pair(chain, key)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let order: Vec<_> = order
            .split(' ')
            .map(|certificate| desk.der(certificate))
            .collect();
        assert_eq!(pair.chain(), order, "{name}");
        let store = build_pkcs12(&pair, &jvb, &password).unwrap();
        assert!(pkcs12_holds(&store, &pair, &jvb, &password), "{name}");
        desk.write(&format!("{name}.p12"), &*store);
        proofs.push(format!("serve-key\t{name}.p12\tpassword\tjvb\t{NAME}"));
    }
    let (success, said) = desk.java(&proofs);
    println!("{said}");
    assert!(success, "{said}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("OK ")).count(),
        proofs.len()
    );

    // The proof itself is proved: it must see a wrong alias, name and password.
    desk.write("wrong", "not the password");
    let wrong = [
        "password\tvideo\tmeet.example.org",
        "password\tjvb\tmeet.example.com",
        "wrong\tjvb\tx.org",
    ];
    proofs = wrong
        .map(|words| format!("serve-key\trsa-pkcs8.p12\t{words}"))
        .into();
    let (success, said) = desk.java(&proofs);
    assert!(
        !success && said.lines().all(|line| line.starts_with("FAIL")),
        "{said}"
    );
    assert_eq!(said.lines().count(), proofs.len(), "{said}");
}

#[test]
fn keytool_and_openssl_read_every_store() {
    let Some(desk) = desk() else { return };
    let read = |(name, chain, key, _): Case| {
        let pair = desk
            .pair(&chain.replace("crlf", "p256"), &key.replace("crlf", "p256"))
            .unwrap();
        let file = format!("{name}.list.p12");
        desk.write(
            &file,
            &*build_pkcs12(&pair, &alias("jvb"), &password()).unwrap(),
        );
        let mut keytool = desk.command("keytool");
        keytool.args(["-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC", "-list"]);
        let said = run(keytool.args(["-keystore", &file, "-storepass:file", "password"]));
        assert!(said.contains("contains 1 entry"), "{name}: {said}");
        assert!(
            said.contains("jvb, ") && said.contains("PrivateKeyEntry"),
            "{name}: {said}"
        );
        let colons = said.to_lowercase().replace(':', "");
        assert!(colons.contains(&pair.fingerprint()), "{name}: {said}");
        let said = desk.openssl(&format!(
            "pkcs12 -info -noout -in {file} -passin file:password"
        ));
        assert!(
            said.contains("MAC: sha256, Iteration 10000"),
            "{name}: {said}"
        );
        let cipher = "PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256";
        assert_eq!(said.matches(cipher).count(), 2, "{name}: {said}");
    };
    // keytool takes half a second each time: two at once.
    let cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.0 != "p256-crlf")
        .collect();
    std::thread::scope(|scope| {
        for half in cases.chunks(cases.len().div_ceil(2)) {
            scope.spawn(move || half.iter().copied().for_each(read));
        }
    });
}

#[test]
fn a_store_holds_one_pair_under_one_alias_and_password() {
    let Some(desk) = desk() else { return };
    let (jvb, password) = (alias("jvb"), password());
    let pair = desk.pair("rsa.pem middle.pem", "rsa.key").unwrap();
    let store = build_pkcs12(&pair, &jvb, &password).unwrap();
    assert_ne!(
        store,
        build_pkcs12(&pair, &jvb, &password).unwrap(),
        "salts are random"
    );
    assert!(pkcs12_holds(&store, &pair, &jvb, &password));
    assert!(!pkcs12_holds(&store, &pair, &alias("jvb2"), &password));
    let other_password = Password::parse("another").unwrap();
    assert!(!pkcs12_holds(&store, &pair, &jvb, &other_password));
    assert!(!pkcs12_holds(
        &store[..store.len() - 1],
        &pair,
        &jvb,
        &password
    ));
    assert!(!pkcs12_holds(b"", &pair, &jvb, &password));
    for (chain, key) in [
        ("rsa.pem", "rsa.key"),
        ("rsa.pem middle.pem root.pem", "rsa.key"),
        ("nameless.pem middle.pem", "rsa.key"),
        ("p256.pem middle.pem", "p256.key"),
    ] {
        let other = desk.pair(chain, key).unwrap();
        assert!(!pkcs12_holds(&store, &other, &jvb, &password), "{chain}");
    }
    // Those that openssl made: as good as ours; with a name in upper case, which Java folds; open to
    // everybody; with ciphers that are out of use; without a name.
    desk.write("jvb.chain", desk.read("rsa.pem middle.pem"));
    for (options, good) in [
        ("-name jvb", true),
        ("-name JVB", true),
        ("-name jvb -nomac -keypbe NONE -certpbe NONE", false),
        (
            "-name jvb -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES",
            false,
        ),
        ("-nokeys -name jvb", false),
        ("-passout file:password", false),
    ] {
        desk.openssl(&format!(
            "pkcs12 -export -in jvb.chain -inkey rsa.key -out jvb.p12 -passout file:password {options}"
        ));
        let held = pkcs12_holds(&desk.read("jvb.p12"), &pair, &jvb, &password);
        assert_eq!(held, good, "{options}");
    }
}

#[test]
fn java_trusts_a_truststore_and_nothing_else() {
    let Some(desk) = desk() else { return };
    let (jvb, password) = (alias("jvb"), password());
    for (name, chain, key) in [
        ("trust-self", "self.pem", "self.key"),
        ("trust-rsa", "rsa.pem middle.pem", "rsa.key"),
    ] {
        let pair = desk.pair(chain, key).unwrap();
        desk.write(
            &format!("{name}.p12"),
            &*build_pkcs12(&pair, &jvb, &password).unwrap(),
        );
    }
    let own = [(alias("auth.example.org"), desk.der("self"))];
    let both = [own[0].clone(), (alias("root"), desk.der("root"))];
    for (name, certificates) in [("own", &own[..]), ("both", &both[..])] {
        let store = build_truststore(certificates, &password).unwrap();
        assert!(truststore_holds(&store, certificates, &password));
        desk.write(&format!("{name}.trust"), &store);
        let mut keytool = desk.command("keytool");
        let arguments = [
            "-keystore",
            &format!("{name}.trust"),
            "-storepass:file",
            "password",
        ];
        let said = run(keytool.arg("-list").args(arguments));
        assert_eq!(
            said.matches("trustedCertEntry").count(),
            certificates.len(),
            "{said}"
        );
    }
    let proof = |verb: &str, store: &str, server: &str, name: &str| {
        format!(
            "{verb}\t{store}.trust\tpassword\t{server}.pem\ttrust-{server}.p12\tpassword\t{name}"
        )
    };
    let proofs = [
        proof("trust", "own", "self", NAME),
        proof("trust", "both", "self", "a.example.org"),
        proof("trust", "both", "rsa", NAME),
        proof("distrust", "own", "rsa", NAME),
        proof("distrust", "both", "rsa", "example.net"),
    ];
    let (success, said) = desk.java(&proofs);
    println!("{said}");
    assert!(success, "{said}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("OK ")).count(),
        proofs.len()
    );

    let store = build_truststore(&own, &password).unwrap();
    assert!(!truststore_holds(&store, &both, &password));
    assert!(!truststore_holds(
        &store,
        &[(alias("x"), own[0].1.clone())],
        &password
    ));
    assert!(!truststore_holds(
        &store,
        &[(alias("auth.example.org"), desk.der("root"))],
        &password
    ));
    assert!(!truststore_holds(
        &store,
        &own,
        &Password::parse("another").unwrap()
    ));
    assert!(!truststore_holds(
        &desk.read("trust-self.p12"),
        &own,
        &password
    ));
    // openssl 3.0 cannot write the attribute without which Java trusts nothing.
    desk.openssl("pkcs12 -export -nokeys -in self.pem -out bare.p12 -passout file:password -caname auth.example.org");
    assert!(!truststore_holds(&desk.read("bare.p12"), &own, &password));
}

#[test]
fn a_certificate_is_described() {
    let Some(desk) = desk() else { return };
    for (name, kind) in [
        ("rsa", "RSA 2048"),
        ("p256", "EC P-256"),
        ("p384", "EC P-384"),
        ("p521", "EC P-521"),
        ("ed25519", "Ed25519"),
    ] {
        let info = describe(&desk.der(name)).unwrap();
        assert_eq!(info.key_kind, kind);
        assert_eq!(info.subject, format!("CN={name}"));
        assert_eq!(info.issuer, "CN=Middle");
        assert_eq!(info.names, [NAME, "*.example.org"]);
        // `openssl` looks at the clock twice.
        let life = info.validity.not_after - info.validity.not_before;
        assert!((30 * 86_400..=30 * 86_400 + 1).contains(&life), "{life}");
        assert_eq!(info.validity.days_left(info.validity.not_before + 1), 29);
        assert_eq!(info.validity.days_left(info.validity.not_after + 1), -1);
        assert!(info.validity.contains(info.validity.not_after));
        assert!(!info.validity.contains(info.validity.not_before - 1));
        let said = desk.openssl(&format!("x509 -in {name}.pem -noout -fingerprint -sha256"));
        let said = said.trim().to_lowercase().replace(':', "");
        assert!(said.ends_with(&format!("={}", info.fingerprint_sha256)));
    }
    let nameless = describe(&desk.der("nameless")).unwrap();
    assert_eq!(
        (nameless.subject.as_str(), nameless.title().as_str()),
        ("", "DNS:meet.example.org")
    );
    let error = describe(b"none").unwrap_err();
    assert!(
        error.to_string().starts_with("not an X.509 certificate: "),
        "{error}"
    );
    let longer = [desk.der("rsa"), vec![0]].concat();
    let error = describe(&longer).unwrap_err().to_string();
    assert_eq!(
        error,
        "not an X.509 certificate: bytes follow after its end"
    );
}
