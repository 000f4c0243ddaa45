//! `keystore build`: PEM, as acme.sh, certbot, lego and Caddy leave it, to a store as Java reads it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use super::{AccessArgs, FormatArg, Written};
use crate::cli::report::{FAILED, Failure, Report, USAGE};
use crate::host::names::{self, Table};
use crate::host::stand::{self, Access};
use crate::host::{self, process};
use crate::keystore::{
    Alias, CertificateInfo, Format, KeyPair, KeystoreError, Password, Readers, build_jks,
    build_pkcs12_for, describe, jks_holds, pkcs12_holds_for,
};

/// The group of Jitsi Videobridge, as its package makes it.
const READERS: &str = "jvb";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The chain in PEM
    #[arg(
        long,
        value_name = "FULLCHAIN",
        requires = "key",
        conflicts_with = "acme_home"
    )]
    cert: Option<PathBuf>,
    /// The private key in PEM
    #[arg(long, value_name = "KEY", requires = "cert")]
    key: Option<PathBuf>,
    /// A file whose first line is the pass phrase of an encrypted key
    #[arg(long, value_name = "FILE")]
    key_password_file: Option<PathBuf>,
    /// The home of acme.sh, instead of --cert and --key
    #[arg(long, value_name = "DIR", requires = "domain")]
    acme_home: Option<PathBuf>,
    /// The certificate's name in acme.sh's home
    #[arg(long, requires = "acme_home")]
    domain: Option<String>,
    /// The keystore to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The form of the keystore
    #[arg(long, default_value = "pkcs12")]
    format: FormatArg,
    /// Encrypt PKCS12 for old readers (Java before 8u301): triple DES and SHA-1
    #[arg(long)]
    compat: bool,
    /// Name of the entry
    #[arg(long, default_value = "jvb")]
    alias: String,
    /// A file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// Take a certificate that has expired, or is not valid yet
    #[arg(long)]
    allow_expired: bool,
    #[command(flatten)]
    access: AccessArgs,
}

pub(super) fn run(args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    if args.compat && args.format == FormatArg::Jks {
        return Err(Failure::new(USAGE, "`--compat` is for PKCS12")
            .hint("leave out `--compat`: JKS has one form, which every Java reads"));
    }
    let (cert, key) = sources(args)?;
    super::keep_apart(&args.out, &[&cert, &key, &args.password_file])?;
    let place = format!("`{}` and `{}`", cert.display(), key.display());
    let refused = |error: &KeystoreError| super::refused(&place, error);
    let pair = pair(&cert, &key, args.key_password_file.as_deref())?;
    let alias = Alias::parse(&args.alias).map_err(|error| super::refused("`--alias`", &error))?;
    let password = super::password(&args.password_file)?;
    let now = host::now();
    let allowed =
        |finding: &crate::keystore::Finding| args.allow_expired && finding.about == "dates";
    super::judge(&place, &pair.examine(now), allowed, report)?;

    let info = describe(pair.leaf()).map_err(|error| refused(&error))?;
    let wanted = Store {
        format: args.format.into(),
        readers: if args.compat {
            Readers::Old
        } else {
            Readers::Current
        },
        pair: &pair,
        alias: &alias,
        password: &password,
    };
    let asked = Access {
        mode: args.access.mode,
        owner: args.access.owner,
    };
    let default = Access {
        mode: Some(0o640),
        owner: readers(&asked),
    };
    let written = super::put(
        &args.out,
        |bytes| wanted.is_in(bytes),
        || wanted.make(now).map_err(|error| refused(&error)),
        &asked,
        &default,
    )?;
    tell(args, &info, &pair, &written, report);
    if asked.mode.is_none() && stand::mode(&args.out).is_ok_and(|mode| mode & 0o007 != 0) {
        report.warning(&format!(
            "`{}`: everybody on this machine may read it; `--mode 640` takes that away",
            args.out.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads chain and key; also for `verify`.
pub(super) fn pair(
    cert: &Path,
    key: &Path,
    key_password_file: Option<&Path>,
) -> Result<KeyPair, Failure> {
    let pass_phrase = key_password_file.map(super::first_line).transpose()?;
    let pass_phrase = pass_phrase.as_ref().map(|text| text.as_bytes());
    let key_text = Zeroizing::new(super::read(key)?);
    KeyPair::from_locked_pem(&super::read(cert)?, &key_text, pass_phrase).map_err(|error| {
        let place = format!("`{}` and `{}`", cert.display(), key.display());
        let failure = super::refused(&place, &error);
        match error {
            KeystoreError::EncryptedKey => failure.hint(
                "name a file with its pass phrase on the first line: `--key-password-file FILE`",
            ),
            _ => failure,
        }
    })
}

/// `root:jvb`, when root writes and the group is there.
fn readers(asked: &Access) -> Option<(u32, u32)> {
    if asked.owner.is_some() || !process::is_root() {
        return None;
    }
    Some((0, names::in_file(Table::Group, READERS)?.number))
}

/// What shall be in the file.
struct Store<'a> {
    format: Format,
    readers: Readers,
    pair: &'a KeyPair,
    alias: &'a Alias,
    password: &'a Password,
}

impl Store<'_> {
    fn is_in(&self, bytes: &[u8]) -> bool {
        let Self {
            pair,
            alias,
            password,
            ..
        } = self;
        match self.format {
            Format::Pkcs12 => pkcs12_holds_for(bytes, pair, alias, password, self.readers),
            Format::Jks => jks_holds(bytes, pair, alias, password),
        }
    }

    fn make(&self, now: i64) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        let Self {
            pair,
            alias,
            password,
            ..
        } = self;
        match self.format {
            Format::Pkcs12 => build_pkcs12_for(pair, alias, password, self.readers),
            Format::Jks => {
                let mut salt = [0; 20];
                host::random(&mut salt);
                Ok(build_jks(pair, alias, password, now, salt))
            }
        }
    }
}

fn tell(
    args: &Args,
    info: &CertificateInfo,
    pair: &KeyPair,
    written: &Written,
    report: &mut Report,
) {
    let format = Format::from(args.format);
    if report.is_json() {
        report.json(&serde_json::json!({
            "out": args.out.display().to_string(),
            "written": matches!(written, Written::Wrote),
            "format": format.to_string(),
            "alias": args.alias,
            "names": info.names,
            "key": info.key_kind,
            "chain": pair.chain().len(),
            "not_after": info.validity.not_after,
            "fingerprint_sha256": info.fingerprint_sha256,
        }));
        return;
    }
    let names = match info.names.as_slice() {
        [] => info.title(),
        names => names.join(", "),
    };
    report.note(&format!(
        "{} `{}`: {format}, {} for {names}, {}, alias {}",
        written.words(),
        args.out.display(),
        info.key_kind,
        super::certificates(pair.chain().len()),
        args.alias
    ));
}

/// The two files: named, or found in acme.sh's home, where `DOMAIN_ecc/` has EC and `DOMAIN/` RSA;
/// where both are, the certificate that lasts longer is meant.
fn sources(args: &Args) -> Result<(PathBuf, PathBuf), Failure> {
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        return Ok((cert.clone(), key.clone()));
    }
    let (Some(home), Some(domain)) = (&args.acme_home, &args.domain) else {
        return Err(Failure::new(USAGE, "no certificate was named")
            .hint("give `--cert` and `--key`, or `--acme-home` and `--domain`"));
    };
    crate::name::Domain::parse(domain).map_err(|why| {
        Failure::new(
            USAGE,
            format!("`--domain` `{}` {why}", crate::name::excerpt(domain)),
        )
    })?;
    let mut best: Option<(i64, PathBuf, PathBuf)> = None;
    for folder in [home.join(format!("{domain}_ecc")), home.join(domain)] {
        let (cert, key) = (
            folder.join("fullchain.cer"),
            folder.join(format!("{domain}.key")),
        );
        let Ok(chain) = stand::read(&cert) else {
            continue;
        };
        let ends = crate::host::facts::ends(&chain).unwrap_or(i64::MIN);
        if best.as_ref().is_none_or(|(other, ..)| ends > *other) {
            best = Some((ends, cert, key));
        }
    }
    best.map(|(_, cert, key)| (cert, key)).ok_or_else(|| {
        Failure::new(
            FAILED,
            format!(
                "acme.sh has no certificate for `{domain}` in `{}`",
                home.display()
            ),
        )
        .hint(format!("issue one: `acme.sh --issue -d {domain} …`"))
    })
}
