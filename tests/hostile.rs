//! Hostile text in every place where text comes in: refused with a reason, or carried as data.
//!
//! `keys` drives every key of the site file, `free` the tables of the administrator's own keys,
//! `words` the secrets and names, `literals` each language's escaper, `whole` files that are no site
//! files. What was carried is always read back by the program that reads it on a machine; values go
//! to it in bulk. `values` holds the texts.

#[path = "hostile/free.rs"]
mod free;
#[path = "hostile/keys.rs"]
mod keys;
#[path = "hostile/literals.rs"]
mod literals;
#[path = "proving/mod.rs"]
mod proving;
#[path = "hostile/values.rs"]
mod values;
#[path = "hostile/whole.rs"]
mod whole;
#[path = "hostile/words.rs"]
mod words;
