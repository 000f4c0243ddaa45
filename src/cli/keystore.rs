//! `keystore build`: PEM, as acme.sh leaves it, to PKCS12, as Java reads it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::Global;
use super::report::{FAILED, Failure, Report, USAGE};
use crate::host::stand;
use crate::keystore::{
    Alias, CertificateInfo, KeyPair, KeystoreError, Password, build_pkcs12, describe, pkcs12_holds,
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Make a keystore from a certificate chain and its key
    Build(BuildArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct BuildArgs {
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
    /// The home of acme.sh, instead of --cert and --key
    #[arg(long, value_name = "DIR", requires = "domain")]
    acme_home: Option<PathBuf>,
    /// The certificate's name in acme.sh's home
    #[arg(long, requires = "acme_home")]
    domain: Option<String>,
    /// The keystore to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Name of the entry
    #[arg(long, default_value = "jvb")]
    alias: String,
    /// A file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
}

fn refused(place: &str, error: &KeystoreError) -> Failure {
    Failure::new(FAILED, format!("{place}: {error}")).hint(error.hint().unwrap_or_default())
}

pub(super) fn run(_: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    let Verb::Build(args) = verb;
    let (cert, key) = sources(args)?;
    let read = |path: &Path| stand::read(path).map_err(|error| Failure::io(path, &error));
    let place = format!("`{}` and `{}`", cert.display(), key.display());
    let key_text = zeroize::Zeroizing::new(read(&key)?);
    let pair =
        KeyPair::from_pem(&read(&cert)?, &key_text).map_err(|error| refused(&place, &error))?;
    let alias = Alias::parse(&args.alias).map_err(|error| refused("`--alias`", &error))?;
    let word = zeroize::Zeroizing::new(read(&args.password_file)?);
    let word = zeroize::Zeroizing::new(
        String::from_utf8_lossy(&word)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    );
    let password = Password::parse(&word)
        .map_err(|error| refused(&format!("`{}`", args.password_file.display()), &error))?;
    let info = describe(pair.leaf()).map_err(|error| refused(&place, &error))?;
    let fresh = stand::read(&args.out).map_or(true, |bytes| {
        !pkcs12_holds(&bytes, &pair, &alias, &password)
    });
    if fresh {
        let bytes =
            build_pkcs12(&pair, &alias, &password).map_err(|error| refused(&place, &error))?;
        stand::replace(&args.out, &bytes, 0o640).map_err(|error| Failure::io(&args.out, &error))?;
    }
    tell(args, &info, pair.chain().len(), fresh, report);
    Ok(ExitCode::SUCCESS)
}

fn tell(args: &BuildArgs, info: &CertificateInfo, length: usize, fresh: bool, report: &mut Report) {
    if report.is_json() {
        report.json(&serde_json::json!({
            "out": args.out.display().to_string(),
            "written": fresh,
            "alias": args.alias,
            "names": info.names,
            "key": info.key_kind,
            "chain": length,
            "not_after": info.validity.not_after,
            "fingerprint_sha256": info.fingerprint_sha256,
        }));
        return;
    }
    let verb = if fresh { "wrote" } else { "left as it was" };
    report.note(&format!(
        "{verb} `{}`: {} for {}, {length} certificates, alias {}",
        args.out.display(),
        info.key_kind,
        info.names.join(", "),
        args.alias
    ));
}

/// The two files: named, or found in acme.sh's home, where `DOMAIN_ecc/` has EC and `DOMAIN/` RSA;
/// where both are, the certificate that lasts longer is meant.
fn sources(args: &BuildArgs) -> Result<(PathBuf, PathBuf), Failure> {
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
