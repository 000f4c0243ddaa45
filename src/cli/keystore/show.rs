//! `keystore show`: what is in a store of anybody's.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use crate::cli::report::{Failure, Report};
use crate::host;
use crate::keystore::{CertificateInfo, Entry, Kind, Store, describe, printable};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The keystore or truststore
    file: PathBuf,
    /// A file whose first line is the password; without it JKS is read unproved
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let bytes = super::read(&args.file)?;
    let place = format!("`{}`", args.file.display());
    let word = args.password_file.as_deref().map(super::first_line);
    let word = word.transpose()?;
    let store = Store::open(&bytes, word.as_ref().map(|word| word.as_str()))
        .map_err(|error| super::refused(&place, &error))?;
    let now = host::now();
    if report.is_json() {
        report.json(&json!({
            "file": args.file.display().to_string(),
            "format": store.format.to_string(),
            "proved": word.is_some(),
            "algorithms": store.algorithms(),
            "entries": store.entries.iter().map(|entry| json(entry, now)).collect::<Vec<_>>(),
        }));
    } else {
        let mut text = format!(
            "{place}: {}, {}, guarded by {}\n",
            store.format,
            match store.entries.len() {
                1 => "1 entry".to_owned(),
                n => format!("{n} entries"),
            },
            match store.algorithms().as_slice() {
                [] => "nothing".to_owned(),
                names => names.join(", "),
            }
        );
        for entry in &store.entries {
            describe_entry(&mut text, entry, now);
        }
        report.data(&text);
        if word.is_none() {
            report.warning(&format!(
                "{place}: without a password nobody knows whether it was changed"
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// At most 60 characters of an alias; `--json` has it whole.
fn short(alias: &str) -> String {
    let alias = printable(alias);
    match alias.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &alias[..end]),
        None => alias,
    }
}

fn describe_entry(text: &mut String, entry: &Entry, now: i64) {
    // Writing to a string cannot fail.
    let _ = write!(text, "\n{}  {}", short(&entry.alias), entry.kind.name());
    let _ = match (entry.kind, entry.chain.len()) {
        (Kind::PrivateKey, 0) => writeln!(text, ", no certificate"),
        (Kind::PrivateKey, length) => writeln!(text, ", {}", super::certificates(length)),
        _ => writeln!(text),
    };
    for (place, der) in entry.chain.iter().enumerate() {
        let number = place + 1;
        match describe(der) {
            Err(error) => {
                let _ = writeln!(text, "  {number}  {error}");
            }
            Ok(info) => {
                let or_dash = |text: String| {
                    if text.is_empty() {
                        "-".to_owned()
                    } else {
                        text
                    }
                };
                let _ = writeln!(
                    text,
                    "  {number}  subject  {}",
                    or_dash(info.subject.clone())
                );
                for (name, value) in [
                    ("issuer", or_dash(info.issuer.clone())),
                    ("names", or_dash(info.names.join(", "))),
                    ("valid", dates(&info, now)),
                    ("key", info.key_kind.clone()),
                    ("SHA-256", colons(&info.fingerprint_sha256)),
                ] {
                    let _ = writeln!(text, "     {name:<7}  {value}");
                }
            }
        }
    }
}

fn dates(info: &CertificateInfo, now: i64) -> String {
    let validity = info.validity;
    let state = if now < validity.not_before {
        "not valid yet".to_owned()
    } else if now > validity.not_after {
        format!(
            "expired {} days ago",
            now.saturating_sub(validity.not_after) / 86_400
        )
    } else {
        format!("{} days left", validity.days_left(now))
    };
    let (begins, ends) = (date(validity.not_before), date(validity.not_after));
    format!("{begins} to {ends}, {state}")
}

/// Such as `2026-11-22T16:00:00Z`.
fn date(unix: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(unix)
        .ok()
        .and_then(|at| {
            at.format(&time::format_description::well_known::Rfc3339)
                .ok()
        })
        .unwrap_or_else(|| unix.to_string())
}

/// As keytool and openssl write a fingerprint.
fn colons(hex: &str) -> String {
    let pairs: Vec<String> = hex
        .to_uppercase()
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into_owned())
        .collect();
    pairs.join(":")
}

fn json(entry: &Entry, now: i64) -> serde_json::Value {
    let certificate = |der: &Vec<u8>| match describe(der) {
        Err(error) => json!({ "error": error.to_string() }),
        Ok(info) => json!({
            "subject": info.subject,
            "issuer": info.issuer,
            "names": info.names,
            "not_before": info.validity.not_before,
            "not_after": info.validity.not_after,
            "days_left": info.validity.days_left(now),
            "key": info.key_kind,
            "fingerprint_sha256": info.fingerprint_sha256,
        }),
    };
    json!({
        "alias": printable(&entry.alias),
        "kind": entry.kind.name(),
        "chain": entry.chain.iter().map(certificate).collect::<Vec<_>>(),
    })
}
