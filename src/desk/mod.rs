//! The account service's own desk: the only room of `jitsi-accounts` that touches the machine. It
//! has the file of settings, clock, chance, sockets, the posting of mail and the command line, and
//! it knows nothing of the installer.
//!
//! `serve` holds the pages of the room `web` on a socket; `delivery` carries what waits in the
//! outbox; `timers` do what is due. Every other file is a verb, which calls an act of the room
//! `account` and prints what became of it. To add a verb: a variant of `Verb`, a file with `run`,
//! its line in `run`, a session in `tests/service`.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the room that touches the machine for the account service"
)]

pub mod accounts_folder;
mod backup;
mod check;
mod delivery;
mod file;
mod import;
mod mail;
mod manual;
mod metrics;
mod migrate;
mod names;
mod office;
mod report;
pub mod serve;
mod timers;
mod users;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::command::manual::{CompletionsArgs, ManArgs};
use crate::command::terminal::When;
use crate::command::{self, Failure};
use report::Report;

/// The account service of a Jitsi Meet site: sign-up, approval, sign-in.
#[derive(Debug, Parser)]
#[command(
    name = "jitsi-accounts",
    version,
    propagate_version = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options that every verb understands.
#[derive(Debug, clap::Args)]
struct Global {
    /// The file of settings
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "JITSI_ACCOUNTS_CONFIG",
        default_value = "/etc/jitsi-accounts/accounts.toml"
    )]
    config: PathBuf,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "JITSI_ACCOUNTS_COLOR"
    )]
    color: When,
    /// Show no advice
    #[arg(short, long, global = true, env = "JITSI_ACCOUNTS_QUIET")]
    quiet: bool,
    /// Give data as JSON
    #[arg(long, global = true, env = "JITSI_ACCOUNTS_JSON")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Answer on the socket until told to stop
    Serve(serve::Args),
    /// Say whether the settings are right
    Check(check::Args),
    /// Make the tables, or bring them up to date
    Migrate,
    /// Look after accounts
    #[command(subcommand)]
    Users(users::Verb),
    /// Take over accounts from elsewhere
    #[command(subcommand)]
    Import(import::Verb),
    /// Write everything to stdout, as lines of JSON
    Export,
    /// Write everything into a file
    Backup(backup::BackupArgs),
    /// Read a backup into an empty database
    Restore(backup::RestoreArgs),
    /// Look after mail
    #[command(subcommand)]
    Mail(mail::Verb),
    /// Print shell completions
    Completions(CompletionsArgs),
    /// Write the man pages into a folder
    Man(ManArgs),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli: Cli = match command::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let mut report = Report::new(&cli.global);
    match run(cli, &mut report) {
        Ok(code) => code,
        Err(failure) => report.failure(failure),
    }
}

fn run(cli: Cli, report: &mut Report) -> Result<ExitCode, Failure> {
    let global = cli.global;
    match cli.verb {
        Verb::Serve(args) => serve::run(&global, &args),
        Verb::Check(args) => check::run(&global, &args, report),
        Verb::Migrate => migrate::run(&global, report),
        Verb::Users(verb) => users::run(&global, &verb, report),
        Verb::Import(verb) => import::run(&global, &verb, report),
        Verb::Export => backup::export(&global, report),
        Verb::Backup(args) => backup::backup(&global, &args, report),
        Verb::Restore(args) => backup::restore(&global, &args, report),
        Verb::Mail(verb) => mail::run(&global, &verb, report),
        Verb::Completions(args) => Ok(manual::completions(&args, &mut Cli::command(), report)),
        Verb::Man(args) => manual::man(&args, Cli::command(), report),
    }
}

/// Does the work of a verb that ends by itself, on this thread.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("this cannot be begun: {error}")))?
        .block_on(work)
}
