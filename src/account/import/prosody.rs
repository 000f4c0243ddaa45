//! Prosody's own accounts: the folder `DATA/HOST/accounts/NAME.dat` of its internal storage, and
//! the rows of its SQL storage. Plain and hashed ones, of Prosody 0.12 and 13.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::candidate::{Candidate, Password, Unfit};
use super::lua::{self, Table, Value};
use crate::account::State;
use crate::secret::Secret;

/// Largest file that is read, in bytes; Prosody's have some three hundred.
pub const LARGEST: usize = 64 * 1024;

/// Hosts of services, by how they begin.
const SERVICE_HOSTS: [&str; 2] = ["auth.", "recorder."];

/// A file of the folder.
#[derive(Debug)]
pub struct File {
    /// The name of its host's folder: `meet%2eexample%2eorg`.
    pub host: String,
    /// Its own name: `ann.dat`.
    pub name: String,
    /// What is in it, at most [`LARGEST`] bytes and one more; or why it cannot be read.
    pub contents: Result<Vec<u8>, String>,
}

/// Makes a candidate of a file; with a `host` given, of that host only.
///
/// # Errors
/// What is no account of a person, or not readable.
pub fn from_file_of(file: &File, only: Option<&str>) -> Result<Candidate, Unfit> {
    let place = format!("{}/accounts/{}", file.host, file.name);
    let Some(encoded) = file.name.strip_suffix(".dat") else {
        return Err(Unfit::left_alone(place, &file.name, "is no account"));
    };
    let (Some(host), Some(login)) = (decode(&file.host), decode(encoded)) else {
        return Err(Unfit::spoiled(place, encoded, "the file's name is no text"));
    };
    of_host(&host, only, &place, &login)?;
    let contents = match &file.contents {
        Ok(contents) if contents.len() > LARGEST => Err("is larger than any account".to_owned()),
        Ok(contents) => Ok(contents),
        Err(why) => Err(why.clone()),
    };
    let contents = contents.map_err(|why| Unfit::spoiled(&place, &login, why))?;
    let table = lua::read(contents).map_err(|why| Unfit::spoiled(&place, &login, why))?;
    from_table(place, &login, &table)
}

/// Leaves alone what belongs to a host of services, or to another than the one that is wanted.
pub(super) fn of_host(
    host: &str,
    only: Option<&str>,
    place: &str,
    login: &str,
) -> Result<(), Unfit> {
    let why = match only {
        Some(only) if only != host => format!("`{host}` is another host"),
        Some(_) => return Ok(()),
        None if SERVICE_HOSTS.iter().any(|start| host.starts_with(start)) => {
            format!("`{host}` is a host of services")
        }
        None => return Ok(()),
    };
    Err(Unfit::left_alone(place, login, why))
}

/// Makes a candidate of what is kept for an account.
///
/// # Errors
/// What does not have the form of an account.
pub fn from_table(place: String, login: &str, table: &Table) -> Result<Candidate, Unfit> {
    let mut candidate = Candidate::new(place, login);
    candidate.password =
        password(table).map_err(|why| Unfit::spoiled(&candidate.place, login, why))?;
    if table.get("disabled") == Some(&Value::Bool(true)) {
        candidate.state = State::Suspended;
    }
    candidate.created = table.whole("created");
    Ok(candidate)
}

fn password(table: &Table) -> Result<Password, &'static str> {
    if let Some(plain) = table.text("password") {
        let plain = String::from_utf8(plain.to_vec()).map_err(|_| "the password is no text")?;
        return Ok(Password::Plain(Secret::new(plain)));
    }
    let Some(stored) = table.text("stored_key") else {
        return Ok(Password::Nothing);
    };
    let server = table.text("server_key").ok_or("`server_key` is missing")?;
    let salt = table.text("salt").ok_or("`salt` is missing")?;
    let rounds = table
        .whole("iteration_count")
        .ok_or("`iteration_count` is no number")?;
    let (Some(stored), Some(server)) = (unhex(stored), unhex(server)) else {
        return Err("a key is not hexadecimal");
    };
    // The record does not say which digest it is of; its length does.
    let kind = match stored.len() {
        20 => "scram_sha_1",
        32 => "scram_sha_256",
        _ => return Err("a key is of no known digest"),
    };
    Ok(Password::Hash(Secret::new(format!(
        "{kind}${rounds}${}${}${}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    ))))
}

/// Puts the rows of an account together: `key`, `type` and `value` as Prosody's SQL storage has them.
///
/// # Errors
/// A row whose value does not have its type.
pub fn table_of<'a>(
    rows: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
) -> Result<Table, &'static str> {
    let mut text = String::from("return {");
    for (key, kind, value) in rows {
        // The words of the table's own form: what is no literal does not get through its reader.
        let value = match kind {
            "string" => quote(value),
            "number" if value.parse::<f64>().is_ok() => value.to_owned(),
            "boolean" if matches!(value, "true" | "false") => value.to_owned(),
            // Tables are nothing that an account needs.
            "json" => continue,
            _ => return Err("a value does not have its type"),
        };
        text.push_str(&format!("[{}]={value};", quote(key)));
    }
    let text = Secret::new(text + "}");
    lua::read(text.reveal().as_bytes()).map_err(|why| why.why)
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '\n' => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Takes `%xx` back.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let (digits, tail) = tail.split_at_checked(2)?;
            bytes.extend(unhex(digits)?);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |pair: &[u8]| u8::try_from(value(&pair[0])? << 4 | value(&pair[1])?).ok();
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(host: &str, name: &str, contents: &str) -> File {
        File {
            host: host.into(),
            name: name.into(),
            contents: Ok(contents.as_bytes().to_vec()),
        }
    }

    const HASHED: &str = "return {\n\t[\"stored_key\"] = \"0f6e469b7e304ffb15a1baacc146887b6d2360b1\";\n\
        \t[\"salt\"] = \"af703d55-45d9-48b0-9e40-3e120aec0950\";\n\
        \t[\"server_key\"] = \"59c8521ca0403a58cf4f66bab346c732232426f8\";\n\t[\"iteration_count\"] = 10000;\n};\n";

    #[test]
    fn hashed_plain_disabled_and_without() {
        let found =
            from_file_of(&file("meet%2eexample%2eorg", "b%c3%b3b.dat", HASHED), None).unwrap();
        assert_eq!(found.login, "bób");
        assert_eq!(found.place, "meet%2eexample%2eorg/accounts/b%c3%b3b.dat");
        let Password::Hash(hash) = &found.password else {
            panic!("{found:?}")
        };
        assert_eq!(
            hash.reveal(),
            "scram_sha_1$10000$YWY3MDNkNTUtNDVkOS00OGIwLTllNDAtM2UxMjBhZWMwOTUw$D25Gm34wT/sVobqswUaIe20jYLE=$WchSHKBAOljPT2a6s0bHMiMkJvg="
        );
        let plain =
            "return { [\"password\"] = \"a \\\"b\\\" \\195\\188\"; [\"created\"] = 1700000000; }";
        let found = from_file_of(&file("h", "ann.dat", plain), None).unwrap();
        assert_eq!(
            found.password,
            Password::Plain(Secret::new("a \"b\" ü".into()))
        );
        assert_eq!(found.created, Some(1_700_000_000));
        let disabled = HASHED.replace("return {", "return { disabled = true;");
        let found = from_file_of(&file("h", "ann.dat", &disabled), None).unwrap();
        assert_eq!(found.state, State::Suspended);
        let none = from_file_of(&file("h", "ann.dat", "return { disabled = true }"), None).unwrap();
        assert_eq!(none.password, Password::Nothing);
    }

    #[test]
    fn services_and_others_are_left_alone() {
        for (host, name) in [
            ("auth%2emeet%2eexample%2eorg", "focus.dat"),
            ("recorder%2emeet%2eexample%2eorg", "recorder.dat"),
            ("meet%2eexample%2eorg", "notes.txt"),
        ] {
            assert!(
                from_file_of(&file(host, name, HASHED), None)
                    .unwrap_err()
                    .on_purpose
            );
        }
    }

    #[test]
    fn what_is_spoiled_is_named() {
        for (name, contents) in [
            ("%c3%28.dat", HASHED),
            ("%c.dat", HASHED),
            ("a.dat", "return os.exit()"),
            ("a.dat", ""),
            ("a.dat", &HASHED.replace("salt", "Salt")),
            ("a.dat", &HASHED.replace("10000", "\"many\"")),
            ("a.dat", &HASHED.replace("10000", "-1")),
            ("a.dat", &HASHED.replace("10000", "1.5")),
            ("a.dat", &HASHED.replace("0f6e", "0f6")),
            ("a.dat", &HASHED.replace("0f6e", "")),
            ("a.dat", &HASHED.replace("0f6e", "zz6e")),
        ] {
            let unfit = from_file_of(&file("h", name, contents), None).unwrap_err();
            assert!(!unfit.on_purpose, "{name} {unfit:?}");
        }
        let large = " ".repeat(LARGEST + 1);
        assert!(from_file_of(&file("h", "a.dat", &large), None).is_err());
    }

    #[test]
    fn rows_come_to_the_same() {
        let rows = [
            ("salt", "string", "a\"b\\c\nd\r"),
            ("iteration_count", "number", "4096"),
            ("disabled", "boolean", "true"),
            ("x\"]=os;", "string", "]]"),
            ("meta", "json", "{}"),
        ];
        let table = table_of(rows.into_iter()).unwrap();
        assert_eq!(table.text("salt"), Some(&b"a\"b\\c\nd\r"[..]));
        assert_eq!(table.whole("iteration_count"), Some(4096));
        assert_eq!(table.get("disabled"), Some(&Value::Bool(true)));
        assert_eq!(table.text("x\"]=os;"), Some(&b"]]"[..]));
        for row in [
            ("a", "number", "1 }"),
            ("a", "boolean", "os"),
            ("a", "function", "x"),
        ] {
            assert!(table_of([row].into_iter()).is_err(), "{row:?}");
        }
    }
}
