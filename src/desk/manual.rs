//! `completions` and `man`, from the same definitions as the command line itself.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Command;

use super::report::{Failure, Report};

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// For which shell
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The folder, as in /usr/share/man/man8
    dir: PathBuf,
}

pub(super) fn completions(
    args: &CompletionsArgs,
    command: &mut Command,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, command, "jitsi-accounts", &mut text);
    report.data(&String::from_utf8_lossy(&text));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(
    args: &ManArgs,
    command: Command,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(&args.dir).map_err(|error| Failure::io(&args.dir, &error))?;
    let mut pages = Vec::new();
    let mut command = command.disable_help_subcommand(true);
    // Building hands the global options and the version down to every verb.
    command.build();
    collect(&command, "", &mut pages);
    let mut names = Vec::new();
    for (name, page) in pages {
        let path = args.dir.join(format!("{name}.8"));
        let mut text = Vec::new();
        let written = page
            .render(&mut text)
            .and_then(|()| std::fs::write(&path, &text));
        written.map_err(|error| Failure::io(&path, &error))?;
        names.push(path.display().to_string());
    }
    if report.is_json() {
        report.json(&names);
    } else {
        report.note(&format!(
            "wrote {} man pages into `{}`",
            names.len(),
            args.dir.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// A page for the program and one for each verb, as git does.
fn collect(command: &Command, above: &str, pages: &mut Vec<(String, clap_mangen::Man)>) {
    let name = if above.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{above}-{}", command.get_name())
    };
    for verb in command.get_subcommands() {
        collect(verb, &name, pages);
    }
    let man = clap_mangen::Man::new(command.clone().display_name(name.clone()))
        .title(name.to_uppercase())
        .section("8")
        .source(concat!("jitsi-accounts ", env!("CARGO_PKG_VERSION")));
    pages.push((name, man));
}
