//! Clients that are slow, many, or too talkative.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::service::{Site, resident, until};

#[test]
fn ten_thousand_idle_connections_cost_little_and_keep_nobody_out() {
    let mut site = Site::new("", "");
    site.serve();
    for _ in 0..50 {
        site.get("/accounts/sign-in");
    }
    let before = resident(site.pid());
    let mut idle: Vec<UnixStream> = (0..10_000)
        .map(|_| UnixStream::connect(site.path("web.sock")).unwrap())
        .collect();
    until(20, "all are in", || connections(&site) >= 10_000);
    let silent = resident(site.pid()) - before;
    for stream in idle.iter_mut().step_by(2) {
        stream
            .write_all(b"GET /accounts/sign-in HTTP/1.1\r\nHost: x\r\n")
            .unwrap();
    }
    std::thread::sleep(Duration::from_secs(1));
    let begun = Instant::now();
    assert_eq!(site.get("/accounts/sign-in").status, 200);
    let took = begun.elapsed();
    let begun_heads = resident(site.pid()) - before - silent;
    println!(
        "{before} kB; {silent} kB more for 10,000 silent connections, {begun_heads} kB more for 5,000 half heads; a page in {took:?}"
    );
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(silent < 40_000, "{silent} kB for 10,000");
    assert!(begun_heads < 5_000 * 24, "{begun_heads} kB for 5,000");
    // Those that never finish their head are cut, and the memory can be used again.
    until(40, "half heads are cut", || connections(&site) <= 5_010);
    drop(idle);
    until(20, "all are gone", || connections(&site) <= 10);
}

fn connections(site: &Site) -> u64 {
    let page = site.internal("GET /metrics HTTP/1.1\r\n").body;
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("jitsi_accounts_connections "));
    line.unwrap().parse().unwrap()
}

/// What a client gets that sends some bytes at a time, and after how long it is over.
fn slowly(site: &Site, first: &str, then: &str, pause: Duration) -> (String, Duration) {
    let mut stream = UnixStream::connect(site.path("web.sock")).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    let begun = Instant::now();
    let mut reader = stream.try_clone().unwrap();
    let answer = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = reader.read_to_string(&mut text);
        (text, begun.elapsed())
    });
    for byte in then.bytes().cycle() {
        if answer.is_finished() || stream.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(pause);
    }
    answer.join().unwrap()
}

#[test]
fn a_head_and_a_body_byte_by_byte_are_cut() {
    let mut site = Site::new("", "");
    site.serve();
    let pause = Duration::from_millis(300);
    let site = &site;
    let (head, body) = std::thread::scope(|scope| {
        let head = scope.spawn(|| {
            slowly(
                site,
                "GET /accounts/sign-in HTTP/1.1\r\n",
                "X-A: b\r\n",
                pause,
            )
        });
        let start = "POST /accounts/sign-in HTTP/1.1\r\nHost: x\r\nOrigin: https://meet.example.org\r\n\
                     Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                     Content-Length: 5000\r\n\r\nname=";
        let body = scope.spawn(move || slowly(site, start, "a", pause));
        (head.join().unwrap(), body.join().unwrap())
    });
    assert!(head.1 < Duration::from_secs(20), "{head:?}");
    assert!(body.1 < Duration::from_secs(30), "{:?}", body.1);
    assert!(body.0.starts_with("HTTP/1.1 408"), "{}", body.0);
}

#[test]
fn heads_and_bodies_have_an_end() {
    let mut site = Site::new("", "");
    site.serve();
    let long = "a".repeat(20_000);
    assert_eq!(
        site.ask(&format!("GET /accounts/{long} HTTP/1.1\r\n"))
            .status,
        431
    );
    assert_eq!(
        site.ask(&format!(
            "GET /accounts/sign-in HTTP/1.1\r\nX-Long: {long}\r\n"
        ))
        .status,
        431
    );
    let many: String = (0..200).map(|n| format!("X-{n}: 1\r\n")).collect();
    assert_eq!(
        site.ask(&format!("GET /accounts/sign-in HTTP/1.1\r\n{many}"))
            .status,
        431
    );
    let big = "a".repeat(200_000);
    assert_eq!(
        site.post("/accounts/sign-in", &format!("name={big}"), "")
            .status,
        413
    );
    for nonsense in [
        "\u{0}\u{1}\u{2}\r\n",
        "GET\r\n",
        "GET / HTTP/9.9\r\n",
        "GET / HTTP/1.1\r\nX\r\n",
    ] {
        assert_eq!(site.ask(nonsense).status, 400, "{nonsense:?}");
    }
    // Two lengths, or a length and chunks: what one reads as a body the other reads as a request.
    for head in [
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: abc\r\n",
    ] {
        let answer = site.ask(&format!(
            "POST /accounts/sign-in HTTP/1.1\r\n{head}\r\nabcd"
        ));
        assert_eq!(answer.status, 400, "{head:?}");
    }
    assert_eq!(site.get("/accounts/sign-in").status, 200);
}

#[test]
fn what_only_this_machine_may_ask() {
    let mut site = Site::new("", "");
    site.serve();
    assert_eq!(site.internal("GET /healthz HTTP/1.1\r\n").body, "ok\n");
    assert_eq!(site.internal("GET /readyz HTTP/1.1\r\n").body, "ready\n");
    let figures = site.internal("GET /metrics HTTP/1.1\r\n").body;
    assert!(
        figures.contains("jitsi_accounts_database_up 1"),
        "{figures}"
    );
    // Nothing of it on the socket that the world sees.
    for path in [
        "/healthz",
        "/metrics",
        "/prosody/password",
        "/accounts/metrics",
    ] {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
    let body = "{\"username\":\"ann\",\"password\":\"x\"}";
    for (bearer, status) in [
        ("", 401),
        ("Authorization: Bearer wrong\r\n", 401),
        ("Authorization: Basic x\r\n", 401),
    ] {
        let length = body.len();
        let request = format!(
            "POST /prosody/password HTTP/1.1\r\n{bearer}Content-Length: {length}\r\n\r\n{body}"
        );
        assert_eq!(site.internal(&request).status, status, "{bearer}");
    }
    assert_eq!(site.prosody("nobody", "wrong").status, 403);
    assert_eq!(site.prosody("no body", "wrong").status, 403);
    assert_eq!(
        site.internal("GET /prosody/password HTTP/1.1\r\n").status,
        405
    );
}
