//! SIGKILL at every single step of an apply, and again at every step of the recovery: afterwards
//! all is as before (files, people, services and what they have read), or as wanted; and no
//! edit of the administrator is lost.

use std::collections::BTreeMap;

use super::cases::{Cases, say};
use super::machine::{Machine, Said};
use super::small;
use super::tree::{self, Tree};

/// System calls of the journal and of files. A process is killed on entering one, so each is the
/// death before it, and the death after the one before.
pub(crate) const SYNCING: &[&str] = &["fsync"];

/// Those that change something, or start a program that does: `useradd`, an rc script.
pub(crate) const CHANGING: &[&str] = &[
    "mkdirat",
    "renameat",
    "symlinkat",
    "chmod",
    "unlinkat",
    "clone3",
];

const PROGRAM: &str = "/usr/local/bin/small-site";

/// What is beside the site's own things.
const ASIDE: &[&str] = &[
    "/var/lib/jitsi-install",
    "/var/log",
    "/etc/passwd-",
    "/etc/group-",
    "/etc/shadow-",
    "/etc/.pwd.lock",
    "/etc/subuid",
    "/etc/subgid",
    "/etc/subuid-",
    "/etc/subgid-",
    "/var/lib/nginx",
    "/root",
];

/// What the administrator wrote where an apply writes too.
const EDIT: &str = "ham, as the administrator wants it";

struct Site {
    machine: Machine,
}

/// How all stands.
#[derive(PartialEq)]
struct Picture {
    tree: Tree,
    /// Services that run, and what they have read.
    running: BTreeMap<String, String>,
}

impl Site {
    fn start() -> Self {
        let machine = Machine::start();
        let program = std::env::current_exe().expect("this program");
        std::fs::copy(program, machine.path(PROGRAM)).expect("a copy of it");
        machine.program("/etc/rc.d/rc.local", super::journey::OWN);
        // Somebody else's, and in the way.
        machine.write("/etc/eggs.conf", "others' eggs\n");
        let nginx = "/var/cache/jitsi-install/packages/nginx-1.0-noarch-1_SBo.txz";
        let said = machine.sh(&format!("installpkg {nginx}"));
        assert_eq!(said.code, 0, "{}", said.whole());
        Self { machine }
    }

    fn run(&self, verb: &str, kill: Option<(&str, usize)>) -> Said {
        let verb = format!("{}={verb}", small::VERB);
        let mut command = vec!["env".to_owned(), verb];
        if let Some((call, at)) = kill {
            let words = ["strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null"];
            command.extend(words.map(str::to_owned));
            command.push(format!("--trace={call}"));
            command.push(format!("--inject={call}:signal=KILL:when={at}"));
        }
        // In its main thread: children and threads are not followed.
        let words = [
            PROGRAM,
            "--exact",
            "small_site",
            "--test-threads=1",
            "--quiet",
        ];
        command.extend(words.map(str::to_owned));
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        self.machine.run(&command)
    }

    /// Without a kill it must succeed.
    fn must(&self, verb: &str) {
        let said = self.run(verb, None);
        assert_eq!(said.code, 0, "{verb}: {}", said.whole());
    }

    /// Was it killed? If not, it must have succeeded.
    fn is_killed(&self, verb: &str, call: &str, at: usize) -> bool {
        let said = self.run(verb, Some((call, at)));
        let is_killed = said.code == 137 || said.code == -1;
        assert!(
            is_killed || said.code == 0,
            "{verb}, {call} {at}: {}",
            said.whole()
        );
        is_killed
    }

    fn picture(&self) -> Picture {
        let mut tree = tree::of(&self.machine.root());
        tree.retain(|path, _| !ASIDE.iter().any(|aside| path.starts_with(aside)));
        // Lines in any order, but the same people with the same numbers.
        for file in ["/etc/passwd", "/etc/group", "/etc/shadow"] {
            let text = self.machine.read(file);
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            tree.insert(file.to_owned(), lines.join("\n"));
        }
        let names = ["ham", "spam", "eggs"].map(|name| (name, format!("/run/{name}.pid")));
        let nginx = ("nginx", "/run/nginx.pid".to_owned());
        let running = names.into_iter().chain([nginx]);
        let running = running.filter_map(|(name, file)| {
            let pid = self.machine.read(&file).trim().to_owned();
            let line = std::fs::read(self.machine.path(&format!("/proc/{pid}/cmdline"))).ok()?;
            let seen = self.machine.read(&format!("/run/{name}.seen"));
            (!pid.is_empty() && !line.is_empty()).then(|| (name.to_owned(), seen))
        });
        Picture {
            running: running.collect(),
            tree,
        }
    }

    fn is_edit_somewhere(&self) -> bool {
        let grep = format!("grep -rqxF '{EDIT}' /etc/ham.conf /var/lib/jitsi-install");
        self.machine.sh(&grep).code == 0
    }

    /// From wherever it is to the old site with an edit in it that its service has read.
    fn to_old(&self) -> Picture {
        if self.picture().running.contains_key("eggs") {
            self.must("rollback");
        } else {
            self.must("old");
        }
        self.machine.write("/etc/ham.conf", &format!("{EDIT}\n"));
        self.machine
            .sh("/etc/rc.d/rc.ham stop; /etc/rc.d/rc.ham start");
        self.picture()
    }
}

fn differences(before: &Picture, after: &Picture) -> Vec<String> {
    let mut found = tree::differences(&before.tree, &after.tree, &[]);
    if before.running != after.running {
        found.push(format!(
            "running: {:?} -> {:?}",
            before.running, after.running
        ));
    }
    found
}

pub(crate) fn take(calls: &[&str]) {
    let mut cases = Cases::new(&format!("Slackware, killed at each {}", calls.join(", ")));
    let site = Site::start();
    let old = site.to_old();
    cases.same("three services run", old.running.len(), 3);
    site.must("new");
    let new = site.picture();
    let names: Vec<&str> = new.running.keys().map(String::as_str).collect();
    cases.same("others run then", names, vec!["eggs", "ham"]);
    site.must("rollback");
    let back = differences(&old, &site.picture());
    cases.same("a rollback leads back", back, Vec::new());

    let (mut points, mut again) = (0, 0);
    for call in calls {
        let mut at = 1;
        while site.is_killed("new", call, at) {
            points += 1;
            // The recovery dies as well, at every step of its own in turn.
            let mut death = 1;
            while site.is_killed("recover", call, death) {
                again += 1;
                death += 1;
            }
            let now = site.picture();
            let name = format!("killed at {call} {at}");
            if differences(&new, &now).is_empty() {
                site.to_old();
            } else {
                let found = differences(&old, &now);
                let is_old = found.is_empty();
                cases.same(&name, found, Vec::new());
                if !is_old {
                    break;
                }
            }
            cases.holds(&name, site.is_edit_somewhere(), || {
                "the edit is lost".into()
            });
            at += 1;
        }
        // This one came to its end.
        cases.holds(&format!("{call} was met"), at > 1, String::new);
        let found = differences(&new, &site.picture());
        cases.same("and then the new state", found, Vec::new());
        cases.holds("its backup", site.is_edit_somewhere(), String::new);
        site.to_old();
    }
    say(&format!(
        "killed at {points} points of an apply and {again} of its recovery"
    ));
    let left = site.machine.end();
    cases.same("nothing is left of the root", left, Vec::new());
    cases.finish();
}
