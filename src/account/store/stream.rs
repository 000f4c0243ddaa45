//! The range of one class in one order, read in pieces and merged with the others.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::ask::{Ask, sql};
use super::kind::Kind;
use super::users::{Row, Sort, Wanted};

/// An account that may be on the page.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Its value in the order, comparable as text.
    pub(super) value: String,
    pub(super) id: String,
    /// Whether search and group fit.
    pub(super) hit: bool,
}

impl Candidate {
    pub(super) fn key(&self) -> (&str, &str) {
        (&self.value, &self.id)
    }
}

/// The accounts of one class from a place on.
pub(super) struct Stream {
    class: i64,
    /// The column's value and the key of the last one that was read.
    last: Option<(String, String)>,
    buffer: VecDeque<Candidate>,
    is_at_end: bool,
}

impl Stream {
    /// The range behind a mark; `None` when nothing of this class is behind it.
    pub(super) fn begin(
        class: i64,
        sort: Sort,
        descending: bool,
        after: Option<&(String, String)>,
    ) -> Option<Self> {
        let mut last = after.cloned();
        if let (Sort::State, Some((value, id))) = (sort, after) {
            // The mark is the digit of a state and a login.
            let mut chars = value.chars();
            let rank = chars
                .next()
                .and_then(|c| c.to_digit(10))
                .map_or(0, i64::from);
            let here = class / 1000;
            if here != rank && (here < rank) != descending {
                return None;
            }
            last = (here == rank).then(|| (chars.as_str().to_owned(), id.clone()));
        }
        Some(Self {
            class,
            last,
            buffer: VecDeque::new(),
            is_at_end: false,
        })
    }

    /// Whether more must be read before the next one is known.
    pub(super) fn is_dry(&self) -> bool {
        self.buffer.is_empty() && !self.is_at_end
    }

    /// The next one.
    pub(super) fn first(&self) -> Option<&Candidate> {
        self.buffer.front()
    }

    /// Takes the next one.
    pub(super) fn take(&mut self) -> Option<Candidate> {
        self.buffer.pop_front()
    }

    /// The question for the next rows of some streams: class, value, key, whether it is wanted.
    pub(super) fn ask(
        streams: &[Self],
        kind: Kind,
        sort: Sort,
        descending: bool,
        wanted: &Wanted,
        most: usize,
    ) -> Ask {
        let column = sort.column();
        let direction = if descending { "DESC" } else { "ASC" };
        let is_unique = column == "login";
        let hit = if wanted.condition.is_empty() {
            "1".to_owned()
        } else {
            format!("CASE WHEN {} THEN 1 ELSE 0 END", wanted.condition)
        };
        let order = if is_unique {
            format!("a.login {direction}")
        } else {
            format!("a.{column} {direction}, a.id {direction}")
        };
        let mut text = String::new();
        for (at, stream) in streams.iter().enumerate() {
            let between = if at == 0 { "" } else { " UNION ALL " };
            let beyond = match &stream.last {
                None => String::new(),
                Some(_) if is_unique => {
                    format!(" AND a.login {} ?", if descending { '<' } else { '>' })
                }
                Some(_) => format!(
                    " AND {}",
                    kind.beyond(&format!("a.{column}"), "a.id", descending)
                ),
            };
            let _ = write!(
                text,
                "{between}SELECT class, v, id, hit FROM (SELECT a.class, a.{column} AS v, a.id, {hit} AS hit FROM accounts a \
                 WHERE a.class = {}{beyond} ORDER BY {order} LIMIT {most}) t{at}",
                stream.class
            );
        }
        let mut ask = sql(text);
        for stream in streams {
            ask = ask.texts(wanted.values.iter().map(String::as_str));
            let Some((value, id)) = &stream.last else {
                continue;
            };
            let times = if is_unique { 1 } else { kind.beyond_values() };
            for _ in 0..times {
                ask = if sort.is_number() {
                    ask.number(value.parse().unwrap_or(0))
                } else {
                    ask.text(value)
                };
            }
            if !is_unique {
                ask = ask.text(id);
            }
        }
        ask
    }

    /// Gives the rows of [`Stream::ask`] to their streams.
    pub(super) fn fill(
        streams: &mut [Self],
        rows: Vec<Row<String>>,
        most: usize,
        sort: Sort,
        descending: bool,
    ) {
        let mut fresh: Vec<Vec<Candidate>> = streams.iter().map(|_| Vec::new()).collect();
        for (class, (value, (id, hit))) in rows {
            if let Some(at) = streams.iter().position(|stream| stream.class == class) {
                let hit = hit != 0;
                fresh[at].push(Candidate { value, id, hit });
            }
        }
        for (stream, mut fresh) in streams.iter_mut().zip(fresh) {
            fresh.sort_by(|a, b| a.key().cmp(&b.key()));
            if descending {
                fresh.reverse();
            }
            stream.is_at_end = fresh.len() < most;
            if let Some(last) = fresh.last() {
                stream.last = Some((last.value.clone(), last.id.clone()));
            }
            if sort == Sort::State {
                for candidate in &mut fresh {
                    candidate
                        .value
                        .insert_str(0, &(stream.class / 1000).to_string());
                }
            }
            stream.buffer.extend(fresh);
        }
    }
}
