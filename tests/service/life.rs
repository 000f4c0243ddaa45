//! Beginning and end: sockets of its own and of systemd, readiness, a stop under load, a kill.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::service::{Site, answer, has, mode, talk, until};

#[test]
fn it_tells_systemd_when_it_is_ready_alive_and_stopping() {
    let mut site = Site::new("", "");
    let told = UnixDatagram::bind(site.path("notify")).unwrap();
    told.set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut child = site
        .command()
        .args(["serve", "--log", "json"])
        .env("NOTIFY_SOCKET", site.path("notify"))
        .env("WATCHDOG_USEC", "400000")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let hear = || {
        let mut bytes = [0; 200];
        let count = told.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).trim().to_owned()
    };
    assert_eq!(hear(), "READY=1");
    assert_eq!(
        site.get("/accounts/sign-in").status,
        200,
        "ready means ready"
    );
    assert_eq!(hear(), "WATCHDOG=1");
    assert_eq!(hear(), "WATCHDOG=1");
    let pid = child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    while hear() != "STOPPING=1" {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    for line in log.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(
            event["timestamp"].is_string() && event["level"].is_string(),
            "{line}"
        );
    }
    assert!(log.contains("\"route\":\"/accounts/sign-in\""), "{log}");
    assert!(
        !site.path("web.sock").exists(),
        "the socket goes with the service"
    );
    site.serve();
}

#[test]
fn sockets_of_systemd_come_before_those_of_the_settings() {
    if !has("systemd-socket-activate", "systemd") {
        return;
    }
    let site = Site::new("", "");
    let web = site.path("activated.sock");
    let internal = format!("127.0.0.1:{}", crate::service::free_port());
    let mut child = Command::new("systemd-socket-activate")
        .arg("--fdname=web:internal")
        .arg(format!("--listen={}", web.display()))
        .arg(format!("--listen={internal}"))
        .arg("--setenv=PATH")
        .arg(format!(
            "--setenv=JITSI_ACCOUNTS_CONFIG={}",
            site.path("accounts.toml").display()
        ))
        .args([crate::service::PROGRAM, "serve"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until(10, "the socket is there", || {
        UnixStream::connect(&web).is_ok()
    });
    let stream = UnixStream::connect(&web).unwrap();
    let page = talk(stream, "GET /accounts/sign-in HTTP/1.1\r\n").unwrap();
    assert_eq!(page.status, 200);
    let stream = std::net::TcpStream::connect(&internal).unwrap();
    assert_eq!(
        talk(stream, "GET /healthz HTTP/1.1\r\n").unwrap().body,
        "ok\n"
    );
    assert!(!site.path("web.sock").exists(), "no socket of its own");
    let pid = child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(web.exists(), "a socket of systemd is not ours to remove");
}

#[test]
fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
    let mut site = Site::new("", "");
    // A socket that nobody listens on any more.
    drop(UnixListener::bind(site.path("web.sock")).unwrap());
    site.serve();
    assert_eq!(mode(&site.path("web.sock")), 0o660);
    assert_eq!(site.get("/accounts/sign-in").status, 200);

    let second = site.run(&["serve"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(
        said.contains("`listen`") && said.contains("somebody else answers there"),
        "{said}"
    );
    assert!(said.contains("hint:"), "{said}");
    assert_eq!(
        site.get("/accounts/sign-in").status,
        200,
        "the first is as it was"
    );

    // Killed: its socket stays behind and its successor takes the place.
    site.signal("-9");
    site.ended();
    assert!(site.path("web.sock").exists());
    site.serve();
    site.signal("-TERM");
    assert_eq!(site.ended(), Some(0));
    assert!(!site.path("web.sock").exists());

    // Somebody else's program answers there.
    let other = UnixListener::bind(site.path("web.sock")).unwrap();
    assert_eq!(site.run(&["serve"]).status.code(), Some(1));
    assert!(site.path("web.sock").exists());
    drop(other);
    // And what is no socket is never removed.
    fs::remove_file(site.path("web.sock")).unwrap();
    site.put("web.sock", "a letter", 0o600);
    let said = site.run(&["serve"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("no socket stands there"));
    assert_eq!(
        fs::read_to_string(site.path("web.sock")).unwrap(),
        "a letter"
    );
}

/// Clients that keep their connections ask as fast as they can while the service is told to stop.
/// Every request that was taken gets its whole answer.
#[test]
fn a_stop_under_load_loses_no_request() {
    stop_under_load(b"GET /accounts/sign-in HTTP/1.1\r\nHost: x\r\n\r\n");
}

/// So do clients with a connection for each request: who was let in by the kernel alone is served too.
#[test]
fn a_stop_loses_nobody_who_is_at_the_door() {
    stop_under_load(b"GET /accounts/sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

fn stop_under_load(request: &'static [u8]) {
    let mut site = Site::new("", "");
    site.serve();
    let stop = Arc::new(AtomicBool::new(false));
    let (lost, answered) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (path, stop) = (site.path("web.sock"), Arc::clone(&stop));
            let (lost, answered) = (Arc::clone(&lost), Arc::clone(&answered));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // Who cannot connect any more has lost nothing: the web server tries again.
                    let Ok(mut stream) = UnixStream::connect(&path) else {
                        return;
                    };
                    loop {
                        if stream.write_all(request).is_err() {
                            lost.fetch_add(1, Ordering::Relaxed);
                            return;
                        }
                        let Some(head) = whole(&mut stream) else {
                            lost.fetch_add(1, Ordering::Relaxed);
                            return;
                        };
                        answered.fetch_add(1, Ordering::Relaxed);
                        if head.contains("\nconnection: close") {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    until(20, "clients are at work", || {
        answered.load(Ordering::Relaxed) > 400
    });
    let begun = Instant::now();
    site.signal("-TERM");
    assert_eq!(site.ended(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!(
        lost.load(Ordering::Relaxed),
        0,
        "{} answered",
        answered.load(Ordering::Relaxed)
    );
    assert!(
        site.log().lines().last().unwrap().contains("stopped"),
        "{}",
        site.log()
    );
}

/// Reads one answer with its body; its head.
fn whole(stream: &mut UnixStream) -> Option<String> {
    let (mut bytes, mut part) = (Vec::new(), [0; 8192]);
    loop {
        if let Some(found) = answer(&bytes) {
            let length = found
                .head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))?;
            if found.body.len() >= length.parse().ok()? {
                return Some(found.head);
            }
        }
        match stream.read(&mut part) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&part[..count]),
            _ => return None,
        }
    }
}

/// What was confirmed before a kill is there after it.
#[test]
fn a_kill_costs_nothing_that_was_confirmed() {
    let mut site = Site::new("", "[passwords]\nargon2_memory = 7168\nargon2_passes = 1\n");
    site.person("ann", "a long and quiet word");
    site.serve();
    let (status, cookies) = site.sign_in("ann", "a+long+and+quiet+word");
    assert_eq!(status, 303);
    site.signal("-KILL");
    site.ended();
    site.serve();
    let page = site.ask(&format!(
        "GET /accounts/account HTTP/1.1\r\nCookie: {cookies}\r\n"
    ));
    assert_eq!(page.status, 200, "signed in still: {}", page.head);
    assert_eq!(site.prosody("ann", "a long and quiet word").status, 200);
    assert_eq!(site.prosody("ann", "another word").status, 403);
}

#[test]
fn bad_settings_end_with_65_and_say_which_line() {
    let site = Site::new("", "");
    for (text, says) in [
        ("schema = 1\n", "line 1: the service needs its `public_url`"),
        (
            "schema = 1\npublic_url = \"http://meet.example.org\"\n",
            "line 2: `public_url`",
        ),
        (
            "schema = 1\npublic_url = \"https://a.example.org\"\nlisen = \"x\"\n",
            "did you mean `listen`?",
        ),
        ("schema 1", "line 1: this is not TOML"),
    ] {
        site.put("accounts.toml", text, 0o644);
        for verb in [
            ["serve"].as_slice(),
            &["check"],
            &["migrate"],
            &["users", "list"],
        ] {
            let output = site.run(verb);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(65), "{verb:?}: {said}");
            assert!(said.contains(says), "{verb:?}: {said}");
        }
    }
    let whole = "schema = 1\npublic_url = \"https://a.example.org\"\n";
    let key = site.put("open", "0123456789012345678901234567890123456789", 0o644);
    site.put(
        "accounts.toml",
        &format!("{whole}key_file = \"{}\"\n", key.display()),
        0o644,
    );
    let output = site.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(65), "{said}");
    assert!(
        said.contains("is open to everybody (mode 0644)") && said.contains("chmod 0640"),
        "{said}"
    );
    assert!(!said.contains("0123456789"), "{said}");
    site.put("accounts.toml", whole, 0o666);
    assert!(
        String::from_utf8_lossy(&site.run(&["check"]).stderr)
            .contains("may be written by everybody")
    );
}

/// A credential of systemd with the file's name comes before the file.
#[test]
fn secrets_come_from_credentials_too() {
    let site = Site::new("", "");
    fs::remove_file(site.path("key")).unwrap();
    assert_eq!(site.run(&["check"]).status.code(), Some(65));
    fs::create_dir(site.path("credentials")).unwrap();
    site.put(
        "credentials/key",
        "another-key-0123456789-0123456789-012",
        0o400,
    );
    let output = site
        .command()
        .arg("check")
        .env("CREDENTIALS_DIRECTORY", site.path("credentials"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
