//! `import`: accounts from elsewhere, and a report of everybody who was not simply taken over.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::report::{FAILED, Failure, Report};
use super::{Global, accounts_folder, file, office};
use crate::account::Office;
use crate::account::import::{self, ImportError, Notes, Options};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Prosody's accounts: its folder of data, or the database of its SQL storage
    Prosody {
        /// `/var/lib/prosody`, or `mysql://user@host/name`, `postgres://…`, `sqlite:/…`
        source: String,
        /// Only the accounts of this host
        #[arg(long, value_name = "HOST")]
        host: Option<String>,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        how: How,
    },
    /// Users of a Django database
    Django {
        /// `mysql://user@host/name`, `postgres://…`, `sqlite:/…`
        url: String,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        how: How,
    },
    /// A list whose first line names the columns; `login` is the one that must be there
    Csv {
        /// The file; `-` reads from stdin
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// An LDIF file
    Ldif {
        /// The file; `-` reads from stdin
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
}

/// What all sources understand.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// A group that everybody joins; made when it is missing
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The language of the accounts [default: that of the settings]
    #[arg(
        long,
        value_name = "LANGUAGE",
        default_value = "",
        hide_default_value = true
    )]
    language: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct Password {
    /// File with the password of the database
    #[arg(long = "password-file", value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(global: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    let settings = file::settings(&global.config)?;
    let secrets = file::secrets(&settings)?;
    let said = super::block_on(async {
        let office = office::open(settings, &secrets).await?;
        let said = read(&office, verb, report).await;
        office.store.close().await;
        said
    })?;
    if report.is_json() {
        report.json(&said);
    } else {
        show(&said, report);
    }
    Ok(if said.refused.count > 0 {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

async fn read(
    office: &Office,
    verb: &Verb,
    report: &mut Report,
) -> Result<import::Report, Failure> {
    let mut shown = 0;
    let mut progress = |so_far: &import::Report| {
        if so_far.seen >= shown + 20_000 {
            shown = so_far.seen;
            report.note(&format!("{shown} looked at"));
        }
    };
    let progress = &mut progress;
    let done = match verb {
        Verb::Prosody {
            source,
            host,
            password,
            how,
        } => {
            let options = Options {
                host: host.clone(),
                ..options(how)
            };
            if source.contains("://") || source.starts_with("sqlite:") {
                let secret = password.read()?;
                let url = office::addressed(source).await?;
                import::from_prosody_sql(office, &url, secret.as_ref(), &options, progress).await
            } else {
                let folder = Path::new(source);
                let files =
                    accounts_folder::files(folder).map_err(|error| Failure::io(folder, &error))?;
                import::from_prosody(office, files, &options, progress).await
            }
        }
        Verb::Django { url, password, how } => {
            let secret = password.read()?;
            let url = office::addressed(url).await?;
            import::from_django(office, &url, secret.as_ref(), &options(how), progress).await
        }
        Verb::Csv { file, how } => {
            let (name, source) = open(file)?;
            import::from_csv(office, &name, source, &options(how), progress).await
        }
        Verb::Ldif { file, how } => {
            let (name, source) = open(file)?;
            import::from_ldif(office, &name, source, &options(how), progress).await
        }
    };
    done.map_err(|error| {
        let failure = Failure::failed(error.to_string());
        match error {
            ImportError::Source { .. } => failure,
            ImportError::Store(_) => {
                failure.hint("what was written until then is whole; run it again to go on")
            }
        }
    })
}

impl Password {
    fn read(&self) -> Result<Option<crate::secret::Secret<String>>, Failure> {
        let read = |path| file::secret("--password-file", path);
        self.file.as_deref().map(read).transpose()
    }
}

fn options(how: &How) -> Options {
    Options {
        dry_run: how.dry_run,
        actor: office::actor(),
        language: how.language.clone(),
        group: how.group.clone(),
        host: None,
    }
}

fn open(path: &Path) -> Result<(String, Box<dyn BufRead>), Failure> {
    if path == Path::new("-") {
        return Ok(("stdin".into(), Box::new(BufReader::new(std::io::stdin()))));
    }
    let file = File::open(path).map_err(|error| Failure::io(path, &error))?;
    if !file.metadata().is_ok_and(|found| !found.is_dir()) {
        return Err(Failure::failed(format!("`{}` is no file", path.display())));
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok((name, Box::new(BufReader::new(file))))
}

fn show(said: &import::Report, report: &mut Report) {
    let verb = if said.dry_run {
        "would be taken over"
    } else {
        "taken over"
    };
    let mut text = format!(
        "{} looked at, {} {verb}, {} there already\n",
        said.seen, said.taken, said.already
    );
    for (what, notes) in [
        ("under another spelling", &said.renamed),
        ("without a part that did not fit", &said.changed),
        (
            "without a password that can be used: a new one has to be set by mail",
            &said.must_reset,
        ),
        ("refused", &said.refused),
        ("left alone", &said.left_alone),
    ] {
        list(&mut text, what, notes);
    }
    report.data(&text);
    if said.dry_run {
        report.hint("nothing was written; run it without --dry-run");
    }
}

fn list(text: &mut String, what: &str, notes: &Notes) {
    use std::fmt::Write as _;
    if notes.count == 0 {
        return;
    }
    let _ = writeln!(text, "{} {what}", notes.count);
    for note in &notes.listed {
        let _ = writeln!(
            text,
            "  {}: {}: {}",
            plain(&note.place),
            plain(&note.name),
            plain(&note.what)
        );
    }
}

/// As it may be shown on a terminal.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
            .chars()
            .collect::<Vec<_>>()
        })
        .collect()
}
