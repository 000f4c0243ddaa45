//! What is typed: every verb, as text and as JSON, and what hostile arguments get.
//!
//! Over 400 lines: one session for each group of verbs, and the document that lists them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output};

use serde_json::Value;

use crate::service::{KEY, PROSODY, Site, until};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(site: &Site, args: &[&str]) -> Value {
    let text = site.gives(&[args, &["--json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
}

/// A verb that fails: its exit code, and stderr; stdout stays empty.
fn fails(site: &Site, args: &[&str]) -> (i32, String) {
    let output = site.run(args);
    assert!(!output.status.success(), "{args:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?}");
    (output.status.code().unwrap(), said(&output))
}

#[test]
fn from_the_first_administrator_to_the_end_of_an_account() {
    let site = Site::new("", "");
    assert_eq!(said(&site.run(&["check"])).lines().count(), 1);
    assert_eq!(json(&site, &["check"])["ok"], true);
    site.gives(&["migrate"]);
    assert_eq!(json(&site, &["migrate"])["ok"], true);

    let first = site.run(&[
        "users",
        "add",
        "--admin",
        "--email",
        "ann@example.org",
        "ann",
    ]);
    let link = String::from_utf8(first.stdout.clone()).unwrap();
    assert!(
        link.starts_with("https://meet.example.org/accounts/setup?t=") && link.lines().count() == 1,
        "{link}"
    );
    assert!(said(&first).contains("`ann` is here now, as admin") && !said(&first).contains("t="));
    let added = json(
        &site,
        &[
            "users",
            "add",
            "--email",
            "ben@example.org",
            "--display-name",
            "Ben B.",
            "ben",
        ],
    );
    assert_eq!(added["account"]["display_name"], "Ben B.");
    assert!(added["link"].as_str().unwrap().contains("setup?t="));

    let list = site.gives(&["users", "list"]);
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(
        list.starts_with("ann ") && list.contains(" admin "),
        "{list}"
    );
    assert_eq!(
        json(&site, &["users", "list", "--role", "member"])[0]["login"],
        "ben"
    );
    assert_eq!(site.gives(&["users", "list", "ann"]).lines().count(), 1);
    assert_eq!(site.gives(&["users", "list", "--state", "pending"]), "");
    assert_eq!(
        json(&site, &["users", "list", "--limit", "1"])
            .as_array()
            .unwrap()
            .len(),
        1
    );

    assert!(
        site.gives(&["users", "show", "ben@example.org"])
            .contains("shown as       Ben B.")
    );
    assert_eq!(
        json(&site, &["users", "show", "ben"])["account"]["state"],
        "active"
    );
    assert_eq!(
        json(&site, &["users", "role", "ben", "approver"])["role"],
        "approver"
    );
    assert_eq!(
        json(&site, &["users", "disable", "ben", "--reason", "asked to"])["state"],
        "suspended"
    );
    assert_eq!(json(&site, &["users", "enable", "ben"])["state"], "active");
    assert!(
        site.gives(&["users", "passwd", "ben"])
            .contains("/accounts/reset?t=")
    );
    assert!(
        json(&site, &["users", "passwd", "ben"])["link"]
            .as_str()
            .unwrap()
            .contains("t=")
    );
    site.gives(&["users", "passwd", "--mail", "ben"]);

    let (code, error) = fails(&site, &["users", "role", "ann", "member"]);
    assert!(
        code == 1 && error.contains("last administrator") && error.contains("hint:"),
        "{error}"
    );
    let (code, error) = fails(&site, &["users", "approve", "ben"]);
    assert!(
        code == 1 && error.contains("`ben` is active already"),
        "{error}"
    );
    assert_eq!(fails(&site, &["users", "reject", "ben"]).0, 1);
    let (code, error) = fails(&site, &["users", "remove", "ben"]);
    assert!(code == 64 && error.contains("--yes"), "{error}");
    assert_eq!(
        json(&site, &["users", "remove", "--yes", "ben"])["state"],
        "deleted"
    );
    let (code, error) = fails(&site, &["users", "add", "ben"]);
    assert!(
        code == 1 && error.contains("taken"),
        "reserved for ever: {error}"
    );

    let trail = site.gives(&["users", "audit"]);
    for action in [
        "account.made",
        "account.deleted",
        "account.suspended",
        "password.reset_started",
    ] {
        assert!(trail.contains(action), "{action}: {trail}");
    }
    assert!(
        trail.lines().all(|line| line.contains(" by cli:")),
        "{trail}"
    );
    assert!(
        json(&site, &["users", "audit", "ann"])
            .as_array()
            .unwrap()
            .len()
            == 1
    );
    assert_eq!(
        site.gives(&["users", "audit", "--limit", "2"])
            .lines()
            .count(),
        2
    );
    assert_eq!(
        site.gives(&["users", "audit", "--action", "account.deleted"])
            .lines()
            .count(),
        1
    );
}

#[test]
fn lists_are_taken_over_and_a_dry_run_writes_nothing() {
    let site = Site::new("", "");
    let list = site.put(
        "people.csv",
        "login,email,name\nann,ann@example.org,Ann\nben,ben@example.org,Ben\nann,x@example.org,Again\n\u{1b}[31m,y@example.org,red\n",
        0o644,
    );
    let list = list.to_str().unwrap();
    let dry = site.run(&["import", "csv", "--dry-run", list]);
    let text = String::from_utf8_lossy(&dry.stdout).into_owned();
    assert!(text.contains("2 would be taken over"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert_eq!(site.gives(&["users", "list"]), "");
    let output = site.run(&["import", "csv", list, "--json"]);
    assert_eq!(output.status.code(), Some(1), "somebody was refused");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["taken"], &report["dry_run"]),
        (&2.into(), &false.into()),
        "{report}"
    );
    assert_eq!(site.gives(&["users", "list"]).lines().count(), 2);

    let ldif = site.put("people.ldif", "dn: uid=carl,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: carl\ncn: Carl\nmail: carl@example.org\n", 0o644);
    assert_eq!(
        json(&site, &["import", "ldif", ldif.to_str().unwrap()])["taken"],
        1
    );
    let (code, error) = fails(
        &site,
        &["import", "prosody", site.folder.path().to_str().unwrap()],
    );
    assert!(code == 1 && error.contains("accounts"), "{error}");
    for (args, exit) in [
        (["import", "csv", "/nonexistent"], 1),
        (["import", "csv", "/"], 1),
        (["import", "django", "ftp://example.org"], 1),
    ] {
        let (code, error) = fails(&site, &args);
        assert_eq!(code, exit, "{args:?}: {error}");
    }
}

#[test]
fn hostile_arguments_are_refused_with_a_reason() {
    let site = Site::new("", "");
    site.gives(&["migrate"]);
    let long = "a".repeat(100_000);
    for name in [
        "",
        " ",
        "a b",
        "a/b",
        "a@b@c",
        "'; DROP TABLE accounts; --",
        "../x",
        "\u{1b}[31m",
        long.as_str(),
        "<script>",
    ] {
        let (code, error) = fails(&site, &["users", "add", "--", name]);
        assert!(code == 1 || code == 64, "{name:?}: {error}");
        assert!(
            error.starts_with("error: ") && !error.contains('\u{1b}') && error.len() < 2000,
            "{name:?}: {error}"
        );
        let (code, _) = fails(&site, &["users", "show", "--", name]);
        assert!(code == 1 || code == 64, "{name:?}");
    }
    for email in [
        "x",
        "a@b\r\nBcc: c@example.org",
        "a b@example.org",
        "\"a\"@example.org",
    ] {
        let (code, error) = fails(&site, &["users", "add", "--email", email, "carl"]);
        assert_eq!(code, 1, "{email:?}: {error}");
    }
    for args in [
        ["users", "list", "--state=foo"].as_slice(),
        &["users", "role", "ann", "king"],
        &["users", "list", "--limit", "-1"],
        &["nonsense"],
        &["mail", "test", "nobody"],
        &["mail", "test", "a@example.org\r\nBcc: b@example.org"],
        &["serve", "--threads", "0"],
        &[],
    ] {
        let output = site.run(args);
        assert_eq!(
            output.status.code(),
            Some(64),
            "{args:?}: {}",
            said(&output)
        );
    }
    assert_eq!(site.gives(&["users", "list"]), "");
}

#[test]
fn man_pages_and_completions_come_from_the_same_words() {
    let site = Site::new("", "");
    let folder = site.path("man");
    let pages = json(&site, &["man", folder.to_str().unwrap()]);
    let names: Vec<&str> = pages
        .as_array()
        .unwrap()
        .iter()
        .map(|page| page.as_str().unwrap())
        .collect();
    for verb in [
        "",
        "-serve",
        "-users-add",
        "-import-prosody",
        "-mail-test",
        "-check",
        "-migrate",
    ] {
        assert!(
            names
                .iter()
                .any(|name| name.ends_with(&format!("/jitsi-accounts{verb}.8"))),
            "{verb}: {names:?}"
        );
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            site.gives(&["completions", shell])
                .contains("jitsi-accounts")
        );
    }
    assert!(site.gives(&["--version"]).starts_with("jitsi-accounts "));
}

/// As root in a folder of somebody else: nothing is left there that this one cannot use.
#[test]
fn what_root_types_leaves_no_file_of_roots() {
    let id = Command::new("id").arg("-u").output().unwrap();
    if String::from_utf8_lossy(&id.stdout).trim() != "0" {
        println!("not root: nothing to prove");
        return;
    }
    let site = Site::new("", "");
    for folder in [site.folder.path().to_owned(), site.path("mails")] {
        std::os::unix::fs::chown(folder, Some(65_534), Some(65_534)).unwrap();
    }
    site.gives(&["users", "add", "--email", "ann@example.org", "ann"]);
    site.gives(&["mail", "test", "ann@example.org"]);
    let mut found = Vec::new();
    for folder in [site.folder.path().to_owned(), site.path("mails")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("accounts.sqlite") || name.ends_with(".eml") {
                assert_eq!(path.metadata().unwrap().uid(), 65_534, "{name}");
                assert_eq!(path.metadata().unwrap().mode() & 0o077, 0, "{name}");
                found.push(name);
            }
        }
    }
    assert!(found.len() >= 2, "{found:?}");
    // And serving as root is refused there: what it writes would lie in everybody's way.
    let output = site.run(&["serve"]);
    assert_eq!(output.status.code(), Some(77), "{}", said(&output));
    assert!(said(&output).contains("runuser"), "{}", said(&output));
}

/// A whole run at the most talkative level: of all secrets used in it the log has none, and nobody
/// writes a line of his own into it.
#[test]
fn the_log_has_no_secrets_and_no_forged_lines() {
    let mut site = Site::new("", "");
    site.person("ann", "a long and quiet word");
    site.serve();
    let link = site.gives(&["users", "passwd", "ann"]);
    let token = link.trim().rsplit("t=").next().unwrap().to_owned();
    let (status, cookies) = site.sign_in("ann", "a+long+and+quiet+word");
    assert_eq!(status, 303, "{}", site.log());
    let cookie = cookies.rsplit('=').next().unwrap().to_owned();
    site.ask(&format!(
        "GET /accounts/account HTTP/1.1\r\nCookie: {cookies}\r\n"
    ));
    site.get(&format!("/accounts/reset?t={token}"));
    site.post(
        "/accounts/reset",
        &format!("t={token}&password=another+quiet+word&new=another+quiet+word"),
        "",
    );
    site.sign_in("ann%0d%0aERROR+forged", "a+wrong+secret");
    site.sign_in("ann", "a+wrong+secret");
    site.prosody("ann\\nERROR forged", "a wrong secret");
    site.prosody("ann", "a long and quiet word");
    site.get("/accounts/%0aERROR%20forged?secret=in-the-query");
    site.ask("GET /accounts/sign-in HTTP/1.1\r\nUser-Agent: x\r\nX-Forwarded-For: 192.0.2.7\r\n");
    site.internal("POST /prosody/password HTTP/1.1\r\nAuthorization: Bearer a-wrong-bearer\r\nContent-Length: 2\r\n\r\n{}");
    site.gives(&[
        "users",
        "add",
        "--mail",
        "--email",
        "ben@example.org",
        "ben",
    ]);
    until(20, "the mail has left", || {
        site.mails().concat().contains("setup?t")
    });
    let mail = site
        .mails()
        .concat()
        .replace("=\r\n", "")
        .replace("=3D", "=");
    let mailed = mail
        .split("t=")
        .nth(1)
        .unwrap()
        .split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))
        .next()
        .unwrap()
        .to_owned();
    site.signal("-TERM");
    site.ended();
    let log = site.log();
    assert!(
        log.contains("from=192.0.2.7") && log.lines().count() > 10,
        "{log}"
    );
    for secret in [
        KEY,
        PROSODY,
        "long and quiet",
        "long+and",
        "another quiet",
        "a wrong secret",
        "a+wrong+secret",
        "a-wrong-bearer",
        "in-the-query",
        &token,
        &cookie,
        &mailed,
        "pbkdf2_sha256",
        "argon2id",
    ] {
        assert!(
            secret.len() > 4 && !log.contains(secret),
            "`{secret}` is in the log: {log}"
        );
    }
    for line in log.lines() {
        assert!(line.starts_with("20"), "no line of ours: {line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
}

#[test]
fn a_backup_is_whole_private_and_goes_into_an_empty_database_only() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new("", "");
    site.person("ann", "a long and quiet word");
    let file = site.path("backup.jsonl");
    let name = file.to_str().unwrap();
    assert!(json(&site, &["backup", name])["rows"].as_u64().unwrap() > 1);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!site.path("backup.jsonl.part").exists());
    let export = site.gives(&["export"]);
    assert_eq!(
        export.lines().count(),
        fs::read_to_string(&file).unwrap().lines().count()
    );
    assert!(
        site.gives(&["restore", "--dry-run", name])
            .lines()
            .any(|line| line.starts_with("accounts "))
    );

    let (code, error) = fails(&site, &["restore", name]);
    assert!(code == 1 && error.contains("empty"), "{error}");
    let mut other = Site::new("", "");
    let text = fs::read_to_string(&file).unwrap();
    for (broken, what) in [
        (text[..text.len() / 2].to_owned(), "cut off"),
        ("{}\n".into(), "no head"),
    ] {
        let path = other.put("broken.jsonl", &broken, 0o600);
        assert_eq!(
            fails(&other, &["restore", path.to_str().unwrap()]).0,
            1,
            "{what}"
        );
        assert_eq!(
            fails(&other, &["restore", "--dry-run", path.to_str().unwrap()]).0,
            1,
            "{what}"
        );
        assert_eq!(
            other.gives(&["users", "list"]),
            "",
            "{what}: nothing was written"
        );
    }
    assert_eq!(json(&other, &["restore", name])["dry_run"], false);
    other.serve();
    assert_eq!(other.prosody("ann", "a long and quiet word").status, 200);

    let copy = site.path("copy.sqlite");
    site.gives(&["backup", copy.to_str().unwrap()]);
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (code, error) = fails(&site, &["backup", "/nonexistent/backup"]);
    assert!(
        code == 1 && error.contains("/nonexistent/backup"),
        "{error}"
    );
}

/// The document names every key, every verb with its options, and every figure, and no other.
#[test]
fn the_document_describes_all_of_it() {
    let text = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/jitsi-accounts.md"
    ))
    .unwrap();
    let below = |heading: &str| {
        let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
        rest.split("\n## ").next().unwrap().to_owned()
    };
    let rows = |part: &str| -> std::collections::BTreeSet<String> {
        part.lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(name, _)| name.to_owned())
            .collect()
    };
    let tables = [
        "registration",
        "passwords",
        "sessions",
        "mail",
        "notify",
        "prosody",
    ];
    let keys = jitsi_install::account::settings::Settings::keys();
    let keys = keys
        .into_iter()
        .filter(|key| !tables.contains(&key.as_str()))
        .collect();
    assert_eq!(rows(&below("Settings")), keys);

    let site = Site::new("", "");
    let help = |verb: &[&str]| site.gives(&[verb, &["--help"]].concat());
    let names = |help: &str| -> Vec<String> {
        help.lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
            .filter(|name| !name.is_empty() && *name != "help")
            .map(str::to_owned)
            .collect()
    };
    let mut verbs = std::collections::BTreeSet::new();
    for verb in names(&help(&[])) {
        let under = names(&help(&[&verb]));
        if under.is_empty() {
            verbs.insert(verb);
        } else {
            verbs.extend(under.into_iter().map(|name| format!("{verb} {name}")));
        }
    }
    let part = below("Verbs");
    assert_eq!(rows(&part), verbs);
    for verb in &verbs {
        let words: Vec<&str> = verb.split(' ').collect();
        for line in help(&words)
            .lines()
            .map(str::trim_start)
            .filter(|line| line.starts_with('-') && line.contains("--"))
        {
            let option = line
                .split([' ', ','])
                .find(|word| word.starts_with("--"))
                .unwrap();
            let is_known = part.contains(option)
                || ["--help", "--version", "--config", "--quiet"].contains(&option);
            assert!(is_known, "`{option}` of `{verb}` is not described");
        }
    }
    let mut site = site;
    site.serve();
    let page = site.internal("GET /metrics HTTP/1.1\r\n").body;
    let figures = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(str::to_owned)
        .collect();
    let described: std::collections::BTreeSet<String> = rows(&below("Health and figures"))
        .into_iter()
        .filter(|row| row.starts_with("jitsi"))
        .collect();
    assert_eq!(described, figures);
}
