//! Static files, compiled in. A name holds the hash of its contents, so that browsers may keep it
//! for a year.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::site::Site;

/// Name, kind and contents.
macro_rules! files {
    ($($name:literal: $kind:literal),* $(,)?) => {
        /// Name, kind and contents.
        const FILES: &[(&str, &str, &[u8])] = &[
            $(($name, $kind, include_bytes!(concat!("../../templates/web/", $name)))),*
        ];
    };
}

files![
    "icon.svg": "image/svg+xml",
    "page.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
];

/// The files by the name that they are asked for.
pub struct Assets {
    by_hash: BTreeMap<String, (&'static str, &'static [u8])>,
    names: BTreeMap<&'static str, String>,
}

impl Assets {
    /// Names all files.
    #[must_use]
    pub fn new() -> Self {
        let mut assets = Self {
            by_hash: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for (name, kind, contents) in FILES {
            let mut hash = String::new();
            for byte in Sha256::digest(contents).iter().take(6) {
                let _ = write!(hash, "{byte:02x}");
            }
            let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "bin"));
            let hashed = format!("{stem}.{hash}.{ending}");
            assets.by_hash.insert(hashed.clone(), (kind, contents));
            assets.names.insert(name, hashed);
        }
        assets
    }

    /// Where each file stands: `style.css` is `/accounts/static/style.0a1b2c3d4e5f.css`.
    #[must_use]
    pub fn paths(&self, site: &Site) -> BTreeMap<&'static str, String> {
        self.names
            .iter()
            .map(|(name, hashed)| (*name, site.path(&format!("/static/{hashed}"))))
            .collect()
    }

    /// The answer to a request for a file.
    #[must_use]
    pub fn answer(&self, hashed: &str) -> Response {
        let Some((kind, contents)) = self.by_hash.get(hashed) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=31536000, immutable"),
            ),
        ];
        (headers, *contents).into_response()
    }
}

impl Default for Assets {
    fn default() -> Self {
        Self::new()
    }
}
