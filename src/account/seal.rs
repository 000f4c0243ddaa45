//! What is sealed in the database (seeds of second factors, mails that wait) and links that are
//! signed, by keys derived from one key of the site.

/// Keys derived (HKDF-SHA-256) from the site's key, one for each purpose.
#[derive(Clone)]
pub struct Seal {}
