//! Good files, and every mistake with its line.

use super::*;

fn problems(text: &str) -> Vec<String> {
    let text = format!("schema = 1\npublic_url = \"https://meet.example.org\"\n{text}");
    let problems = parse(&text).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn two_lines_are_enough() {
    let settings =
        parse("schema = 1\npublic_url = \"https://Meet.example.org/accounts/\"\n").unwrap();
    assert_eq!(settings.public_url, "https://meet.example.org/accounts");
    assert_eq!(settings.internal, "127.0.0.1:8481");
    assert_eq!(settings.registration, Policy::default());
    assert_eq!(settings.mail.tls, "required");
}

/// Every key is read into its field, and what is read is in one form.
#[test]
fn every_key_has_its_field() {
    let text = include_str!("../full.toml");
    let settings = parse(text).unwrap();
    for key in keys() {
        let name = key.rsplit('.').next().unwrap();
        assert!(
            text.lines().any(|line| line
                .trim_start_matches("# ")
                .starts_with(&format!("{name} ="))
                || line == format!("[{key}]")),
            "`{key}` is not in full.toml"
        );
    }
    let usual = format!(
        "{:#?}",
        Settings {
            public_url: settings.public_url.clone(),
            ..Settings::default()
        }
    );
    let found = format!("{settings:#?}");
    let same: Vec<&str> = found
        .lines()
        .zip(usual.lines())
        .filter(|(found, usual)| {
            found == usual && found.contains(": ") && !found.ends_with(['{', '['])
        })
        .map(|(found, _)| found.trim())
        .filter(|line| !line.starts_with("schema") && !line.starts_with("public_url"))
        .collect();
    assert!(
        same.is_empty(),
        "as if these had not been written: {same:?}"
    );
}

#[test]
fn all_mistakes_are_named_at_once_with_their_lines() {
    let found = parse("schema = 2\nlisten = \"everywhere\"\n[mail]\nhots = \"mail.example.org\"\ntls = \"require\"\n[registraton]\n").unwrap_err();
    let said: Vec<String> = found
        .iter()
        .map(|problem| problem.to_string().replace("\n  hint: ", " | "))
        .collect();
    assert_eq!(said.len(), 6, "{said:#?}");
    assert_eq!(
        said[1],
        "line 1: `schema` = 2 is not between 1 and 1 | write it as in `schema = 1`"
    );
    assert!(said[0].contains("needs its `public_url`"), "{said:#?}");
    assert!(
        said[2].starts_with("line 2: `listen` = \"everywhere\" is neither"),
        "{said:#?}"
    );
    assert!(
        said[3].starts_with("line 4: `hots` is not a key of `[mail]` | did you mean `host`?"),
        "{said:#?}"
    );
    assert!(
        said[4].starts_with("line 5: `mail.tls` = \"require\" is not one of"),
        "{said:#?}"
    );
    assert!(said[5].starts_with("line 6: `registraton` is not a key of the file of settings | did you mean `registration`?"), "{said:#?}");
}

#[test]
fn addresses_of_the_site() {
    for (text, kept) in [
        ("https://meet.example.org/", "https://meet.example.org"),
        (
            "https://meet.example.org:8443/a/b/",
            "https://meet.example.org:8443/a/b",
        ),
        ("http://127.0.0.1:8480", "http://127.0.0.1:8480"),
        ("http://[::1]:8480/accounts", "http://[::1]:8480/accounts"),
        ("http://localhost", "http://localhost"),
    ] {
        assert_eq!(url(text).as_deref(), Ok(kept));
    }
    for text in [
        "http://meet.example.org",
        "meet.example.org",
        "ftp://meet.example.org",
        "https://",
        "https:///x",
        "https://meet.example.org/a//b",
        "https://meet.example.org/a?b",
        "https://meet.example.org/../a",
        "https://ann@meet.example.org",
        "https://meet.example.org:99999",
        "https://meet.example.org/a b",
        "https://meet.example.org/\"x",
        "http://127.0.0.1.example.org",
        "https://meet.example.org/ä",
    ] {
        assert!(url(text).is_err(), "{text}");
    }
}

#[test]
fn what_may_not_be() {
    for (text, says) in [
        ("internal = \"0.0.0.0:8481\"", "not on the loopback"),
        ("internal = \"127.0.0.1:8480\"", "are the same"),
        ("trusted_proxies = [\"0.0.0.0/0\"]", "takes in everybody"),
        ("trusted_proxies = [\"10.0.0.0/33\"]", "no number up to 32"),
        (
            "database = \"postgres://ann:secret@db/x\"",
            "has a password in it",
        ),
        ("database = \"mysql://ann@db\"", "name of a database"),
        ("database = \"sqlite:accounts.sqlite\"", "`database`"),
        ("database_password_file = \"/x\"", "SQLite has no password"),
        ("key_file = \"key\"", "`key_file`"),
        ("listen = \"unix:web.sock\"", "`listen`"),
        ("language = \"it\"", "is not one of"),
        ("[passwords]\nminimum = 4", "between 8 and 64"),
        ("[passwords]\nscram = [\"SHA-512\"]", "neither `SHA-1` nor"),
        (
            "[sessions]\nidle_minutes = 600\nabsolute_hours = 1",
            "may last at all",
        ),
        (
            "[mail]\nhost = \"a.example.org\"\nfolder = \"/x\"",
            "not both",
        ),
        (
            "[mail]\nhost = \"a.example.org\"\ntls = \"none\"\nusername = \"u\"\npassword_file = \"/p\"",
            "in the clear",
        ),
        ("[mail]\nusername = \"u\"", "belong together"),
        (
            "[mail]\nfrom = \"Ann\\r\\nBcc: x@example.org <a@example.org>\"",
            "control character",
        ),
        (
            "[notify]\nwebhook = \"http://example.org/hook\"",
            "not encrypted",
        ),
        ("[notify]\nwebhook_key_file = \"/x\"", "no webhook"),
        ("[notify]\naddresses = [\"ann\"]", "has no `@`"),
        (
            "[registration]\nmode = \"aproval\"",
            "did you mean \"approval\"?",
        ),
        (
            "[registration]\nterms_url = \"javascript:alert(1)\"",
            "does not begin with",
        ),
        ("site_name = \"a\\nb\"", "control character"),
    ] {
        let found = problems(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(says), "{text}: {found:?}");
        assert!(!found[0].contains("ann:secret"), "{found:?}");
    }
}
