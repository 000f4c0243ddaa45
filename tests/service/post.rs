//! Mail on a real server with TLS, and webhooks.
//!
//! Over 400 lines: servers that misbehave stand with what the outbox makes of them.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::service::{Site, free_port, has, skip, until};

const PASSWORD: &str = "password-of-the-mail-server";

/// A mail server, ended with the test.
pub struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Python that has aiosmtpd.
pub fn python() -> Option<&'static str> {
    let found = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let asked = Command::new(python)
            .args(["-c", "import aiosmtpd.smtp"])
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        skip("`aiosmtpd` is not here (install python3-aiosmtpd)");
    }
    found
}

/// A certificate for a host, from an authority of the test's own: `ca.pem`, `server.pem`, `server.key`.
fn certificates(site: &Site, host: &str) {
    let script = format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test &&
         openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN={host} &&
         printf 'subjectAltName=DNS:{host}\\n' >san &&
         openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile san"
    );
    let made = Command::new("sh")
        .args(["-c", &script])
        .current_dir(site.folder.path())
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

impl Server {
    fn start(site: &Site, python: &str, mode: &str) -> Self {
        let port = free_port();
        Self::at(site, python, mode, port)
    }

    pub fn at(site: &Site, python: &str, mode: &str, port: u16) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/smtp.py");
        let child = Command::new(python)
            .args([script, &port.to_string(), mode])
            .args(["server.pem", "server.key", "taken"])
            .current_dir(site.folder.path())
            .spawn()
            .unwrap();
        let server = Self { child, port };
        until(20, "the mail server is there", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        server
    }
}

/// What the server took, a line of JSON for each.
pub fn taken(site: &Site) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(site.path("taken")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn settings(site: &Site, port: u16, lines: &str) {
    let text = fs::read_to_string(site.path("accounts.toml")).unwrap();
    let (before, _) = text.split_once("[mail]").unwrap();
    let ca = site.path("ca.pem").display().to_string();
    let mail = format!(
        "{before}[mail]\nhost = \"localhost\"\nport = {port}\nca_file = \"{ca}\"\n{lines}\n"
    );
    site.put("accounts.toml", &mail, 0o644);
}

fn tried(site: &Site) -> (Option<i32>, String) {
    let output = site.run(&["mail", "test", "ben@example.org"]);
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn mail_is_encrypted_as_the_settings_ask_or_not_sent() {
    let Some(python) = python().filter(|_| has("openssl", "openssl")) else {
        return;
    };
    let site = Site::new("", "");
    certificates(&site, "localhost");
    let login = format!(
        "username = \"accounts\"\npassword_file = \"{}\"\n",
        site.put("word", PASSWORD, 0o600).display()
    );

    let server = Server::start(&site, python, "starttls,auth");
    settings(&site, server.port, &login);
    let (code, said) = tried(&site);
    assert_eq!(code, Some(0), "{said}");
    let mails = taken(&site);
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (&mails[0]["tls"], &mails[0]["auth"]),
        (&true.into(), &true.into())
    );
    assert_eq!(mails[0]["to"][0], "ben@example.org");
    let text = mails[0]["text"].as_str().unwrap();
    for line in [
        "Auto-Submitted: auto-generated",
        "To: ben@example.org",
        "MIME-Version: 1.0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(
        text.contains("@meet.example.org>"),
        "a Message-ID of our own: {text}"
    );
    // Wrong password, and none at all: nothing is sent, and the password is not shown.
    let wrong = login.replace("accounts", "others");
    settings(&site, server.port, &wrong);
    let (code, said) = tried(&site);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("did not take `mail.username`") && !said.contains(PASSWORD),
        "{said}"
    );
    // A certificate that nobody we trust has signed.
    settings(&site, server.port, &login);
    let text = fs::read_to_string(site.path("accounts.toml")).unwrap();
    let without: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("ca_file"))
        .collect();
    site.put("accounts.toml", &without.join("\n"), 0o644);
    let (code, said) = tried(&site);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.to_lowercase().contains("certificate"), "{said}");
    drop(server);

    let server = Server::start(&site, python, "implicit");
    settings(&site, server.port, "tls = \"implicit\"\n");
    assert_eq!(tried(&site).0, Some(0));
    drop(server);

    // A server without STARTTLS: `required` sends nothing, `none` was asked for.
    let server = Server::start(&site, python, "plain");
    settings(&site, server.port, "");
    let (code, said) = tried(&site);
    assert_eq!(code, Some(1));
    assert!(said.contains("it offers no STARTTLS"), "{said}");
    assert_eq!(taken(&site).len(), 2, "not a word of the mail left");
    settings(&site, server.port, "tls = \"none\"\n");
    assert_eq!(tried(&site).0, Some(0));
    assert_eq!(taken(&site).len(), 3);
    drop(server);

    // The certificate is for somebody else.
    certificates(&site, "mail.example.org");
    let server = Server::start(&site, python, "starttls");
    settings(&site, server.port, "");
    let (code, said) = tried(&site);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not valid for name"), "{said}");
    assert_eq!(taken(&site).len(), 3);
}

#[test]
fn the_outbox_tries_again_and_gives_up_with_the_servers_words() {
    let Some(python) = python().filter(|_| has("openssl", "openssl")) else {
        return;
    };
    let mut site = Site::new("", "");
    certificates(&site, "localhost");
    let port = free_port();
    settings(&site, port, "tls = \"none\"\n");
    site.serve();
    let figure = |name: &str| {
        let page = site.internal("GET /metrics HTTP/1.1\r\n").body;
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().parse::<u64>().ok())
            .unwrap_or(0)
    };
    // Nobody is there: both wait. Then a server comes that says "in a moment" to the first.
    for name in ["ann", "ben"] {
        site.gives(&[
            "users",
            "add",
            "--mail",
            "--email",
            &format!("{name}@example.org"),
            name,
        ]);
    }
    until(10, "they were tried", || {
        figure("jitsi_accounts_deliveries_total{kind=\"mail\",outcome=\"postponed\"}") >= 2
    });
    let server = Server::at(&site, python, "plain,busy", port);
    until(60, "both are there", || taken(&site).len() == 2);
    assert_eq!(
        figure("jitsi_accounts_deliveries_total{kind=\"mail\",outcome=\"sent\"}"),
        2
    );
    drop(server);

    // Refused for good.
    let server = Server::at(&site, python, "plain,refuse", port);
    site.gives(&[
        "users",
        "add",
        "--mail",
        "--email",
        "carl@example.org",
        "carl",
    ]);
    until(20, "it is given up", || {
        figure("jitsi_accounts_deliveries_total{kind=\"mail\",outcome=\"refused\"}") == 1
    });
    let log = site.log();
    assert!(
        log.contains("nobody of that name lives here"),
        "the server's words: {log}"
    );
    drop(server);

    // A sender who may not is a matter of settings: the mail waits.
    let server = Server::at(&site, python, "plain,forbid", port);
    site.gives(&[
        "users",
        "add",
        "--mail",
        "--email",
        "dora@example.org",
        "dora",
    ]);
    until(20, "it waits", || {
        site.log().contains("`mail.from` is refused")
    });
    drop(server);
    let _server = Server::at(&site, python, "plain", port);
    until(60, "it is there", || taken(&site).len() == 3);
    // Several in a row use one connection.
    for number in 0..6 {
        site.gives(&[
            "users",
            "add",
            "--mail",
            "--email",
            &format!("p{number}@example.org"),
            &format!("person{number}"),
        ]);
    }
    until(30, "all are there", || taken(&site).len() == 9);
    site.signal("-TERM");
    assert_eq!(site.ended(), Some(0));
    for mail in taken(&site) {
        let link = mail["text"].as_str().unwrap();
        assert!(link.contains("setup?t="), "{link}");
        assert_eq!(mail["to"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn webhooks_are_signed_tried_again_and_never_redirected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?to=admins", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in [
            "302 Found\r\nLocation: http://127.0.0.1:1/",
            "503 Busy",
            "200 OK",
        ] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            write!(
                stream,
                "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            requests.push((head, String::from_utf8(body).unwrap()));
        }
        requests
    });
    let key = tempfile::NamedTempFile::new().unwrap();
    fs::write(key.path(), "key-of-the-webhook-0123456789").unwrap();
    let notify = format!(
        "[notify]\nwebhook = \"{url}\"\nwebhook_key_file = \"{}\"\n",
        key.path().display()
    );
    let mut site = Site::new("", &notify);
    site.serve();
    // Somebody waits: the webhook is told. Put there as the act of signing up does it.
    for name in ["ann", "ben"] {
        queue(&site, name);
    }
    until(60, "three were heard", || heard.is_finished());
    let requests = heard.join().unwrap();
    assert_eq!(requests.len(), 3);
    let (head, body) = &requests[2];
    assert!(head.starts_with("POST /hook?to=admins HTTP/1.1"), "{head}");
    assert!(
        serde_json::from_str::<serde_json::Value>(body)
            .unwrap()
            .is_object()
    );
    let signed = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("x-jitsi-accounts-signature: sha256=")
            .map(str::to_owned)
    });
    let expected = hmac_hex(b"key-of-the-webhook-0123456789", body.as_bytes());
    assert_eq!(signed.as_deref(), Some(expected.as_str()));
    until(10, "settled", || {
        site.log().matches("INFO delivered").count() == 1
    });
    assert!(site.log().contains("it answered 302"), "{}", site.log());
}

fn hmac_hex(key: &[u8], text: &[u8]) -> String {
    use hmac::{KeyInit, Mac};
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Puts a webhook into the outbox of a running service.
fn queue(site: &Site, name: &str) {
    use jitsi_install::account::seal::Seal;
    use jitsi_install::account::store::{Letter, Store, What};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", site.path("accounts.sqlite").display());
        let store = Store::connect(&url, None).await.unwrap();
        let body = Seal::new(crate::service::KEY.as_bytes())
            .close("outbox", format!("{{\"login\":\"{name}\"}}").as_bytes());
        let work = store.begin().await.unwrap();
        let letter = Letter {
            id: name,
            what: What::Webhook,
            recipient: "webhook",
            body: &body,
            now: 0,
        };
        let id = format!("0123456789-{name}");
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        work.queue(&Letter {
            id: &id,
            now: i64::try_from(now).unwrap(),
            ..letter
        })
        .await
        .unwrap();
        work.commit().await.unwrap();
        store.close().await;
    });
}
