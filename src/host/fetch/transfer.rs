//! One file, from where it lies into the cache.

use std::io;
use std::time::Duration;

use super::pour::{Pouring, Spill};
use super::{Came, FetchError, Watch};
use crate::host::cache::{Cache, CacheError, Part};
use crate::host::net::{Answer, Net, NetError, Wish};
use crate::package::Source;

/// Bytes that a file may have of which the catalogue does not say how large it is.
const LARGEST: u64 = 1 << 30;

/// How often it is tried again without getting on.
const TRIES: u32 = 4;

/// What a try has to bring so that it does not count.
const GETS_ON: u64 = 1 << 20;

/// How long is waited before the second try; then twice as long each time.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest wait that a server may ask for.
const LONGEST_PAUSE: u64 = 30;

/// One file on its way.
pub(super) struct Transfer<'a> {
    pub(super) cache: &'a Cache,
    pub(super) net: &'a Net,
    pub(super) source: &'a Source,
    pub(super) name: &'a str,
    pub(super) url: &'a str,
    pub(super) watch: &'a dyn Watch,
}

/// How a try ended that did not end it all.
enum Ended {
    /// Everything is there; its hash.
    Whole(String),
    /// It broke off.
    Broken(NetError),
    /// What was there is of no use; begun anew without waiting.
    Anew,
}

impl Transfer<'_> {
    /// Takes it from the cache if it is there, and else from where it lies.
    pub(super) fn begin(&self) -> Result<Came, FetchError> {
        loop {
            match self.cache.open_verified(self.source) {
                Ok(_) => return Ok(Came::WasThere),
                Err(CacheError::Missing(_)) => {}
                Err(wrong @ CacheError::Wrong { .. }) => self.watch.set_aside(&wrong),
                Err(error) => return Err(error.into()),
            }
            // Nobody had it a moment ago; whoever was receiving it may have it now.
            if let Some(part) = self.cache.part(self.name)? {
                return self.run(part);
            }
        }
    }

    fn run(&self, part: Part<'_>) -> Result<Came, FetchError> {
        let result = self.receive(&part);
        match &result {
            Ok(_) => part
                .finish()
                .map_err(|error| self.cache.failed(self.name, error))?,
            // A server without room has services that need it more; an empty part is of no use.
            Err(FetchError::Full { .. } | FetchError::Wrong { .. } | FetchError::Length { .. }) => {
                part.drop_it();
            }
            Err(_) if part.len().is_ok_and(|len| len == 0) => part.drop_it(),
            Err(_) => {}
        }
        if result.is_ok() {
            self.watch.done(self.name);
        }
        result
    }

    fn receive(&self, part: &Part<'_>) -> Result<Came, FetchError> {
        let failed = |error| FetchError::from(self.cache.failed(self.name, error));
        let largest = self.source.size.unwrap_or(LARGEST);
        let mut pouring = Pouring::new();
        // What an earlier run left is hashed first; it may be anything.
        if part.len().map_err(failed)? > largest {
            part.clear().map_err(failed)?;
        }
        pouring.read_back(&part.file).map_err(failed)?;
        let (mut failures, mut anews) = (0, 0);
        loop {
            let before = pouring.count();
            let is_whole = Some(before) == self.source.size || pouring.hash() == self.source.sha256;
            let ended = if before > 0 && is_whole {
                Ended::Whole(pouring.hash())
            } else {
                self.attempt(part, &mut pouring)?
            };
            match ended {
                Ended::Whole(hash) if hash == self.source.sha256 => {
                    return Ok(Came::Received(pouring.count()));
                }
                // Perhaps its pieces are not of the same file.
                Ended::Whole(_) if pouring.is_pieced() && anews < TRIES => {}
                Ended::Whole(found) => {
                    return Err(FetchError::Wrong {
                        url: self.url.to_owned(),
                        found,
                        wanted: self.source.sha256.clone(),
                    });
                }
                Ended::Anew if anews < TRIES => {}
                Ended::Anew => {
                    return Err(NetError::Broken {
                        url: self.url.to_owned(),
                        why: "the server sends other parts than it is asked for".to_owned(),
                        is_passing: false,
                    }
                    .into());
                }
                Ended::Broken(error) => {
                    let gets_on = pouring.count().saturating_sub(before) >= GETS_ON;
                    failures = if gets_on { 1 } else { failures + 1 };
                    if !error.is_passing() || failures > TRIES {
                        return Err(error.into());
                    }
                    self.watch.again(self.name, &error.to_string());
                    std::thread::sleep(pause(failures, &error));
                    continue;
                }
            }
            anews += 1;
            part.clear().map_err(failed)?;
            pouring = Pouring::new();
        }
    }

    /// Asks once, and takes what comes.
    fn attempt(&self, part: &Part<'_>, pouring: &mut Pouring) -> Result<Ended, FetchError> {
        let have = pouring.count();
        let noted = part.noted();
        let (known_url, same) = noted
            .as_deref()
            .and_then(|text| text.split_once('\n'))
            .unwrap_or_default();
        let wish = Wish {
            from: have,
            same: (known_url == self.url && !same.is_empty()).then_some(same),
        };
        let answer = match self.net.open(self.url, &wish) {
            Err(NetError::Refused { status: 416, .. }) if have > 0 => return Ok(Ended::Anew),
            Err(error) => return Ok(Ended::Broken(error)),
            Ok(answer) => answer,
        };
        if answer.from != have {
            if answer.from != 0 {
                return Ok(Ended::Anew);
            }
            // All of it comes: the file has changed, or the server knows no parts.
            part.clear()
                .map_err(|error| self.cache.failed(self.name, error))?;
            *pouring = Pouring::new();
        }
        self.measure(pouring.count(), answer.total)?;
        self.pour(part, pouring, answer)
    }

    /// Is it as long as it should be, and is there room?
    fn measure(&self, have: u64, total: Option<u64>) -> Result<(), FetchError> {
        if let (Some(wanted), Some(found)) = (self.source.size, total)
            && wanted != found
        {
            return Err(FetchError::Length {
                url: self.url.to_owned(),
                found,
                wanted,
            });
        }
        let Some(total) = total.or(self.source.size) else {
            return Ok(());
        };
        if total > LARGEST && self.source.size.is_none() {
            return Err(self.too_large());
        }
        if self
            .cache
            .room()
            .is_some_and(|room| room < total.saturating_sub(have))
        {
            return Err(self.full(Some(total)));
        }
        Ok(())
    }

    fn pour(
        &self,
        part: &Part<'_>,
        pouring: &mut Pouring,
        answer: Answer,
    ) -> Result<Ended, FetchError> {
        let total = answer.total.or(self.source.size);
        let note = format!("{}\n{}", self.url, answer.state.unwrap_or_default());
        part.note(&note)
            .map_err(|error| self.unwritten(error, total))?;
        self.watch.begin(self.name, pouring.count(), total);
        let largest = total.unwrap_or(LARGEST);
        let tell = |bytes| self.watch.more(self.name, bytes);
        match pouring.pour(answer.body, &part.file, largest, &tell) {
            Ok(()) => {}
            Err(Spill::Read(error)) => return Ok(Ended::Broken(self.net.cut(self.url, &error))),
            Err(Spill::Write(error)) => return Err(self.unwritten(error, total)),
            Err(Spill::TooMuch) => match self.source.size {
                Some(wanted) => {
                    return Err(FetchError::Length {
                        url: self.url.to_owned(),
                        found: largest + 1,
                        wanted,
                    });
                }
                None => return Err(self.too_large()),
            },
        }
        if total.is_some_and(|total| pouring.count() < total) {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Ok(Ended::Broken(self.net.cut(self.url, &error)));
        }
        Ok(Ended::Whole(pouring.hash()))
    }

    fn unwritten(&self, error: io::Error, total: Option<u64>) -> FetchError {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => self.full(total),
            _ => self.cache.failed(self.name, error).into(),
        }
    }

    fn full(&self, need: Option<u64>) -> FetchError {
        FetchError::Full {
            place: self.cache.place().display().to_string(),
            name: self.name.to_owned(),
            need,
        }
    }

    fn too_large(&self) -> FetchError {
        NetError::TooLarge {
            url: self.url.to_owned(),
            limit: LARGEST,
        }
        .into()
    }
}

/// How long to wait before the next try.
fn pause(failures: u32, error: &NetError) -> Duration {
    let asked = match error {
        NetError::Refused { after, .. } => after.unwrap_or(0).min(LONGEST_PAUSE),
        _ => 0,
    };
    (PAUSE * (1 << failures.saturating_sub(1).min(6))).max(Duration::from_secs(asked))
}
