//! What the targets have in common; `tests/wild` runs the same.

#[path = "../../tests/wild/bodies.rs"]
pub mod bodies;
#[path = "../../tests/wild/house.rs"]
pub mod house;
#[path = "../../tests/wild/seeds.rs"]
pub mod seeds;
