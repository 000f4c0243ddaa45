//! Why an act of staff was not done, for a page or a line on the terminal.

use crate::account::State;
use crate::account::store::{self, Field};

/// Why an act was not done; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such account, or it was deleted.
    #[error("there is no such account")]
    Gone,
    /// The account does not stand where the act begins; perhaps somebody was faster.
    #[error("`{login}` is {} already", state.as_str())]
    Moved {
        /// Its name.
        login: String,
        /// Where it stands.
        state: State,
        /// Who brought it there, and when (Unix seconds).
        by: Option<(String, i64)>,
    },
    /// Nobody would be left to administrate.
    #[error(
        "this is the last administrator\nhint: `jitsi-accounts users role NAME admin` makes another one"
    )]
    LastAdmin,
    /// One does not do this to oneself.
    #[error("this is your own account")]
    Yourself,
    /// The name of an account breaks a rule.
    #[error("this name cannot be used: it {0}")]
    Login(String),
    /// The name is taken, or looks like one that is.
    #[error("this name is taken, or looks like one that is")]
    LoginTaken,
    /// The name that others see is too long or has characters that cannot be seen.
    #[error(
        "this name cannot be shown: it is longer than 100 characters, or has some that cannot be seen"
    )]
    Name,
    /// It is no address.
    #[error("this is no e-mail address")]
    Email,
    /// Another account has the address.
    #[error("another account has this e-mail address")]
    EmailTaken,
    /// The account has no address, so no mail can go there.
    #[error("this account has no e-mail address")]
    EmailNone,
    /// There is no such group.
    #[error("there is no such group")]
    Group,
    /// The name of a group is empty, too long or has control characters.
    #[error("a group needs a name of at most 64 characters")]
    GroupName,
    /// There is a group of this name.
    #[error("there is a group of this name")]
    GroupTaken,
    /// There is no such language.
    #[error("there is no such language")]
    Language,
    /// A note is empty or too long.
    #[error("a note needs a text of at most 2000 characters")]
    Note,
    /// A field must have something in it.
    #[error("`{0}` must not be empty")]
    Empty(&'static str),
    /// A field has too much in it.
    #[error("`{0}` is too long")]
    Long(&'static str),
    /// A number is out of bounds.
    #[error("`{field}` must be {least} to {most}")]
    Number {
        /// Which field.
        field: &'static str,
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
    /// The database refused or does not answer.
    #[error(transparent)]
    Store(store::Error),
}

/// What most acts of staff give.
pub type Result<T, E = Refusal> = std::result::Result<T, E>;

impl Refusal {
    /// The word below `admin.wrong.` in the texts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Moved { .. } => "moved",
            Self::LastAdmin => "last_admin",
            Self::Yourself => "yourself",
            Self::Login(_) => "login",
            Self::LoginTaken => "login_taken",
            Self::Name => "display_name",
            Self::Email => "email",
            Self::EmailTaken => "email_taken",
            Self::EmailNone => "email_none",
            Self::Group => "group",
            Self::GroupName => "group_name",
            Self::GroupTaken => "group_taken",
            Self::Language => "language",
            Self::Note => "note",
            Self::Empty(_) => "empty",
            Self::Long(_) => "long",
            Self::Number { .. } => "number",
            Self::Store(_) => "store",
        }
    }

    /// The field of a form that it is about; empty when it is about no field.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Login(_) | Self::LoginTaken => "login",
            Self::Email | Self::EmailTaken | Self::EmailNone => "email",
            Self::Name => "display_name",
            Self::Group => "group",
            Self::GroupName | Self::GroupTaken => "name",
            Self::Language => "language",
            Self::Note => "note",
            Self::Empty(field) | Self::Long(field) | Self::Number { field, .. } => field,
            _ => "",
        }
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Taken(Field::Login | Field::Skeleton) => Self::LoginTaken,
            store::Error::Taken(Field::Email) => Self::EmailTaken,
            store::Error::Taken(Field::Group) => Self::GroupTaken,
            other => Self::Store(other),
        }
    }
}
