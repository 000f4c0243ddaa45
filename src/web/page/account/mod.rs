//! One's own account.

pub mod again;
pub mod delete;
pub mod email;
pub mod home;
pub mod password;
pub mod profile;
pub mod recovery_codes;
pub mod second_factor;
pub mod sessions;

/// `2026-11-22 22:40`, UTC.
fn moment(seconds: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(seconds).map_or_else(
        |_| String::new(),
        |at| format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute()),
    )
}
