//! Parts that are left: of this file, of another, or of none.

use std::time::{Duration, Instant};

use crate::server::{Server, answer, head, part};
use crate::stage::{Piece, Stage, bytes};

fn leave(stage: &Stage, part: &[u8]) {
    std::fs::create_dir_all(stage.cache()).unwrap();
    std::fs::write(stage.cache().join("a.bin.part"), part).unwrap();
}

#[test]
fn killed_half_way() {
    let file = bytes(8_000_000, 40);
    let sent = file.clone();
    let server = Server::start(move |request, wire, number| {
        if number > 0 {
            return part(request, wire, &sent, "\"one\"");
        }
        head(
            wire,
            "200 OK",
            &[("Content-Length", "8000000"), ("ETag", "\"one\"")],
        )?;
        wire.write_all(&sent[..3_000_000])?;
        wire.flush()?;
        std::thread::sleep(Duration::from_secs(20));
        Ok(())
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    let mut child = stage.spawn(&["fetch"]);
    let half = stage.cache().join("a.bin.part");
    let until = Instant::now() + Duration::from_secs(15);
    while std::fs::metadata(&half).map_or(0, |stat| stat.len()) < 3_000_000 {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(stage.names(), ["a.bin.part", "a.bin.part.from"]);
    stage.fetches();
    let asked = &server.log()[1];
    assert_eq!(asked.from(), Some(3_000_000));
    assert_eq!(asked.headers["if-range"], "\"one\"");
    stage.holds("a.bin", &file);
}

#[test]
fn all_was_there() {
    let file = bytes(100_000, 41);
    let server = Server::files(&[("a.bin", &file)]);
    for piece in [
        Piece::of("piece", server.url("a.bin"), &file),
        Piece::of("piece", server.url("a.bin"), &file).without_size(),
    ] {
        let stage = Stage::new(&[piece]);
        leave(&stage, &file);
        stage.fetches();
        stage.holds("a.bin", &file);
    }
    // Nobody had to be asked.
    assert_eq!(server.log().len(), 0);
}

#[test]
fn parts_of_something_else() {
    let file = bytes(100_000, 42);
    let garbage = bytes(60_000, 43);
    for (part, asked) in [
        (garbage.clone(), vec![Some(60_000), None]),
        // As long as the file, and longer.
        (bytes(100_000, 44), vec![None]),
        (bytes(100_001, 45), vec![None]),
        (Vec::new(), vec![None]),
    ] {
        let server = Server::files(&[("a.bin", &file)]);
        let stage = Stage::one(server.url("a.bin"), &file);
        leave(&stage, &part);
        stage.fetches();
        let seen: Vec<_> = server
            .log()
            .iter()
            .map(crate::server::Request::from)
            .collect();
        assert_eq!(seen, asked, "{}", part.len());
        stage.holds("a.bin", &file);
    }
    // Longer than the file, of which nobody knows the length: the server says 416.
    let server = Server::files(&[("a.bin", &file)]);
    let stage = Stage::new(&[Piece::of("piece", server.url("a.bin"), &file).without_size()]);
    leave(&stage, &bytes(100_001, 45));
    stage.fetches();
    let seen: Vec<_> = server
        .log()
        .iter()
        .map(crate::server::Request::from)
        .collect();
    assert_eq!(seen, [Some(100_001), None]);
    stage.holds("a.bin", &file);
}

#[test]
fn servers_without_parts() {
    let file = bytes(100_000, 46);
    let sent = file.clone();
    // It knows no ranges.
    let server = Server::start(move |_, wire, _| answer(wire, "200 OK", &[], &sent));
    let stage = Stage::one(server.url("a.bin"), &file);
    leave(&stage, &file[..50_000]);
    stage.fetches();
    assert_eq!(server.log().len(), 1);
    stage.holds("a.bin", &file);
    // It sends another part than it was asked for, or does not say which.
    for range in [
        "bytes 10-99999/100000",
        "bytes 50000-99999/9",
        "pages 1-2/3",
        "",
    ] {
        let sent = file.clone();
        let server = Server::start(move |request, wire, _| match request.from() {
            None => answer(wire, "200 OK", &[], &sent),
            Some(_) => answer(
                wire,
                "206 Partial Content",
                &[("Content-Range", range)],
                &sent[10..],
            ),
        });
        let stage = Stage::one(server.url("a.bin"), &file);
        leave(&stage, &file[..50_000]);
        if range.starts_with("bytes 10-") {
            stage.fetches();
            assert_eq!(server.log().len(), 2);
            stage.holds("a.bin", &file);
        } else {
            stage.refuses("does not say which");
            assert!(!stage.names().contains(&"a.bin".to_owned()));
        }
    }
    // It never sends the part, and nothing but 416.
    let server = Server::start(|_, wire, _| answer(wire, "416 Range Not Satisfiable", &[], b""));
    let stage = Stage::one(server.url("a.bin"), &file);
    leave(&stage, &file[..50_000]);
    stage.refuses("the server answers 416");
    assert_eq!(server.log().len(), 2);
}

#[test]
fn changed_in_between() {
    let (old, file) = (bytes(400_000, 47), bytes(400_000, 48));
    // The old file breaks off; then the new one is there. With a tag the server says so itself;
    // without one the hash does.
    for tag in [Some("\"new\""), None] {
        let (before, after) = (old.clone(), file.clone());
        let server = Server::start(move |request, wire, number| {
            if number == 0 {
                let mut headers = vec![("Content-Length", "400000")];
                headers.extend(tag.map(|_| ("ETag", "\"old\"")));
                head(wire, "200 OK", &headers)?;
                return wire.write_all(&before[..150_000]);
            }
            part(request, wire, &after, tag.unwrap_or("\"x\""))
        });
        let stage = Stage::one(server.url("a.bin"), &file);
        stage.fetches();
        let asked: Vec<_> = server
            .log()
            .iter()
            .map(crate::server::Request::from)
            .collect();
        match tag {
            Some(_) => assert_eq!(asked, [None, Some(150_000)]),
            None => assert_eq!(asked, [None, Some(150_000), None]),
        }
        stage.holds("a.bin", &file);
    }
}

#[test]
fn always_another_one() {
    // Whatever part is asked for is of a new file: it ends all the same.
    let file = bytes(3_000_000, 49);
    let server = Server::start(move |request, wire, number| {
        let sent = bytes(3_000_000, 1000 + number as u64);
        let from = request.from().unwrap_or(0);
        let length = (sent.len() - from).to_string();
        let range = format!("bytes {from}-2999999/3000000");
        let headers = [
            ("Content-Length", length.as_str()),
            ("Content-Range", &range),
        ];
        if from > 0 {
            head(wire, "206 Partial Content", &headers)?;
            return wire.write_all(&sent[from..]);
        }
        head(wire, "200 OK", &headers[..1])?;
        wire.write_all(&sent[..2_000_000])
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    stage.refuses("is not what the catalogue says");
    assert!(server.log().len() <= 12, "{}", server.log().len());
    assert_eq!(stage.names(), [""; 0]);
}

#[test]
fn something_else_in_the_cache() {
    let file = bytes(100_000, 50);
    let server = Server::files(&[("a.bin", &file)]);
    let stage = Stage::one(server.url("a.bin"), &file);
    stage.fetches();
    std::fs::write(stage.cache().join("a.bin"), bytes(100_000, 51)).unwrap();
    let text = stage.fetches();
    assert!(text.contains("was not what the catalogue says"), "{text}");
    assert!(text.contains("a.bin.wrong"), "{text}");
    assert_eq!(stage.names(), ["a.bin", "a.bin.wrong"]);
    assert!(std::fs::read(stage.cache().join("a.bin")).unwrap() == file);
    assert_eq!(server.log().len(), 2);
}
