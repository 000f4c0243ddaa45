//! A machine that fails, and a process that dies, at every single step: afterwards there is
//! either the old state, or after another run the new one, and never a mixture.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jitsi_install::apply::{Alter, AlterError, ApplyError, apply, take_back};
use jitsi_install::host::Machine;
use jitsi_install::journal::Ledger;
use jitsi_install::name::{AbsPath, Owner};
use jitsi_install::plan::{Found, Observe, State, plan};

use jitsi_install::platform::Release;
use jitsi_install::resource::Layout;

use super::stage::{Picture, Silent, Stage, without_shared};

const OLD: &str = "";
const NEW: &str =
    "[web]\nserver = \"caddy\"\n[prosody]\nlog_level = \"debug\"\n[jicofo]\nmemory = 4096\n";

/// Of the administrator: path, what he replaces, what he writes.
const EDITS: [(&str, &str, &str); 3] = [
    ("etc/jitsi/jicofo/config", "\n", "\n# mine\n"),
    ("etc/rc.d/rc.local", "# first", "# second"),
    (
        "etc/rc.d/rc.local",
        "rc.jicofo start",
        "rc.jicofo start --fast",
    ),
];

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// The change is refused and not made.
    Refuse,
    /// The process dies before the change.
    DieBefore,
    /// The process dies after the change.
    DieAfter,
}

/// Changes of the real machine, with a fault at one of them.
struct Faulty {
    inner: Machine,
    at: usize,
    count: usize,
    fault: Fault,
}

impl Observe for Faulty {
    fn look(&self, path: &AbsPath) -> Found {
        self.inner.look(path)
    }
    fn names(&self, path: &AbsPath) -> Vec<String> {
        self.inner.names(path)
    }
    fn is_dir(&self, path: &AbsPath) -> bool {
        self.inner.is_dir(path)
    }
    fn ids(&self, owner: &Owner) -> Option<(u32, u32)> {
        self.inner.ids(owner)
    }
}

impl Alter for Faulty {
    fn put(&mut self, path: &AbsPath, state: &State) -> Result<(), AlterError> {
        self.count += 1;
        if self.count != self.at {
            return self.inner.put(path, state);
        }
        match self.fault {
            Fault::Refuse => Err(AlterError {
                path: path.to_string(),
                why: "EIO: made up by the test".to_owned(),
            }),
            Fault::DieBefore => panic!("killed"),
            Fault::DieAfter => {
                self.inner.put(path, state)?;
                panic!("killed")
            }
        }
    }
    fn sweep(&mut self, path: &AbsPath) {
        self.inner.sweep(path);
    }
    fn random(&mut self, buffer: &mut [u8]) {
        self.inner.random(buffer);
    }
}

/// From what to what.
#[derive(Clone, Copy)]
enum Way {
    /// Other wishes on Debian.
    Debian,
    /// The same on Slackware, where blocks of ours stand in files of others.
    Slackware,
    /// All goes: files, folders, links and blocks.
    Away,
}

const WAYS: [Way; 3] = [Way::Debian, Way::Slackware, Way::Away];

impl Way {
    fn before(self, stage: &Stage) -> Layout {
        match self {
            Self::Debian => stage.layout(OLD),
            Self::Slackware | Self::Away => stage.layout_for(Release::Slackware15, OLD),
        }
    }

    fn after(self, stage: &Stage) -> Layout {
        match self {
            Self::Debian => stage.layout(NEW),
            Self::Slackware => stage.layout_for(Release::Slackware15, NEW),
            Self::Away => Layout::default(),
        }
    }
}

/// Applies the new over the old with a fault; says whether the process "died" and how many changes
/// there were.
fn faulty_apply(
    stage: &Stage,
    new: &Layout,
    at: usize,
    fault: Fault,
) -> (Option<Result<(), ApplyError>>, usize) {
    let reader = stage.machine();
    let mut books = stage.books(&reader);
    let mut machine = Faulty {
        inner: stage.machine(),
        at,
        count: 0,
        fault,
    };
    let plan = plan(new, &machine, &books.applied().unwrap());
    let run = AssertUnwindSafe(|| {
        apply(&plan, "apply", &mut machine, &mut books, &mut Silent).map(|_| ())
    });
    let outcome = catch_unwind(run).ok();
    (outcome, machine.count)
}

/// As the next start does.
fn recover(stage: &Stage, fault: Option<(usize, Fault)>) -> Option<()> {
    let reader = stage.machine();
    let mut books = stage.books(&reader);
    let (at, fault) = fault.unwrap_or((0, Fault::Refuse));
    let mut machine = Faulty {
        inner: stage.machine(),
        at,
        count: 0,
        fault,
    };
    let run = AssertUnwindSafe(|| {
        while let Some(number) = books.unfinished().unwrap() {
            take_back(number, &mut machine, &mut books, &mut Silent).ok()?;
        }
        Some(())
    });
    catch_unwind(run).ok().flatten()
}

fn old_stage(way: Way) -> (Stage, Picture) {
    let stage = Stage::quick();
    std::fs::create_dir_all(stage.path("etc/rc.d")).unwrap();
    std::fs::write(
        stage.path("etc/rc.d/rc.local"),
        "#!/bin/sh\n# first\nexit 0\n",
    )
    .unwrap();
    stage.carry_out(&way.before(&stage)).unwrap();
    // Edits of the administrator, which must never be lost; one of them in a block.
    for (path, from, to) in EDITS {
        let path = stage.path(path);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
    let picture = without_shared(stage.picture());
    (stage, picture)
}

/// The edits are in their places, or in backups.
fn assert_edits(stage: &Stage, way: Way) {
    for (path, _, edit) in EDITS {
        let is_block = path.ends_with("rc.local");
        if is_block && matches!(way, Way::Debian) {
            continue;
        }
        let name = path.rsplit('/').next().unwrap();
        let folder = std::path::Path::new(path).parent().unwrap();
        let backups = stage.path("var/lib/jitsi-install/backups").join(folder);
        let backups = std::fs::read_dir(backups).into_iter().flatten().flatten();
        let mut places = backups
            .map(|entry| entry.path())
            .filter(|place| {
                place
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with(name)
            })
            .chain([stage.path(path)]);
        let holds = places
            .any(|place| std::fs::read_to_string(place).is_ok_and(|text| text.contains(edit)));
        assert!(holds, "the edit of {path} is lost");
    }
}

#[test]
fn a_failure_at_every_step_is_taken_back() {
    for way in WAYS {
        failures(way);
    }
}

fn failures(way: Way) {
    let (stage, old) = old_stage(way);
    let new = way.after(&stage);
    let mut at = 1;
    loop {
        let (outcome, count) = faulty_apply(&stage, &new, at, Fault::Refuse);
        match outcome.expect("no panic") {
            Ok(()) => break,
            Err(error) => assert!(matches!(error, ApplyError::Alter(_)), "{error}"),
        }
        assert!(count >= at);
        assert_eq!(
            without_shared(stage.picture()),
            old,
            "after a failure at change {at}"
        );
        assert_edits(&stage, way);
        at += 1;
    }
    assert!(at > 10, "the loop met {at} steps only");
    assert_edits(&stage, way);
    let machine = stage.machine();
    let applied = stage.books(&machine).applied().unwrap();
    assert!(!plan(&new, &machine, &applied).changes());
}

#[test]
fn death_at_every_step_and_again_in_the_recovery_is_recovered() {
    for way in WAYS {
        deaths(way);
    }
}

fn deaths(way: Way) {
    let (stage, old) = old_stage(way);
    let new = way.after(&stage);
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        let mut at = 1;
        loop {
            let (outcome, _) = faulty_apply(&stage, &new, at, fault);
            if outcome.is_some() {
                break;
            }
            // The recovery dies too, once at each of its own steps; then one run ends it.
            let mut again = 1;
            while recover(&stage, Some((again, fault))).is_none() {
                again += 1;
                assert!(again < 500);
            }
            recover(&stage, None).unwrap();
            assert_eq!(
                without_shared(stage.picture()),
                old,
                "after death at change {at}"
            );
            assert_edits(&stage, way);
            at += 1;
        }
        assert!(at > 10, "the loop met {at} steps only");
        // The last round went through: lead it back for the other fault.
        let (mut machine, reader) = (stage.machine(), stage.machine());
        let mut books = stage.books(&reader);
        let target = books.generations().unwrap().last().unwrap().number - 1;
        let back = jitsi_install::apply::plan_back(target, &machine, &books).unwrap();
        jitsi_install::apply::rollback(&back, target, &mut machine, &mut books, &mut Silent)
            .unwrap();
        drop(books);
        assert_eq!(without_shared(stage.picture()), old);
    }
}

#[test]
fn a_journal_cut_in_its_last_line_is_read() {
    let way = Way::Debian;
    let (stage, old) = old_stage(way);
    let (outcome, _) = faulty_apply(&stage, &way.after(&stage), 5, Fault::DieBefore);
    assert!(outcome.is_none());
    let folder = std::fs::read_dir(stage.path("var/lib/jitsi-install/generations")).unwrap();
    let newest = folder.map(|entry| entry.unwrap().path()).max().unwrap();
    let journal = newest.join("journal");
    let text = std::fs::read_to_string(&journal).unwrap();
    // The fifth line was being written, and its change never made.
    std::fs::write(&journal, &text[..text.trim_end().len() - 7]).unwrap();
    recover(&stage, None).unwrap();
    assert_eq!(without_shared(stage.picture()), old);
}

#[test]
fn a_full_disk_is_taken_back() {
    let done = std::process::Command::new("unshare")
        .args([
            "-m",
            "sh",
            "-c",
            "mount -t tmpfs -o size=64k none /mnt && df /mnt >/dev/null",
        ])
        .status();
    if !done.is_ok_and(|status| status.success()) {
        let strict = std::env::var_os("CHECK_STRICT").is_some_and(|value| value == "1");
        assert!(!strict, "no tmpfs can be mounted here");
        eprintln!("SKIPPED: no tmpfs can be mounted here (root and `unshare` are needed)");
        return;
    }
    let stage = Stage::new();
    std::fs::write(
        stage.path("site.toml"),
        "schema = 1\ndomain = \"meet.example.org\"\n",
    )
    .unwrap();
    let script = format!(
        "set -e; mkdir -p {root}/full; mount -t tmpfs -o size=96k none {root}/full; \
         {bin} apply --yes -q --family debian --root {root}/full --site {root}/site.toml && exit 3; \
         find {root}/full -type f -not -path '*/var/lib/jitsi-install/*' -not -name secrets.toml | sed 's/^/left: /'; \
         find {root}/full -name '*.new' | sed 's/^/temp: /'",
        root = stage.path("").display(),
        bin = env!("CARGO_BIN_EXE_jitsi-install"),
    );
    let output = std::process::Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        err.contains("No space left on device") || err.contains("ENOSPC"),
        "{out}{err}"
    );
    assert!(
        !out.contains("left:") && !out.contains("temp:"),
        "{out}{err}"
    );
}
