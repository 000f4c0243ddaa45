//! A folder with every kind of key and chain, made by openssl, and the programs that judge.
//!
//! Nothing is asserted here but that the programs run. To add a key or a certificate: a line in
//! `make_keys` or `make_certificates`; to add a form to be proved: a line in [`cases`].
//!
//! Over 400 lines: one short method for each thing that cases ask of the desk.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use jitsi_install::keystore::{Alias, KeyPair, KeystoreError, Password};

pub const NAME: &str = "meet.example.org";
pub const CA: &str = "-addext basicConstraints=critical,CA:TRUE";
pub const IDS: &str = "-addext subjectKeyIdentifier=hash -addext authorityKeyIdentifier=keyid";
const KEYTOOL: &str = "java.base/sun.security.tools.keytool=ALL-UNNAMED";
pub const PASSWORD: &str = "a-Pass word \"#$'1";

/// A folder full of keys and certificates, made once for all tests of this file.
pub struct Desk(PathBuf);

pub fn desk() -> Option<&'static Desk> {
    static DESK: OnceLock<Option<Desk>> = OnceLock::new();
    DESK.get_or_init(Desk::new).as_ref()
}

impl Desk {
    fn new() -> Option<Self> {
        for (program, argument) in [
            ("openssl", "version"),
            ("javac", "-version"),
            ("java", "-version"),
            ("keytool", "-help"),
        ] {
            if Command::new(program).arg(argument).output().is_err() {
                println!("SKIPPED: `{program}` is not installed");
                let strict = std::env::var("CHECK_STRICT").is_ok_and(|value| value == "1");
                assert!(
                    !strict,
                    "`{program}` is not installed and CHECK_STRICT is 1"
                );
                return None;
            }
        }
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keystore");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let desk = Self(path);
        desk.write(
            "cnf",
            "[req]\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n",
        );
        desk.write("password", format!("{PASSWORD}\n"));
        desk.write("phrase", "secret\n");
        fs::create_dir(desk.path("matrix")).unwrap();
        desk.make_keys();
        desk.make_certificates();
        Some(desk)
    }

    fn make_keys(&self) {
        self.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key");
        self.openssl("rsa -in rsa.key -traditional -out rsa.pkcs1");
        self.openssl("rsa -in rsa.key -aes128 -traditional -passout pass:secret -out rsa.locked1");
        self.openssl("pkcs8 -topk8 -in rsa.key -passout pass:secret -out rsa.locked8");
        let mut curves = vec![("p256", "P-256"), ("p384", "P-384"), ("p521", "P-521")];
        curves.extend(["other", "root", "old", "middle", "stale", "self"].map(|n| (n, "P-256")));
        curves.push(("koblitz", "secp256k1"));
        for (name, curve) in curves {
            self.openssl(&format!(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve} -out {name}.key"
            ));
            self.openssl(&format!("ec -in {name}.key -out {name}.sec1"));
        }
        self.openssl("ecparam -name prime256v1 -out p256.parameters");
        self.openssl("ec -in p256.key -param_enc explicit -out p256.explicit1");
        self.openssl("pkey -in p256.key -ec_param_enc explicit -out p256.explicit8");
        for bits in [3072, 4096] {
            self.openssl(&format!(
                "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} -out rsa{bits}.key"
            ));
        }
        self.openssl("rsa -in rsa3072.key -traditional -out rsa3072.pkcs1");
        self.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsaca.key");
        self.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small.key");
        self.openssl("genpkey -algorithm ED25519 -out ed25519.key");
        self.openssl("pkey -in p256.key -outform DER -out p256.der");
        for (key, name, options) in [
            ("p256", "sha1", "-v2 aes-128-cbc -v2prf hmacWithSHA1"),
            ("p256", "3des", "-v2 des3 -v2prf hmacWithSHA512"),
            ("p256", "pbes1", "-v1 PBE-SHA1-3DES"),
            ("ed25519", "scrypt", "-scrypt"),
        ] {
            self.openssl(&format!(
                "pkcs8 -topk8 -in {key}.key {options} -passout file:phrase -out {key}.locked-{name}"
            ));
        }
        self.write("ed25519.v2", self.with_public_half("ed25519"));
    }

    /// An Ed25519 key in PKCS#8 of version 2 (RFC 5958), as openssl does not write it.
    fn with_public_half(&self, name: &str) -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        self.openssl(&format!("pkey -in {name}.key -outform DER -out one.der"));
        self.openssl(&format!(
            "pkey -in {name}.key -pubout -outform DER -out public.der"
        ));
        let (mut der, public) = (self.read("one.der"), self.read("public.der"));
        assert_eq!((&der[..5], public.len()), (&[0x30, 0x2e, 2, 1, 0][..], 44));
        (der[1], der[4]) = (0x2e + 35, 1);
        der.extend([0x81, 33, 0]);
        der.extend(&public[12..]);
        let text = STANDARD.encode(der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|l| std::str::from_utf8(l).unwrap())
            .collect();
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            lines.join("\n")
        )
    }

    fn make_certificates(&self) {
        let own = |name: &str, subject: &str, more: &str| self.certify(name, name, subject, more);
        own("root", "/CN=Root", &format!("{CA} {IDS}"));
        own("old", "/CN=Old root", &format!("{CA} {IDS}"));
        let by = |ca: &str| format!("{IDS} -CA {ca}.pem -CAkey {ca}.key");
        self.certify(
            "crossed",
            "root",
            "/CN=Root",
            &format!("{CA} {}", by("old")),
        );
        own("middle", "/CN=Middle", &format!("{CA} {}", by("root")));
        own("stale", "/CN=Middle", &format!("{CA} {}", by("root")));
        let san = format!("-addext subjectAltName=DNS:{NAME},DNS:*.example.org");
        for name in [
            "rsa", "rsa3072", "rsa4096", "p256", "p384", "p521", "ed25519", "other",
        ] {
            own(
                name,
                &format!("/CN={name}"),
                &format!("{san} {}", by("middle")),
            );
        }
        self.certify(
            "again",
            "p256",
            "/CN=again",
            &format!("{san} {}", by("middle")),
        );
        own("rsaca", "/CN=RSA CA", &format!("{CA} {IDS}"));
        self.certify(
            "byrsa",
            "p256",
            "/CN=byrsa",
            &format!("{san} {}", by("rsaca")),
        );
        // The name and the key's id of the real one, and another key.
        let id = self.openssl("x509 -in middle.pem -noout -ext subjectKeyIdentifier");
        let id = id.lines().last().unwrap().trim().replace(':', "");
        let forged = format!("{CA} -addext subjectKeyIdentifier={id} -CA root.pem -CAkey root.key");
        self.certify("forged", "stale", "/CN=Middle", &forged);
        self.certify(
            "byclient",
            "p256",
            "/CN=byclient",
            &format!("-addext extendedKeyUsage=clientAuth {}", by("middle")),
        );
        // Let's Encrypt's newer profiles leave the subject empty.
        let critical = format!("-addext subjectAltName=critical,DNS:{NAME}");
        self.certify(
            "nameless",
            "rsa",
            "/",
            &format!("{critical} {}", by("middle")),
        );
        own("self", "/O=Münchner Café 🎥/CN=self", &san);
    }

    pub fn certify(&self, name: &str, key: &str, subject: &str, more: &str) {
        self.certify_with(name, key, subject, &format!("-days 30 {more}"));
    }

    /// As `certify`, with all options.
    pub fn certify_with(&self, name: &str, key: &str, subject: &str, more: &str) {
        let mut command = self.command("openssl");
        command.args(["req", "-x509", "-new", "-config", "cnf", "-utf8"]);
        command.args(["-subj", subject, "-key", &format!("{key}.key")]);
        command.args(["-out", &format!("{name}.pem")]);
        run(command.args(more.split(' ')));
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.0);
        command
    }

    /// Runs the program itself here, with words parted by spaces.
    pub fn program(&self, words: &str) -> Said {
        self.program_with(
            &words
                .split(' ')
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>(),
        )
    }

    pub fn program_with(&self, words: &[&str]) -> Said {
        let mut command = self.command(env!("CARGO_BIN_EXE_jitsi-install"));
        let output = command.args(words).output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What the program says as JSON.
    pub fn json(&self, words: &str) -> serde_json::Value {
        let said = self.program(words);
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{words}: {e}: {}", said.err))
    }

    pub fn keytool(&self, words: &str) -> String {
        let mut command = self.command("keytool");
        command.args(["-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"]);
        run(command.args(words.split(' ')).arg("-noprompt"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(self.path(name)).unwrap().mode() & 0o7777
    }

    pub fn inode(&self, name: &str) -> u64 {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(self.path(name)).unwrap().ino()
    }

    pub fn owner(&self, name: &str) -> (u32, u32) {
        use std::os::unix::fs::MetadataExt;
        let meta = fs::metadata(self.path(name)).unwrap();
        (meta.uid(), meta.gid())
    }

    /// SHA-256 of a certificate, as openssl says it, without colons.
    pub fn fingerprint(&self, certificate: &str) -> String {
        let said = self.openssl(&format!(
            "x509 -in {certificate}.pem -noout -fingerprint -sha256"
        ));
        said.trim()
            .rsplit('=')
            .next()
            .unwrap()
            .replace(':', "")
            .to_lowercase()
    }

    /// A file with the key `NAME.private`, its pass phrase taken off.
    pub fn unlocked(&self, name: &str, is_locked: bool) -> String {
        if name == "ed25519-version-2" {
            // openssl 3.0 does not read it.
            return "ed25519.key".to_owned();
        }
        if !is_locked {
            return format!("{name}.private");
        }
        self.openssl(&format!(
            "pkey -in {name}.private -passin file:phrase -out {name}.plain"
        ));
        format!("{name}.plain")
    }

    pub fn openssl(&self, arguments: &str) -> String {
        run(self.command("openssl").args(arguments.split_whitespace()))
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), content).unwrap();
    }

    /// The named files, one after the other.
    pub fn read(&self, names: &str) -> Vec<u8> {
        let files = names.split(' ').map(|name| self.0.join(name));
        files.flat_map(|file| fs::read(file).unwrap()).collect()
    }

    pub fn pair(&self, chain: &str, key: &str) -> Result<KeyPair, KeystoreError> {
        KeyPair::from_pem(&self.read(chain), &self.read(key))
    }

    pub fn der(&self, certificate: &str) -> Vec<u8> {
        self.openssl(&format!(
            "x509 -in {certificate}.pem -outform DER -out {certificate}.der"
        ));
        self.read(&format!("{certificate}.der"))
    }

    /// Runs proofs in one Java machine; gives what it printed, both of stdout and stderr.
    pub fn java(&self, proofs: &[String]) -> (bool, String) {
        static COMPILED: OnceLock<()> = OnceLock::new();
        COMPILED.get_or_init(|| {
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/java/KeystoreProof.java");
            let quick = [
                "-J-XX:TieredStopAtLevel=1",
                "-J-XX:+UseSerialGC",
                "-proc:none",
            ];
            run(self.command("javac").args(quick).args(["-d", ".", source]));
        });
        let list = format!("proofs-{:?}", std::thread::current().id());
        self.write(&list, proofs.join("\n"));
        let mut java = self.command("java");
        java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
        java.args(["--add-exports", KEYTOOL]);
        said(java.args(["KeystoreProof", "batch", &list]))
    }
}

/// What a program has said, and how it ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn run(command: &mut Command) -> String {
    let (success, text) = said(command);
    assert!(success, "{command:?}\n{text}");
    text
}

pub fn said(command: &mut Command) -> (bool, String) {
    let output = command.env("LC_ALL", "C.UTF-8").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

pub fn alias(text: &str) -> Alias {
    Alias::parse(text).unwrap()
}

pub fn password() -> Password {
    Password::parse(PASSWORD).unwrap()
}

/// Name of the case, files of the chain, files of the key, certificates that come out, in order.
pub type Case = (&'static str, &'static str, &'static str, &'static str);

pub fn cases() -> [Case; 13] {
    let two = "p256 middle";
    [
        ("rsa-pkcs8", "rsa.pem middle.pem", "rsa.key", "rsa middle"),
        (
            "rsa-pkcs1",
            "rsa.pem middle.pem root.pem",
            "rsa.pkcs1",
            "rsa middle root",
        ),
        (
            "rsa-no-subject",
            "nameless.pem middle.pem",
            "rsa.pkcs1",
            "nameless middle",
        ),
        ("p256-pkcs8", "p256.pem middle.pem", "p256.key", two),
        ("p256-sec1", "p256.pem middle.pem", "p256.sec1", two),
        (
            "p256-acme",
            "p256.pem middle.pem",
            "p256.parameters p256.sec1",
            two,
        ),
        ("p256-crlf", "crlf.pem", "crlf.key", two),
        (
            "p384-sec1",
            "p384.pem middle.pem root.pem",
            "p384.sec1",
            "p384 middle root",
        ),
        (
            "p521-sec1",
            "p521.pem middle.pem",
            "p521.sec1",
            "p521 middle",
        ),
        (
            "ed25519",
            "ed25519.pem middle.pem",
            "ed25519.key",
            "ed25519 middle",
        ),
        ("self-signed", "self.pem", "self.key self.sec1", "self"),
        (
            "shuffled",
            "root.pem p256.pem middle.pem p256.pem",
            "p256.sec1",
            "p256 middle root",
        ),
        (
            "cross-signed",
            "root.pem old.pem crossed.pem middle.pem p256.pem",
            "p256.key",
            "p256 middle crossed old",
        ),
    ]
}
