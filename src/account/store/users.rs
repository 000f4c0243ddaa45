//! The list of users: filtered, sorted, searched, page after page, in a bounded time at a million.
//!
//! State, role, origin and second factor are one number, the class, and each order has an index
//! below it. A page is the first rows of some dozen ranges, merged: exact, whatever the filters.
//! A search or a group is answered from the index of words or of members as long as few fit; where
//! many do, the list is walked in its order and 1,000 accounts are looked at for one page,
//! which may then have fewer rows and a next one (see [`Page::next`]).

use std::collections::HashSet;

use super::Store;
use super::accounts::{origin_rank, role_rank, state_rank};
use super::ask::{Ask, places, sql};
use super::error::{Error, Result};
use super::groups::GroupId;
use super::page::{Page, Total, mark, size, unmark};
use super::walk::CLASSES;
use super::words::terms;
use crate::account::{Account, AccountId, Origin, Role, State};

/// How many matches of the search, or members of a group, are gathered and sorted.
const FEW: usize = 1000;
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
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Created | Self::LastSeen)
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
            return self
                .gathered(list, rows, after, &classes, &terms, &few)
                .await;
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

    /// Everybody who may fit search and group, when they are few.
    async fn few(&self, filter: &UserFilter, terms: &[String]) -> Result<Option<Vec<String>>> {
        let mut fewest: Option<Vec<String>> = None;
        let mut asks: Vec<Ask> = Vec::new();
        if let Some(group) = &filter.group {
            let ask = format!(
                "SELECT account FROM memberships WHERE grp = ? LIMIT {}",
                FEW + 1
            );
            asks.push(sql(ask).text(&group.0));
        }
        // Longer words are rarer.
        let mut by_length: Vec<&String> = terms.iter().collect();
        by_length.sort_by_key(|term| std::cmp::Reverse(term.len()));
        for term in by_length {
            let ask = format!(
                "SELECT account FROM words WHERE word >= ? AND word < ? LIMIT {}",
                FEW + 1
            );
            asks.push(sql(ask).text(term).text(format!("{term}\u{10FFFF}")));
        }
        for ask in asks {
            let found: Vec<String> = self.all(ask).await?;
            if found.len() <= FEW && fewest.as_ref().is_none_or(|few| found.len() < few.len()) {
                let is_enough = found.len() < 100;
                fewest = Some(found);
                if is_enough {
                    break;
                }
            }
        }
        Ok(fewest.map(|found| {
            let once: HashSet<String> = found.into_iter().collect();
            once.into_iter().collect()
        }))
    }

    /// A page out of a few who are gathered, filtered and sorted.
    async fn gathered(
        &self,
        list: &UserList,
        rows: usize,
        after: Option<(String, String)>,
        classes: &[i64],
        terms: &[String],
        few: &[String],
    ) -> Result<Page<Account>> {
        let wanted = Wanted::of(&list.filter, terms);
        let (sort, column) = (list.sort, list.sort.column());
        let mut found: Vec<(String, String)> = Vec::new();
        for some in few.chunks(500) {
            let also = if wanted.condition.is_empty() {
                String::new()
            } else {
                format!(" AND {}", wanted.condition)
            };
            // `+ 0` keeps planners from going through the classes rather than the keys.
            let ask = sql(format!(
                "SELECT a.class, a.{column}, a.id FROM accounts a WHERE a.id IN ({}) AND a.class + 0 IN ({}){also}",
                places(some.len()),
                numbers(classes),
            ))
            .texts(some.iter().map(String::as_str))
            .texts(wanted.values.iter().map(String::as_str));
            if sort.is_number() {
                let rows: Vec<(i64, (i64, String))> = self.all(ask).await?;
                found.extend(rows.into_iter().map(|(_, (value, id))| (padded(value), id)));
            } else {
                let rows: Vec<(i64, (String, String))> = self.all(ask).await?;
                found.extend(rows.into_iter().map(|(class, (value, id))| match sort {
                    Sort::State => (format!("{}{value}", class / 1000), id),
                    _ => (value, id),
                }));
            }
        }
        let total = Some(Total::Exactly(found.len() as u64));
        found.sort();
        if list.descending {
            found.reverse();
        }
        if let Some((value, id)) = after {
            let last = (comparable(sort, &value), id);
            found.retain(|row| {
                if list.descending {
                    *row < last
                } else {
                    *row > last
                }
            });
        }
        let page = Page::cut(found, rows, |(value, id)| mark(&shown(sort, value), id));
        let ids: Vec<AccountId> = page.rows.into_iter().map(|(_, id)| AccountId(id)).collect();
        Ok(Page {
            rows: self.accounts(&ids).await?,
            next: page.next,
            total,
        })
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
    fn of(filter: &UserFilter, terms: &[String]) -> Self {
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
}

/// A number with leading zeros, so that texts sort as numbers do.
pub(super) fn padded(number: i64) -> String {
    format!("{:020}", number.max(0))
}

/// A value such that texts sort as values do.
pub(super) fn comparable(sort: Sort, value: &str) -> String {
    if sort.is_number() {
        padded(value.parse().unwrap_or(0))
    } else {
        value.to_owned()
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

fn numbers(classes: &[i64]) -> String {
    let texts: Vec<String> = classes.iter().map(i64::to_string).collect();
    texts.join(",")
}
