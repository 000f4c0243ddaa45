//! Texts of pages and mails: one catalogue for each language, built in, complete.

/// Catalogues of all languages.
#[derive(Debug, Clone, Default)]
pub struct Texts {}
