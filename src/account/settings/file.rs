//! From TOML to [`Settings`]: every key, its default and its check.

mod value;

use std::collections::BTreeSet;
use std::net::IpAddr;

use value::{
    database, domain, email, has_password, hook, host, internal, listen, mailbox, network, scram,
    short, url, url_or_none,
};

use super::{Mail, Notify, Passwords, Problem, Prosody, Sessions, Settings};
use crate::account::policy::{Policy, Registration};
use crate::name::{AbsPath, NameError};
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

#[cfg(test)]
mod tests;
