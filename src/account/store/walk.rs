//! The list of users by walking: the ranges of all classes are merged, read in pieces from their
//! indexes, until the page is full or enough was looked at.

use super::Store;
use super::ask::{Sortable, sql};
use super::error::Result;
use super::page::mark;
use super::stream::{Candidate, LOOK, Row, Stream, TOGETHER};
use super::users::{Sort, UserList, Wanted, shown};
use crate::account::AccountId;

/// How many accounts are looked at for one page when too many fit the search for its index.
const BUDGET: usize = 720;

/// The first row of a range: class, value and key, where there is one.
type Head = (i64, (Option<Sortable>, Option<String>));

/// Every class that somebody is in, found by jumping from one to the next in the index.
pub(super) const CLASSES: &str = "WITH RECURSIVE c (v) AS (SELECT MIN(class) FROM accounts UNION ALL \
     SELECT (SELECT MIN(class) FROM accounts WHERE class > c.v) FROM c WHERE c.v IS NOT NULL)";

impl Store {
    /// The keys of a page, by walking the ranges of all classes in order.
    pub(super) async fn walked(
        &self,
        list: &UserList,
        rows: usize,
        after: Option<(String, String)>,
        wanted: &Wanted,
    ) -> Result<(Vec<AccountId>, Option<String>)> {
        let mut streams = self.streams(list, after.as_ref()).await?;
        let (mut found, mut looked_at) = (Vec::new(), 0);
        let mut last: Option<Candidate> = None;
        while found.len() <= rows {
            let Some(at) = nearest(&streams, list.descending) else {
                last = None;
                break;
            };
            let Some(candidate) = streams[at].take() else {
                // Where everybody is wanted, the page is full soon.
                if looked_at + LOOK > BUDGET && !wanted.condition.is_empty() {
                    break;
                }
                looked_at += LOOK;
                self.fill(&mut streams, list, wanted).await?;
                continue;
            };
            if candidate.hit {
                found.push(candidate.clone());
            }
            last = Some(candidate);
        }
        let next = if found.len() > rows {
            found.truncate(rows);
            found.last()
        } else {
            last.as_ref()
        };
        let next = next.map(|candidate| mark(&shown(list.sort, &candidate.value), &candidate.id));
        Ok((
            found
                .into_iter()
                .map(|candidate| AccountId(candidate.id))
                .collect(),
            next,
        ))
    }

    /// The ranges of all classes that fit, each from its first account behind the mark.
    async fn streams(
        &self,
        list: &UserList,
        after: Option<&(String, String)>,
    ) -> Result<Vec<Stream>> {
        let (sort, column) = (list.sort, list.sort.column());
        let (direction, sign) = if list.descending {
            ("DESC", "<")
        } else {
            ("ASC", ">")
        };
        // In the order of states a mark is a place in one state only, and others begin anew.
        let here = after.filter(|_| sort != Sort::State);
        let (beyond, order) = if column == "login" {
            (format!("a.login {sign} ?"), format!("a.login {direction}"))
        } else {
            (
                self.kind().beyond(&format!("a.{column}"), "a.id", sign),
                format!("a.{column} {direction}, a.id {direction}"),
            )
        };
        let beyond = if here.is_some() {
            format!(" AND {beyond}")
        } else {
            String::new()
        };
        let first = |what: &str| {
            format!(
                "(SELECT a.{what} FROM accounts a WHERE a.class = c.v{beyond} ORDER BY {order} LIMIT 1)"
            )
        };
        let mut ask = sql(format!(
            "{CLASSES} SELECT c.v, {}, {} FROM c WHERE c.v IS NOT NULL",
            first(column),
            first("id")
        ));
        // Once for the value, once for the key.
        for (value, id) in here.into_iter().chain(here) {
            ask = sort.place(ask, self.kind(), value, id);
        }
        let heads: Vec<Head> = self.all(ask).await?;
        let mark = after.filter(|_| sort == Sort::State).map(|(value, id)| {
            let (state, value) = sort.split(value);
            (state / 1000, value.to_owned(), id.clone())
        });
        Ok(heads
            .into_iter()
            .filter(|(class, _)| list.filter.fits(*class))
            .filter_map(|(class, head)| match (&mark, head) {
                (Some((rank, value, id)), _) if class / 1000 == *rank => Some(Stream::begin(
                    class,
                    sort,
                    (value.clone(), id.clone()),
                    true,
                )),
                (Some((rank, ..)), _) if (class / 1000 < *rank) != list.descending => None,
                (_, (Some(Sortable(value)), Some(id))) => {
                    Some(Stream::begin(class, sort, (value, id), false))
                }
                _ => None,
            })
            .collect())
    }

    /// Reads on in those ranges that are empty and nearest: at most [`LOOK`] accounts.
    async fn fill(&self, streams: &mut [Stream], list: &UserList, wanted: &Wanted) -> Result<()> {
        let (sort, descending) = (list.sort, list.descending);
        let mut dry: Vec<&mut Stream> = streams
            .iter_mut()
            .filter(|stream| stream.is_dry())
            .collect();
        dry.sort_by(|a, b| {
            let order = a.bound().cmp(&b.bound());
            if descending { order.reverse() } else { order }
        });
        dry.truncate(TOGETHER);
        let ask = Stream::ask(&dry, self.kind(), sort, descending, wanted);
        let rows: Vec<Row> = self.all(ask).await?;
        Stream::fill(&mut dry, rows, descending);
        Ok(())
    }
}

/// The range that the next account is in.
fn nearest(streams: &[Stream], descending: bool) -> Option<usize> {
    let bounds = streams.iter().enumerate();
    let bounds = bounds.filter_map(|(at, stream)| stream.bound().map(|bound| (bound, at)));
    let nearest = if descending {
        bounds.max()
    } else {
        bounds.min()
    };
    nearest.map(|(_, at)| at)
}
