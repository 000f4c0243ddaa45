//! The list of users: filtered, sorted, searched, page after page, in a bounded time at a million.
//!
//! State, role, origin and second factor are one number, the class, and each order has an index
//! below it. A page is the first rows of some dozen ranges, merged: exact, whatever the filters.
//! A search or a group is answered from the index of words or of members as long as few fit; where
//! many do, the list is walked in its order and some 700 accounts are looked at for one page,
//! which may then have fewer rows and a next one (see [`Page::next`]).
//!
//! Over 400 lines: what is asked for, and the one way in which it is answered.

use super::Store;
use super::accounts::{origin_rank, role_rank, state_rank};
use super::ask::{Ask, sql};
use super::error::{Error, Result};
use super::groups::GroupId;
use super::kind::Kind;
use super::page::{Page, Total, size, unmark};
use super::walk::CLASSES;
use super::words::terms;
use crate::account::{Account, Origin, Role, State};

/// Where counting ends.
const COUNTED: u64 = 1000;

/// Which users; everything that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Where they stand; without it everybody but the deleted.
    pub state: Option<State>,
    /// What they may do.
    pub role: Option<Role>,
    /// Members of a group.
    pub group: Option<GroupId>,
    /// Where they came from.
    pub origin: Option<Origin>,
    /// Whether they have a second factor.
    pub second_factor: Option<bool>,
    /// Beginnings of words in login, e-mail address and name; all of them must be there.
    pub text: String,
}

/// The order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Sort {
    /// By login.
    #[default]
    Login,
    /// By address in lower case; those without one first.
    Email,
    /// By the time of the sign-up.
    Created,
    /// By the last sign-in; those who never did first.
    LastSeen,
    /// By state, in the order of an account's life, and by login.
    State,
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct UserList {
    /// Which users.
    pub filter: UserFilter,
    /// In which order.
    pub sort: Sort,
    /// Whether the other way round.
    pub descending: bool,
    /// [`Page::next`] of the page before.
    pub after: Option<String>,
    /// Rows of a page: 1 to 1,000.
    pub rows: usize,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 5] = [
        Self::Login,
        Self::Email,
        Self::Created,
        Self::LastSeen,
        Self::State,
    ];

    /// The word in an address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Email => "email",
            Self::Created => "created",
            Self::LastSeen => "last-seen",
            Self::State => "state",
        }
    }

    /// The order of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }

    /// The column that it goes by within one class.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Login | Self::State => "login",
            Self::Email => "email_order",
            Self::Created => "created",
            Self::LastSeen => "last_seen",
        }
    }

    /// Whether that is a number.
    fn is_number(self) -> bool {
        matches!(self, Self::Created | Self::LastSeen)
    }

    /// Binds a value of the column.
    pub(super) fn value(self, ask: Ask, value: &str) -> Ask {
        if self.is_number() {
            ask.number(value.parse().unwrap_or(0))
        } else {
            ask.text(value)
        }
    }

    /// Binds a place in the order, value and key, as [`Kind::beyond`] asks for it; logins need no key.
    pub(super) fn place(self, mut ask: Ask, kind: Kind, value: &str, id: &str) -> Ask {
        if self.column() == "login" {
            return ask.text(value);
        }
        for _ in 0..kind.beyond_values() {
            ask = self.value(ask, value);
        }
        ask.text(id)
    }

    /// The state that a mark of the order of states begins with, as the smallest class of it, and
    /// the value of the column.
    pub(super) fn split(self, value: &str) -> (i64, &str) {
        let mut chars = value.chars();
        let state = chars.next().filter(|_| self == Self::State);
        state.map_or((0, value), |digit| {
            (
                i64::from(digit.to_digit(10).unwrap_or(0)) * 1000,
                chars.as_str(),
            )
        })
    }
}

/// What the search and the group ask of a row, with the values.
#[derive(Clone, Default)]
pub(super) struct Wanted {
    pub(super) condition: String,
    pub(super) values: Vec<String>,
}

impl Store {
    /// A page of users.
    pub async fn users(&self, list: &UserList) -> Result<Page<Account>> {
        let rows = size(list.rows);
        let after = list.after.as_deref().map(unmark).transpose()?;
        if let Some((value, _)) = &after
            && list.sort.is_number()
            && value.parse::<i64>().is_err()
        {
            return Err(Error::Refused {
                field: "after",
                why: "is no mark of this order".into(),
            });
        }
        let classes = self.classes(&list.filter).await?;
        let terms = terms(&list.filter.text);
        if classes.is_empty() {
            return Ok(Page {
                rows: Vec::new(),
                next: None,
                total: Some(Total::Exactly(0)),
            });
        }
        if let Some(few) = self.few(&list.filter, &terms).await? {
            let (ids, next, total) = self
                .gathered(list, rows, after, &classes, few, &terms)
                .await?;
            return Ok(Page {
                rows: self.accounts(&ids).await?,
                next,
                total,
            });
        }
        let wanted = Wanted::of(&list.filter, &terms);
        let (ids, next) = self.walked(list, rows, after, &wanted).await?;
        let total = if wanted.condition.is_empty() {
            Some(self.counted_users(&classes).await?)
        } else if list.after.is_none() && next.is_none() {
            Some(Total::Exactly(ids.len() as u64))
        } else {
            None
        };
        Ok(Page {
            rows: self.accounts(&ids).await?,
            next,
            total,
        })
    }

    /// How many users fit state, role, origin and second factor: counted up to 1,000. Group and
    /// search are not looked at.
    pub async fn count_users(&self, filter: &UserFilter) -> Result<Total> {
        let classes = self.classes(filter).await?;
        self.counted_users(&classes).await
    }

    async fn counted_users(&self, classes: &[i64]) -> Result<Total> {
        if classes.is_empty() {
            return Ok(Total::Exactly(0));
        }
        let list = numbers(classes);
        let limit = COUNTED + 1;
        let ask = sql(format!(
            "SELECT COUNT(*) FROM (SELECT 1 AS one FROM accounts WHERE class IN ({list}) LIMIT {limit}) t"
        ));
        let count = u64::try_from(self.number(ask).await?).unwrap_or(0);
        Ok(if count > COUNTED {
            Total::AtLeast(COUNTED)
        } else {
            Total::Exactly(count)
        })
    }

    /// The classes that exist and fit: found by jumping from one to the next in the index.
    async fn classes(&self, filter: &UserFilter) -> Result<Vec<i64>> {
        let ask = sql(format!("{CLASSES} SELECT v FROM c"));
        let all: Vec<Option<i64>> = self.all(ask).await?;
        Ok(all
            .into_iter()
            .flatten()
            .filter(|class| filter.fits(*class))
            .collect())
    }
}

impl UserFilter {
    pub(super) fn fits(&self, class: i64) -> bool {
        let (state, role, origin) = (class / 1000, class / 100 % 10, class / 10 % 10);
        self.state
            .map_or(state != state_rank(State::Deleted), |wanted| {
                state_rank(wanted) == state
            })
            && self.role.is_none_or(|wanted| role_rank(wanted) == role)
            && self
                .origin
                .is_none_or(|wanted| origin_rank(wanted) == origin)
            && self
                .second_factor
                .is_none_or(|wanted| i64::from(wanted) == class % 10)
    }
}

impl Wanted {
    pub(super) fn of(filter: &UserFilter, terms: &[String]) -> Self {
        let (mut conditions, mut values) = (Vec::new(), Vec::new());
        for term in terms {
            conditions.push("a.search LIKE ? ESCAPE '!'".to_owned());
            let term = term
                .replace('!', "!!")
                .replace('%', "!%")
                .replace('_', "!_");
            values.push(format!("% {term}%"));
        }
        if let Some(group) = &filter.group {
            // A count rather than EXISTS: PostgreSQL would gather a large group first.
            conditions.push(
                "(SELECT COUNT(*) FROM memberships m WHERE m.account = a.id AND m.grp = ?) > 0"
                    .to_owned(),
            );
            values.push(group.0.clone());
        }
        Self {
            condition: conditions.join(" AND "),
            values,
        }
    }

    /// The condition behind another one.
    pub(super) fn and(&self) -> String {
        if self.condition.is_empty() {
            String::new()
        } else {
            format!(" AND {}", self.condition)
        }
    }

    /// 1 where it fits, 0 where not.
    pub(super) fn as_number(&self) -> String {
        if self.condition.is_empty() {
            "1".to_owned()
        } else {
            format!("CASE WHEN {} THEN 1 ELSE 0 END", self.condition)
        }
    }
}

/// The value as it stands in a mark.
pub(super) fn shown(sort: Sort, value: &str) -> String {
    if sort.is_number() {
        value.parse::<i64>().unwrap_or(0).to_string()
    } else {
        value.to_owned()
    }
}

pub(super) fn numbers(classes: &[i64]) -> String {
    let texts: Vec<String> = classes.iter().map(i64::to_string).collect();
    texts.join(",")
}
