//! Site files: what is wrong with one, and a new one.

use super::{SMALL, desk, refuses, run_in};

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
