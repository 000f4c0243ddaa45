//! LDIF (RFC 2849): what `slapcat` and `ldapsearch` write. People are entries with a `uid` of the
//! classes `inetOrgPerson`, `posixAccount` and their like; `memberOf` names their groups. Entries
//! about something else are left alone. Read entry by entry.

use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::ImportError;
use super::candidate::{Candidate, LINE, Password, Unfit};
use super::csv::read_line;
use crate::account::State;
use crate::account::password::form::Form;
use crate::secret::Secret;

/// Most lines of an entry, and most bytes.
const LINES: usize = 10_000;
const ENTRY: usize = 1024 * 1024;

/// Classes of people.
const PEOPLE: [&str; 6] = [
    "account",
    "inetorgperson",
    "organizationalperson",
    "person",
    "posixaccount",
    "shadowaccount",
];

/// A file that is being read; each item is an entry.
#[derive(Debug)]
pub struct Entries<R> {
    name: String,
    source: R,
    line: u64,
    /// The line that was read ahead.
    ahead: Option<Vec<u8>>,
}

/// Attributes of an entry, names in lower case and without options.
type Entry = Vec<(String, Vec<u8>)>;

impl<R: BufRead> Entries<R> {
    /// Reads from a file; `name` is what it is called in reports.
    pub fn new(name: &str, source: R) -> Self {
        Self {
            name: name.to_owned(),
            source,
            line: 0,
            ahead: None,
        }
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        if let Some(line) = self.ahead.take() {
            self.line += 1;
            return Ok(Some(line));
        }
        let line = self.fetched()?;
        self.line += u64::from(line.is_some());
        Ok(line)
    }

    fn fetched(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut line = Vec::new();
        read_line(&mut self.source, &mut line).map_err(|why| why.to_string())?;
        if line.len() > LINE {
            return Err("a line is longer than 64 KiB".into());
        }
        if line.is_empty() {
            return Ok(None);
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some(line))
    }

    /// A line with those that continue it, which begin with a space.
    fn unfolded(&mut self) -> Result<Option<Vec<u8>>, String> {
        let Some(mut line) = self.line()? else {
            return Ok(None);
        };
        if line.is_empty() {
            return Ok(Some(line));
        }
        loop {
            match self.fetched()? {
                Some(next) if next.first() == Some(&b' ') => {
                    self.line += 1;
                    line.extend(&next[1..]);
                    if line.len() > ENTRY {
                        return Err("a value is longer than 1 MiB".into());
                    }
                }
                next => {
                    self.ahead = next;
                    return Ok(Some(line));
                }
            }
        }
    }

    /// The next entry with the number of its first line; inside, why it is not one.
    #[allow(
        clippy::type_complexity,
        reason = "the file ends, cannot be read, or has a wrong entry"
    )]
    fn entry(&mut self) -> Result<Option<(u64, Result<Entry, String>)>, String> {
        let mut entry = Entry::new();
        let (mut first, mut wrong, mut bytes) = (0, None, 0);
        while let Some(line) = self.unfolded()? {
            if line.is_empty() {
                if first > 0 {
                    break;
                }
                continue;
            }
            let version = line.to_ascii_lowercase().starts_with(b"version:");
            if line[0] == b'#' || (first == 0 && version) {
                continue;
            }
            if first == 0 {
                first = self.line;
            }
            bytes += line.len();
            if entry.len() >= LINES || bytes > ENTRY {
                return Err("an entry has more than 10,000 lines or 1 MiB".into());
            }
            match attribute(&line) {
                Ok(attribute) => entry.push(attribute),
                Err(why) => wrong = Some(why.to_owned()),
            }
        }
        Ok((first > 0).then(|| (first, wrong.map_or(Ok(entry), Err))))
    }
}

impl<R: BufRead> Iterator for Entries<R> {
    type Item = Result<Result<Candidate, Unfit>, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.entry() {
            Err(why) => {
                let place = format!("{}:{}", self.name, self.line + 1);
                Some(Err(ImportError::source(place, why)))
            }
            Ok(None) => None,
            Ok(Some((line, entry))) => {
                let place = format!("{}:{line}", self.name);
                Some(Ok(match entry {
                    Ok(entry) => candidate(&place, &entry),
                    Err(why) => Err(Unfit::spoiled(place, "", why)),
                }))
            }
        }
    }
}

/// `name: value`, `name:: base64`; `name:< url` is not followed.
fn attribute(line: &[u8]) -> Result<(String, Vec<u8>), &'static str> {
    let colon = line.iter().position(|b| *b == b':');
    let colon = colon.ok_or("a line has no colon")?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let name = name.split(|b| *b == b';').next().unwrap_or_default();
    let name = std::str::from_utf8(name).map_err(|_| "a name is not UTF-8")?;
    let trimmed = |value: &[u8]| {
        let start = value.iter().take_while(|b| **b == b' ').count();
        value[start..].to_vec()
    };
    let value = match value.first() {
        Some(b':') => STANDARD
            .decode(value[1..].trim_ascii())
            .map_err(|_| "a value is not base64")?,
        Some(b'<') => Vec::new(),
        _ => trimmed(value),
    };
    Ok((name.to_ascii_lowercase(), value))
}

fn candidate(place: &str, entry: &Entry) -> Result<Candidate, Unfit> {
    let values = |name: &'static str| {
        let named = entry.iter().filter(move |(n, _)| n == name);
        named.filter_map(|(_, value)| std::str::from_utf8(value).ok())
    };
    let value = |name| values(name).next().unwrap_or_default().trim().to_owned();
    let dn = value("dn");
    if let Some(change) = values("changetype").next()
        && change != "add"
    {
        let why = format!("is a change (`{change}`) and no entry");
        return Err(Unfit::spoiled(place, &dn, why));
    }
    let class = |class: &str| PEOPLE.contains(&class.to_ascii_lowercase().as_str());
    if !values("objectclass").any(class) {
        return Err(Unfit::left_alone(place, &dn, "is no entry of a person"));
    }
    let login = value("uid");
    if login.is_empty() {
        return Err(Unfit::left_alone(place, &dn, "has no `uid`"));
    }
    let mut candidate = Candidate::new(place, login);
    candidate.email = value("mail");
    candidate.display_name = value("displayname");
    if candidate.display_name.is_empty() {
        candidate.display_name = value("cn");
    }
    candidate.groups = values("memberof").filter_map(first_name).collect();
    candidate.created = instant(value("createtimestamp").as_str());
    if locked(&value("pwdaccountlockedtime"), &value("nsaccountlock")) {
        candidate.state = State::Suspended;
    }
    candidate.password = password(values("userpassword"));
    Ok(candidate)
}

/// The first that can be checked; else the first. A value without braces is the password itself
/// (RFC 4519), unless it is some hash.
fn password<'a>(values: impl Iterator<Item = &'a str>) -> Password {
    let mut values: Vec<&str> = values.filter(|value| !value.is_empty()).collect();
    values.sort_by_key(|value| Form::parse(value).is_err());
    match values.first() {
        None => Password::Nothing,
        Some(value) if Form::parse(value).is_ok() || value.starts_with(['{', '!', '*', '$']) => {
            Password::Hash(Secret::new((*value).to_owned()))
        }
        Some(value) => Password::Plain(Secret::new((*value).to_owned())),
    }
}

fn locked(locked_time: &str, lock: &str) -> bool {
    // For ever, by RFC draft-behera-ldap-password-policy; other times pass by themselves.
    locked_time.starts_with("00000101") || lock.eq_ignore_ascii_case("true")
}

/// The value of the first part of a distinguished name: `cn=choir,ou=groups,…`.
fn first_name(dn: &str) -> Option<String> {
    let (_, rest) = dn.split_once('=')?;
    let mut name = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            ',' | '+' => break,
            '\\' => name.extend(chars.next()),
            c => name.push(c),
        }
    }
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// `20240102030405Z` and `20240102030405.678Z` as Unix seconds.
fn instant(text: &str) -> Option<i64> {
    let format =
        time::format_description::parse_borrowed::<2>("[year][month][day][hour][minute][second]")
            .ok()?;
    let digits = text.strip_suffix('Z')?.split('.').next()?;
    let at: OffsetDateTime = PrimitiveDateTime::parse(digits, &format).ok()?.assume_utc();
    Some(at.unix_timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Result<Candidate, Unfit>> {
        Entries::new("p.ldif", text)
            .map(|entry| entry.unwrap())
            .collect()
    }

    #[test]
    fn what_slapcat_writes() {
        let text = b"version: 1\n# people\n#  and more\n\n\
            dn: dc=example,dc=org\nobjectClass: organization\no: Example\n\n\
            dn: uid=ann,ou=people,dc=example,dc=org\r\nobjectClass: top\r\nobjectClass: inetOrgPerson\r\n\
            uid: ann\r\ncn:: w4RubiBC\r\nmail: ann@ex\r\n ample.org\r\nuserPassword:: e1NTSEF9QUJD\r\n\
            memberOf: cn=the\\, choir,ou=groups,dc=example,dc=org\r\ncreateTimestamp: 20240102030405Z\r\n\r\n\r\n\
            dn: uid=ben,dc=example\nchangetype: add\nobjectclass: posixAccount\nuid: ben\ncn;lang-de: Ben\n\
            pwdAccountLockedTime: 000001010000Z\nuserPassword: {CRYPT}*\n\
            userPassword: {SSHA}MDEyMzQ1Njc4OTAxMjM0NTY3ODlhYmNk\njpegPhoto:< file:///etc/passwd";
        let found = read(text);
        assert!(found[0].as_ref().unwrap_err().on_purpose);
        let ann = found[1].as_ref().unwrap();
        assert_eq!(ann.place, "p.ldif:9");
        assert_eq!(
            (ann.login.as_str(), ann.display_name.as_str()),
            ("ann", "Änn B")
        );
        assert_eq!(ann.email, "ann@example.org");
        assert_eq!(ann.groups, ["the, choir"]);
        assert_eq!(ann.created, Some(1_704_164_645));
        assert_eq!(
            ann.password,
            Password::Hash(Secret::new("{SSHA}ABC".into()))
        );
        let ben = found[2].as_ref().unwrap();
        assert_eq!(
            (ben.login.as_str(), ben.display_name.as_str()),
            ("ben", "Ben")
        );
        assert_eq!(ben.state, State::Suspended);
        let kept = "{SSHA}MDEyMzQ1Njc4OTAxMjM0NTY3ODlhYmNk";
        assert_eq!(ben.password, Password::Hash(Secret::new(kept.into())));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_password_without_braces_is_itself() {
        let text = b"dn: uid=a\nobjectClass: person\nuid: a\nuserPassword: secret word";
        let plain = Password::Plain(Secret::new("secret word".into()));
        assert_eq!(read(text)[0].as_ref().unwrap().password, plain);
    }

    #[test]
    fn a_wrong_entry_is_named_and_the_next_is_read() {
        let text = b"dn: x\nno colon\n\ndn: y\nuid:: %%%\n\ndn: z\nchangetype: modify\nuid: z\n\n\
            dn: uid=a\nobjectClass: person\nuid: a\n";
        let found = read(text);
        assert_eq!(found.len(), 4);
        for (at, place) in [(0, "p.ldif:1"), (1, "p.ldif:4"), (2, "p.ldif:7")] {
            let unfit = found[at].as_ref().unwrap_err();
            assert_eq!((unfit.place.as_str(), unfit.on_purpose), (place, false));
        }
        assert_eq!(found[3].as_ref().unwrap().login, "a");
    }

    #[test]
    fn size_is_bounded() {
        let long = [b"dn: ".to_vec(), vec![b'x'; 1 << 20]].concat();
        assert!(Entries::new("x", &long[..]).next().unwrap().is_err());
        let many = b"a: b\n".repeat(20_000);
        assert!(Entries::new("x", &many[..]).next().unwrap().is_err());
        let folded = [
            b"a: b\n".to_vec(),
            b" xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(100_000),
        ]
        .concat();
        assert!(Entries::new("x", &folded[..]).next().unwrap().is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(2000))]
        #[test]
        fn bytes_do_not_break_it(bytes: Vec<u8>, text in "(dn|uid|objectClass|userPassword|memberOf)?[:; \\n#=,{}$a<]{0,40}") {
            for source in [bytes, text.into_bytes()] {
                proptest::prop_assert!(Entries::new("x", &source[..]).take(1000).count() < 1000);
            }
        }
    }
}
