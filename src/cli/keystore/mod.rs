//! `keystore build`, `show`, `trust` and `verify`: one file each, and what they share.

mod build;
mod show;
mod trust;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zeroize::Zeroizing;

use super::Global;
use super::report::{FAILED, Failure, Report, USAGE};
use crate::host::names::{self, Table};
use crate::host::stand::{self, Access};
use crate::keystore::{Finding, Format, Grade, KeystoreError, Password, printable};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Make a keystore from a certificate chain and its key
    Build(build::Args),
    /// Say what is in a keystore
    Show(show::Args),
    /// Make a truststore of certificates
    Trust(trust::Args),
    /// Say whether Java can serve TLS with a keystore
    Verify(verify::Args),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FormatArg {
    /// PKCS#12, Java's own choice since version 9
    Pkcs12,
    /// Java's own form before
    Jks,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Pkcs12 => Self::Pkcs12,
            FormatArg::Jks => Self::Jks,
        }
    }
}

/// Who may read what is written.
#[derive(Debug, clap::Args)]
struct AccessArgs {
    /// Who owns the file [default: root:jvb for a keystore, when root writes it and there is such a group]
    #[arg(long, value_name = "USER:GROUP", value_parser = owner)]
    owner: Option<(u32, u32)>,
    /// The file's permissions in octal [default: 0640 for a keystore, 0644 for a truststore]
    #[arg(long, value_parser = mode)]
    mode: Option<u32>,
}

pub(super) fn run(_: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Build(args) => build::run(args, report),
        Verb::Show(args) => show::run(args, report),
        Verb::Trust(args) => trust::run(args, report),
        Verb::Verify(args) => verify::run(args, report),
    }
}

fn owner(text: &str) -> Result<(u32, u32), String> {
    let (user, group) = text
        .split_once(':')
        .ok_or("write a user and a group, as in root:jvb")?;
    let number = |table, name: &str, kind| match names::by_name(table, name) {
        Some(entry) => Ok(entry.number),
        None => name
            .parse()
            .map_err(|_| format!("there is no {kind} `{}`", printable(name))),
    };
    Ok((
        number(Table::Passwd, user, "user")?,
        number(Table::Group, group, "group")?,
    ))
}

fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| "write three octal digits, as in 640".to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    stand::read(path).map_err(|error| Failure::io(path, &error))
}

/// The first line of a file, without its end.
fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = Zeroizing::new(read(path)?);
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| {
        Failure::new(FAILED, format!("`{}` is not UTF-8 text", path.display()))
            .hint("write the password on its first line")
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn password(path: &Path) -> Result<Password, Failure> {
    let place = format!("`{}`", path.display());
    Password::parse(&first_line(path)?).map_err(|error| refused(&place, &error))
}

fn refused(place: &str, error: &KeystoreError) -> Failure {
    Failure::new(FAILED, format!("{place}: {error}")).hint(error.hint().unwrap_or_default())
}

/// How a written file came to be, or why it was not.
enum Written {
    /// Made anew.
    Wrote,
    /// What is wanted was there already.
    Left,
    /// The same, but who may read it has changed.
    Gave,
}

impl Written {
    fn words(&self) -> &'static str {
        match self {
            Self::Wrote => "wrote",
            Self::Left => "left as it was",
            Self::Gave => "left as it was, with another owner or mode,",
        }
    }
}

/// Writes a store, unless what is there will do.
fn put(
    path: &Path,
    is_right: impl FnOnce(&[u8]) -> bool,
    make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, Failure>,
    asked: &Access,
    default: &Access,
) -> Result<Written, Failure> {
    let failed = |error: std::io::Error| Failure::io(path, &error);
    if stand::read(path).is_ok_and(|bytes| is_right(&bytes)) {
        let changed = stand::give_access(path, asked).map_err(failed)?;
        return Ok(if changed {
            Written::Gave
        } else {
            Written::Left
        });
    }
    let access = Access {
        mode: asked.mode.or(default.mode),
        owner: asked.owner.or(default.owner),
    };
    stand::replace(path, &make()?, &access).map_err(failed)?;
    Ok(Written::Wrote)
}

/// A store must not take the place of what it is made of.
fn keep_apart(out: &Path, sources: &[&PathBuf]) -> Result<(), Failure> {
    let Ok(place) = stand::whole(out) else {
        return Ok(());
    };
    for source in sources {
        if stand::whole(source).is_ok_and(|source| source == place) {
            return Err(Failure::new(
                USAGE,
                format!(
                    "`--out` `{}` would replace what it is made of",
                    out.display()
                ),
            )
            .hint("name another file"));
        }
    }
    Ok(())
}

/// Of what is not in order: the worst as a failure, the others as warnings.
fn judge(
    place: &str,
    findings: &[Finding],
    is_allowed: impl Fn(&Finding) -> bool,
    report: &mut Report,
) -> Result<(), Failure> {
    let is_refused = |finding: &&Finding| finding.grade == Grade::Bad && !is_allowed(finding);
    let bad: Vec<&Finding> = findings.iter().filter(is_refused).collect();
    let Some(first) = bad.first() else {
        for finding in findings.iter().filter(|finding| finding.grade != Grade::Ok) {
            report.warning(&format!("{place}: {}: {}", finding.about, finding.what));
        }
        return Ok(());
    };
    let all: Vec<String> = bad
        .iter()
        .map(|finding| format!("{}: {}", finding.about, finding.what))
        .collect();
    Err(Failure::new(FAILED, format!("{place}: {}", all.join("; ")))
        .hint(first.cure.unwrap_or_default()))
}

/// `1 certificate`, `2 certificates`.
fn certificates(number: usize) -> String {
    match number {
        1 => "1 certificate".to_owned(),
        n => format!("{n} certificates"),
    }
}
