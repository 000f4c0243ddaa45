//! The list of users by gathering: where few fit the search or the group, the database sorts them.

use super::Store;
use super::ask::{Ask, Sortable, sql};
use super::error::Result;
use super::page::{Page, Total, mark};
use super::users::{Sort, UserFilter, UserList, Wanted, numbers, shown};
use crate::account::AccountId;

/// How many matches of the search, or members of a group, are gathered and sorted.
const FEW: i64 = 1000;
/// A row of those who are gathered: the smallest class of its state where the order goes by that,
/// value, key, and how many there are.
type Gathered = (i64, (Sortable, (String, i64)));

impl Store {
    /// The rarest of what search and group ask for, when few fit it: how to read their keys.
    pub(super) async fn few(&self, filter: &UserFilter, terms: &[String]) -> Result<Option<Ask>> {
        let most = FEW + 1;
        let group = filter.group.iter().map(|group| {
            let ask = format!("SELECT account FROM memberships WHERE grp = ? LIMIT {most}");
            sql(ask).text(&group.0)
        });
        let words = terms.iter().map(|term| {
            let ask =
                format!("SELECT account FROM words WHERE word >= ? AND word < ? LIMIT {most}");
            sql(ask).text(term).text(format!("{term}\u{10FFFF}"))
        });
        let mut asks: Vec<Ask> = group.chain(words).collect();
        if asks.is_empty() {
            return Ok(None);
        }
        let counts: Vec<String> = asks
            .iter()
            .enumerate()
            .map(|(at, ask)| {
                let count = ask.statement.replacen("account", "1 AS one", 1);
                format!("SELECT COUNT(*), {at} FROM ({count}) c{at}")
            })
            .collect();
        let mut count = sql(counts.join(" UNION ALL "));
        count.values = asks.iter().flat_map(|ask| ask.values.clone()).collect();
        let counts: Vec<(i64, i64)> = self.all(count).await?;
        let rarest = counts.into_iter().min().filter(|(count, _)| *count <= FEW);
        Ok(rarest.and_then(|(_, at)| Some(asks.swap_remove(usize::try_from(at).ok()?))))
    }

    /// The keys of a page out of a few who are gathered, filtered and sorted; where the next page
    /// begins, and how many fit.
    pub(super) async fn gathered(
        &self,
        list: &UserList,
        rows: usize,
        after: Option<(String, String)>,
        classes: &[i64],
        few: Ask,
        terms: &[String],
    ) -> Result<(Vec<AccountId>, Option<String>, Option<Total>)> {
        let (sort, wanted) = (list.sort, Wanted::of(&list.filter, terms));
        let (direction, sign) = if list.descending {
            ("DESC", "<")
        } else {
            ("ASC", ">")
        };
        let state = if sort == Sort::State {
            "a.class - a.class % 1000"
        } else {
            "0"
        };
        let beyond = if after.is_some() {
            format!("WHERE (s, v, id) {sign} (?, ?, ?) ")
        } else {
            String::new()
        };
        // `+ 0` keeps planners from going through the classes rather than the keys.
        let mut ask = sql(format!(
            "SELECT s, v, id, n FROM (SELECT {state} AS s, a.{} AS v, a.id AS id, COUNT(*) OVER () AS n \
             FROM (SELECT DISTINCT account FROM ({}) f) k JOIN accounts a ON a.id = k.account \
             WHERE a.class + 0 IN ({}){}) t {beyond}ORDER BY s {direction}, v {direction}, id {direction} LIMIT {}",
            sort.column(),
            few.statement,
            numbers(classes),
            wanted.and(),
            rows + 1,
        ));
        ask.values = few.values;
        ask = ask.texts(wanted.values.iter().map(String::as_str));
        if let Some((value, id)) = &after {
            let (state, value) = sort.split(value);
            ask = sort.value(ask.number(state), value).text(id);
        }
        let found: Vec<Gathered> = self.all(ask).await?;
        let total = match found.first() {
            Some((_, (_, (_, count)))) => Some(Total::Exactly(u64::try_from(*count).unwrap_or(0))),
            None if after.is_none() => Some(Total::Exactly(0)),
            None => None,
        };
        let page = Page::cut(found, rows, |(state, (Sortable(value), (id, _)))| {
            let prefix = if sort == Sort::State {
                (state / 1000).to_string()
            } else {
                String::new()
            };
            mark(&shown(sort, &format!("{prefix}{value}")), id)
        });
        let ids = page.rows.into_iter().map(|(_, (_, (id, _)))| AccountId(id));
        Ok((ids.collect(), page.next, total))
    }
}
