//! Where an account stands, and which events move it where: a table, and nothing else.

use serde::{Deserialize, Serialize};

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Signed up; the address is not confirmed.
    Unconfirmed,
    /// Confirmed; waits for approval.
    Pending,
    /// May sign in.
    Active,
    /// Refused by who approves.
    Rejected,
    /// Was active; may not sign in for now.
    Suspended,
    /// Gone: the row keeps its name reserved and nothing personal.
    Deleted,
}

impl State {
    /// Every state, in the order of an account's life.
    pub const ALL: [Self; 6] = [
        Self::Unconfirmed,
        Self::Pending,
        Self::Active,
        Self::Rejected,
        Self::Suspended,
        Self::Deleted,
    ];

    /// The word in the database, in JSON and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Rejected => "rejected",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What can happen to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The address was confirmed where nobody has to approve.
    ConfirmOpen,
    /// The address was confirmed where somebody has to approve.
    ConfirmPending,
    /// Approved.
    Approve,
    /// Refused.
    Reject,
    /// A refusal taken back: of one whose address is confirmed.
    Reopen,
    /// A refusal taken back: of one whose address is still to be confirmed.
    ReopenUnconfirmed,
    /// Signing in is forbidden for now.
    Suspend,
    /// A suspension taken back.
    Resume,
    /// Nobody confirmed or approved in time.
    Expire,
    /// Removed by its owner or an administrator.
    Delete,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 10] = [
        Self::ConfirmOpen,
        Self::ConfirmPending,
        Self::Approve,
        Self::Reject,
        Self::Reopen,
        Self::ReopenUnconfirmed,
        Self::Suspend,
        Self::Resume,
        Self::Expire,
        Self::Delete,
    ];
}

/// The state after an event; `None` where the event makes no sense.
#[must_use]
pub fn next(state: State, event: Event) -> Option<State> {
    Some(match (state, event) {
        (State::Unconfirmed, Event::ConfirmOpen) => State::Active,
        (State::Unconfirmed, Event::ConfirmPending) => State::Pending,
        (State::Pending, Event::Approve) => State::Active,
        (State::Unconfirmed | State::Pending, Event::Reject) => State::Rejected,
        (State::Rejected, Event::Reopen) => State::Pending,
        (State::Rejected, Event::ReopenUnconfirmed) => State::Unconfirmed,
        (State::Active, Event::Suspend) => State::Suspended,
        (State::Suspended, Event::Resume) => State::Active,
        (State::Unconfirmed | State::Pending, Event::Expire) => State::Deleted,
        (
            State::Unconfirmed
            | State::Pending
            | State::Active
            | State::Rejected
            | State::Suspended,
            Event::Delete,
        ) => State::Deleted,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who may come to be active, and how: only by a confirmed address and, where asked, an approval.
    #[test]
    fn the_ways_to_active() {
        let ways: Vec<(State, Event)> = State::ALL
            .into_iter()
            .flat_map(|state| Event::ALL.map(|event| (state, event)))
            .filter(|(state, event)| next(*state, *event) == Some(State::Active))
            .collect();
        assert_eq!(
            ways,
            [
                (State::Unconfirmed, Event::ConfirmOpen),
                (State::Pending, Event::Approve),
                (State::Suspended, Event::Resume),
            ]
        );
    }

    #[test]
    fn deleted_is_the_end_and_everything_reaches_it() {
        for event in Event::ALL {
            assert_eq!(next(State::Deleted, event), None);
        }
        for state in State::ALL {
            if state != State::Deleted {
                assert_eq!(next(state, Event::Delete), Some(State::Deleted));
            }
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
    }
}
