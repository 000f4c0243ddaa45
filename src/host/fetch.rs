//! Sources into the cache: several at once, gone on with where it was interrupted, hashed while
//! they come in, and given their name only when the hash is right.

mod pour;
mod transfer;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cache::{Cache, CacheError, file_name};
use super::net::{Net, NetError};
use crate::package::Source;
use transfer::Transfer;

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
