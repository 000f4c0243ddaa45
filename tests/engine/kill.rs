//! A real process, killed with SIGKILL at random times, two hundred times: the tree is then either
//! as before or, after the next run, as wanted; and no edit of the administrator is ever lost.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::stage::Stage;

const KILLS: usize = 200;

fn command(stage: &Stage, verb: &str) -> Command {
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
fn is_somewhere(stage: &Stage, text: &str) -> bool {
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
