//! Completions and man pages, from the same definitions as the command line itself.

use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;

use super::Failure;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// For which shell
    shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The folder, as in /usr/share/man/man8
    pub dir: PathBuf,
}

/// What the shell reads.
#[must_use]
pub fn completions(args: &CompletionsArgs, command: &mut Command) -> String {
    let mut text = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, command, name, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Hands every man page to `put`, and says where each went.
///
/// # Errors
/// When a page cannot be put together, or not be put.
pub fn pages(
    args: &ManArgs,
    command: Command,
    put: impl Fn(&Path, &[u8]) -> std::io::Result<()>,
) -> Result<Vec<String>, Failure> {
    let mut command = command.disable_help_subcommand(true);
    // Building hands the global options and the version down to every verb.
    command.build();
    let mut pages = Vec::new();
    collect(&command, "", &mut pages);
    let source = format!("{} {}", command.get_name(), env!("CARGO_PKG_VERSION"));
    let mut written = Vec::new();
    for (name, page) in pages {
        let path = args.dir.join(format!("{name}.8"));
        let mut text = Vec::new();
        page.source(&source)
            .render(&mut text)
            .and_then(|()| put(&path, &text))
            .map_err(|error| Failure::io(&path, &error))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

/// A page for the program and one for each verb, as git does.
fn collect(command: &Command, above: &str, pages: &mut Vec<(String, Man)>) {
    let name = if above.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{above}-{}", command.get_name())
    };
    for verb in command.get_subcommands() {
        collect(verb, &name, pages);
    }
    let man = Man::new(command.clone().display_name(name.clone()))
        .title(name.to_uppercase())
        .section("8");
    pages.push((name, man));
}
