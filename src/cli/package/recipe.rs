//! `package recipe`: what another packager needs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::Known;
use crate::cli::Global;
use crate::cli::report::{FAILED, Failure, Report, USAGE};
use crate::host::recipes::{self, Written};
use crate::package::catalogue::Piece;
use crate::package::recipe::{self, Form};
use crate::package::set::ChoiceError;
use crate::package::{Catalogue, PackageError};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A piece of the catalogue, by its name on either family, or `all`
    name: String,
    /// Whose form
    #[arg(long, value_enum, default_value_t = Format::Slackbuild)]
    format: Format,
    /// Where the recipes go: a folder for each piece
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// This version of it [default: the first that the catalogue has]
    #[arg(long, value_name = "VERSION")]
    release: Option<String>,
    /// Replace files that say something else
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    known: Known,
}

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A script as SlackBuilds.org has them
    Slackbuild,
    /// A `debian/` folder for dpkg-buildpackage
    Debian,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let failure = |error: PackageError| Failure::new(FAILED, error.to_string());
    let catalogue = args.known.catalogue(global)?;
    let form = match args.format {
        Format::Slackbuild => Form::SlackBuild,
        Format::Debian => Form::Debian,
    };
    let pieces = chosen(&catalogue, args, form)?;
    let mut wanted = Vec::new();
    for piece in pieces {
        let release = match &args.release {
            Some(version) => piece.release(version).ok_or_else(|| {
                let known: Vec<_> = piece
                    .releases
                    .iter()
                    .map(|one| one.version.as_str())
                    .collect();
                Failure::new(
                    USAGE,
                    format!("`{}` has no release `{version}`", piece.name),
                )
                .hint(format!("choose one of {}", known.join(", ")))
            })?,
            None => piece
                .newest()
                .ok_or_else(|| Failure::from(&ChoiceError::NoRelease(piece.name.clone())))?,
        };
        let files = recipe::write(piece, release, form).map_err(failure)?;
        wanted.push((piece, release, files));
    }
    // Everything is looked at before anything is written.
    if !args.force {
        for (piece, _, files) in &wanted {
            if let Some(other) = recipes::differs(&args.out.join(&piece.name), files)
                .map_err(|error| Failure::io(&args.out, &error))?
            {
                return Err(Failure::new(
                    FAILED,
                    format!("`{}` is there and says something else", other.display()),
                )
                .hint("choose another folder with --out, or replace it with --force"));
            }
        }
    }
    let mut told = Vec::new();
    for (piece, release, files) in &wanted {
        let folder = args.out.join(&piece.name);
        let written =
            recipes::write(&folder, files).map_err(|error| Failure::io(&folder, &error))?;
        tell(report, &folder, &written);
        told.push(serde_json::json!({
            "name": piece.name,
            "version": release.version,
            "folder": folder,
            "written": written.changed,
            "unchanged": written.same,
        }));
    }
    if report.is_json() {
        report.json(&serde_json::json!({ "recipes": told }));
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen<'a>(
    catalogue: &'a Catalogue,
    args: &Args,
    form: Form,
) -> Result<Vec<&'a Piece>, Failure> {
    if args.name != "all" {
        let piece = catalogue.piece(&args.name).ok_or_else(|| {
            Failure::new(USAGE, format!("there is no piece `{}`", args.name))
                .hint("see `jitsi-install package list`")
        })?;
        return Ok(vec![piece]);
    }
    if args.release.is_some() {
        return Err(Failure::new(USAGE, "--release is for one piece").hint("name the piece"));
    }
    let fits = |piece: &&Piece| form == Form::SlackBuild || !piece.slackware_only;
    let fits = |piece: &&Piece| fits(piece) && !piece.releases.is_empty();
    Ok(catalogue.pieces.iter().filter(fits).collect())
}

fn tell(report: &mut Report, folder: &Path, written: &Written) {
    if report.is_json() {
        return;
    }
    let what = if written.changed.is_empty() {
        "as it was".to_owned()
    } else {
        written.changed.join(" ")
    };
    report.data(&format!("{}: {what}", folder.display()));
}
