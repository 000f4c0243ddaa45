//! `[auth]`: how rooms are opened.

use crate::name::{AbsPath, NameError};
use crate::reader::Table;
use crate::site::value::{short_text, url};
use crate::site::{Auth, Mechanism, Mode, Signature, SqlHashed, TokenAuth};

pub(super) fn auth(table: Table<'_>) -> Auth {
    let mode = table
        .choice(
            "mode",
            &[("token", Mode::Token), ("sql_hashed", Mode::SqlHashed)],
        )
        .unwrap_or(Mode::Token);
    let guests = table.flag("guests").unwrap_or(true);
    for (other, name) in [(Mode::Token, "token"), (Mode::SqlHashed, "sql_hashed")] {
        if mode != other && table.has(name) {
            table.object(
                name,
                format!("`[auth.{name}]` is for `mode = \"{name}\"` only"),
                format!("write `mode = \"{name}\"` under `[auth]`, or remove the table"),
            );
        }
    }
    let auth = Auth {
        mode,
        guests,
        token: token(table.table("token")),
        sql_hashed: sql_hashed(table.table("sql_hashed")),
    };
    table.finish();
    auth
}

fn sql_hashed(table: Table<'_>) -> SqlHashed {
    let mechanism = |text: &str| match text {
        "PLAIN" => Ok(Mechanism::Plain),
        "SCRAM-SHA-1" => Ok(Mechanism::ScramSha1),
        "SCRAM-SHA-256" => Ok(Mechanism::ScramSha256),
        _ => Err(NameError(
            "is none of \"PLAIN\", \"SCRAM-SHA-1\" and \"SCRAM-SHA-256\"".to_owned(),
        )),
    };
    let asked = table.texts("mechanisms", "PLAIN", mechanism);
    let mut mechanisms: Vec<Mechanism> = Vec::new();
    for one in asked.unwrap_or_else(|| vec![Mechanism::Plain]) {
        if !mechanisms.contains(&one) {
            mechanisms.push(one);
        }
    }
    let for_browsers = [Mechanism::Plain, Mechanism::ScramSha1];
    if !mechanisms.iter().any(|one| for_browsers.contains(one)) {
        table.object(
            "mechanisms",
            "Jitsi's web application signs in by PLAIN or SCRAM-SHA-1, and neither is offered",
            "add \"PLAIN\" to `mechanisms`",
        );
    }
    let scram_iterations = table
        .number("scram_iterations", 4096..=1_000_000, 10_000)
        .unwrap_or(10_000);
    table.finish();
    SqlHashed {
        mechanisms,
        scram_iterations,
    }
}

fn token(table: Table<'_>) -> TokenAuth {
    let app_id = table
        .text("app_id", "jitsi", short_text)
        .unwrap_or_else(|| "jitsi".to_owned());
    let audience = table
        .text("audience", "jitsi", short_text)
        .unwrap_or_else(|| "jitsi".to_owned());
    let rsa = table
        .choice("algorithm", &[("HS256", false), ("RS256", true)])
        .unwrap_or(false);
    let secret_file = table.text(
        "secret_file",
        "/etc/jitsi-install/token.secret",
        AbsPath::parse,
    );
    let key_server = table.text("key_server", "https://id.example.org/asap", url);
    let keys_url = table.text("keys_url", "https://id.example.org/jwks.json", url);
    if rsa && secret_file.is_some() {
        table.object(
            "secret_file",
            "RS256 has no shared secret",
            "remove `secret_file`, or write `algorithm = \"HS256\"`",
        );
    }
    if !rsa && (key_server.is_some() || keys_url.is_some()) {
        let key = if key_server.is_some() {
            "key_server"
        } else {
            "keys_url"
        };
        table.object(
            key,
            "HS256 has no public keys to fetch",
            "remove it, or write `algorithm = \"RS256\"`",
        );
    }
    let signature = match (rsa, key_server, keys_url) {
        (true, Some(key_server), Some(keys_url)) => Signature::Rs256 {
            key_server,
            keys_url,
        },
        (true, ..) => {
            table.object(
                "algorithm",
                "RS256 needs `key_server` and `keys_url`: with one of them alone Prosody leaves clients hanging",
                "add both under `[auth.token]`",
            );
            Signature::Hs256 { secret_file: None }
        }
        (false, ..) => Signature::Hs256 { secret_file },
    };
    table.finish();
    TokenAuth {
        app_id,
        audience,
        signature,
    }
}
