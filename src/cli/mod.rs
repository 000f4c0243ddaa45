//! What the administrator types: one file per verb, and `report` for everything that is printed.
//!
//! A verb reads its arguments, lets the host room open the machine, asks the pure rooms, and
//! reports. To add one: a variant of `Verb`, a file with `run`, its line in [`main`], a session
//! in `tests/cli/`.

mod apply;
mod certificates;
mod check;
mod doctor;
mod history;
mod init;
mod keystore;
mod manual;
mod package;
mod plan;
mod renew;
mod report;
mod rollback;
mod scene;
mod standin;
mod status;
mod token;
mod trial;
mod uninstall;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::command::manual::{CompletionsArgs, ManArgs};
use crate::command::terminal::When;
use crate::command::{self, Failure};
use report::Report;

/// Lays out a whole Jitsi Meet site on Slackware and Debian-like systems.
///
/// Reads one site file, shows what would change, changes it, and can take every change back.
#[derive(Debug, Parser)]
#[command(
    name = "jitsi-install",
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
    /// The site file [default: etc/jitsi-install/site.toml below the root]
    #[arg(long, global = true, value_name = "FILE", env = "JITSI_INSTALL_SITE")]
    site: Option<PathBuf>,
    /// The tree to work in; everything is read and written inside it
    #[arg(long, global = true, value_name = "DIR", env = "JITSI_INSTALL_ROOT")]
    root: Option<PathBuf>,
    /// The family of systems, when the tree does not say [default: from its os-release or slackware-version]
    #[arg(
        long,
        global = true,
        value_name = "FAMILY",
        env = "JITSI_INSTALL_FAMILY"
    )]
    family: Option<FamilyArg>,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "JITSI_INSTALL_COLOR"
    )]
    color: When,
    /// Show also what is in order
    #[arg(short, long, global = true, env = "JITSI_INSTALL_VERBOSE")]
    verbose: bool,
    /// Show no progress and no advice
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        env = "JITSI_INSTALL_QUIET"
    )]
    quiet: bool,
    /// Give data as JSON
    #[arg(long, global = true, env = "JITSI_INSTALL_JSON")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FamilyArg {
    /// Debian and its descendants (systemd)
    Debian,
    /// Slackware (rc.d)
    Slackware,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented site file
    Init(init::Args),
    /// Say whether the site file is right
    Check,
    /// Show what would change, and change nothing
    #[command(alias = "diff")]
    Plan(plan::Args),
    /// Show what would change, ask, and change it
    Apply(apply::Args),
    /// Say whether everything is in place and runs
    Status,
    /// Say what is wrong, and how to mend it
    Doctor,
    /// Hand a renewed certificate to everybody who uses it
    Renew(renew::Args),
    /// Go back to a former generation
    Rollback(rollback::Args),
    /// List the generations that can be gone back to
    History,
    /// Take everything back that was put, and only that
    Uninstall(uninstall::Args),
    /// Look after certificates
    #[command(subcommand)]
    Certificates(certificates::Verb),
    /// Make keystores for Java
    #[command(subcommand)]
    Keystore(keystore::Verb),
    /// Make and examine meeting tokens
    #[command(subcommand)]
    Token(token::Verb),
    /// Packages from upstream's releases
    #[command(subcommand)]
    Package(package::Verb),
    /// Try a whole site in a throw-away folder
    Try(trial::Args),
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
        Verb::Init(args) => init::run(&global, &args, report),
        Verb::Check => check::run(&global, report),
        Verb::Plan(args) => plan::run(&global, &args, report),
        Verb::Apply(args) => apply::run(&global, &args, report),
        Verb::Status => status::run(&global, report),
        Verb::Doctor => doctor::run(&global, report),
        Verb::Renew(args) => renew::run(&global, &args, report),
        Verb::Rollback(args) => rollback::run(&global, &args, report),
        Verb::History => history::run(&global, report),
        Verb::Uninstall(args) => uninstall::run(&global, &args, report),
        Verb::Certificates(verb) => certificates::run(&global, &verb, report),
        Verb::Keystore(verb) => keystore::run(&global, &verb, report),
        Verb::Token(verb) => token::run(&global, &verb, report),
        Verb::Package(verb) => package::run(&global, &verb, report),
        Verb::Try(args) => trial::run(&global, &args, report),
        Verb::Completions(args) => Ok(manual::completions(&args, &mut Cli::command(), report)),
        Verb::Man(args) => manual::man(&args, Cli::command(), report),
    }
}
