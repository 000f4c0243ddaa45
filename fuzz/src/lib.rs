//! What the targets have in common; `tests/imports/wild.rs` runs the same.

#[path = "../../tests/imports/bodies.rs"]
pub mod bodies;
