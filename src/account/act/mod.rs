//! Acts: one file per thing that somebody does. Each writes the audit trail in the same transaction.

pub mod session;
