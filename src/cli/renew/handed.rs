//! The certificate that a hook hands over: found, judged, and kept where every later plan finds it.

use std::path::{Path, PathBuf};

use super::Args;
use crate::cli::report::{FAILED, Failure, Report, USAGE};
use crate::host::issued::{self, Issued};
use crate::host::{self, Machine, facts, stand};
use crate::keystore::{Grade, KeyPair};
use crate::name::{AbsPath, Mode};
use crate::plan::State;

/// A clock may be that much behind the issuer's.
const SKEW: i64 = 300;

/// The certificate that the command line or the hook's environment names.
pub(super) fn handed(args: &Args) -> Result<Option<Issued>, Failure> {
    let both = |cert: &str, key: &str| Some((stand::variable(cert)?, stand::variable(key)?));
    let (cert, key) = if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        (cert.clone(), key.clone())
    } else if let Some(folder) = &args.cert_dir {
        pair_in(folder)?
    } else if let Some(pair) = both("CERT_FULLCHAIN_PATH", "CERT_KEY_PATH") {
        pair
    } else if let Some(pair) = both("LEGO_CERT_PATH", "LEGO_CERT_KEY_PATH") {
        pair
    } else if let Some(folder) = stand::variable("RENEWED_LINEAGE") {
        pair_in(&folder)?
    } else {
        return Ok(None);
    };
    let read = |path: &Path| stand::read(path).map_err(|error| Failure::io(path, &error));
    let whole = stand::whole(&cert).map_err(|error| Failure::io(&cert, &error))?;
    let at = AbsPath::parse(&whole.to_string_lossy())
        .map_err(|why| Failure::new(USAGE, format!("`{}` {why}", whole.display())))?;
    issued::from_pem(&at, read(&cert)?, read(&key)?)
        .map(Some)
        .map_err(|error| Failure::new(FAILED, error.what).hint(error.hint))
}

/// A chain and a key in one folder, under the names that ACME clients give them.
fn pair_in(folder: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let names = stand::list(folder);
    let has = |name: &str| names.iter().any(|other| other == name);
    let stems: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".key"))
        .collect();
    let mut pairs: Vec<(String, String)> = Vec::new();
    for chain in ["fullchain.cer", "fullchain.pem"] {
        for key in ["privkey.pem", "key.pem"] {
            pairs.push((chain.to_owned(), key.to_owned()));
        }
        pairs.extend(
            stems
                .iter()
                .map(|stem| (chain.to_owned(), format!("{stem}.key"))),
        );
    }
    pairs.extend(
        stems
            .iter()
            .map(|stem| (format!("{stem}.crt"), format!("{stem}.key"))),
    );
    pairs
        .into_iter()
        .find(|(chain, key)| has(chain) && has(key))
        .map(|(chain, key)| (folder.join(chain), folder.join(key)))
        .ok_or_else(|| {
            Failure::new(
                FAILED,
                format!("`{}` holds no chain with its key", folder.display()),
            )
            .hint("fullchain.cer or fullchain.pem with privkey.pem, key.pem or NAME.key; NAME.crt with NAME.key; or name both files with `--cert` and `--key`")
        })
}

/// Refuses what nobody should be shown.
pub(super) fn check(issued: &Issued, report: &mut Report) -> Result<(), Failure> {
    let now = host::now();
    let Issued { at, leaf, .. } = issued;
    if leaf.validity.not_after < now {
        return Err(Failure::new(
            FAILED,
            format!("`{at}` ended {} days ago", -leaf.validity.days_left(now)),
        )
        .hint("nothing was changed; have a new one issued"));
    }
    if leaf.validity.not_before > now + SKEW {
        return Err(Failure::new(FAILED, format!("`{at}` is not valid yet"))
            .hint("nothing was changed; is the clock of this machine right?"));
    }
    let pair = KeyPair::from_pem(
        issued.pair.certificate.as_bytes(),
        issued.pair.key.reveal().as_bytes(),
    );
    let findings = pair.map_or_else(|_| Vec::new(), |pair| pair.examine(now));
    if let Some(bad) = findings.iter().find(|one| one.grade == Grade::Bad) {
        return Err(Failure::new(FAILED, format!("`{at}`: {}", bad.what)).hint(
            bad.cure
                .unwrap_or("nothing was changed; have another issued"),
        ));
    }
    if issued.length < 2 && leaf.subject != leaf.issuer {
        report.warning(&format!(
            "`{at}` comes without its issuer's certificate: some clients will not trust it"
        ));
    }
    Ok(())
}

/// Keeps a certificate that is newer than what the site's source has, where `apply` finds it too.
pub(super) fn take_in(
    handed: Issued,
    chosen: Option<Issued>,
    place: &facts::PairAt,
    machine: &Machine,
    is_dry: bool,
    report: &mut Report,
) -> Result<Option<Issued>, Failure> {
    if let Some(chosen) = chosen {
        if chosen.leaf.fingerprint_sha256 == handed.leaf.fingerprint_sha256 {
            return Ok(Some(chosen));
        }
        if chosen.leaf.validity.not_before >= handed.leaf.validity.not_before {
            report.warning(&format!(
                "`{}` was issued before `{}`, which stays",
                handed.at, chosen.at
            ));
            return Ok(Some(chosen));
        }
    }
    if !is_dry {
        let root = machine.root();
        let put = |path: &AbsPath, text: &str| {
            let state = State::File {
                bytes: text.as_bytes().to_vec(),
                mode: Mode(0o600),
                ids: None,
            };
            root.put(path, &state)
        };
        let kept = || -> std::io::Result<()> {
            if let Some(folder) = place.certificate.parent() {
                root.ensure_dir(&folder, Mode(0o700))?;
            }
            // A chain without its key would be an error ever after: it comes last.
            root.put(&place.certificate, &State::Absent)?;
            put(&place.key, handed.pair.key.reveal())?;
            put(&place.certificate, &handed.pair.certificate)
        };
        kept().map_err(|error| Failure::io(Path::new(place.certificate.as_str()), &error))?;
        report.note(&format!("took in `{}`", handed.at));
    }
    Ok(Some(handed))
}
