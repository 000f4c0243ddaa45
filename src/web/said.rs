//! A message that the next page shows once: the key of a text in a short signed cookie. A foreign
//! cookie cannot put words on a page.

use axum::http::HeaderMap;

use super::App;
use super::cookie::Cookie;

const PURPOSE: &str = "said";

/// The cookie's header.
#[must_use]
pub fn write(app: &App, key: &str) -> String {
    let signature = app.office.seal.sign(PURPOSE, key);
    Cookie::Said.set(&app.site, &format!("{key}~{signature}"), Some(60))
}

/// The key of the message that this page shall show.
#[must_use]
pub fn read(app: &App, headers: &HeaderMap) -> Option<String> {
    let (key, signature) = Cookie::Said.read(&app.site, headers)?.split_once('~')?;
    app.office
        .seal
        .verify(PURPOSE, key, signature)
        .then(|| key.to_owned())
}
