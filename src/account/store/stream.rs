//! The range of one class in one order, read in pieces and merged with the others.

use std::collections::VecDeque;

use super::ask::{Ask, Sortable, sql};
use super::kind::Kind;
use super::users::{Sort, Wanted};

/// How many ranges are read with one question.
pub(super) const TOGETHER: usize = 4;
/// Accounts that one question looks at: of one range, or as many of each of [`TOGETHER`].
pub(super) const LOOK: usize = 120;

/// A row of a range: class, value, key, and whether it is wanted.
pub(super) type Row = (i64, (Sortable, (String, i64)));

/// An account that may be on the page.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Its value in the order, comparable as text.
    pub(super) value: String,
    pub(super) id: String,
    /// Whether search and group fit.
    pub(super) hit: bool,
}

/// The accounts of one class from a place on.
pub(super) struct Stream {
    class: i64,
    /// What stands before each value, so that classes compare: the digit of a state.
    prefix: String,
    /// The column's value and the key from which to read on.
    from: (String, String),
    /// The same value with the prefix.
    place: String,
    /// Whether the account at that place has been read already.
    is_read: bool,
    buffer: VecDeque<Candidate>,
    is_at_end: bool,
}

impl Stream {
    /// A range that begins at a place, or behind it when `is_read`.
    pub(super) fn begin(class: i64, sort: Sort, from: (String, String), is_read: bool) -> Self {
        let prefix = if sort == Sort::State {
            (class / 1000).to_string()
        } else {
            String::new()
        };
        Self {
            class,
            place: format!("{prefix}{}", from.0),
            prefix,
            from,
            is_read,
            buffer: VecDeque::new(),
            is_at_end: false,
        }
    }

    /// Whether more must be read before the next one is known.
    pub(super) fn is_dry(&self) -> bool {
        self.buffer.is_empty() && !self.is_at_end
    }

    /// Where the next one is, or at least where no other is before; `None` at the end.
    pub(super) fn bound(&self) -> Option<(&str, &str)> {
        match self.buffer.front() {
            Some(candidate) => Some((&candidate.value, &candidate.id)),
            None if self.is_at_end => None,
            None => Some((&self.place, &self.from.1)),
        }
    }

    /// Takes the next one.
    pub(super) fn take(&mut self) -> Option<Candidate> {
        self.buffer.pop_front()
    }

    /// The question for the next pieces of some ranges: those of a piece that are wanted, and its
    /// last one in any case, where the next piece begins. There are always one or [`TOGETHER`] of
    /// them, so that drivers know the statement.
    pub(super) fn ask(
        some: &[&mut Self],
        kind: Kind,
        sort: Sort,
        descending: bool,
        wanted: &Wanted,
    ) -> Ask {
        let column = sort.column();
        let (direction, sign) = if descending {
            ("DESC", "<=")
        } else {
            ("ASC", ">=")
        };
        let (beyond, order) = if column == "login" {
            (format!("a.login {sign} ?"), format!("a.login {direction}"))
        } else {
            (
                kind.beyond(&format!("a.{column}"), "a.id", sign),
                format!("a.{column} {direction}, a.id {direction}"),
            )
        };
        let count = if some.len() == 1 { 1 } else { TOGETHER };
        // Numbers in the text rather than values: PostgreSQL would expect thousands of rows.
        let piece = LOOK / count;
        let (all, last) = (piece.to_string(), format!("1 OFFSET {}", piece - 1));
        let part = |name: String, hit: &str, limit: &str, only: &str| {
            format!(
                "SELECT class, v, id, hit FROM (SELECT a.class, a.{column} AS v, a.id, {hit} AS hit FROM accounts a \
                 WHERE a.class = ? AND {beyond} ORDER BY {order} LIMIT {limit}) {name}{only}"
            )
        };
        let wants = wanted.as_number();
        let parts: Vec<String> = (0..count)
            .flat_map(|at| {
                [
                    part(format!("t{at}"), &wants, &all, " WHERE hit = 1"),
                    part(format!("l{at}"), "0", &last, ""),
                ]
            })
            .collect();
        let mut ask = sql(parts.join(" UNION ALL "));
        for at in 0..count {
            // A place that no range needs asks for a class that nobody is in.
            let nobody = (String::new(), String::new());
            let (class, (value, id)) = some
                .get(at)
                .map_or((-1, &nobody), |stream| (stream.class, &stream.from));
            ask = ask.texts(wanted.values.iter().map(String::as_str));
            for _ in 0..2 {
                ask = sort.place(ask.number(class), kind, value, id);
            }
        }
        ask
    }

    /// Gives the rows of [`Stream::ask`] to their ranges.
    pub(super) fn fill(some: &mut [&mut Self], rows: Vec<Row>, descending: bool) {
        let mut fresh: Vec<Vec<Candidate>> = some.iter().map(|_| Vec::new()).collect();
        for (class, (Sortable(value), (id, hit))) in rows {
            if let Some(at) = some.iter().position(|stream| stream.class == class) {
                let hit = hit != 0;
                fresh[at].push(Candidate { value, id, hit });
            }
        }
        for (stream, mut fresh) in some.iter_mut().zip(fresh) {
            // The last of the piece, unless it is shorter. It may be among the hits too.
            stream.is_at_end = fresh.iter().all(|candidate| candidate.hit);
            fresh.sort_by(|a, b| (&a.value, &a.id, b.hit).cmp(&(&b.value, &b.id, a.hit)));
            fresh.dedup_by(|a, b| a.id == b.id);
            if descending {
                fresh.reverse();
            }
            if stream.is_read {
                fresh.retain(|candidate| candidate.id != stream.from.1);
            }
            if let Some(last) = fresh.last() {
                stream.from = (last.value.clone(), last.id.clone());
                stream.place = format!("{}{}", stream.prefix, last.value);
                stream.is_read = true;
            }
            for candidate in &mut fresh {
                candidate.value.insert_str(0, &stream.prefix);
            }
            stream.buffer.extend(fresh);
        }
    }
}
