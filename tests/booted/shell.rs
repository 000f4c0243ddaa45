//! Programs that are run to their end.

use std::process::{Command, Output, Stdio};

/// Runs it; where it fails, what it said last.
pub(crate) fn done(command: &mut Command) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(15)..].join("\n");
    Err(format!("{name} ended with {}:\n{last}", output.status))
}

/// What it said on stdout.
pub(crate) fn told(command: &mut Command) -> Result<String, String> {
    let output = done(command)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
