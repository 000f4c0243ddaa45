//! People walk through the real service in a real browser: sign-up, mail, confirmation, approval
//! in the console and by the mailed link, sign-in, profile, second factor, another address, reset,
//! sign-out, deletion; on a phone and on a desk, light and dark, with
//! JavaScript, without, and with keys alone. axe-core looks at every page. In front stands a real
//! nginx with TLS, since browsers take cookies with `__Host-` from nobody else. Pictures come
//! to `target/walk/`.
#![cfg(feature = "accounts")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test starts programs itself, and says what it skips"
)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn people_walk_through_the_service() {
    if !is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [web, internal, front] = [port(), port(), port()];
    let url = format!("https://localhost:{front}/accounts");
    let mails = folder.join("mails");
    fs::create_dir(&mails).unwrap();
    let config = settings(folder, &url, web, internal);
    run(&config, &["migrate"]);
    let said = run(
        &config,
        &[
            "users",
            "add",
            "ada",
            "--admin",
            "--email",
            "ada@example.org",
        ],
    );
    let setup = said
        .split_whitespace()
        .find(|word| word.contains("/setup?t="))
        .unwrap_or_else(|| panic!("no one-time link in: {said}"))
        .to_owned();
    let log = fs::File::create(folder.join("serve.log")).unwrap();
    let _service = Running(
        Command::new(env!("CARGO_BIN_EXE_jitsi-accounts"))
            .arg("--config")
            .arg(&config)
            .arg("serve")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap(),
    );
    let _front = nginx(folder, front, web);
    wait_for(web);
    wait_for(front);

    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/walk");
    let input = json!({ "url": url, "mails": mails, "pictures": pictures, "setup": setup });
    let output = Command::new("node")
        .arg("walk.mjs")
        .arg(input.to_string())
        .current_dir(scripts())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let log = fs::read_to_string(folder.join("serve.log")).unwrap();
    let report: Value = serde_json::from_str(text.trim()).unwrap_or_else(|_| {
        panic!("{text}{}\n{log}", String::from_utf8_lossy(&output.stderr));
    });
    let problems: Vec<&str> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let pages = report["pages"].as_array().unwrap().len();
    println!(
        "{pages} pages were looked at; pictures in {}",
        pictures.display()
    );
    assert!(
        problems.is_empty(),
        "\n{}\n\nthe service's last words:\n{}",
        problems.join("\n"),
        log.lines().rev().take(15).collect::<Vec<_>>().join("\n")
    );
    assert!(pages > 80, "only {pages} pages: did the walk end early?");
    for secret in [
        "seven green rivers",
        "/setup?t=",
        "/confirm?t=",
        "/decide?d=",
        "/email-change?t=",
    ] {
        assert!(!log.contains(secret), "the log has `{secret}`");
    }
}

/// The file of settings; mails go to a folder.
fn settings(folder: &Path, url: &str, web: u16, internal: u16) -> PathBuf {
    let key = folder.join("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef0123456789abcdef").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let config = folder.join("accounts.toml");
    let place = folder.display();
    let text = format!(
        "schema = 1\npublic_url = \"{url}\"\nsite_name = \"Meetings of the Example Society\"\n\
         listen = \"127.0.0.1:{web}\"\ninternal = \"127.0.0.1:{internal}\"\n\
         database = \"sqlite:{place}/accounts.sqlite\"\nkey_file = \"{place}/key\"\n\
         [registration]\nterms_url = \"\"\n\
         [mail]\nfrom = \"Meetings <no-reply@example.org>\"\nfolder = \"{place}/mails\"\n"
    );
    fs::write(&config, text).unwrap();
    config
}

fn run(config: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_jitsi-accounts"))
        .arg("--config")
        .arg(config)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{told}");
    said + &told
}

/// nginx with a certificate of its own. A browser says by a header from which network it comes, so
/// that one person's mistakes slow nobody else down.
fn nginx(folder: &Path, front: u16, web: u16) -> Running {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-keyout", "front.key", "-out", "front.pem"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let place = folder.display();
    let text = format!(
        "daemon off; master_process off; pid {place}/nginx.pid; error_log {place}/nginx.log;\n\
         events {{}}\nhttp {{ access_log off;\n\
         client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n\
         fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n\
         server {{ listen 127.0.0.1:{front} ssl; ssl_certificate {place}/front.pem; ssl_certificate_key {place}/front.key;\n\
         location / {{ return 200 'meetings'; }}\n\
         location /accounts {{ proxy_pass http://127.0.0.1:{web}; proxy_set_header Host $http_host;\n\
         proxy_set_header X-Forwarded-For $http_x_test_network; proxy_set_header X-Forwarded-Proto https; }} }} }}\n"
    );
    fs::write(folder.join("nginx.conf"), text).unwrap();
    let child = Command::new("nginx")
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "nothing on port {port}"
        );
        sleep(Duration::from_millis(50));
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walk")
}

/// The programs, and the packages of `package-lock.json`, which are fetched once.
fn is_here() -> bool {
    let lacks = |program: &&str| {
        let found = Command::new("sh")
            .arg("-c")
            .arg(format!("PATH=$PATH:/usr/sbin command -v {program}"))
            .output()
            .unwrap();
        !found.status.success()
    };
    if let Some(program) = ["chromium", "node", "npm", "nginx", "openssl"]
        .iter()
        .find(|one| lacks(one))
    {
        return skip(&format!("`{program}` is not here"));
    }
    if scripts().join("node_modules/axe-core").is_dir() {
        return true;
    }
    let fetched = Command::new("npm")
        .args(["ci", "--no-fund", "--no-audit"])
        .current_dir(scripts())
        .output()
        .unwrap();
    fetched.status.success()
        || skip(&format!(
            "npm ci: {}",
            String::from_utf8_lossy(&fetched.stderr)
        ))
}

fn skip(why: &str) -> bool {
    assert!(std::env::var("CHECK_STRICT").as_deref() != Ok("1"), "{why}");
    println!("SKIPPED: {why}");
    false
}
