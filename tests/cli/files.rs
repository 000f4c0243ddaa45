//! Files beside the site file: secrets, templates, certificates.

use std::process::Command;

use super::{SMALL, STAGED, desk, refuses, run_in};

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
