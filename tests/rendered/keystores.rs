//! Keystores and truststores by Java: listed by `keytool`, used for signing and TLS.

use std::fs;
use std::process::Command;

use jitsi_install::service::TRUSTSTORE_PASSWORD;

use crate::proving::{java, program, run};
use crate::stage::{Stage, stages};

/// A server's keystore of the private certificate for `auth.DOMAIN`, for the truststore's proof.
fn auth_server(stage: &Stage) -> [String; 3] {
    let domain = &stage.site.domain;
    let certificate = stage.one(&format!("/prosody/certs/auth.{domain}.crt"));
    let password = stage.write("proof/password", "of the proof\n");
    let store = stage.base.join("proof/auth.p12").to_string();
    run(Command::new("openssl")
        .args([
            "pkcs12", "-export", "-name", "auth", "-out", &store, "-passout",
        ])
        .arg(format!("file:{}", password.display()))
        .arg("-in")
        .arg(&certificate)
        .arg("-inkey")
        .arg(stage.one(&format!("/prosody/certs/auth.{domain}.key"))));
    [
        certificate.display().to_string(),
        store,
        password.display().to_string(),
    ]
}

#[test]
fn java_uses_every_store() {
    let mut proofs = Vec::new();
    for stage in stages() {
        let domain = &stage.site.domain;
        if stage.site.videobridge.websockets {
            let password = stage.write(
                "proof/keystore.password",
                stage.secrets.keystore_password.reveal(),
            );
            let store = stage.one("/jvb.p12");
            proofs.push(format!(
                "serve-key\t{}\t{}\tjvb\t{domain}",
                store.display(),
                password.display()
            ));
        }
        let changeit = stage.write("proof/truststore.password", TRUSTSTORE_PASSWORD);
        let [certificate, server, password] = auth_server(stage);
        let store = stage.one("/truststore.p12");
        let (store, changeit) = (store.display(), changeit.display());
        proofs.push(format!(
            "trust\t{store}\t{changeit}\t{certificate}\t{server}\t{password}\tauth.{domain}"
        ));
        proofs.push(format!(
            "distrust\t{store}\t{changeit}\t{certificate}\t{server}\t{password}\t{domain}"
        ));
    }
    if let Some(stage) = stages().first() {
        java::keystores(
            std::path::Path::new(stage.base.join("proof").as_str()),
            &proofs,
        );
    }
}

#[test]
fn keytool_lists_one_entry_each() {
    let Some(keytool) = program("keytool", "openjdk-17-jdk-headless") else {
        return;
    };
    // keytool takes half a second for each: one release for each example.
    for stage in stages().iter().step_by(4) {
        let list = |store: &str, password: &str| {
            let file = stage.write("proof/list.password", password);
            run(Command::new(&keytool)
                .args([
                    "-J-Xshare:auto",
                    "-J-XX:TieredStopAtLevel=1",
                    "-list",
                    "-keystore",
                ])
                .arg(stage.one(store))
                .arg("-storepass:file")
                .arg(file))
        };
        let said = list("/truststore.p12", TRUSTSTORE_PASSWORD);
        assert!(
            said.contains("contains 1 entry") && said.contains("trustedCertEntry"),
            "{said}"
        );
        if stage.site.videobridge.websockets {
            let said = list("/jvb.p12", stage.secrets.keystore_password.reveal());
            assert!(
                said.contains("contains 1 entry") && said.contains("PrivateKeyEntry"),
                "{said}"
            );
            assert!(said.contains("jvb, "), "{said}");
        }
    }
}

#[test]
fn the_keystore_holds_the_sites_own_certificate() {
    for stage in stages()
        .iter()
        .filter(|stage| stage.site.videobridge.websockets)
    {
        let shown =
            fs::read_to_string(stage.one(&format!("/jitsi/certs/{}.crt", stage.site.domain)));
        let password = stage.secrets.keystore_password.reveal();
        let password = stage.write("proof/openssl.password", format!("{password}\n"));
        let said = run(Command::new("openssl")
            .args(["pkcs12", "-nokeys", "-clcerts", "-in"])
            .arg(stage.one("/jvb.p12"))
            .arg("-passin")
            .arg(format!("file:{}", password.display())));
        let body = |text: &str| -> String {
            let start = text.find("-----BEGIN CERTIFICATE-----").unwrap();
            let end = text[start..].find("-----END").unwrap();
            text[start..start + end].to_owned()
        };
        assert_eq!(body(&said), body(&shown.unwrap()), "{}", stage.name);
    }
}
