//! Sources into the cache: several at once, gone on with where it was interrupted, hashed while
//! they come in, and given their name only when the hash is right.

mod pour;

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::cache::{Cache, CacheError, Part, file_name};
use super::net::{Answer, Net, NetError, Wish};
use crate::package::Source;
use pour::{Pouring, Spill};

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

/// Why a source is not in the cache.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The cache cannot take it.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// It could not be had.
    #[error(transparent)]
    Net(#[from] NetError),
    /// It is something else.
    #[error("`{url}` is not what the catalogue says: SHA-256 {found}, not {wanted}")]
    Wrong {
        /// Where it came from.
        url: String,
        /// Its hash.
        found: String,
        /// The hash that it should have.
        wanted: String,
    },
    /// It has another length.
    #[error("`{url}` has {found} bytes, and should have {wanted}")]
    Length {
        /// Where it came from.
        url: String,
        /// What the server says, or sent.
        found: u64,
        /// What the catalogue says.
        wanted: u64,
    },
    /// There is no room for it.
    #[error("`{place}`: no room for `{name}`{}", need.map(|need| format!(", which has {need} bytes")).unwrap_or_default())]
    Full {
        /// The cache.
        place: String,
        /// The file.
        name: String,
        /// How large it is, when that is known.
        need: Option<u64>,
    },
}

/// Who is told how far it is.
pub trait Watch: Sync {
    /// A file is being received; `have` bytes are there already.
    fn begin(&self, name: &str, have: u64, total: Option<u64>);
    /// More of it has come.
    fn more(&self, name: &str, bytes: u64);
    /// It broke off, and is tried again.
    fn again(&self, name: &str, why: &str);
    /// It is in the cache.
    fn done(&self, name: &str);
    /// Something stood under its name, and was set aside.
    fn set_aside(&self, what: &CacheError);
}

/// How a source came to be in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It was there.
    WasThere,
    /// It was received; so many bytes.
    Received(u64),
}

/// Where files come from, when not from where the catalogue says.
#[derive(Debug, Clone)]
pub struct Mirror(String);

impl Mirror {
    /// A folder on a server or of this machine; the files in it have the names of the cache.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/');
        if base.contains("://") {
            return Self(base.to_owned());
        }
        let whole = std::path::absolute(base).unwrap_or_else(|_| base.into());
        Self(format!("file://{}", whole.display()))
    }

    fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.0)
    }
}

/// Fetches sources that are not in the cache, `jobs` at a time. Each has its own result, in the
/// order of `sources`: one that fails keeps none of the others from coming.
pub fn fetch(
    cache: &Cache,
    net: &Net,
    sources: &[&Source],
    from: Option<&Mirror>,
    jobs: usize,
    watch: &dyn Watch,
) -> Vec<Result<Came, FetchError>> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<Came, FetchError>>>> =
        sources.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some((source, slot)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            sources.get(at).zip(results.get(at))
        } {
            let result = fetch_one(cache, net, source, from, watch);
            *slot
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.clamp(1, 16).min(sources.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    results
        .into_iter()
        .filter_map(|slot| {
            slot.into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        })
        .collect()
}

fn fetch_one(
    cache: &Cache,
    net: &Net,
    source: &Source,
    from: Option<&Mirror>,
    watch: &dyn Watch,
) -> Result<Came, FetchError> {
    let name = file_name(source)?;
    let mut urls: Vec<String> = match from {
        Some(mirror) => vec![mirror.url(name)],
        None => std::iter::once(&source.url)
            .chain(&source.mirrors)
            .cloned()
            .collect(),
    };
    urls.reverse();
    let mut first = None;
    while let Some(url) = urls.pop() {
        let transfer = Transfer {
            cache,
            net,
            source,
            name,
            url: &url,
            watch,
        };
        match transfer.begin() {
            // What another place cannot change is not tried there.
            Err(error) if !matches!(error, FetchError::Cache(_) | FetchError::Full { .. }) => {
                if !urls.is_empty() {
                    watch.again(name, &error.to_string());
                }
                first.get_or_insert(error);
            }
            ended => return ended,
        }
    }
    Err(first.unwrap_or_else(|| CacheError::Name(name.to_owned()).into()))
}

/// One file on its way.
struct Transfer<'a> {
    cache: &'a Cache,
    net: &'a Net,
    source: &'a Source,
    name: &'a str,
    url: &'a str,
    watch: &'a dyn Watch,
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
    fn begin(&self) -> Result<Came, FetchError> {
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
