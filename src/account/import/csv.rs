//! Lists: RFC 4180 with a row of names first, UTF-8 with or without a byte order mark, parted by
//! `,`, `;` or tabs. Read row by row; a row has at most 64 KiB.

use std::io::BufRead;

use super::ImportError;
use super::candidate::{Candidate, LINE, Password, Unfit};
use crate::account::{Role, State};
use crate::secret::Secret;

/// Most fields of a row.
const FIELDS: usize = 256;

/// What a column means; its names are compared without case, blanks and `_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Login,
    Email,
    Name,
    Groups,
    Role,
    State,
    Hash,
    Other,
}

impl Column {
    fn named(name: &str) -> Self {
        let name: String = name
            .chars()
            .filter(|c| !c.is_whitespace() && !"_-".contains(*c))
            .flat_map(char::to_lowercase)
            .collect();
        match name.as_str() {
            "login" | "username" | "user" | "uid" => Self::Login,
            "email" | "mail" | "emailaddress" => Self::Email,
            "name" | "displayname" | "fullname" => Self::Name,
            "groups" | "group" => Self::Groups,
            "role" => Self::Role,
            "state" => Self::State,
            "password" | "passwordhash" | "hash" => Self::Hash,
            _ => Self::Other,
        }
    }
}

/// A list that is being read; each item is a row.
#[derive(Debug)]
pub struct Rows<R> {
    name: String,
    source: R,
    line: u64,
    separator: u8,
    columns: Vec<Column>,
}

impl<R: BufRead> Rows<R> {
    /// Reads the first row, which names the columns. `name` is what the list is called in reports.
    ///
    /// # Errors
    /// A list without the column `login`, with a column twice, or that cannot be read.
    pub fn new(name: &str, source: R) -> Result<Self, ImportError> {
        let mut rows = Self {
            name: name.to_owned(),
            source,
            line: 0,
            separator: b',',
            columns: Vec::new(),
        };
        let refused = |why: String| ImportError::source(format!("{name}:1"), why);
        let raw = rows.raw().map_err(refused)?;
        let raw = raw.ok_or_else(|| refused("the list is empty".into()))?;
        let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&raw);
        // Whichever parts the first row most often.
        let count = |separator: u8| raw.iter().filter(|b| **b == separator).count();
        if let Some(most) = [b',', b';', b'\t']
            .into_iter()
            .rev()
            .max_by_key(|s| count(*s))
        {
            rows.separator = most;
        }
        let names = fields(raw, rows.separator).map_err(refused)?;
        rows.columns = names.iter().map(|name| Column::named(name)).collect();
        for (at, column) in rows.columns.iter().enumerate() {
            if *column != Column::Other && rows.columns[..at].contains(column) {
                return Err(refused(format!(
                    "two columns mean the same: `{}`",
                    names[at]
                )));
            }
        }
        if !rows.columns.contains(&Column::Login) {
            return Err(refused(
                "no column is called `login`; the first row has to name the columns".into(),
            ));
        }
        Ok(rows)
    }

    /// The bytes of the next row, line ends inside quotes with it; `None` at the end.
    fn raw(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut row = Vec::new();
        let mut inside = false;
        loop {
            let before = row.len();
            read_line(&mut self.source, &mut row).map_err(|why| why.to_string())?;
            if row.len() > LINE {
                return Err("a row is longer than 64 KiB; is a quote left open?".into());
            }
            if row.len() == before {
                return Ok((before > 0).then_some(row));
            }
            self.line += 1;
            inside = self.ends_inside(&row[before..], inside);
            if !inside {
                return Ok(Some(row));
            }
        }
    }

    /// Whether a line ends inside quotes. They open at the start of a field only: one that stands
    /// elsewhere spoils its own row and no other.
    fn ends_inside(&self, line: &[u8], mut inside: bool) -> bool {
        let mut start = !inside;
        for byte in line {
            match byte {
                b'"' if inside => inside = false,
                // A doubled one opens again at once.
                b'"' => inside = start,
                _ => {}
            }
            start = *byte == b'"'
                || *byte == self.separator
                || (self.columns.is_empty() && b";\t".contains(byte));
        }
        inside
    }

    fn candidate(&self, place: &str, raw: &[u8]) -> Result<Candidate, Unfit> {
        let spoiled = |why: String| Unfit::spoiled(place, "", why);
        let fields = fields(raw, self.separator).map_err(spoiled)?;
        if fields.len() > self.columns.len() {
            let why = format!(
                "has {} fields where the first row has {}",
                fields.len(),
                self.columns.len()
            );
            return Err(spoiled(why));
        }
        let mut candidate = Candidate::new(place, "");
        let mut wrong = None;
        for (column, field) in self.columns.iter().zip(&fields) {
            let field = field.trim();
            match column {
                Column::Login => candidate.login = field.to_owned(),
                Column::Email => candidate.email = field.to_owned(),
                Column::Name => candidate.display_name = field.to_owned(),
                Column::Groups => {
                    let names = field.split([';', '|', ',']).map(str::trim);
                    candidate.groups = names.filter(|n| !n.is_empty()).map(Into::into).collect();
                }
                Column::Role => match field.to_ascii_lowercase().as_str() {
                    "" | "member" => {}
                    "approver" => candidate.role = Role::Approver,
                    "admin" => candidate.role = Role::Admin,
                    _ => wrong = Some(format!("no role is called `{field}`")),
                },
                Column::State => match State::parse(&field.to_ascii_lowercase()) {
                    Some(State::Deleted) => wrong = Some("is deleted there".into()),
                    Some(state) => candidate.state = state,
                    None if field.is_empty() => {}
                    None => wrong = Some(format!("no state is called `{field}`")),
                },
                Column::Hash if field.is_empty() => {}
                Column::Hash => candidate.password = Password::Hash(Secret::new(field.to_owned())),
                Column::Other => {}
            }
        }
        match wrong {
            Some(why) => Err(Unfit::spoiled(place, &candidate.login, why)),
            None => Ok(candidate),
        }
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Result<Candidate, Unfit>, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.line + 1;
            let place = format!("{}:{line}", self.name);
            return match self.raw() {
                Err(why) => Some(Err(ImportError::source(place, why))),
                Ok(None) => None,
                Ok(Some(row)) if row.trim_ascii().is_empty() => continue,
                Ok(Some(row)) => Some(Ok(self.candidate(&place, &row))),
            };
        }
    }
}

/// Adds a line with its end, as far as it goes into a row.
pub(super) fn read_line(source: &mut impl BufRead, row: &mut Vec<u8>) -> std::io::Result<()> {
    let room = (LINE + 1).saturating_sub(row.len()) as u64;
    std::io::Read::take(source, room).read_until(b'\n', row)?;
    Ok(())
}

/// Takes a row apart.
fn fields(row: &[u8], separator: u8) -> Result<Vec<String>, String> {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    let mut fields = Vec::new();
    let mut rest = Some(row);
    while let Some(row) = rest {
        let (field, tail) = if row.first() == Some(&b'"') {
            quoted(&row[1..], separator)?
        } else {
            let end = row.iter().position(|b| *b == separator);
            let (field, tail) = row.split_at(end.unwrap_or(row.len()));
            if field.contains(&b'"') {
                return Err("has a quote inside a field that is not quoted".into());
            }
            (field.to_vec(), end.map(|_| &tail[1..]))
        };
        fields.push(String::from_utf8(field).map_err(|_| "is not UTF-8".to_owned())?);
        if fields.len() > FIELDS {
            return Err(format!("has more than {FIELDS} fields"));
        }
        rest = tail;
    }
    Ok(fields)
}

/// The field up to its closing quote, and what follows the separator after it.
fn quoted(mut row: &[u8], separator: u8) -> Result<(Vec<u8>, Option<&[u8]>), String> {
    let mut field = Vec::new();
    loop {
        let end = row.iter().position(|b| *b == b'"');
        let end = end.ok_or("has a quote that does not close")?;
        field.extend(&row[..end]);
        row = &row[end + 1..];
        match row.first() {
            Some(b'"') => {
                field.push(b'"');
                row = &row[1..];
            }
            None => return Ok((field, None)),
            Some(b) if *b == separator => return Ok((field, Some(&row[1..]))),
            Some(_) => return Err("has something after a closing quote".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Result<Candidate, Unfit>> {
        let rows = Rows::new("people.csv", text).unwrap();
        rows.map(|row| row.unwrap()).collect()
    }

    #[test]
    fn a_list_with_everything() {
        let text = "\u{feff}Login;E-Mail;Display Name;Groups;Role;State;Password_Hash;Phone\r\n\
            ann;Ann@example.org;\"Ann \"\"A\"\"; B\";\"staff|choir\";admin;active;pbkdf2_sha256$1$s$h;1\r\n\
            \r\n\
            ben;;\"two\r\nlines\";;;suspended\r\n\
            carl";
        let found = read(text.as_bytes());
        let ann = found[0].as_ref().unwrap();
        assert_eq!(ann.place, "people.csv:2");
        assert_eq!(
            (ann.login.as_str(), ann.email.as_str()),
            ("ann", "Ann@example.org")
        );
        assert_eq!(ann.display_name, "Ann \"A\"; B");
        assert_eq!(ann.groups, ["staff", "choir"]);
        assert_eq!((ann.role, ann.state), (Role::Admin, State::Active));
        assert_eq!(
            ann.password,
            Password::Hash(Secret::new("pbkdf2_sha256$1$s$h".into()))
        );
        let ben = found[1].as_ref().unwrap();
        assert_eq!(ben.place, "people.csv:4");
        assert_eq!(ben.display_name, "two\r\nlines");
        assert_eq!(ben.state, State::Suspended);
        let carl = found[2].as_ref().unwrap();
        assert_eq!(
            (carl.place.as_str(), carl.login.as_str()),
            ("people.csv:6", "carl")
        );
        assert_eq!(carl.password, Password::Nothing);
    }

    #[test]
    fn commas_and_tabs_part_too() {
        assert_eq!(
            read(b"name,login\n\"a;b\",x\n")[0].as_ref().unwrap().login,
            "x"
        );
        assert_eq!(
            read(b"name\tlogin\nA B\tx\n")[0].as_ref().unwrap().login,
            "x"
        );
        assert_eq!(read(b"login\nx\n")[0].as_ref().unwrap().login, "x");
    }

    #[test]
    fn a_wrong_row_is_named_and_the_next_is_read() {
        let text = b"login,role,state\na,boss,\nb,,deleted\nc,,odd\nd,,,,\n\xff\xfe,,\ne\"e,,\n\"f\"f,,\ng,,\n";
        let found = read(text);
        assert_eq!(found.len(), 8);
        for (at, why) in [
            (0, "no role is called `boss`"),
            (1, "is deleted there"),
            (2, "no state is called `odd`"),
            (3, "has 5 fields where the first row has 3"),
            (4, "is not UTF-8"),
        ] {
            let unfit = found[at].as_ref().unwrap_err();
            assert_eq!(
                (unfit.why.as_str(), unfit.place.clone()),
                (why, format!("people.csv:{}", at + 2))
            );
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [
            &b""[..],
            b"mail,name\n",
            b"login,uid\n",
            b"login,\"x\n",
            b"\xff\xff\n",
        ] {
            assert!(Rows::new("x", text).is_err(), "{text:?}");
        }
        let open = [b"login\n\"".to_vec(), vec![b'x'; 1 << 20]].concat();
        let mut rows = Rows::new("x", &open[..]).unwrap();
        assert!(matches!(rows.next(), Some(Err(_))));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(2000))]
        #[test]
        fn bytes_do_not_break_it(bytes: Vec<u8>, text in "[a\",;\\r\\n\\t é]{0,80}") {
            for source in [bytes, format!("login,state\n{text}").into_bytes()] {
                if let Ok(rows) = Rows::new("x", &source[..]) {
                    proptest::prop_assert!(rows.take(1000).count() < 1000);
                }
            }
        }
    }
}
