//! From TOML to [`Settings`]: every key, its default and its check.
//!
//! Over 400 lines, tests among them: one short function for each table and each kind of value.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::{Mail, Notify, Passwords, Problem, Prosody, Sessions, Settings};
use crate::account::policy::{Policy, Registration};
use crate::name::{AbsPath, Domain, Email, NameError, excerpt};
use crate::reader::{Document, Table};

pub(super) fn parse(text: &str) -> Result<Settings, Vec<Problem>> {
    let (settings, problems, _) = read(text);
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(problems),
    }
}

pub(super) fn keys() -> BTreeSet<String> {
    read("schema = 1").2
}

fn read(text: &str) -> (Option<Settings>, Vec<Problem>, BTreeSet<String>) {
    match Document::parse("the file of settings", text) {
        Err(problem) => (None, vec![problem], BTreeSet::new()),
        Ok(document) => {
            let settings = settings(document.root());
            let (problems, asked) = document.finish();
            (Some(settings), problems, asked)
        }
    }
}

fn settings(file: Table<'_>) -> Settings {
    let usual = Settings::default();
    let _ = file.number("schema", 1..=1, 1);
    if !file.has("schema") {
        file.object(
            "schema",
            "`schema` must be 1: it tells which keys this file may have",
            "begin the file with `schema = 1`",
        );
    }
    let url = file.text("public_url", "https://meet.example.org/accounts", url);
    if !file.has("public_url") {
        file.object(
            "public_url",
            "the service needs its `public_url`: links in mails, cookies and checks follow it",
            "add `public_url = \"https://meet.example.org/accounts\"` at the top",
        );
    }
    let text = |key, example, check: fn(&str) -> Result<String, NameError>, usual: String| {
        file.text(key, example, check).unwrap_or(usual)
    };
    let settings = Settings {
        schema: 1,
        public_url: url.unwrap_or_default(),
        site_name: text("site_name", "Meetings", short, usual.site_name),
        meet_url: text(
            "meet_url",
            "https://meet.example.org",
            url_or_none,
            usual.meet_url,
        ),
        listen: text(
            "listen",
            "unix:/run/jitsi-accounts/web.sock",
            listen,
            usual.listen,
        ),
        internal: text("internal", "127.0.0.1:8481", internal, usual.internal),
        trusted_proxies: file
            .texts("trusted_proxies", "192.0.2.0/24", network)
            .unwrap_or(usual.trusted_proxies),
        database: text(
            "database",
            "postgres://accounts@127.0.0.1/accounts",
            database,
            usual.database,
        ),
        database_password_file: path(&file, "database_password_file"),
        key_file: path(&file, "key_file").unwrap_or(usual.key_file),
        templates: path(&file, "templates"),
        language: file
            .choice(
                "language",
                &["en", "de", "fr", "es", "nl"].map(|word| (word, word)),
            )
            .map_or(usual.language, str::to_owned),
        registration: registration(file.table("registration")),
        passwords: passwords(file.table("passwords")),
        sessions: sessions(file.table("sessions")),
        mail: mail(file.table("mail")),
        notify: notify(file.table("notify")),
        prosody: prosody(file.table("prosody")),
    };
    if settings.database.starts_with("sqlite:") && settings.database_password_file.is_some() {
        file.object(
            "database_password_file",
            "SQLite has no password",
            "remove `database_password_file`, or name another `database`",
        );
    }
    if has_password(&settings.database) {
        // The value itself is not shown.
        file.object(
            "database",
            "`database` has a password in it, which others may read here",
            "write the password into a file, and name that as `database_password_file`",
        );
    }
    if settings.listen == settings.internal {
        file.object(
            "internal",
            "`listen` and `internal` are the same",
            "give one of them another port",
        );
    }
    file.finish();
    settings
}

fn registration(table: Table<'_>) -> Policy {
    let usual = Policy::default();
    let days = |key, bounds, usual: i64| table.number(key, bounds, 30).map_or(usual, i64::from);
    let policy = Policy {
        mode: table
            .choice(
                "mode",
                &[
                    ("approval", Registration::Approval),
                    ("open", Registration::Open),
                    ("invite", Registration::Invite),
                    ("closed", Registration::Closed),
                ],
            )
            .unwrap_or(usual.mode),
        allowed_domains: table
            .texts("allowed_domains", "example.org", domain)
            .unwrap_or_default(),
        blocked_domains: table
            .texts("blocked_domains", ".example.org", domain)
            .unwrap_or_default(),
        blocked_addresses: table
            .texts("blocked_addresses", "ann@example.org", email)
            .unwrap_or_default(),
        terms_url: table
            .text("terms_url", "https://example.org/terms", url_or_none)
            .unwrap_or_default(),
        ask_reason: table.flag("ask_reason").unwrap_or(usual.ask_reason),
        confirm_days: days("confirm_days", 1..=90, usual.confirm_days),
        approve_days: days("approve_days", 1..=3650, usual.approve_days),
        audit_days: days("audit_days", 0..=36_500, usual.audit_days),
        digest_hours: days("digest_hours", 0..=168, usual.digest_hours),
    };
    table.finish();
    policy
}

fn passwords(table: Table<'_>) -> Passwords {
    let usual = Passwords::default();
    let size = |key, bounds, usual: usize| {
        let found = table.number(key, bounds, u32::try_from(usual).unwrap_or(1));
        found.map_or(usual, |number| number as usize)
    };
    let passwords = Passwords {
        minimum: size("minimum", 8..=64, usual.minimum),
        scram: table.texts("scram", "SHA-1", scram).unwrap_or(usual.scram),
        scram_iterations: table
            .number("scram_iterations", 4096..=1_000_000, 10_000)
            .unwrap_or(usual.scram_iterations),
        argon2_memory: table
            .number("argon2_memory", 7168..=1_048_576, 19_456)
            .unwrap_or(usual.argon2_memory),
        argon2_passes: table
            .number("argon2_passes", 1..=20, 2)
            .unwrap_or(usual.argon2_passes),
        concurrent: size("concurrent", 0..=256, usual.concurrent),
        forbidden: table
            .texts("forbidden", "meeting", short)
            .unwrap_or(usual.forbidden),
        breached_file: path(&table, "breached_file"),
    };
    table.finish();
    passwords
}

fn sessions(table: Table<'_>) -> Sessions {
    let usual = Sessions::default();
    let time = |key, most, usual: i64| table.number(key, 1..=most, 60).map_or(usual, i64::from);
    let sessions = Sessions {
        idle_minutes: time("idle_minutes", 43_200, usual.idle_minutes),
        absolute_hours: time("absolute_hours", 8760, usual.absolute_hours),
        fresh_minutes: time("fresh_minutes", 1440, usual.fresh_minutes),
        staff_second_factor: table
            .flag("staff_second_factor")
            .unwrap_or(usual.staff_second_factor),
    };
    if sessions.idle_minutes > sessions.absolute_hours * 60 {
        table.object(
            "idle_minutes",
            "a session may not be idle for longer than it may last at all",
            "lower `idle_minutes`, or raise `absolute_hours`",
        );
    }
    table.finish();
    sessions
}

fn mail(table: Table<'_>) -> Mail {
    let mail = Mail {
        host: table
            .text("host", "mail.example.org", host)
            .unwrap_or_default(),
        port: table.port("port", 587),
        tls: table
            .choice(
                "tls",
                &["required", "implicit", "none"].map(|word| (word, word)),
            )
            .unwrap_or("required")
            .to_owned(),
        ca_file: path(&table, "ca_file"),
        username: table.text("username", "accounts", short),
        password_file: path(&table, "password_file"),
        from: table
            .text("from", "Meetings <no-reply@example.org>", mailbox)
            .unwrap_or_default(),
        folder: path(&table, "folder"),
    };
    if !mail.host.is_empty() && mail.folder.is_some() {
        table.object(
            "folder",
            "mail goes to a server or into a folder, not both",
            "remove `folder`, or `host`",
        );
    }
    if mail.username.is_some() != mail.password_file.is_some() {
        let key = if mail.username.is_some() {
            "username"
        } else {
            "password_file"
        };
        table.object(
            key,
            "`username` and `password_file` belong together",
            "write both, or neither",
        );
    }
    let is_near =
        mail.host == "localhost" || mail.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if mail.tls == "none" && mail.username.is_some() && !is_near {
        table.object(
            "tls",
            "without TLS the password would cross the network in the clear",
            "write `tls = \"required\"` or `tls = \"implicit\"`",
        );
    }
    table.finish();
    mail
}

fn notify(table: Table<'_>) -> Notify {
    let notify = Notify {
        addresses: table
            .texts("addresses", "admin@example.org", email)
            .unwrap_or_default(),
        webhook: table.text("webhook", "https://example.org/hook", hook),
        webhook_key_file: path(&table, "webhook_key_file"),
    };
    if notify.webhook.is_none() && notify.webhook_key_file.is_some() {
        table.object(
            "webhook_key_file",
            "there is no webhook that this key could sign for",
            "add `webhook`, or remove `webhook_key_file`",
        );
    }
    table.finish();
    notify
}

fn prosody(table: Table<'_>) -> Prosody {
    let prosody = Prosody {
        secret_file: path(&table, "secret_file"),
    };
    table.finish();
    prosody
}

fn path(table: &Table<'_>, key: &str) -> Option<String> {
    let example = format!("/etc/jitsi-accounts/{}", key.trim_end_matches("_file"));
    table.text(key, &example, |text| {
        AbsPath::parse(text).map(|path| path.as_str().to_owned())
    })
}

fn refuse<T>(why: impl Into<String>) -> Result<T, NameError> {
    Err(NameError(why.into()))
}

/// A text for people: one line, at most 100 characters.
fn short(text: &str) -> Result<String, NameError> {
    match text.trim() {
        "" => refuse("is empty"),
        _ if text.chars().count() > 100 => refuse("is longer than 100 characters"),
        _ if text.chars().any(char::is_control) => refuse("has a control character"),
        kept => Ok(kept.to_owned()),
    }
}

/// Scheme, host, port and path of an address of pages; `http` is for this machine alone.
fn url(text: &str) -> Result<String, NameError> {
    if text.len() > 300 {
        return refuse("is longer than 300 characters");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return refuse("does not begin with `https://`");
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (authority, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return refuse("has a port that is no number up to 65535");
    }
    let name = name.to_ascii_lowercase();
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(&name);
    let address = address.parse::<IpAddr>().ok();
    if address.is_none() && name != "localhost" {
        Domain::parse(&name).map_err(|why| NameError(format!("has a host that {why}")))?;
    }
    let is_near = name == "localhost" || address.is_some_and(|ip| ip.is_loopback());
    match scheme {
        "https" => {}
        "http" if is_near => {}
        "http" => {
            return refuse(
                "is not encrypted: sign-ins need `https://` (`http://` is for 127.0.0.1 only)",
            );
        }
        _ => return refuse("does not begin with `https://`"),
    }
    let path = path.trim_end_matches('/');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(is_plain) && part != "." && part != "..";
    if !path.split('/').skip(1).all(is_part) {
        return refuse(
            "has a path with something besides letters, digits, `-`, `.`, `_`, `~` and single `/`",
        );
    }
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    Ok(format!("{scheme}://{name}{port}{path}"))
}

fn url_or_none(text: &str) -> Result<String, NameError> {
    if text.is_empty() {
        Ok(String::new())
    } else {
        link(text)
    }
}

/// An address of a page of somebody else's, which may have a query.
fn link(text: &str) -> Result<String, NameError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._~:/?@!&()*+,;=%[]#".contains(c);
    if !text.starts_with("https://") && !text.starts_with("http://") {
        refuse("does not begin with `https://`")
    } else if text.len() > 500 {
        refuse("is longer than 500 characters")
    } else if let Some(bad) = text.chars().find(|c| !fine(*c)) {
        refuse(format!("has the character `{}`", bad.escape_debug()))
    } else {
        Ok(text.to_owned())
    }
}

/// Where a webhook goes: `https`, or `http` on this machine.
fn hook(text: &str) -> Result<String, NameError> {
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let origin = bare.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    url(&origin)?;
    link(text)
}

fn listen(text: &str) -> Result<String, NameError> {
    if let Some(path) = text.strip_prefix("unix:") {
        let path = AbsPath::parse(path)?;
        // sockaddr_un holds 108 bytes with the zero at the end (unix(7)).
        if path.as_str().len() > 107 {
            return refuse("has a path that is too long for a socket (107 bytes)");
        }
        return Ok(format!("unix:{path}"));
    }
    match text.parse::<SocketAddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => refuse("is neither `unix:` with a path nor an address with a port"),
    }
}

fn internal(text: &str) -> Result<String, NameError> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address.to_string()),
        Ok(_) => refuse("is not on the loopback: others could ask for passwords there"),
        Err(_) => refuse("is not an address with a port"),
    }
}

/// A network, `192.0.2.0/24`, or one address.
fn network(text: &str) -> Result<String, NameError> {
    let (address, length) = text
        .split_once('/')
        .map_or((text, None), |(address, length)| (address, Some(length)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return refuse("is not an address or a network such as 192.0.2.0/24");
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    match length.map(str::parse::<u8>) {
        None => Ok(format!("{address}/{most}")),
        Some(Ok(0)) => refuse("takes in everybody: anyone could claim any address"),
        Some(Ok(length)) if length <= most => Ok(format!("{address}/{length}")),
        Some(_) => refuse(format!("has a length that is no number up to {most}")),
    }
}

fn database(text: &str) -> Result<String, NameError> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return AbsPath::parse(path).map(|path| format!("sqlite:{path}"));
    }
    let Some((scheme @ ("mysql" | "mariadb" | "postgres" | "postgresql"), rest)) =
        text.split_once("://")
    else {
        return refuse("does not begin with `sqlite:/`, `mysql://` or `postgres://`");
    };
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("has a space or a control character");
    }
    let name = rest.split('?').next().unwrap_or_default();
    if name.split_once('/').is_none_or(|(_, name)| name.is_empty()) {
        return refuse("does not end with the name of a database");
    }
    let scheme = if scheme.starts_with('p') {
        "postgres"
    } else {
        "mysql"
    };
    Ok(format!("{scheme}://{rest}"))
}

fn has_password(database: &str) -> bool {
    let rest = database.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || rest.contains("password=")
}

fn domain(text: &str) -> Result<String, NameError> {
    let text = text.trim().to_lowercase();
    Domain::parse(text.strip_prefix('.').unwrap_or(&text)).map(|_| text)
}

fn email(text: &str) -> Result<String, NameError> {
    Email::parse(text).map(|email| email.as_str().to_lowercase())
}

fn scram(text: &str) -> Result<String, NameError> {
    match text {
        "SHA-1" | "SHA-256" => Ok(text.to_owned()),
        _ => refuse("is neither `SHA-1` nor `SHA-256`"),
    }
}

fn host(text: &str) -> Result<String, NameError> {
    let text = text.to_ascii_lowercase();
    if text == "localhost" || text.parse::<IpAddr>().is_ok() {
        return Ok(text);
    }
    Domain::parse(&text).map(|_| text)
}

fn mailbox(text: &str) -> Result<String, NameError> {
    if text.chars().any(char::is_control) {
        return refuse("has a control character");
    }
    match text.parse::<lettre::message::Mailbox>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => refuse(format!("is no sender: `{}`", excerpt(text))),
    }
}

#[cfg(test)]
mod tests {
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
        let text = include_str!("full.toml");
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
}
