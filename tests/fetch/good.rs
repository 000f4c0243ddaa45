//! Servers that mean well.

use std::time::{Duration, Instant};

use crate::proving::said;
use crate::server::{Server, answer, head, part, read_request};
use crate::stage::{Piece, Stage, bytes};

#[test]
fn everything_at_once_and_offline_afterwards() {
    let all: Vec<Vec<u8>> = (0..6).map(|seed| bytes(700_000, seed + 1)).collect();
    let names: Vec<String> = (0..6).map(|at| format!("file-{at}.tar.gz")).collect();
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .map(String::as_str)
        .zip(all.iter().map(Vec::as_slice))
        .collect();
    let server = Server::files(&files);
    let pieces: Vec<Piece<'_>> = files
        .iter()
        .map(|(name, bytes)| Piece::of(name.split('.').next().unwrap(), server.url(name), bytes))
        .collect();
    let stage = Stage::new(&pieces);
    let text = stage.fetches();
    assert!(text.contains("6 received (4.2 MB), 0 in"), "{text}");
    assert_eq!(stage.names(), names);
    for (name, bytes) in &files {
        assert!(std::fs::read(stage.cache().join(name)).unwrap() == *bytes);
    }
    assert_eq!(server.log().len(), 6);
    assert!(server.log()[0].headers["user-agent"].starts_with("jitsi-install/"));
    drop(server);
    let text = stage.fetches();
    assert!(text.contains("0 received (0 B), 6 in"), "{text}");

    // Only what is named, and each once.
    let output = stage.run(&["fetch", "file-2", "file-2", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["files"].as_array().unwrap().len(), 1);
    assert_eq!(json["files"][0]["state"], "was-there");
    assert_eq!(json["files"][0]["file"], "file-2.tar.gz");
    let output = stage.run(&["fetch", "file-9"]);
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    assert!(said(&output).contains("no piece `file-9`"));

    let output = stage.run(&["list", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["pieces"][5]["files"][0]["is_cached"], true);
    std::fs::remove_file(stage.cache().join("file-3.tar.gz")).unwrap();
    let output = stage.run(&["list"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    assert!(
        text.contains("file-3 1.0     MIT     archive 700 kB no\n"),
        "{text}"
    );
    assert!(
        text.contains("file-4 1.0     MIT     archive 700 kB yes\n"),
        "{text}"
    );
}

#[test]
fn without_a_known_length() {
    let file = bytes(300_000, 7);
    let sent = file.clone();
    let server = Server::start(move |_, wire, _| {
        head(wire, "200 OK", &[("Transfer-Encoding", "chunked")])?;
        for chunk in sent.chunks(70_001) {
            write!(wire, "{:x}\r\n", chunk.len())?;
            wire.write_all(chunk)?;
            wire.write_all(b"\r\n")?;
        }
        wire.write_all(b"0\r\n\r\n")
    });
    let stage = Stage::new(&[Piece::of("piece", server.url("a.bin"), &file).without_size()]);
    stage.fetches();
    stage.holds("a.bin", &file);
    // The end of the connection is the end of the file.
    let sent = file.clone();
    let server = Server::start(move |_, wire, _| {
        head(wire, "200 OK", &[])?;
        wire.write_all(&sent)
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    stage.fetches();
    stage.holds("a.bin", &file);
    // So is an empty one.
    let server = Server::files(&[("empty", b"")]);
    let stage = Stage::new(&[Piece::of("piece", server.url("empty"), b"").without_size()]);
    stage.fetches();
    stage.holds("empty", b"");
}

#[test]
fn slow_but_steady() {
    let file = bytes(3_000, 8);
    let sent = file.clone();
    let server = Server::start(move |_, wire, _| {
        head(wire, "200 OK", &[("Content-Length", "3000")])?;
        for piece in sent.chunks(500) {
            wire.write_all(piece)?;
            wire.flush()?;
            std::thread::sleep(Duration::from_millis(400));
        }
        Ok(())
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    let begun = Instant::now();
    stage.fetches();
    // Longer than the patience of one second with a server that sends nothing.
    assert!(begun.elapsed() > Duration::from_secs(2));
    assert_eq!(server.log().len(), 1);
    stage.holds("a.bin", &file);
}

#[test]
fn unwell_for_a_moment() {
    let file = bytes(10_000, 9);
    let sent = file.clone();
    let server = Server::start(move |request, wire, number| match number {
        0 => answer(
            wire,
            "503 Service Unavailable",
            &[("Retry-After", "1")],
            b"later",
        ),
        1 => answer(wire, "502 Bad Gateway", &[], b""),
        // A connection that ends without a word.
        2 => Ok(()),
        _ => part(request, wire, &sent, "\"one\""),
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    let begun = Instant::now();
    let text = stage.fetches();
    assert!(begun.elapsed() > Duration::from_millis(1000 + 1000 + 2000));
    assert_eq!(text.matches("trying again").count(), 3, "{text}");
    assert!(text.contains("the server answers 503"), "{text}");
    assert_eq!(server.log().len(), 4);
    stage.holds("a.bin", &file);
}

#[test]
fn led_on() {
    let file = bytes(10_000, 10);
    let sent = file.clone();
    let server = Server::start(move |request, wire, _| {
        let port = request.headers["host"].clone();
        let absolute = format!("http://{port}/b/absolute?x=1#part");
        let to = match request.path.as_str() {
            "/a/file" => "next",
            "/a/next" => "/b/root",
            "/b/root" => &absolute,
            "/b/absolute?x=1" => return part(request, wire, &sent, "\"one\""),
            other => panic!("{other}"),
        };
        answer(wire, "302 Found", &[("Location", to)], b"elsewhere")
    });
    let stage = Stage::one(server.url("a/file"), &file);
    stage.fetches();
    assert_eq!(server.log().len(), 4);
    stage.holds("file", &file);
}

#[test]
fn through_a_proxy() {
    let file = bytes(10_000, 11);
    let sent = file.clone();
    let proxy = Server::start(move |request, wire, _| {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("CONNECT", "files.invalid:80")
        );
        wire.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        wire.flush()?;
        let inner = read_request(wire).unwrap();
        part(&inner, wire, &sent, "\"one\"")
    });
    // A name that nobody but the proxy knows.
    let stage = Stage::one("http://files.invalid/a.bin".to_owned(), &file);
    let fetch = |name: &str, value: &str| {
        let mut command = stage.command(&["fetch", "--stall-timeout", "1"]);
        command.env(name, value).output().unwrap()
    };
    let output = fetch("no_proxy", "*");
    assert!(
        said(&output).contains("the resolver has no address"),
        "{}",
        said(&output)
    );
    let output = fetch("http_proxy", &proxy.url(""));
    assert!(output.status.success(), "{}", said(&output));
    stage.holds("a.bin", &file);
    let output = fetch("ALL_PROXY", "socks5://127.0.0.1:1");
    assert!(
        said(&output).contains("only HTTP proxies"),
        "{}",
        said(&output)
    );
}

#[test]
fn two_at_once() {
    let file = bytes(4_000_000, 12);
    let sent = file.clone();
    let server = Server::start(move |request, wire, _| {
        assert_eq!(request.from(), None);
        head(wire, "200 OK", &[("Content-Length", "4000000")])?;
        for piece in sent.chunks(1_000_000) {
            wire.write_all(piece)?;
            wire.flush()?;
            std::thread::sleep(Duration::from_millis(300));
        }
        Ok(())
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    let children: Vec<_> = (0..3).map(|_| stage.spawn(&["fetch"])).collect();
    let mut received = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        received += usize::from(said(&output).contains("1 received (4.0 MB), 0 in"));
    }
    // One received it, and the others took what it had received.
    assert_eq!((received, server.log().len()), (1, 1));
    stage.holds("a.bin", &file);
}
