//! The console.

use crate::web::Row;

/// The console's templates by name.
pub const TEMPLATES: &[(&str, &str)] = &[];

/// The console's addresses.
#[must_use]
pub fn table() -> Vec<Row> {
    Vec::new()
}
