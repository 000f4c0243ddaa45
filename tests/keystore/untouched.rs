//! Every way in which `keystore build` and `trust` refuse: the words, the exit code, and that the file
//! which stood there still stands, with nothing left beside it.
//!
//! To add one: a line in the list, and its files in `make`.
//!
//! Over 400 lines: most of it is the one list of refusals.

use std::sync::OnceLock;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use time::{Duration, OffsetDateTime};

use crate::desk::{Desk, IDS, NAME, desk};

/// What is spoiled for these cases alone; once for all of them.
fn make(desk: &Desk) {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| spoil(desk));
}

/// A certificate that is valid from so many days from now to so many, which openssl 3.0 cannot make.
fn dated(name: &str, days: (i64, i64), is_ca: bool) -> CertificateParams {
    let mut parameters = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    parameters.distinguished_name = subject;
    let now = OffsetDateTime::now_utc();
    parameters.not_before = now + Duration::days(days.0) + Duration::hours(1);
    parameters.not_after = now + Duration::days(days.1) - Duration::hours(1);
    if is_ca {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    parameters
}

fn spoil(desk: &Desk) {
    let text = |names: &str| String::from_utf8(desk.read(names)).unwrap();
    let (rsa, key) = (text("rsa.pem"), text("rsa.key"));
    desk.write("u-empty", "");
    desk.write("u-blank", "\n\n  \n");
    desk.write("u-cut.pem", &rsa[..rsa.len() / 2]);
    desk.write("u-cut.key", &key[..key.len() / 2]);
    desk.write("u-noise.pem", rsa.replace("\nMII", "\nM*I"));
    desk.write(
        "u-headless.pem",
        rsa.replace("-----BEGIN CERTIFICATE-----\n", ""),
    );
    desk.write("u-binary", [0_u8, 159, 146, 150, 255]);
    desk.write("u-both.key", text("rsa.key p256.key"));
    desk.write("u-extra.pem", text("rsa.pem middle.pem self.pem"));
    desk.write("u-again.pem", text("again.pem p256.pem"));
    desk.write("u-forged.pem", text("rsa.pem forged.pem"));
    desk.write("u-gap.pem", text("rsa.pem root.pem"));
    let san = format!("-addext subjectAltName=DNS:{NAME}");
    let by = format!("{san} {IDS} -CA middle.pem -CAkey middle.key");
    let certify = |name: &str, key: &str, more: &str| {
        desk.certify_with(name, key, &format!("/CN={name}"), &format!("{more} {by}"));
    };
    certify("u-sha1", "rsa", "-sha1 -days 30");
    certify("u-small", "small", "-days 30");
    desk.certify_with("u-md5", "rsa", "/CN=u-md5", &format!("-md5 -days 30 {san}"));
    let key = |name: &str| KeyPair::from_pem(&text(name)).unwrap();
    for (name, days) in [("u-over", (-33, -3)), ("u-early", (3, 9))] {
        let made = dated(name, days, false).self_signed(&key("p256.key"));
        desk.write(&format!("{name}.pem"), made.unwrap().pem());
    }
    let top = Issuer::new(dated("Top", (-9, 9), true), key("root.key"));
    let dead = dated("Dead", (-33, -3), true);
    let dead_pem = dead.signed_by(&key("middle.key"), &top).unwrap().pem();
    let dead = Issuer::new(dead, key("middle.key"));
    let child = dated("child", (-9, 9), false);
    let child = child.signed_by(&key("p256.key"), &dead).unwrap().pem();
    desk.write("u-overchain.pem", child + &dead_pem);
    desk.write("u-short", "12345\n");
    desk.write("u-umlaut", "pässwörd\n");
    desk.write("u-tab", "tab\ttab\n");
    desk.write("u-latin1", b"p\xe4ssword\n");
    std::fs::create_dir_all(desk.path("u-folder")).unwrap();
}

/// A case: chain, key, more options, exit code, message, hint.
type Refusal<'a> = (&'a str, &'a str, &'a str, i32, &'a str, &'a str);

const REFUSALS: &[Refusal<'_>] = &[
    // Files.
    (
        "u-empty",
        "rsa.key",
        "",
        1,
        "`u-empty` and `rsa.key`: `certificate chain` is not PEM: it has no `-----BEGIN` line",
        "if it is DER",
    ),
    (
        "u-blank",
        "rsa.key",
        "",
        1,
        "`certificate chain` is not PEM",
        "if it is DER",
    ),
    (
        "u-binary",
        "rsa.key",
        "",
        1,
        "`certificate chain` is not PEM",
        "if it is DER",
    ),
    (
        "rsa.pem",
        "u-empty",
        "",
        1,
        "`rsa.pem` and `u-empty`: `private key` is not PEM: it has no `-----BEGIN` line",
        "if it is DER",
    ),
    (
        "rsa.pem",
        "p256.der",
        "",
        1,
        "`private key` is not PEM",
        "openssl pkey -inform DER",
    ),
    (
        "u-cut.pem",
        "rsa.key",
        "",
        1,
        "`certificate chain` is cut: block `CERTIFICATE` of line 1 is not whole",
        "copy the file again",
    ),
    (
        "rsa.pem",
        "u-cut.key",
        "",
        1,
        "`private key` is cut: block `PRIVATE KEY` of line 1 is not whole",
        "copy the file again",
    ),
    (
        "u-headless.pem",
        "rsa.key",
        "",
        1,
        "`certificate chain` is cut: block `CERTIFICATE`",
        "copy the file again",
    ),
    (
        "u-noise.pem",
        "rsa.key",
        "",
        1,
        "`certificate chain` is damaged: block `CERTIFICATE` of line 1 is not base64",
        "copy the file again",
    ),
    (
        "missing.pem",
        "rsa.key",
        "",
        1,
        "`missing.pem`: No such file or directory (os error 2)",
        "check the path",
    ),
    (
        "rsa.pem",
        "missing.key",
        "",
        1,
        "`missing.key`: No such file or directory (os error 2)",
        "check the path",
    ),
    (
        "u-folder",
        "rsa.key",
        "",
        1,
        "`u-folder`: Is a directory (os error 21)",
        "",
    ),
    (
        "rsa.key",
        "rsa.pem",
        "",
        1,
        "no private key found: the text given as `private key` holds only `CERTIFICATE`",
        "the wrong way round",
    ),
    // Pairs.
    (
        "rsa.pem",
        "p256.key",
        "",
        1,
        "`private key` does not match the certificate `CN=rsa`",
        "compare `openssl pkey",
    ),
    (
        "middle.pem",
        "rsa.key",
        "",
        1,
        "`private key` does not match the certificate `CN=Middle`",
        "compare",
    ),
    (
        "rsa.pem",
        "u-both.key",
        "",
        1,
        "`private key` holds two different keys",
        "leave only the key",
    ),
    (
        "u-again.pem",
        "p256.key",
        "",
        1,
        "`private key` matches two certificates: `CN=again`, `CN=p256`",
        "leave only the newer certificate",
    ),
    (
        "u-extra.pem",
        "rsa.key",
        "",
        1,
        "the chain of `CN=rsa` does not need `O=Münchner Café 🎥, CN=self`",
        "leave it out",
    ),
    (
        "u-gap.pem",
        "rsa.key",
        "",
        1,
        "the chain of `CN=rsa` does not need `CN=Root`",
        "add the certificate that links it",
    ),
    (
        "u-forged.pem",
        "rsa.key",
        "",
        1,
        "signatures: that on `CN=rsa` was not made by `CN=Middle`",
        "give the full chain",
    ),
    // Pass phrases.
    (
        "rsa.pem",
        "rsa.locked8",
        "",
        1,
        "`private key` is encrypted",
        "name a file with its pass phrase on the first line: `--key-password-file FILE`",
    ),
    (
        "rsa.pem",
        "rsa.locked1",
        "",
        1,
        "`private key` is encrypted",
        "--key-password-file",
    ),
    (
        "rsa.pem",
        "rsa.locked8",
        "--key-password-file password",
        1,
        "`private key` does not open with this pass phrase",
        "give the pass phrase that the key was encrypted with",
    ),
    (
        "p256.pem",
        "p256.locked-3des",
        "--key-password-file password",
        1,
        "`private key` does not open with this pass phrase",
        "give the pass phrase",
    ),
    (
        "ed25519.pem",
        "ed25519.locked-scrypt",
        "--key-password-file u-empty",
        1,
        "`private key` does not open with this pass phrase",
        "give the pass phrase",
    ),
    (
        "rsa.pem",
        "rsa.locked1",
        "--key-password-file phrase",
        1,
        "`private key` is encrypted with OpenSSL's old form with `DEK-Info`, which is not read",
        "openssl pkcs8 -topk8 -in KEY -out KEY.new",
    ),
    (
        "p256.pem",
        "p256.locked-pbes1",
        "--key-password-file phrase",
        1,
        "`private key` is encrypted with `pbeWithSHA1And3-KeyTripleDES-CBC`, which is not read",
        "encrypt it anew",
    ),
    (
        "rsa.pem",
        "rsa.locked8",
        "--key-password-file missing",
        1,
        "`missing`: No such file or directory (os error 2)",
        "check the path",
    ),
    // Dates.
    (
        "u-over.pem",
        "p256.key",
        "",
        1,
        "dates: `CN=u-over` has expired: ended 3 days ago",
        "renew the certificate",
    ),
    (
        "u-early.pem",
        "p256.key",
        "",
        1,
        "is not valid yet: begins in 3 days",
        "set the clock, or wait",
    ),
    (
        "u-overchain.pem",
        "p256.key",
        "",
        1,
        "dates: `CN=Dead` has expired: ended 3 days ago",
        "renew the certificate",
    ),
    // Strength.
    (
        "u-sha1.pem",
        "rsa.key",
        "",
        1,
        "strength: `CN=u-sha1` is signed with SHA-1",
        "have a new certificate issued",
    ),
    (
        "u-md5.pem",
        "rsa.key",
        "",
        1,
        "strength: `CN=u-md5` is signed with MD5",
        "have a new certificate issued",
    ),
    (
        "u-sha1.pem",
        "rsa.key",
        "--allow-expired",
        1,
        "strength: `CN=u-sha1` is signed with SHA-1",
        "have a new certificate issued",
    ),
    (
        "u-small.pem",
        "small.key",
        "",
        1,
        "`private key` cannot be used: it is not a sound RSA key, or of a size out of use",
        "use RSA of 2048",
    ),
    (
        "rsa.pem",
        "koblitz.key",
        "",
        1,
        "`private key` cannot be used: its algorithm is `1.3.132.0.10`",
        "use RSA of 2048",
    ),
    (
        "p256.pem",
        "p256.explicit8",
        "",
        1,
        "`private key` cannot be used: its elliptic curve is not given by name",
        "use RSA of 2048",
    ),
    // Words.
    (
        "rsa.pem",
        "rsa.key",
        "--alias JVB",
        1,
        "`--alias`: alias `JVB` has upper-case letters, which Java does not tell from lower case",
        "take 1 to 64",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--alias a$(id)",
        1,
        "`--alias`: alias `a$(id)` has a character that is not allowed",
        "take 1 to 64",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--password-file u-short",
        1,
        "`u-short`: `password` is shorter than 6 characters",
        "take at least 6",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--password-file u-empty",
        1,
        "`u-empty`: `password` is shorter than 6 characters",
        "take at least 6",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--password-file u-umlaut",
        1,
        "`u-umlaut`: `password` has a character that is not printable ASCII",
        "take at least 6",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--password-file u-tab",
        1,
        "`u-tab`: `password` has a character that is not printable ASCII",
        "take at least 6",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--password-file u-latin1",
        1,
        "`u-latin1` is not UTF-8 text",
        "write the password on its first line",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--password-file missing",
        1,
        "`missing`: No such file or directory (os error 2)",
        "check the path",
    ),
    // Options.
    (
        "rsa.pem",
        "rsa.key",
        "--compat --format jks",
        64,
        "`--compat` is for PKCS12",
        "leave out `--compat`",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--format pfx",
        64,
        "invalid value 'pfx' for '--format <FORMAT>'",
        "",
    ),
    (
        "rsa.pem",
        "rsa.key",
        "--mode 999",
        64,
        "write three octal digits, as in 640",
        "",
    ),
];

#[test]
fn what_is_refused_leaves_no_trace() {
    let Some(desk) = desk() else { return };
    make(desk);
    let folder = desk.path("untouched");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    for format in ["pkcs12", "jks"] {
        for (chain, key, more, code, message, hint) in REFUSALS {
            let precious = format!("what stood there before {chain} and {key} {more}");
            desk.write("untouched/out", &precious);
            let inode = desk.inode("untouched/out");
            let default = |option: &str, words: &str| {
                let said = format!(" {more}").contains(option);
                if said {
                    String::new()
                } else {
                    words.to_owned()
                }
            };
            let words = format!(
                "keystore build --cert {chain} --key {key} --out untouched/out {} {} {more}",
                default(" --password-file", "--password-file password"),
                default(" --format", &format!("--format {format}")),
            );
            // `--compat` alone speaks of PKCS12.
            if more.contains("--compat") && format == "pkcs12" {
                continue;
            }
            let said = desk.program(&words);
            assert_eq!(said.code, *code, "{words}: {}", said.err);
            assert_eq!(said.out, "", "{words}");
            assert!(said.err.starts_with("error: "), "{words}: {}", said.err);
            assert!(said.err.contains(message), "{words}: {}", said.err);
            assert!(said.err.contains(hint), "{words}: {}", said.err);
            assert!(
                hint.is_empty() || said.err.contains("\n  hint: "),
                "{words}: {}",
                said.err
            );
            assert_eq!(desk.read("untouched/out"), precious.as_bytes(), "{words}");
            assert_eq!(desk.inode("untouched/out"), inode, "{words}");
            let beside = std::fs::read_dir(&folder).unwrap().count();
            assert_eq!(beside, 1, "{words}: something was left beside");
        }
    }
    assert!(REFUSALS.len() >= 45);
}

#[test]
fn a_disk_that_fails_leaves_what_stood_there() {
    let Some(desk) = desk() else { return };
    if std::process::Command::new("strace")
        .arg("-V")
        .output()
        .is_err()
    {
        println!("SKIPPED: `strace` is not installed");
        return;
    }
    let folder = desk.path("failing");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    for (calls, fault, why) in [
        ("write", "error=ENOSPC", "No space left on device"),
        ("fchmod", "error=EPERM", "Operation not permitted"),
        ("fsync", "error=EIO", "Input/output error"),
        (
            "?rename,?renameat,?renameat2",
            "error=EROFS",
            "Read-only file system",
        ),
        ("?rename,?renameat,?renameat2", "signal=SIGKILL", ""),
    ] {
        for format in ["pkcs12", "jks"] {
            desk.write("failing/out", "precious");
            let mut command = desk.command("strace");
            command.args(["-f", "-qq", "-o", "trace", "-e"]);
            command.args([
                &format!("trace={calls}"),
                "-e",
                &format!("inject={calls}:{fault}:when=1"),
            ]);
            command.arg(env!("CARGO_BIN_EXE_jitsi-install"));
            let words = format!(
                "keystore build --cert self.pem --key self.key --password-file password --out failing/out --format {format} -q"
            );
            let (success, said) = crate::desk::said(command.args(words.split(' ')));
            if said.contains("ptrace") {
                println!("SKIPPED: nobody may be traced here");
                return;
            }
            assert!(!success && said.contains(why), "{calls} {fault}: {said}");
            assert_eq!(desk.read("failing/out"), b"precious", "{calls} {fault}");
            let beside = std::fs::read_dir(&folder).unwrap().count();
            assert!(
                beside == 1 || fault.starts_with("signal"),
                "{calls} {fault}"
            );
        }
    }
}

#[test]
fn a_file_of_others_is_not_replaced_by_mistake() {
    let Some(desk) = desk() else { return };
    for file in ["t.cert", "t.key", "t.word"] {
        let _ = std::fs::remove_file(desk.path(file));
    }
    desk.write("t.cert", desk.read("rsa.pem"));
    desk.write("t.key", desk.read("rsa.key"));
    desk.write("t.word", "a password");
    for out in ["t.cert", "./t.key", "t.word"] {
        let before = desk.read(out);
        let said = desk.program(&format!(
            "keystore build --cert t.cert --key t.key --password-file t.word --out {out}"
        ));
        assert_eq!(said.code, 64);
        assert_eq!(
            said.err,
            format!(
                "error: `--out` `{out}` would replace what it is made of\n  hint: name another file\n"
            )
        );
        assert_eq!(desk.read(out), before);
    }
    let said = desk.program("keystore trust --cert t.cert --password-file t.word --out t.cert");
    assert_eq!(said.code, 64);
    for (out, why) in [
        ("no/such/folder/x.p12", "`no/such/folder/x.p12`: "),
        ("matrix", "`matrix`: "),
    ] {
        let said = desk.program(&format!(
            "keystore build --cert t.cert --key t.key --password-file t.word --out {out}"
        ));
        assert_eq!(said.code, 1, "{out}");
        assert!(said.err.contains(why), "{out}: {}", said.err);
    }
}

#[test]
fn expired_certificates_are_taken_when_that_is_asked_for() {
    let Some(desk) = desk() else { return };
    make(desk);
    for (chain, key, why) in [
        (
            "u-over.pem",
            "p256.key",
            "`CN=u-over` has expired: ended 3 days ago",
        ),
        (
            "u-early.pem",
            "p256.key",
            "is not valid yet: begins in 3 days",
        ),
    ] {
        let said = desk.program(&format!(
            "keystore build --cert {chain} --key {key} --out asked.p12 --password-file password --allow-expired"
        ));
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(
            said.err.contains("warning: ") && said.err.contains(why),
            "{}",
            said.err
        );
        let said = desk.program("keystore verify asked.p12 --password-file password");
        assert_eq!(said.code, 1);
        assert!(
            said.out.contains("bad   dates  ") && said.out.contains(why),
            "{}",
            said.out
        );
    }
    let said = desk.program("keystore show asked.p12 --password-file password");
    assert!(said.out.contains(", not valid yet\n"), "{}", said.out);
    let long = "x".repeat(8192);
    let said = desk.program_with(&[
        "keystore",
        "build",
        "--cert",
        "rsa.pem",
        "--key",
        "rsa.key",
        "--out",
        "asked.p12",
        "--password-file",
        "password",
        "--alias",
        &long,
    ]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains(&format!(
        "alias `{}…` is longer than 64 characters",
        &long[..60]
    )));
    assert!(said.err.len() < 400);
}

#[test]
fn trust_refuses_too() {
    let Some(desk) = desk() else { return };
    make(desk);
    for (words, message) in [
        (
            "--cert u-empty",
            "`u-empty`: `certificate chain` is not PEM",
        ),
        ("--cert rsa.key", "no certificate found"),
        ("--cert u-cut.pem", "`certificate chain` is cut"),
        ("--cert root.pem missing.pem", "`missing.pem`: No such file"),
        (
            "--cert root.pem --alias Root",
            "alias `Root` has upper-case letters",
        ),
        (
            "--cert root.pem --password-file u-short",
            "`password` is shorter than 6 characters",
        ),
    ] {
        desk.write("trusted.out", "precious");
        let word = if words.contains("--password-file") {
            ""
        } else {
            "--password-file password"
        };
        let said = desk.program(&format!("keystore trust --out trusted.out {word} {words}"));
        assert_eq!(
            (said.code, said.out.as_str()),
            (1, ""),
            "{words}: {}",
            said.err
        );
        assert!(said.err.contains(message), "{words}: {}", said.err);
        assert_eq!(desk.read("trusted.out"), b"precious");
    }
}
