//! Servers and connections that break, lie, or never end.

use std::time::{Duration, Instant};

use crate::proving::said;
use crate::server::{Server, answer, head, part};
use crate::stage::{Piece, Stage, bytes, sha256};

#[test]
fn cut_off_and_gone_on_with() {
    let file = bytes(5_000_000, 20);
    let sent = file.clone();
    // Each connection brings a third at the most.
    let server = Server::start(move |request, wire, _| {
        let from = request.from().unwrap_or(0);
        let (length, range) = (
            (sent.len() - from).to_string(),
            format!("bytes {from}-{}/{}", sent.len() - 1, sent.len()),
        );
        let mut headers = vec![("Content-Length", length.as_str()), ("ETag", "\"one\"")];
        if from > 0 {
            assert_eq!(request.headers["if-range"], "\"one\"");
            headers.push(("Content-Range", &range));
        }
        head(
            wire,
            if from > 0 {
                "206 Partial Content"
            } else {
                "200 OK"
            },
            &headers,
        )?;
        wire.write_all(&sent[from..sent.len().min(from + 1_700_000)])
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    let text = stage.fetches();
    assert_eq!(
        text.matches("the connection ended within the file").count(),
        2,
        "{text}"
    );
    let asked: Vec<_> = server
        .log()
        .iter()
        .map(crate::server::Request::from)
        .collect();
    assert_eq!(asked, [None, Some(1_700_000), Some(3_400_000)]);
    stage.holds("a.bin", &file);
}

#[test]
fn cut_off_for_good_and_gone_on_with_later() {
    let file = bytes(500_000, 21);
    let sent = file.clone();
    let server = Server::start(move |_, wire, number| match number {
        0 => {
            head(
                wire,
                "200 OK",
                &[("Content-Length", "500000"), ("ETag", "\"one\"")],
            )?;
            wire.write_all(&sent[..123_456])
        }
        _ => answer(wire, "500 Internal Server Error", &[], b""),
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    let text = stage.refuses("the server answers 500");
    assert!(text.contains("what was received is kept"), "{text}");
    // One try and four more.
    assert_eq!(server.log().len(), 5);
    assert_eq!(stage.names(), ["a.bin.part", "a.bin.part.from"]);
    drop(server);
    // Another server, which knows another state: what counts is the hash.
    let server = Server::files(&[("a.bin", &file)]);
    stage.catalogue(&[Piece::of("piece", server.url("a.bin"), &file)]);
    stage.fetches();
    assert_eq!(server.log()[0].from(), Some(123_456));
    assert_eq!(server.log()[0].headers.get("if-range"), None);
    stage.holds("a.bin", &file);
}

#[test]
fn silence() {
    let file = bytes(500_000, 22);
    for (before, after) in [(false, 0), (true, 0), (true, 1000)] {
        let sent = file.clone();
        let server = Server::start(move |request, wire, number| {
            if number == 0 {
                if before {
                    head(wire, "200 OK", &[("Content-Length", "500000")])?;
                    wire.write_all(&sent[..after])?;
                    wire.flush()?;
                }
                std::thread::sleep(Duration::from_secs(4));
                return Ok(());
            }
            part(request, wire, &sent, "\"one\"")
        });
        let stage = Stage::one(server.url("a.bin"), &file);
        let begun = Instant::now();
        let text = stage.fetches();
        assert!(text.contains("nothing came for 1 s"), "{text}");
        assert!(begun.elapsed() < Duration::from_secs(4));
        let from = (after > 0).then_some(after);
        assert_eq!(server.log()[1].from(), from);
        stage.holds("a.bin", &file);
    }
}

#[test]
fn other_lengths() {
    let file = bytes(50_000, 23);
    // What the server says is not what the catalogue says: nothing is received.
    for body in [&file[..49_999], &[&file[..], b"x"].concat()] {
        let server = Server::files(&[("a.bin", body)]);
        let stage = Stage::one(server.url("a.bin"), &file);
        let text = stage.refuses("and should have 50000");
        assert!(
            text.contains(&format!("has {} bytes", body.len())),
            "{text}"
        );
        assert_eq!(stage.names(), [""; 0]);
        assert_eq!(server.log().len(), 1);
    }
    // It sends more than it said, and nobody listens any more.
    let sent = [&file[..], &[b'x'; 100_000]].concat();
    let server = Server::start(move |_, wire, _| {
        head(wire, "200 OK", &[("Content-Length", "50000")])?;
        wire.write_all(&sent)
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    stage.fetches();
    stage.holds("a.bin", &file);
    // It sends less, again and again, and says so only by ending.
    let sent = file[..40_000].to_vec();
    let server = Server::start(move |request, wire, _| {
        let from = request.from().unwrap_or(0);
        if from > 0 {
            let headers = [
                ("Content-Range", "bytes 40000-49999/50000"),
                ("Content-Length", "10000"),
            ];
            return head(wire, "206 Partial Content", &headers);
        }
        head(wire, "200 OK", &[])?;
        wire.write_all(&sent)
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    stage.refuses("the connection ended within the file");
    assert_eq!(stage.names(), ["a.bin.part", "a.bin.part.from"]);
}

#[test]
fn without_an_end() {
    let file = bytes(50_000, 24);
    for is_chunked in [true, false] {
        let server = Server::start(move |_, wire, _| {
            let chunk = [b'x'; 10_000];
            if is_chunked {
                head(wire, "200 OK", &[("Transfer-Encoding", "chunked")])?;
            } else {
                head(wire, "200 OK", &[])?;
            }
            loop {
                if is_chunked {
                    write!(wire, "{:x}\r\n", chunk.len())?;
                }
                wire.write_all(&chunk)?;
                if is_chunked {
                    wire.write_all(b"\r\n")?;
                }
            }
        });
        let stage = Stage::one(server.url("a.bin"), &file);
        stage.refuses("has 50001 bytes, and should have 50000");
        assert_eq!(stage.names(), [""; 0]);
    }
    // Where the catalogue knows no length, a limit protects.
    let server =
        Server::start(|_, wire, _| head(wire, "200 OK", &[("Content-Length", "99999999999")]));
    let stage = Stage::new(&[Piece::of("piece", server.url("a.bin"), &file).without_size()]);
    stage.refuses("has more than 1073741824 bytes");
    assert_eq!(stage.names(), [""; 0]);
}

#[test]
fn something_else() {
    let (file, other) = (bytes(50_000, 25), bytes(50_000, 26));
    let server = Server::files(&[("a.bin", &other)]);
    let stage = Stage::one(server.url("a.bin"), &file);
    let text = stage.refuses(&sha256(&other));
    assert!(text.contains(&sha256(&file)), "{text}");
    assert_eq!(stage.names(), [""; 0]);
    // It was asked once: the same server would send the same again.
    assert_eq!(server.log().len(), 1);
}

#[test]
fn not_there() {
    let file = bytes(1_000, 27);
    let server = Server::files(&[("b.bin", &file)]);
    let stage = Stage::new(&[
        Piece::of("one", server.url("gone.bin"), &file),
        Piece::of("two", server.url("b.bin"), &file),
    ]);
    let text = stage.refuses("gone.bin`: the server answers 404");
    assert!(
        text.contains("hint: upstream keeps no old releases for ever"),
        "{text}"
    );
    // The other came all the same.
    stage.holds("b.bin", &file);
    let output = stage.run(&["fetch", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["files"][0]["state"], "failed");
    assert!(json["files"][0]["why"].as_str().unwrap().contains("404"));
    assert_eq!(json["files"][1]["state"], "was-there");
}

#[test]
fn round_in_circles_and_astray() {
    let file = bytes(1_000, 28);
    let to = |location: &'static str| {
        Server::start(move |_, wire, _| match location {
            "" => answer(wire, "302 Found", &[], b""),
            to => answer(wire, "301 Moved Permanently", &[("Location", to)], b""),
        })
    };
    for (location, words, asked) in [
        ("/a.bin", "leads on more than 8 times", 9),
        ("", "does not say where", 1),
        ("file:///etc/passwd", "which is no address", 1),
        (
            "ftp://example.org/a",
            "neither with https:// nor http://",
            1,
        ),
        ("http://", "no address", 1),
    ] {
        let server = to(location);
        let stage = Stage::one(server.url("a.bin"), &file);
        stage.refuses(words);
        assert_eq!(server.log().len(), asked, "{location}");
        assert_eq!(stage.names(), [""; 0]);
    }
}

#[test]
fn no_web_server_at_all() {
    let file = bytes(1_000, 29);
    let server = Server::start(|_, wire, _| wire.write_all(b"220 mail.example.org ESMTP\r\n"));
    let stage = Stage::one(server.url("a.bin"), &file);
    stage.refuses(&server.url("a.bin"));
    let port = server.port();
    drop(server);
    std::thread::sleep(Duration::from_millis(100));
    stage.catalogue(&[Piece::of(
        "piece",
        format!("http://127.0.0.1:{port}/a.bin"),
        &file,
    )]);
    let begun = Instant::now();
    stage.refuses("refused");
    assert!(begun.elapsed() < Duration::from_secs(2));
    // A head without an end.
    let server = Server::start(|_, wire, _| {
        wire.write_all(b"HTTP/1.1 200 OK\r\n")?;
        for _ in 0..100_000 {
            wire.write_all(b"X-More: 0123456789012345678901234567890123456789\r\n")?;
        }
        Ok(())
    });
    stage.catalogue(&[Piece::of("piece", server.url("a.bin"), &file)]);
    let output = stage.fetch();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(stage.names(), [""; 0]);
}
