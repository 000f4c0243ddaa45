//! The books on disk: a folder per generation, below one state folder (0700).
//!
//! ```text
//! /var/lib/jitsi-install/
//!   lock                       held while something is changed; names its holder
//!   manifest                   mode, owner, kind and path of everything that is in place
//!   generations/0001/
//!     journal                  one JSON line per step, synced before the step is taken
//!     copy-N                   what stood there before step N
//!     applied.json             written last: the generation is finished
//!   backups/etc/x.~1~          what others had written at /etc/x, kept for good
//! ```

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::root::Root;
use crate::journal::{Entry, Generation, Ledger, LedgerError};
use crate::name::{AbsPath, Mode};
use crate::plan::{Applied, Found, State};

/// How long a lock that is held is waited for: one that is just ending gets the time to do so.
const HAND_OVER: Duration = Duration::from_millis(300);

/// How many generations can be gone back.
const KEPT: usize = 10;

/// The books of one tree.
pub struct Books<'r> {
    root: &'r Root,
    state: AbsPath,
    _lock: Option<std::fs::File>,
}

#[derive(Serialize, Deserialize)]
struct Finished {
    generation: Generation,
    applied: Applied,
}

impl<'r> Books<'r> {
    /// The books in the folder `state`, for reading.
    #[must_use]
    pub fn read_only(root: &'r Root, state: AbsPath) -> Self {
        Self {
            root,
            state,
            _lock: None,
        }
    }

    /// The books for writing: makes the folder; whoever is at work is not waited for.
    ///
    /// # Errors
    /// When somebody else holds them (the message says who), or the folder cannot be made.
    pub fn locked(root: &'r Root, state: AbsPath, command: &str) -> Result<Self, LedgerError> {
        Self::locked_within(root, state, command, HAND_OVER)
    }

    /// The same, but whoever is at work is waited for as long as `patience` says.
    ///
    /// # Errors
    /// When somebody else holds them (the message says who), or the folder cannot be made.
    pub fn locked_within(
        root: &'r Root,
        state: AbsPath,
        command: &str,
        patience: Duration,
    ) -> Result<Self, LedgerError> {
        let failed = |why: String| LedgerError {
            place: state.to_string(),
            why,
        };
        root.ensure_dir(&state, Mode(0o700))
            .map_err(|error| failed(error.to_string()))?;
        let path = state.join("lock");
        let mut file = root
            .open_lock(&path)
            .map_err(|error| failed(error.to_string()))?;
        let until = Instant::now() + patience;
        while let Err(error) = file.try_lock() {
            match error {
                std::fs::TryLockError::WouldBlock if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                std::fs::TryLockError::WouldBlock => {
                    let holder = root.read(&path).unwrap_or_default();
                    let holder = String::from_utf8_lossy(&holder).trim().to_owned();
                    return Err(failed(format!(
                        "another jitsi-install is at work ({holder})"
                    )));
                }
                std::fs::TryLockError::Error(error) => return Err(failed(error.to_string())),
            }
        }
        let _ = file.set_len(0);
        let _ = writeln!(file, "process {}, {command}", std::process::id());
        Ok(Self {
            root,
            state,
            _lock: Some(file),
        })
    }

    fn folder(&self, number: u32) -> AbsPath {
        self.state.join(&format!("generations/{number:04}"))
    }

    fn failed(&self, place: &AbsPath, why: impl ToString) -> LedgerError {
        LedgerError {
            place: place.to_string(),
            why: why.to_string(),
        }
    }

    fn numbers(&self) -> Result<Vec<u32>, LedgerError> {
        let folder = self.state.join("generations");
        let names = self.root.names(&folder);
        let mut numbers: Vec<u32> = names
            .map_err(|error| self.failed(&folder, error))?
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn finished(&self, number: u32) -> Result<Option<Finished>, LedgerError> {
        let path = self.folder(number).join("applied.json");
        match self.root.read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| self.failed(&path, error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(&path, error)),
        }
    }

    /// Whether the file that finishes a generation is there. What it says is not asked.
    fn is_finished(&self, number: u32) -> Result<bool, LedgerError> {
        let path = self.folder(number).join("applied.json");
        match self.root.look(&path) {
            Found::State(State::Absent) => Ok(false),
            Found::State(State::File { .. }) => Ok(true),
            Found::State(_) => Err(self.failed(&path, "it is no file")),
            Found::Unknown(why) => Err(self.failed(&path, why)),
        }
    }

    fn put_finished(&self, number: u32, finished: &Finished) -> Result<(), LedgerError> {
        let path = self.folder(number).join("applied.json");
        let bytes =
            serde_json::to_vec_pretty(finished).map_err(|error| self.failed(&path, error))?;
        self.put(&path, &bytes)
    }

    /// Drops generations. Each loses its number first, in one step: half a generation would look
    /// like an unfinished one, and taking that back would be wrong.
    fn forget(&self, numbers: &[u32]) -> Result<(), LedgerError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let generations = self.state.join("generations");
        let remove = |name: &str| {
            let folder = generations.join(name);
            let removed = self.root.remove_tree(&folder);
            removed.map_err(|error| self.failed(&folder, error))
        };
        // What a killed run left half removed stands in the way of the same number.
        for name in self
            .root
            .names(&generations)
            .map_err(|error| self.failed(&generations, error))?
        {
            if name.ends_with(".dropped") {
                remove(&name)?;
            }
        }
        for number in numbers {
            let folder = self.folder(*number);
            let name = format!("{number:04}.dropped");
            let renamed = self.root.rename(&folder, &name);
            renamed.map_err(|error| self.failed(&folder, error))?;
            remove(&name)?;
        }
        Ok(())
    }

    fn put(&self, path: &AbsPath, bytes: &[u8]) -> Result<(), LedgerError> {
        let state = State::File {
            bytes: bytes.to_vec(),
            mode: Mode(0o600),
            ids: None,
        };
        self.root
            .put(path, &state)
            .map_err(|error| self.failed(path, error))
    }

    fn write_manifest(&self, applied: &Applied) -> Result<(), LedgerError> {
        let mut text = String::from(
            "# mode owner kind path, of everything that jitsi-install has put in place\n",
        );
        for (id, mark) in applied {
            let Some((kind, path)) = id.split_once(' ') else {
                continue;
            };
            let or_dash = |text: &str| {
                if text.is_empty() {
                    "-".to_owned()
                } else {
                    text.to_owned()
                }
            };
            text.push_str(&format!(
                "{} {} {kind} {path}\n",
                or_dash(&mark.mode),
                or_dash(&mark.owner)
            ));
        }
        self.put(&self.state.join("manifest"), text.as_bytes())
    }
}

impl Ledger for Books<'_> {
    fn applied(&self) -> Result<Applied, LedgerError> {
        for number in self.numbers()?.into_iter().rev() {
            if let Some(finished) = self.finished(number)? {
                return Ok(finished.applied);
            }
        }
        Ok(Applied::new())
    }

    fn applied_at(&self, number: u32) -> Result<Applied, LedgerError> {
        Ok(self
            .finished(number)?
            .map(|finished| finished.applied)
            .unwrap_or_default())
    }

    fn generations(&self) -> Result<Vec<Generation>, LedgerError> {
        let mut generations = Vec::new();
        for number in self.numbers()? {
            generations.extend(self.finished(number)?.map(|finished| finished.generation));
        }
        Ok(generations)
    }

    fn entries(&self, number: u32) -> Result<Vec<Entry>, LedgerError> {
        let path = self.folder(number).join("journal");
        let bytes = match self.root.read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            found => found.map_err(|error| self.failed(&path, error))?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let mut entries = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            match serde_json::from_str(line) {
                Ok(entry) => entries.push(entry),
                // A last line cut by a power failure was never acted upon.
                Err(_) if place + 1 == lines.len() => {}
                Err(error) => return Err(self.failed(&path, error)),
            }
        }
        Ok(entries)
    }

    fn copy(&self, number: u32, step: usize) -> Result<Vec<u8>, LedgerError> {
        let path = self.folder(number).join(&format!("copy-{step}"));
        self.root
            .read(&path)
            .map_err(|error| self.failed(&path, error))
    }

    fn unfinished(&self) -> Result<Option<u32>, LedgerError> {
        // Only the newest can be: the others were finished before it was begun.
        match self.numbers()?.last() {
            Some(newest) if !self.is_finished(*newest)? => Ok(Some(*newest)),
            _ => Ok(None),
        }
    }

    fn begin(&mut self) -> Result<u32, LedgerError> {
        let number = self.numbers()?.last().map_or(1, |last| last + 1);
        let folder = self.folder(number);
        self.root
            .ensure_dir(&folder, Mode(0o700))
            .map_err(|error| self.failed(&folder, error))?;
        Ok(number)
    }

    fn note(&mut self, number: u32, entry: &Entry, copy: Option<&[u8]>) -> Result<(), LedgerError> {
        let folder = self.folder(number);
        if let Some(bytes) = copy {
            self.put(&folder.join(&format!("copy-{}", entry.step)), bytes)?;
        }
        let path = folder.join("journal");
        let mut line = serde_json::to_vec(entry).map_err(|error| self.failed(&path, error))?;
        line.push(b'\n');
        self.root
            .append(&path, &line)
            .map_err(|error| self.failed(&path, error))
    }

    fn back_up(&mut self, path: &AbsPath, bytes: &[u8]) -> Result<AbsPath, LedgerError> {
        let folder = self.state.join("backups");
        let stem = folder.join(path.relative());
        let parent = stem.parent().unwrap_or(folder);
        self.root
            .ensure_dir(&parent, Mode(0o700))
            .map_err(|error| self.failed(&parent, error))?;
        for number in 1..=u32::MAX {
            let place = AbsPath::parse(&format!("{stem}.~{number}~"))
                .map_err(|error| self.failed(&stem, error))?;
            match self.root.look(&place) {
                Found::State(State::Absent) => {
                    self.put(&place, bytes)?;
                    return Ok(place);
                }
                Found::State(State::File { bytes: old, .. }) if old == bytes => return Ok(place),
                Found::State(_) | Found::Unknown(_) => {}
            }
        }
        Err(self.failed(&stem, "no number is left for a backup"))
    }

    fn finish(
        &mut self,
        number: u32,
        title: &str,
        applied: &Applied,
    ) -> Result<Generation, LedgerError> {
        let generation = Generation {
            number,
            at: super::now(),
            title: title.to_owned(),
            steps: self.entries(number)?.len(),
        };
        self.write_manifest(applied)?;
        let finished = Finished {
            generation: generation.clone(),
            applied: applied.clone(),
        };
        self.put_finished(number, &finished)?;
        let numbers = self.numbers()?;
        // What cannot go now goes another time: the generation is finished.
        let _ = self.forget(&numbers[..numbers.len().saturating_sub(KEPT)]);
        Ok(generation)
    }

    fn fold(&mut self, number: u32) -> Result<(), LedgerError> {
        let before = self.numbers()?.into_iter().rfind(|other| *other < number);
        let (Some(before), Some(folded)) = (before, self.finished(number)?) else {
            return Ok(());
        };
        if let Some(finished) = self.finished(before)? {
            let applied = folded.applied;
            self.put_finished(
                before,
                &Finished {
                    applied,
                    ..finished
                },
            )?;
            self.forget(&[number])?;
        }
        Ok(())
    }

    fn strike(&mut self, number: u32) -> Result<(), LedgerError> {
        self.forget(&[number])?;
        // It is written before the generation is finished, so it may name what is gone again.
        match self.root.read(&self.state.join("manifest")) {
            Ok(_) => self.write_manifest(&self.applied()?),
            Err(_) => Ok(()),
        }
    }
}
