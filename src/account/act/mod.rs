//! Acts: one file for each thing that a person, an administrator or the clock does. Each writes
//! the audit trail in the same transaction.

pub mod csv;
pub mod session;
