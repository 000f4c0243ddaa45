//! Where the site's secrets must not be seen: command lines, the journal, logs, what was printed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::container::Container;

/// The secrets in the machine's own file of them.
pub(crate) fn of(machine: &Container) -> Result<Vec<String>, String> {
    let text = machine.read("/etc/jitsi-install/secrets.toml")?;
    let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
    let mut secrets = Vec::new();
    for (name, value) in &table {
        match value {
            toml::Value::String(word) if name != "jvb_nickname" => secrets.push(word.clone()),
            toml::Value::Table(pair) => {
                // one line in the middle of a key is enough to know it by
                let key = pair.get("key").and_then(toml::Value::as_str);
                secrets.extend(key.and_then(|key| key.lines().nth(1)).map(str::to_owned));
            }
            _ => {}
        }
    }
    match secrets.len() {
        11 => Ok(secrets),
        count => Err(format!("{count} secrets instead of 11")),
    }
}

/// Places in which one of the secrets stands.
pub(crate) fn seen(secrets: &[String], machine: &Container, more: &[(&str, &str)]) -> Vec<String> {
    let holds = |text: &str| secrets.iter().any(|secret| text.contains(secret.as_str()));
    let mut found = Vec::new();
    for (place, text) in more {
        if holds(text) {
            found.push((*place).to_owned());
        }
    }
    // `-a`: lines that look binary are not passed over
    let journal = machine.run(&["journalctl", "--no-pager", "-a", "-o", "verbose"]);
    if journal.code != 0 || journal.out.is_empty() {
        found.push(format!("the journal cannot be read: {}", journal.whole()));
    }
    if holds(&journal.out) {
        found.push("the journal".to_owned());
    }
    let mut rest = vec![machine.root().join("var/log")];
    while let Some(folder) = rest.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                rest.push(path);
            } else if holds(&read(&path)) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Looks at every process of this machine, and so at those of its containers, until it is asked.
#[derive(Debug)]
pub(crate) struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<BTreeSet<String>>,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !told.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    // arguments only: an environment is nobody else's to read
                    let line = read(&entry.path().join("cmdline")).replace('\0', " ");
                    if !line.is_empty() {
                        seen.insert(line);
                    }
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        Self { over, thread }
    }

    /// All command lines that it saw.
    pub(crate) fn end(self) -> BTreeSet<String> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}
