//! Names that the running machine knows: its people and its hosts.
//!
//! The C library's own look-ups load whatever `/etc/nsswitch.conf` names into the process, which a
//! statically linked program cannot do; `getent` asks in our stead, the same sources in the same
//! order (getent(1)). Most names stand in `/etc/passwd` and `/etc/group`, which are read first.

use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::stand;

/// A table of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Users.
    Passwd,
    /// Groups.
    Group,
}

impl Table {
    fn word(self) -> &'static str {
        match self {
            Self::Passwd => "passwd",
            Self::Group => "group",
        }
    }
}

/// One line of a table, as passwd(5) and group(5) have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// A user's group; a group has none.
    pub group: Option<u32>,
}

impl Entry {
    fn read(table: Table, line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(':').collect();
        Some(Self {
            name: (*fields.first()?).to_owned(),
            number: fields.get(2)?.parse().ok()?,
            group: match table {
                Table::Passwd => Some(fields.get(3)?.parse().ok()?),
                Table::Group => None,
            },
        })
    }
}

/// Who has a name.
#[must_use]
pub fn by_name(table: Table, name: &str) -> Option<Entry> {
    find(table, name, |entry| entry.name == name)
}

/// Who has a number.
#[must_use]
pub fn by_number(table: Table, number: u32) -> Option<Entry> {
    find(table, &number.to_string(), |entry| entry.number == number)
}

/// Who has a name in the machine's own file, where packages put their users; nobody else is asked.
#[must_use]
pub fn in_file(table: Table, name: &str) -> Option<Entry> {
    among(table, |entry| entry.name == name)
}

fn among(table: Table, is_it: impl Fn(&Entry) -> bool) -> Option<Entry> {
    let file = stand::read(&Path::new("/etc").join(table.word())).unwrap_or_default();
    pick(table, &file, is_it)
}

fn pick(table: Table, text: &[u8], is_it: impl Fn(&Entry) -> bool) -> Option<Entry> {
    String::from_utf8_lossy(text)
        .lines()
        .filter_map(|line| Entry::read(table, line))
        .find(is_it)
}

fn find(table: Table, key: &str, is_it: impl Fn(&Entry) -> bool) -> Option<Entry> {
    among(table, &is_it).or_else(|| pick(table, ask(table.word(), key)?.as_bytes(), &is_it))
}

/// A host's addresses, sorted, each once.
///
/// # Errors
/// When the resolver has none.
pub fn addresses(host: &str) -> Result<Vec<IpAddr>, String> {
    let said = ask("ahosts", host).ok_or_else(|| "the resolver has no address".to_owned())?;
    let mut found = crate::name::addresses(&said);
    found.sort();
    Ok(found)
}

fn ask(database: &str, key: &str) -> Option<String> {
    let output = Command::new(super::process::find("getent")?)
        .args(["--", database, key])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_by_name_and_number() {
        let root = by_name(Table::Passwd, "root").unwrap();
        assert_eq!((root.number, root.group), (0, Some(0)));
        assert_eq!(by_number(Table::Group, 0).unwrap().group, None);
        assert_eq!(by_name(Table::Passwd, "no-such-user"), None);
        assert_eq!(by_name(Table::Passwd, "--version"), None);
        assert_eq!(by_name(Table::Passwd, "0"), None);
    }

    #[test]
    fn hosts() {
        let found = addresses("localhost").unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
        assert!(addresses("no-such-host.invalid").is_err());
        assert!(addresses("--help").is_err());
    }
}
