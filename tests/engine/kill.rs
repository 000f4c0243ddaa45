//! A real process, killed with SIGKILL at random times, two hundred times: the tree is then either
//! as before or, after the next run, as wanted; and no edit of the administrator is ever lost.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::stage::Stage;

const KILLS: usize = 200;

pub fn command(stage: &Stage, verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jitsi-install"));
    command
        .args(verb.split(' '))
        .args(["--yes", "--quiet", "--family", "debian", "--root"])
        .arg(stage.path(""))
        .arg("--site")
        .arg(stage.path("site.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn two_hundred_kills_lose_nothing() {
    let stage = Stage::quick();
    let sites = [
        "[web]\nserver = \"caddy\"\n",
        "[jicofo]\nmemory = 2048\n[prosody]\nlog_level = \"debug\"\n",
    ];
    let write_site = |turn: usize| {
        let text = format!(
            "schema = 1\ndomain = \"meet.example.org\"\n{}",
            sites[turn % 2]
        );
        std::fs::write(stage.path("site.toml"), text).unwrap();
    };
    let mut usual = Duration::ZERO;
    for turn in [1, 0] {
        write_site(turn);
        let begun = Instant::now();
        assert!(command(&stage, "apply").status().unwrap().success());
        usual = begun.elapsed();
    }

    let conf = stage.path("etc/jitsi/jicofo/jicofo.conf");
    let (mut killed, mut seed) = (0, 0x2545_f491_4f6c_dd1d_u64);
    for turn in 1..=KILLS {
        write_site(turn);
        let edit = format!("# edit {turn}\n");
        if turn % 5 == 0 {
            std::fs::write(&conf, &edit).unwrap();
        }
        // xorshift: the same times in every run, up to a little more than an apply takes.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let wait = Duration::from_micros(seed % u64::try_from(usual.as_micros() * 5 / 4).unwrap());
        let verb = if turn % 7 == 0 { "rollback" } else { "apply" };
        let mut child = command(&stage, verb).spawn().unwrap();
        std::thread::sleep(wait);
        killed += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        let _ = child.wait();
        if turn % 5 == 0 {
            assert!(
                is_somewhere(&stage, &edit),
                "the edit of turn {turn} is lost"
            );
        }
        if turn % 10 == 0 {
            let output = command(&stage, "apply")
                .stderr(Stdio::piped())
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "turn {turn}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            let clean = command(&stage, "plan --exit-code");
            assert_eq!(plan_code(clean), Some(0), "turn {turn}");
            if turn % 5 == 0 {
                assert!(
                    is_somewhere(&stage, &edit),
                    "the edit of turn {turn} is lost by the next run"
                );
            }
        }
    }
    assert!(
        killed > KILLS / 4,
        "{killed} of {KILLS} were killed in time"
    );
    let leftover = Command::new("find")
        .arg(stage.path("etc"))
        .args(["-name", ".*.new"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&leftover.stdout),
        "",
        "temporary files are left"
    );
}

/// Is strace here? It stops a process at a system call.
fn strace() -> bool {
    let is_here = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let strict = std::env::var_os("CHECK_STRICT").is_some_and(|value| value == "1");
    assert!(is_here || !strict, "strace is not here");
    if !is_here {
        eprintln!("SKIPPED: strace is not here");
    }
    is_here
}

/// Runs a verb until it enters its `at`th sync, where it is stopped, or killed.
fn cut(stage: &Stage, verb: &str, signal: &str, at: usize) -> Command {
    let inner = command(stage, verb);
    let mut command = Command::new("strace");
    command
        .args(["-qq", "-o", "/dev/null", "--trace=fsync"])
        .arg(format!("--inject=fsync:signal={signal}:when={at}"))
        .arg(inner.get_program())
        .args(inner.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

pub fn write_site(stage: &Stage, more: &str) {
    let text = format!("schema = 1\ndomain = \"meet.example.org\"\n{more}");
    std::fs::write(stage.path("site.toml"), text).unwrap();
}

/// Runs it and gives what it says.
pub fn said(stage: &Stage, verb: &str) -> (Option<i32>, String) {
    let mut command = command(stage, verb);
    let mut args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    args.retain(|arg| arg != "--quiet");
    command = Command::new(command.get_program());
    let output = command.args(args).stdin(Stdio::null()).output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// The tree with two generations.
fn two_generations() -> Stage {
    let stage = Stage::quick();
    for more in ["", "[web]\nserver = \"caddy\"\n"] {
        write_site(&stage, more);
        assert!(command(&stage, "apply").status().unwrap().success());
    }
    stage
}

#[test]
fn an_apply_is_refused_while_a_rollback_runs() {
    if !strace() {
        return;
    }
    let stage = two_generations();
    let before = stage.picture();
    let mut rollback = cut(&stage, "rollback", "STOP", 12).spawn().unwrap();
    let lock = stage.path("var/lib/jitsi-install/lock");
    let until = Instant::now() + Duration::from_secs(20);
    let (holder, half) = loop {
        let text = std::fs::read_to_string(&lock).unwrap_or_default();
        let half = stage.picture();
        std::thread::sleep(Duration::from_millis(300));
        // It has begun, and stands still.
        if text.trim().ends_with("rollback") && half != before && stage.picture() == half {
            break (text.trim().to_owned(), half);
        }
        assert!(Instant::now() < until, "the rollback does not begin");
    };
    for verb in ["apply", "rollback", "uninstall"] {
        let (code, err) = said(&stage, verb);
        assert_eq!(code, Some(1), "{err}");
        assert!(
            err.contains(&format!("another jitsi-install is at work ({holder})")),
            "{verb}: {err}"
        );
    }
    assert_eq!(stage.picture(), half, "and nothing is changed by them");

    // Killed half-way, it is in nobody's way: the next apply takes back what it did.
    let pid = holder.trim_start_matches("process ");
    let pid = pid.split(',').next().unwrap().parse().unwrap();
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    rollback.wait().unwrap();
    let (code, err) = said(&stage, "apply");
    assert_eq!(code, Some(0), "{err}");
    let words = [
        "generation 3 was never finished: taking it back",
        "everything is in order",
    ];
    assert!(words.iter().all(|word| err.contains(word)), "{err}");
    assert_eq!(stage.picture(), before);
}

#[test]
fn a_rollback_killed_at_every_sync_is_recovered_by_the_next_apply() {
    if !strace() {
        return;
    }
    let stage = two_generations();
    let before = stage.picture();
    let mut at = 0;
    loop {
        at += 1;
        if cut(&stage, "rollback", "KILL", at)
            .status()
            .unwrap()
            .success()
        {
            break;
        }
        let (code, err) = said(&stage, "apply");
        assert_eq!(code, Some(0), "killed at sync {at}: {err}");
        assert_eq!(stage.picture(), before, "killed at sync {at}");
    }
    assert!(at > 40, "{at} syncs only");
    eprintln!("a rollback was killed at {} syncs", at - 1);
    assert_ne!(stage.picture(), before, "the last one came to its end");
}

/// `plan` has no `--yes`.
fn plan_code(command: Command) -> Option<i32> {
    let args: Vec<_> = command
        .get_args()
        .filter(|arg| *arg != "--yes")
        .map(ToOwned::to_owned)
        .collect();
    Command::new(command.get_program())
        .args(args)
        .stdout(Stdio::null())
        .status()
        .unwrap()
        .code()
}

/// In its place, in a copy of a generation, or in a numbered backup.
pub fn is_somewhere(stage: &Stage, text: &str) -> bool {
    ["etc/jitsi/jicofo", "var/lib/jitsi-install"]
        .iter()
        .any(|folder| {
            let found = Command::new("grep")
                .args(["-rqxF", text.trim_end()])
                .arg(stage.path(folder))
                .status();
            found.is_ok_and(|status| status.success())
        })
}
