//! What the user types and sees: every message, exit code and stream, pinned.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::Path;
use std::process::{Command, Output};

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn run_in(folder: &Path, args: &str) -> Said {
    let args: Vec<&str> = args.split_whitespace().collect();
    let output: Output = Command::new(env!("CARGO_BIN_EXE_jitsi-install"))
        .args(&args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with a staged root `r` and a site file `s.toml`.
fn desk(site: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("r")).unwrap();
    std::fs::write(folder.path().join("s.toml"), site).unwrap();
    folder
}

const SMALL: &str = "schema = 1\ndomain = \"meet.example.org\"\n";
const STAGED: &str = "--site s.toml --root r --family debian";

#[track_caller]
fn refuses(folder: &Path, args: &str, code: i32, err: &str) {
    let said = run_in(folder, args);
    assert_eq!(said.err, err, "{args}");
    assert_eq!((said.code, said.out.as_str()), (code, ""), "{args}");
}

#[test]
fn sites_where_people_sign_in_are_checked() {
    let head = "schema = 1\ndomain = \"a.example\"\n[auth]\nmode = \"sql_hashed\"\n";
    let elsewhere = "[auth.sql_hashed]\nmechanisms = [\"PLAIN\", \"SCRAM-SHA-256\"]\n[accounts]\ndatabase = \"postgresql\"\n\
        [accounts.remote_database]\naddress = \"db.example.org:5432\"\npassword_file = \"/etc/p\"\n";
    for (rest, err) in [
        (
            "",
            "line 4: `mode = \"sql_hashed\"` lets in people with an account, and there is no account service\n  \
             hint: add a table `[accounts]`, which may be empty, or write `mode = \"token\"`\n",
        ),
        (
            "[auth.sql_hashed]\nmechanisms = [\"SCRAM-SHA-256\"]\n[accounts]\n",
            "line 6: Jitsi's web application signs in by PLAIN or SCRAM-SHA-1, and neither is offered\n  \
             hint: add \"PLAIN\" to `mechanisms`\n",
        ),
        (
            "[auth.token]\napp_id = \"x\"\n[accounts]\n",
            "line 5: `[auth.token]` is for `mode = \"token\"` only\n  \
             hint: write `mode = \"token\"` under `[auth]`, or remove the table\n",
        ),
        (
            elsewhere,
            "line 6: SCRAM is checked by keys that Prosody reads in the database, and it has no role there\n  \
             hint: write `mechanisms = [\"PLAIN\"]`, or give it one: `reader` and `reader_password_file` under `[accounts.remote_database]`\n",
        ),
    ] {
        let desk = desk(&format!("{head}{rest}"));
        let err = format!("error: `s.toml` has one mistake\n{err}");
        refuses(desk.path(), "check --site s.toml", 65, &err);
    }
    let desk = desk(&format!("{head}[accounts]\n"));
    assert_eq!(run_in(desk.path(), "check --site s.toml").code, 0);
    refuses(
        desk.path(),
        "token mint --room x --site s.toml",
        64,
        "error: rooms of this site are opened by people who sign in, not by tokens\n  \
         hint: `mode` under `[auth]` in the site file says so\n",
    );
}

#[test]
fn every_mistake_in_a_site_file_is_named_with_its_line_and_cure() {
    let desk = desk(
        "schema = 2\ndomain = \"Meet.example.org\"\n\n[web]\nservr = \"nginx\"\nhttps_port = 70000\nserver = \"nginks\"\n\
         [auth]\nguests = \"yes\"\n[certificates]\nhome = \"/x\"\n[jicofo]\nrest_port = 8080\n[turn]\n",
    );
    refuses(
        desk.path(),
        "check --site s.toml",
        65,
        "error: `s.toml` has 8 mistakes\n\
         line 1: `schema` = 2 is not between 1 and 1\n  hint: write it as in `schema = 1`\n\
         line 2: `domain` = \"Meet.example.org\" has upper-case letters: write it in lower case\n  hint: write it as in `domain = \"meet.example.org\"`\n\
         line 5: `servr` is not a key of `[web]`\n  hint: did you mean `server`?\n\
         line 6: `web.https_port` = 70000 is not between 1 and 65535\n  hint: write it as in `https_port = 443`\n\
         line 7: `web.server` = \"nginks\" is not one of \"nginx\", \"caddy\"\n  hint: did you mean \"nginx\"?\n\
         line 9: `auth.guests` is a text, and true or false is expected\n  hint: write it as in `guests = true`\n\
         line 11: `certificates.home` is only for acme.sh, certbot, lego and caddy\n  hint: add `source = \"acme.sh\"` (or another of them), or remove `home`\n\
         line 14: `turn` is not a key of the site file\n  hint: the keys of the site file are `schema`, `domain`, `admin_email`, `keep`, `certificates`, `web`, `auth`, `prosody`, `jicofo`, `videobridge`, `meet`, `accounts`, `packages`\n",
    );
    let desk = self::desk("schema = 1\ndomain = \"a.example\"\n[jicofo]\nrest_port = 8080\n");
    refuses(
        desk.path(),
        "check --site s.toml",
        65,
        "error: `s.toml` has one mistake\n\
         line 4: `jicofo.rest_port` and `videobridge.rest_port` are both 8080\n  hint: give `rest_port` another port under `[jicofo]`\n",
    );
    let desk = self::desk("domain \"x\"\n");
    let said = run_in(desk.path(), "check --site s.toml");
    assert_eq!(said.code, 65);
    assert!(
        said.err.contains("line 1: this is not TOML"),
        "{}",
        said.err
    );
    let said = run_in(desk.path(), "check --site s.toml --json");
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (
            said.code,
            json["ok"].as_bool(),
            json["problems"][0]["line"].as_u64()
        ),
        (65, Some(false), Some(1))
    );
}

#[test]
fn a_set_that_nobody_knows_is_a_mistake() {
    let desk = desk(&format!("{SMALL}[packages]\nset = \"2.0.1\"\n"));
    let said = run_in(desk.path(), "check --site s.toml");
    let what =
        "error: `packages.set`: the catalogue has no set `2.0.1`\n  hint: the catalogue has 2.0.";
    assert!(
        said.code == 65 && said.err.starts_with(what),
        "{}",
        said.err
    );
    let said = run_in(desk.path(), "check --site s.toml --json");
    assert!(
        said.code == 65 && said.out.contains("packages.set"),
        "{}",
        said.out
    );
}

#[test]
fn a_right_site_file_is_said_to_be_so_on_stderr() {
    let desk = desk(SMALL);
    let said = run_in(desk.path(), "check --site s.toml");
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(
        said.err,
        "`s.toml` is in order: a site for meet.example.org\n"
    );
    assert_eq!(run_in(desk.path(), "check --site s.toml -q").err, "");
    assert_eq!(run_in(desk.path(), "check").code, 65);
}

#[test]
fn init_writes_once() {
    let folder = tempfile::tempdir().unwrap();
    let said = run_in(
        folder.path(),
        "init meet.example.org --site new/site.toml --email admin@example.org --web caddy --no-guests",
    );
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(
        said.err,
        "wrote `new/site.toml`\nnext: `jitsi-install check --site new/site.toml`\n"
    );
    let text = std::fs::read_to_string(folder.path().join("new/site.toml")).unwrap();
    assert!(text.contains("server = \"caddy\"") && text.contains("guests = false"));
    assert_eq!(run_in(folder.path(), "check --site new/site.toml").code, 0);
    refuses(
        folder.path(),
        "init other.example.org --site new/site.toml",
        1,
        "error: `new/site.toml` is already there and was not touched\n  hint: edit it, or name another file with `--site`\n",
    );
    assert_eq!(
        std::fs::read_to_string(folder.path().join("new/site.toml")).unwrap(),
        text
    );
    refuses(
        folder.path(),
        "init localhost --site x.toml",
        64,
        "error: the domain `localhost` has one label only, and a public name has at least two, as in `meet.example.org`\n  \
         hint: as in `jitsi-install init meet.example.org`\n",
    );
    assert!(!folder.path().join("x.toml").exists());
}

#[test]
fn the_machine_itself_is_for_root() {
    // Nothing here ever changes the machine that runs the tests: `plan` only, and not as root.
    let desk = desk(SMALL);
    let as_nobody = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .args([env!("CARGO_BIN_EXE_jitsi-install"), "plan", "--root", "/"])
        .current_dir("/")
        .output();
    match as_nobody {
        Ok(output) if output.status.code() == Some(77) => {
            let err = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                err,
                "error: the machine itself is for root\n  hint: run it as root, or with `sudo`; or give `--root DIR` \
                 to lay out a tree to look at, copy or package\n"
            );
        }
        other => eprintln!("SKIPPED: nobody could not be asked: {other:?}"),
    }
    refuses(
        desk.path(),
        "plan --site s.toml --root nowhere",
        1,
        "error: there is no folder `nowhere`\n  hint: make it first: `mkdir -p nowhere`\n",
    );
    refuses(
        desk.path(),
        "plan --site s.toml --root r",
        64,
        "error: the tree does not say which system it is\n  hint: name its family: `--family debian` or `--family slackware`\n",
    );
}

#[test]
fn events_tell_when_they_happened() {
    let desk = desk(SMALL);
    let said = run_in(desk.path(), &format!("apply {STAGED} --yes --json"));
    assert_eq!(said.code, 0, "{}", said.err);
    let events: Vec<serde_json::Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let at: Vec<u64> = events
        .iter()
        .map(|event| event["ms"].as_u64().unwrap())
        .collect();
    assert!(at.is_sorted() && at.len() > 50, "{at:?}");
    let (first, last) = (at[0], at[at.len() - 1]);
    assert!(0 < first && first < last && last < 120_000, "{at:?}");
    assert_eq!(events[at.len() - 1]["event"], "result");
}

#[test]
fn a_session_from_plan_to_rollback() {
    let desk = desk(SMALL);
    let said = run_in(desk.path(), &format!("plan {STAGED} --exit-code"));
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.out
            .contains("+++ /etc/prosody/conf.d/meet.example.org.cfg.lua")
    );
    assert!(said.out.contains("+  app_secret = \"••••••\""));
    assert!(said.out.contains("(secret contents, not shown)"));
    assert_eq!(
        std::fs::read_dir(desk.path().join("r")).unwrap().count(),
        0,
        "a plan writes nothing"
    );

    let said = run_in(desk.path(), &format!("apply {STAGED}"));
    assert_eq!(said.code, 64);
    assert_eq!(
        said.err,
        "error: there is no terminal to ask on, and nothing was changed\n  hint: say yes beforehand: `jitsi-install apply --yes`\n"
    );
    assert!(!desk.path().join("r/etc").exists());

    let said = run_in(desk.path(), &format!("apply {STAGED} --yes"));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.contains("[1/") && said.err.contains("generation 1: "),
        "{}",
        said.err
    );
    let said = run_in(desk.path(), &format!("apply {STAGED} --yes"));
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert_eq!(
        said.err,
        "everything is in order: nothing had to be changed\n"
    );
    let said = run_in(desk.path(), &format!("plan {STAGED} --exit-code"));
    assert_eq!(said.code, 0);
    assert!(said.out.contains("0 to create, 0 to change, 0 to remove"));

    std::fs::write(
        desk.path().join("s.toml"),
        format!("{SMALL}[prosody]\nlog_level = \"debug\"\n"),
    )
    .unwrap();
    let said = run_in(desk.path(), &format!("plan {STAGED} --json"));
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["summary"]["change"], 1);
    let said = run_in(desk.path(), &format!("apply {STAGED} --yes --only jicofo"));
    assert_eq!(
        said.err, "everything is in order: nothing had to be changed\n",
        "the change is Prosody's"
    );
    let said = run_in(
        desk.path(),
        &format!("apply {STAGED} --yes --only prosody -q"),
    );
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let said = run_in(desk.path(), "history --root r");
    let titles: Vec<&str> = said
        .out
        .lines()
        .map(|line| line.rsplit("  ").next().unwrap())
        .collect();
    assert_eq!(titles, ["apply", "apply"]);
    let said = run_in(desk.path(), "rollback --root r --yes");
    assert_eq!(said.code, 0);
    assert!(
        said.err
            .ends_with("back at generation 1; this is generation 3, 1 steps\n"),
        "{}",
        said.err
    );
    let said = run_in(desk.path(), "rollback 7 --root r --yes");
    assert_eq!(
        said.err,
        "error: there is no generation 7 to go back to\n  hint: `jitsi-install history` lists them\n"
    );
    assert_eq!(said.code, 1);
    let said = run_in(desk.path(), "rollback 0 --root r --yes -q");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(!desk.path().join("r/etc/jitsi").exists());
    assert!(
        desk.path()
            .join("r/etc/jitsi-install/secrets.toml")
            .exists(),
        "secrets are kept"
    );
}

#[test]
fn secrets_never_leave() {
    let desk = desk(SMALL);
    let mut seen = String::new();
    for verb in [
        "plan",
        "plan --json",
        "apply --yes",
        "apply --yes --json",
        "plan -v",
        "history --json",
        "rollback --yes --json",
    ] {
        let said = run_in(desk.path(), &format!("{verb} {STAGED}"));
        assert_eq!(said.code, 0, "{verb}: {}", said.err);
        seen.push_str(&said.out);
        seen.push_str(&said.err);
    }
    let text =
        std::fs::read_to_string(desk.path().join("r/etc/jitsi-install/secrets.toml")).unwrap();
    let secrets: toml::Table = toml::from_str(&text).unwrap();
    let mut words: Vec<String> = [
        "focus_password",
        "jvb_password",
        "token_secret",
        "keystore_password",
    ]
    .iter()
    .map(|name| secrets[*name].as_str().unwrap().to_owned())
    .collect();
    for pair in ["auth_certificate", "site_authority", "site_certificate"] {
        words.extend(
            secrets[pair]["key"]
                .as_str()
                .unwrap()
                .lines()
                .filter(|line| !line.starts_with("--"))
                .map(str::to_owned),
        );
    }
    assert!(words.len() >= 8);
    for word in words {
        assert!(word.len() >= 16);
        assert!(!seen.contains(&word), "a secret was shown");
    }
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(desk.path().join("r/etc/jitsi-install/secrets.toml")).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o600);
    let meta = std::fs::metadata(desk.path().join("r/var/lib/jitsi-install")).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o700);
}

#[test]
fn a_damaged_file_of_secrets_is_never_replaced() {
    let desk = desk(SMALL);
    assert_eq!(
        run_in(desk.path(), &format!("apply {STAGED} --yes -q")).code,
        0
    );
    let path = desk.path().join("r/etc/jitsi-install/secrets.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("token_secret = \"", "token_secret = ")).unwrap();
    let said = run_in(desk.path(), &format!("apply {STAGED} --yes"));
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("is damaged; restore the file from a backup"),
        "{}",
        said.err
    );
    let secret = text
        .split("token_secret = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(!said.err.contains(secret));
}

#[test]
fn own_templates_are_used_and_named() {
    let desk = desk(SMALL);
    let folder = desk.path().join("r/etc/jitsi-install/templates/prosody");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("host.lua"),
        "-- mine, for << domain >> with << token.secret >>\n",
    )
    .unwrap();
    let said = run_in(desk.path(), &format!("plan {STAGED}"));
    assert!(
        said.out
            .contains("template `prosody/host.lua` is the administrator's own"),
        "{}",
        said.out
    );
    assert!(
        said.out
            .contains("+-- mine, for \"meet.example.org\" with \"••••••\""),
        "{}",
        said.out
    );
    std::fs::write(folder.join("host.lua"), "x = << no.such.thing >>\n").unwrap();
    let said = run_in(desk.path(), &format!("plan {STAGED}"));
    assert_eq!(said.code, 65);
    assert!(
        said.err.starts_with("error: template `prosody/host.lua`: "),
        "{}",
        said.err
    );
    std::fs::rename(folder.join("host.lua"), folder.join("hosts.lua")).unwrap();
    let said = run_in(desk.path(), &format!("plan {STAGED}"));
    assert_eq!(said.code, 65);
    assert!(
        said.err.contains(
            "replaces no template\n  hint: the templates are accounts/accounts.toml, accounts/config.sh, accounts/jitsi-accounts.ini, accounts/logrotate.sh, accounts/socket.ini, caddy/Caddyfile.caddyfile, "
        ),
        "{}",
        said.err
    );
}

#[test]
fn certificates_that_are_not_there_are_remarked_and_others_refused() {
    let acme = format!("{SMALL}[certificates]\nsource = \"acme.sh\"\nhome = \"/etc/acme.sh\"\n");
    let desk = desk(&acme);
    let said = run_in(desk.path(), &format!("plan {STAGED} --no-diff"));
    assert_eq!(said.code, 0, "{}", said.err);
    let missing = "acme.sh has no certificate for `meet.example.org` in `/etc/acme.sh` yet: until it has, the site shows one that was made here";
    assert!(said.out.contains(missing), "{}", said.out);
    let folder = desk.path().join("r/etc/acme.sh/meet.example.org_ecc");
    std::fs::create_dir_all(&folder).unwrap();
    let done = Command::new("openssl")
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 5 -subj /CN=x -addext subjectAltName=DNS:other.example.org".split(' '))
        .arg("-keyout")
        .arg(folder.join("meet.example.org.key"))
        .arg("-out")
        .arg(folder.join("fullchain.cer"))
        .output();
    if !done.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: `openssl` is not installed");
        return;
    }
    refuses(
        desk.path(),
        &format!("plan {STAGED}"),
        65,
        "error: the certificate `/etc/acme.sh/meet.example.org_ecc/fullchain.cer` is for other.example.org, not for `meet.example.org`\n  hint: issue one with this site's name in it\n",
    );
}

#[test]
fn tokens_are_minted_and_taken_apart() {
    let desk = desk(SMALL);
    let said = run_in(desk.path(), "token mint --room Team --site s.toml --root r");
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("there are no secrets in `/etc/jitsi-install/secrets.toml` of `r` yet"),
        "{}",
        said.err
    );
    assert_eq!(
        run_in(desk.path(), &format!("apply {STAGED} --yes -q")).code,
        0
    );
    let said = run_in(
        desk.path(),
        "token mint --room Team --name Ada --moderator --for 30m --site s.toml --root r",
    );
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let token = said.out.trim().to_owned();
    let said = run_in(
        desk.path(),
        &format!("token inspect {token} --room team --site s.toml --root r"),
    );
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(
        said.out.contains("ok   signature     is right")
            && said.out.ends_with("the site accepts it\n"),
        "{}",
        said.out
    );
    assert!(said.out.contains("context.user  moderates"));
    let said = run_in(
        desk.path(),
        &format!("token inspect {token} --room other --site s.toml --root r"),
    );
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("bad  room          is `team`, and does not open `other`"),
        "{}",
        said.out
    );
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let said = run_in(
        desk.path(),
        &format!("token inspect {forged} --site s.toml --root r"),
    );
    assert!(
        said.out.contains("bad  signature") && said.code == 1,
        "{}",
        said.out
    );
    let said = run_in(desk.path(), "token inspect abc --site s.toml --root r");
    assert!(
        said.out.contains("is not a JWT") && said.code == 1,
        "{}",
        said.out
    );
    let said = run_in(
        desk.path(),
        "token mint --room Team --link --site s.toml --root r",
    );
    assert!(
        said.out
            .starts_with("https://meet.example.org/team#jwt=%22ey"),
        "{}",
        said.out
    );
    let link = said.out.trim().to_owned();
    assert_eq!(
        run_in(
            desk.path(),
            &format!("token inspect {link} --site s.toml --root r")
        )
        .code,
        0
    );
    for (args, words) in [
        ("--room a/b", "is no room name"),
        (
            "--room x --for 31d",
            "a token may last from 1 second to 30 days",
        ),
        ("--room x --for 5", "write a number and s, m, h or d"),
        ("--room * --link", "a link opens one room"),
        ("--room x --key k --key-id i", "this site signs with HS256"),
    ] {
        let said = run_in(
            desk.path(),
            &format!("token mint {args} --site s.toml --root r"),
        );
        assert_eq!(
            (said.code, said.out.as_str()),
            (64, ""),
            "{args}: {}",
            said.err
        );
        assert!(said.err.contains(words), "{args}: {}", said.err);
    }
}

#[test]
fn usage_errors_are_64_and_help_is_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        "",
        "plna",
        "plan --nonsense",
        "apply --only nothing",
        "token",
        "keystore build",
        "plan -v -q",
    ] {
        let said = run_in(folder.path(), args);
        assert_eq!((said.code, said.out.as_str()), (64, ""), "`{args}`");
        assert!(!said.err.is_empty());
    }
    for args in [
        "--help",
        "--version",
        "plan --help",
        "help apply",
        "token mint --help",
    ] {
        let said = run_in(folder.path(), args);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "`{args}`");
    }
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let desk = desk(SMALL);
    assert!(
        !run_in(desk.path(), &format!("plan {STAGED}"))
            .out
            .contains('\x1b')
    );
    assert!(
        run_in(desk.path(), &format!("plan {STAGED} --color always"))
            .out
            .contains("\x1b[32m+")
    );
    assert!(
        run_in(desk.path(), "plan --color always")
            .err
            .starts_with("\x1b[31merror\x1b[0m: ")
    );
}

#[test]
fn rs256_signs_with_a_key_of_ones_own() {
    let desk = desk(
        "schema = 1\ndomain = \"meet.example.org\"\n[auth.token]\nalgorithm = \"RS256\"\n\
         key_server = \"https://id.example.org/asap\"\nkeys_url = \"https://id.example.org/jwks.json\"\n",
    );
    let openssl = |args: &str| {
        let done = Command::new("openssl")
            .args(args.split(' '))
            .current_dir(desk.path())
            .output();
        done.is_ok_and(|output| output.status.success())
    };
    if !openssl("genrsa -out sign.pem 2048") || !openssl("rsa -in sign.pem -pubout -out check.pem")
    {
        eprintln!("SKIPPED: `openssl` is not installed");
        return;
    }
    openssl("genrsa -traditional -out old.pem 2048");
    openssl("rsa -in old.pem -pubout -out oldcheck.pem");
    let here = "--site s.toml --root r";
    for (key, check) in [("sign.pem", "check.pem"), ("old.pem", "oldcheck.pem")] {
        let said = run_in(
            desk.path(),
            &format!("token mint --room Team --key {key} --key-id meet-1 {here}"),
        );
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        let token = said.out.trim();
        let said = run_in(
            desk.path(),
            &format!("token inspect {token} --key {check} --json {here}"),
        );
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(json["accepted"], true, "{}", said.out);
        assert_eq!(
            (&json["header"]["alg"], &json["header"]["kid"]),
            (&"RS256".into(), &"meet-1".into())
        );
        for claim in ["aud", "iss", "sub", "room", "nbf", "exp"] {
            assert!(!json["claims"][claim].is_null(), "{claim}");
        }
    }
    let said = run_in(
        desk.path(),
        &format!("token mint --room Team --key sign.pem --key-id meet-1 {here}"),
    );
    let said = run_in(
        desk.path(),
        &format!(
            "token inspect {} --key oldcheck.pem {here}",
            said.out.trim()
        ),
    );
    assert_eq!(said.code, 1);
    assert!(said.out.contains("bad  signature"), "{}", said.out);
    for (args, words) in [
        ("mint --room x", "this site signs with RS256"),
        ("inspect a.b.c", "this site signs with RS256"),
    ] {
        let said = run_in(desk.path(), &format!("token {args} {here}"));
        assert_eq!(said.code, 64, "{}", said.err);
        assert!(said.err.contains(words), "{}", said.err);
    }
    let said = run_in(
        desk.path(),
        &format!("token mint --room x --key check.pem --key-id k {here}"),
    );
    assert_eq!(said.code, 1);
    assert!(
        said.err.starts_with("error: the signing key: "),
        "{}",
        said.err
    );
}
