//! Every refusal with its exact words and its hint. To add one: a line in the list that fits.

use jitsi_install::keystore::{Alias, Password, build_truststore};

use crate::desk::{NAME, alias, desk, password};

#[test]
fn every_error_has_its_message() {
    let Some(desk) = desk() else { return };
    let text = |names: &str| String::from_utf8(desk.read(names)).unwrap();
    let (rsa, key) = (text("rsa.pem"), text("rsa.key"));
    desk.write("empty", "");
    desk.write("half.pem", &rsa[..rsa.len() / 2]);
    desk.write("half.key", &key[..key.len() / 2]);
    desk.write("tail.pem", &rsa[rsa.len() / 2..]);
    desk.write("noise.pem", rsa.replace("\nMII", "\nM*I"));
    desk.write("wrong.pem", rsa.replace("\nMII", "\nAII"));
    desk.write(
        "label.key",
        text("p256.sec1").replace("EC PRIVATE", "PRIVATE"),
    );
    desk.write(
        "label.sec1",
        text("p256.key").replace("PRIVATE", "EC PRIVATE"),
    );
    desk.write(
        "label.pkcs1",
        text("p256.key").replace("PRIVATE", "RSA PRIVATE"),
    );
    let damaged = "`private key` is damaged: block";
    let wrong_way = "perhaps certificate and key were given the wrong way round";
    let whole = "copy the file again, with its BEGIN and END lines";
    let kinds = "use RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519";
    for (chain, key, message, hint) in [
        (
            "empty",
            "rsa.key",
            "`certificate chain` is not PEM: it has no `-----BEGIN` line",
            "if it is DER, convert it: `openssl x509 -inform DER -in CERT -out CERT.pem`",
        ),
        (
            "rsa.pem",
            "p256.der",
            "`private key` is not PEM: it has no `-----BEGIN` line",
            "if it is DER, convert it: `openssl pkey -inform DER -in KEY -out KEY.pem`",
        ),
        (
            "half.pem",
            "rsa.key",
            "`certificate chain` is cut: block `CERTIFICATE` of line 1 is not whole",
            whole,
        ),
        (
            "rsa.pem half.pem middle.pem",
            "rsa.key",
            &format!(
                "`certificate chain` is cut: block `CERTIFICATE` of line {} is not whole",
                rsa.lines().count() + 1
            ),
            whole,
        ),
        (
            "tail.pem",
            "rsa.key",
            &format!(
                "`certificate chain` is cut: block `CERTIFICATE` of line {} is not whole",
                text("tail.pem").lines().count()
            ),
            whole,
        ),
        (
            "rsa.pem",
            "half.key",
            "`private key` is cut: block `PRIVATE KEY` of line 1 is not whole",
            whole,
        ),
        (
            "noise.pem",
            "rsa.key",
            "`certificate chain` is damaged: block `CERTIFICATE` of line 1 is not base64",
            whole,
        ),
        (
            "wrong.pem",
            "rsa.key",
            "`certificate chain` is damaged: block `CERTIFICATE` of line 1 is not a certificate",
            whole,
        ),
        (
            "rsa.key",
            "rsa.key",
            "no certificate found: the text given as `certificate chain` holds only `PRIVATE KEY`",
            wrong_way,
        ),
        (
            "p256.parameters",
            "rsa.key",
            "no certificate found: the text given as `certificate chain` holds only `EC PARAMETERS`",
            "give the full chain, such as acme.sh's `fullchain.cer`",
        ),
        (
            "rsa.pem",
            "rsa.pem middle.pem",
            "no private key found: the text given as `private key` holds only `CERTIFICATE`",
            wrong_way,
        ),
        (
            "rsa.pem",
            "p256.parameters",
            "no private key found: the text given as `private key` holds only `EC PARAMETERS`",
            "give the key as PKCS#8, PKCS#1 or SEC1: `openssl pkey -in KEY -out KEY.pem`",
        ),
        (
            "rsa.pem",
            "rsa.key p256.key",
            "`private key` holds two different keys",
            "leave only the key that belongs to the certificate",
        ),
        (
            "rsa.pem",
            "rsa.locked1",
            "`private key` is encrypted",
            "decrypt it first: `openssl pkey -in KEY -out KEY.plain`",
        ),
        (
            "rsa.pem",
            "rsa.locked8",
            "`private key` is encrypted",
            "decrypt it first: `openssl pkey -in KEY -out KEY.plain`",
        ),
        (
            "rsa.pem middle.pem",
            "other.key",
            "`private key` does not match the certificate `CN=rsa`, `CN=Middle`",
            "compare `openssl pkey -in KEY -pubout` with `openssl x509 -in CERT -noout -pubkey`",
        ),
        (
            "nameless.pem",
            "other.key",
            "`private key` does not match the certificate `DNS:meet.example.org`",
            "compare `openssl pkey -in KEY -pubout` with `openssl x509 -in CERT -noout -pubkey`",
        ),
        (
            "again.pem p256.pem middle.pem",
            "p256.key",
            "`private key` matches two certificates: `CN=again`, `CN=p256`",
            "leave only the newer certificate",
        ),
        (
            "p256.pem middle.pem self.pem other.pem",
            "p256.key",
            "the chain of `CN=p256` does not need `O=Münchner Café 🎥, CN=self`, `CN=other`",
            "leave it out, or add the certificate that links it to the chain",
        ),
        (
            "p256.pem root.pem",
            "p256.key",
            "the chain of `CN=p256` does not need `CN=Root`",
            "leave it out, or add the certificate that links it to the chain",
        ),
        (
            "p256.pem stale.pem",
            "p256.key",
            "the chain of `CN=p256` does not need `CN=Middle`",
            "leave it out, or add the certificate that links it to the chain",
        ),
        (
            "rsa.pem",
            "small.key",
            "`private key` cannot be used: it is not a sound RSA key, or of a size out of use",
            kinds,
        ),
        (
            "rsa.pem",
            "koblitz.key",
            "`private key` cannot be used: its algorithm is `1.3.132.0.10`",
            kinds,
        ),
        (
            "rsa.pem",
            "koblitz.sec1",
            "`private key` cannot be used: its algorithm is `1.3.132.0.10`",
            kinds,
        ),
        (
            "p256.pem",
            "p256.explicit1",
            "`private key` cannot be used: its elliptic curve is not given by name",
            kinds,
        ),
        (
            "p256.pem",
            "p256.explicit8",
            "`private key` cannot be used: its elliptic curve is not given by name",
            kinds,
        ),
        (
            "p256.pem",
            "label.key",
            &format!("{damaged} `PRIVATE KEY` of line 1 is not the kind of key that its name says"),
            whole,
        ),
        (
            "p256.pem",
            "label.sec1",
            &format!("{damaged} `EC PRIVATE KEY` of line 1 is not a SEC1 key"),
            whole,
        ),
        (
            "p256.pem",
            "label.pkcs1",
            "`private key` cannot be used: it is not a sound RSA key, or of a size out of use",
            kinds,
        ),
    ] {
        let error = desk.pair(chain, key).expect_err(message);
        assert_eq!(error.to_string(), message, "{chain} with {key}");
        assert_eq!(error.hint(), Some(hint), "{chain} with {key}");
    }
}

#[test]
fn aliases_and_passwords_are_parsed() {
    for good in ["a", "jvb", "auth.example.org", "a_b-c.9", &"x".repeat(64)] {
        assert_eq!(Alias::try_from(good).unwrap().as_str(), good);
    }
    for (bad, message) in [
        ("", "alias `` is empty"),
        (
            "JVB",
            "alias `JVB` has upper-case letters, which Java does not tell from lower case",
        ),
        ("a b", "alias `a b` has a character that is not allowed"),
        ("é\n", "alias `é\\n` has a character that is not allowed"),
    ] {
        let error = Alias::try_from(bad).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(
            error.hint(),
            Some("take 1 to 64 of the characters a-z, 0-9, `.`, `_`, `-`")
        );
    }
    let error = Alias::parse(&"x".repeat(65)).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("alias `{}…` is longer than 64 characters", "x".repeat(60))
    );

    let shown = format!("{:?}", Password::try_from("secret").unwrap());
    assert_eq!(shown, "••••••");
    for (bad, message) in [
        ("", "`password` is shorter than 6 characters"),
        ("12345", "`password` is shorter than 6 characters"),
        ("123456\n", "`password` has a line break"),
        (
            "pässwörd",
            "`password` has a character that is not printable ASCII",
        ),
        (
            "tab\ttab",
            "`password` has a character that is not printable ASCII",
        ),
    ] {
        let error = Password::try_from(bad).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(
            error.hint(),
            Some("take at least 6 printable ASCII characters, as Java's keytool wants it")
        );
    }
    let error = build_truststore(&[], &password()).unwrap_err();
    assert_eq!(error.to_string(), "`truststore` would hold no certificate");
    let der = rcgen::generate_simple_self_signed(vec![NAME.to_owned()])
        .unwrap()
        .cert
        .der()
        .to_vec();
    let twice = [(alias("a"), der.clone()), (alias("a"), der)];
    let error = build_truststore(&twice, &password()).unwrap_err();
    assert_eq!(error.to_string(), "alias `a` is used twice");
}
