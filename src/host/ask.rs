//! Programs that the doctor asks: they only tell something, and end by themselves or are ended.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::line::PATIENCE;

/// Bytes of a program's words.
const MOST: u64 = 1 << 20;

/// What a program said.
pub(super) struct Said {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) is_success: bool,
}

/// Runs a program that only tells something, with an environment of ours, and ends it when it
/// does not end by itself.
pub(super) fn ask(program: &Path, args: &[&str]) -> Result<Said, String> {
    ask_with(program, args, None)
}

/// The same, with a variable that nobody else sees.
pub(super) fn ask_with(
    program: &Path,
    args: &[&str],
    variable: Option<(&str, &str)>,
) -> Result<Said, String> {
    let name = program.display().to_string();
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LC_ALL", "C.UTF-8")
        .envs(variable)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("`{name}` could not be run: {error}"))?;
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let (out, err) = (listen(child.stdout.take()), listen(child.stderr.take()));
    let until = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) | Err(_) => {
                // The group was made for this program, and nobody else is in it.
                let _ = killpg(group, Signal::SIGKILL);
                let _ = child.wait();
                return Err(format!("`{name}` did not end in {} s", PATIENCE.as_secs()));
            }
        }
    };
    let words = |heard: mpsc::Receiver<Vec<u8>>| {
        let bytes = heard
            .recv_timeout(Duration::from_secs(1))
            .unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Said {
        out: words(out),
        err: words(err),
        is_success: status.success(),
    })
}

/// Reads a program's words while it runs, up to a set number of bytes.
fn listen(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (tell, hear) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            let _ = pipe.take(MOST).read_to_end(&mut bytes);
        }
        let _ = tell.send(bytes);
    });
    hear
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let begun = Instant::now();
        let said = ask(Path::new("/bin/sleep"), &["60"]);
        assert!(said.is_err_and(|why| why.contains("did not end")));
        assert!(begun.elapsed() < PATIENCE * 3);
        let said = ask(Path::new("/bin/echo"), &["hello"]).expect("echo");
        assert_eq!((said.out.as_str(), said.is_success), ("hello\n", true));
    }
}
