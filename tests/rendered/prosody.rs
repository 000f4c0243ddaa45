//! Prosody's files: syntax by `luac`, values by executing them as Prosody does, account records by
//! Prosody's own SCRAM, and the whole by `prosodyctl check config`.

use std::io::Write;
use std::process::{Command, Stdio};

use jitsi_install::site::{Database, Engine, Mode, ProsodyVersion, Signature};
use serde_json::{Value, json};

use crate::proving::{self, output, program, run, said, unprivileged};
use crate::stage::{Stage, stages};

#[test]
fn luac_takes_every_lua_file() {
    let Some(luac) = program("luac5.4", "lua5.4") else {
        return;
    };
    for stage in stages() {
        let mut files = stage.ending(".lua");
        files.extend(stage.ending(".dat"));
        // One by one: given several, luac 5.4.4 frees something twice.
        for file in files {
            run(Command::new(&luac).arg("-p").arg(file));
        }
    }
}

#[test]
fn prosody_would_see_these_values() {
    let Some(lua) = program("lua5.4", "lua5.4") else {
        return;
    };
    let files = stages().iter().map(|stage| stage.one("/prosody.cfg.lua"));
    let script = proving::root().join("tests/proving/prosody_config.lua");
    let said = run(Command::new(&lua).arg(script).args(files));
    let read: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read.len(), stages().len());
    for (stage, config) in stages().iter().zip(&read) {
        globals(stage, &config["*"]);
        hosts(stage, config);
    }
}

fn version(stage: &Stage) -> ProsodyVersion {
    stage
        .site
        .prosody
        .version
        .unwrap_or(stage.platform.prosody.version)
}

fn globals(stage: &Stage, seen: &Value) {
    let site = &stage.site;
    let is_13 = version(stage) == ProsodyVersion::V13;
    let modules = seen["modules_enabled"].as_array().unwrap();
    assert_eq!(modules.contains(&json!("posix")), !is_13, "{}", stage.name);
    for (key, value) in [
        ("admins", json!([])),
        (
            "plugin_paths",
            json!([
                stage.platform.prosody.own_plugins,
                site.prosody.plugins.as_ref().unwrap()
            ]),
        ),
        ("interfaces", json!(["127.0.0.1"])),
        ("c2s_interfaces", json!(["127.0.0.1"])),
        ("http_interfaces", json!(["127.0.0.1"])),
        ("c2s_ports", json!([site.prosody.c2s_port])),
        ("http_ports", json!([site.prosody.http_port])),
        ("s2s_ports", json!([])),
        ("https_ports", json!([])),
        ("http_default_host", json!(site.domain)),
        ("allow_registration", json!(false)),
        (
            "component_admins_as_room_owners",
            if is_13 { json!(true) } else { Value::Null },
        ),
    ] {
        assert_eq!(seen[key], value, "{}: `{key}`", stage.name);
    }
    let logs = format!("{}/", stage.platform.prosody.logs);
    let sinks = seen["log"].as_array().unwrap();
    assert!(!sinks.is_empty());
    for sink in sinks {
        let file = sink["filename"].as_str().unwrap();
        assert!(file.starts_with(&logs), "{}: {sink}", stage.name);
        assert_eq!(sink["filter"], "token (token) here", "{}", stage.name);
    }
}

/// The options of our own module, and that what they name is there and for Prosody alone.
fn logins(stage: &Stage, main: &Value) {
    let auth = &stage.site.auth.sql_hashed;
    let accounts = stage.site.accounts.as_ref().unwrap();
    assert_eq!(main["authentication"], "sql_hashed", "{}", stage.name);
    assert_eq!(main["app_secret"], Value::Null, "{}", stage.name);
    assert_eq!(
        main["sql_hashed_mechanisms"],
        json!(auth.mechanisms),
        "{}",
        stage.name
    );
    assert_eq!(
        main["sql_hashed_scram_iterations"],
        json!(auth.scram_iterations),
        "{}",
        stage.name
    );
    let service = format!(
        "http://127.0.0.1:{}/prosody/password",
        accounts.internal_port
    );
    assert_eq!(main["sql_hashed_service"], json!(service), "{}", stage.name);
    let secrets = &stage.secrets;
    let mut files = vec![(
        &main["sql_hashed_secret_file"],
        &secrets.accounts_prosody_key,
    )];
    let database = &main["sql_hashed_database"];
    let driver = match accounts.database {
        Database::Sqlite => "SQLite3",
        Database::Local(Engine::MariaDb) | Database::Remote(Engine::MariaDb, _) => "MySQL",
        Database::Local(Engine::PostgreSql) | Database::Remote(Engine::PostgreSql, _) => {
            "PostgreSQL"
        }
    };
    assert_eq!(database["driver"], driver, "{}", stage.name);
    if let Database::Local(_) = accounts.database {
        files.push((
            &database["password_file"],
            &secrets.accounts_reader_password,
        ));
    }
    for (file, secret) in files {
        let file = file.as_str().unwrap();
        assert_eq!(
            std::fs::read_to_string(file).unwrap(),
            format!("{}\n", secret.reveal()),
            "{}",
            stage.name
        );
        let made = stage.files().find(|one| one.path.as_str() == file).unwrap();
        assert_eq!(made.mode.0, 0o640, "{}: {file}", stage.name);
        assert!(made.veiled, "{}: {file}", stage.name);
    }
    assert_eq!(
        stage.ending("/mod_auth_sql_hashed.lua").len(),
        1,
        "{}",
        stage.name
    );
}

fn tokens(stage: &Stage, main: &Value) {
    let token = &stage.site.auth.token;
    assert_eq!(main["authentication"], "token", "{}", stage.name);
    assert_eq!(main["app_id"], json!(token.app_id), "{}", stage.name);
    assert_eq!(
        main["asap_accepted_issuers"],
        json!([token.app_id]),
        "{}",
        stage.name
    );
    assert_eq!(
        main["asap_accepted_audiences"],
        json!([token.audience]),
        "{}",
        stage.name
    );
    assert_eq!(main["allow_empty_token"], false, "{}", stage.name);
    let (secret, server, keys) = match &token.signature {
        Signature::Hs256 { .. } => (json!(stage.token_secret()), Value::Null, Value::Null),
        Signature::Rs256 {
            key_server,
            keys_url,
        } => (Value::Null, json!(key_server), json!(keys_url)),
    };
    assert_eq!(main["app_secret"], secret, "{}", stage.name);
    assert_eq!(main["asap_key_server"], server, "{}", stage.name);
    assert_eq!(main["cache_keys_url"], keys, "{}", stage.name);
}

fn hosts(stage: &Stage, config: &Value) {
    let domain = stage.site.domain.as_str();
    let host = |name: &str| &config[format!("{name}.{domain}").as_str()];
    let (main, guest) = (&config[domain], host("guest"));
    let focus = format!("focus@auth.{domain}");
    let is_token = stage.site.auth.mode == Mode::Token;
    if is_token {
        tokens(stage, main);
    } else {
        logins(stage, main);
    }

    let guests = stage.site.auth.guests;
    let kind = if guests {
        json!("jitsi-anonymous")
    } else {
        Value::Null
    };
    assert_eq!(guest["authentication"], kind, "{}", stage.name);
    let modules = if guests {
        json!(["smacks", "guests_bring_no_token"])
    } else {
        Value::Null
    };
    assert_eq!(guest["modules_enabled"], modules, "{}", stage.name);
    let room = host("conference");
    let allowed = if guests && is_token {
        json!([format!("guest.{domain}")])
    } else {
        Value::Null
    };
    assert_eq!(
        room["token_verification_allowlist"], allowed,
        "{}",
        stage.name
    );
    for (name, modules) in [
        ("conference", "muc_wait_for_host"),
        ("", "persistent_lobby"),
    ] {
        let seen = if name.is_empty() { main } else { host(name) };
        let has = seen["modules_enabled"]
            .as_array()
            .unwrap()
            .contains(&json!(modules));
        assert_eq!(has, guests || !is_token, "{}: {modules}", stage.name);
    }
    let owners = match (is_token, guests) {
        (true, true) => json!(true),
        (true, false) => Value::Null,
        (false, _) => json!(false),
    };
    assert_eq!(
        room["wait_for_host_disable_auto_owners"], owners,
        "{}",
        stage.name
    );
    for module in ["token_verification", "token_affiliation"] {
        let modules = room["modules_enabled"].as_array().unwrap();
        assert_eq!(
            modules.contains(&json!(module)),
            is_token,
            "{}: {module}",
            stage.name
        );
    }
    for (name, module) in [
        ("conference", "muc"),
        ("breakout", "muc"),
        ("lobby", "muc"),
        ("internal.auth", "muc"),
        ("focus", "client_proxy"),
        ("speakerstats", "speakerstats_component"),
        ("endconference", "end_conference"),
        ("avmoderation", "av_moderation_component"),
        ("metadata", "room_metadata_component"),
        ("polls", "polls_component"),
    ] {
        let seen = host(name);
        assert_eq!(seen["component_module"], module, "{}: {name}", stage.name);
        if module == "muc" {
            assert_eq!(
                seen["restrict_room_creation"], true,
                "{}: {name}",
                stage.name
            );
        }
    }
    assert_eq!(
        host("internal.auth")["muc_filter_whitelist"],
        json!([format!("auth.{domain}")])
    );
    assert_eq!(host("focus")["target_address"], json!(focus));
    for seen in [main, host("auth")] {
        for part in ["key", "certificate"] {
            let file = seen["ssl"][part].as_str().unwrap();
            let text = std::fs::read_to_string(file).unwrap();
            assert!(text.starts_with("-----BEGIN "), "{}: {file}", stage.name);
        }
    }
}

#[test]
fn prosody_itself_knows_the_accounts() {
    let Some(lua) = program("lua5.4", "lua5.4") else {
        return;
    };
    if !std::path::Path::new("/usr/lib/prosody/util/sasl/scram.lua").is_file() {
        return proving::skip("Prosody's modules are not in /usr/lib/prosody (install prosody)");
    }
    // One stage for each family is enough: a record does not depend on the site.
    for stage in stages().iter().step_by(2).take(2) {
        for (file, password) in [
            ("/accounts/focus.dat", &stage.secrets.focus_password),
            ("/accounts/jvb.dat", &stage.secrets.jvb_password),
        ] {
            let mut child = Command::new(&lua)
                .arg(proving::root().join("tests/rendered/prosody_account.lua"))
                .arg(stage.one(file))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            child
                .stdin
                .take()
                .unwrap()
                .write_all(password.reveal().as_bytes())
                .unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!(said(&output).trim(), "OK", "{}: {file}", stage.name);
        }
    }
}

#[test]
fn prosodyctl_finds_nothing_to_say() {
    let Some(prosodyctl) = program("prosodyctl", "prosody") else {
        return;
    };
    let about = said(&output(unprivileged(&prosodyctl).arg("about")));
    let here = if about.contains("Prosody 0.12") {
        ProsodyVersion::V0_12
    } else {
        ProsodyVersion::V13
    };
    let mut proved = 0;
    for stage in stages().iter().filter(|stage| version(stage) == here) {
        let mut command = unprivileged(&prosodyctl);
        command.arg("--config").arg(stage.one("/prosody.cfg.lua"));
        let output = output(command.args(["check", "config"]));
        let said = said(&output);
        assert!(output.status.success(), "{}:\n{said}", stage.name);
        assert!(
            said.contains("All checks passed"),
            "{}:\n{said}",
            stage.name
        );
        proved += 1;
    }
    println!(
        "prosodyctl {here:?} has checked {proved} of {} sites",
        stages().len()
    );
    assert!(proved > 0 || stages().is_empty());
}
