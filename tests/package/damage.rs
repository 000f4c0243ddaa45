//! Archives that are damaged, or cost more than they may.

use std::io::Cursor;
use std::time::{Duration, Instant};

use jitsi_install::package::{Limits, unpack};
use tar::EntryType;

use crate::archives::{Tar, gzip, header, open, said, xz};

#[test]
fn damage_is_noticed() {
    let good = Tar::default().file("a", &[b'x'; 700]).file("b", b"y");
    let whole = good.clone().end();
    let cut = "`a.tar`: it is cut off: its end is missing";
    assert_eq!(said(good.clone().without_end()), cut);
    assert_eq!(said(whole[..whole.len() - 512].to_vec()), cut);
    for len in [600, 900, 1500, 1600, 1700, 2100] {
        let words = said(whole[..len].to_vec());
        assert!(
            ["cut off", "unexpected", "failed to"]
                .iter()
                .any(|word| words.contains(word)),
            "{len}: {words}"
        );
    }
    let mut more = whole.clone();
    more.extend_from_slice(&[0; 9 * 512]);
    assert!(open("a.tar", &more).is_ok(), "tar fills up to 10 KiB");
    more.push(b'x');
    assert_eq!(said(more), "`a.tar`: something follows its end");
    let again = [whole.clone(), whole.clone()].concat();
    assert_eq!(said(again), "`a.tar`: something follows its end");
    let mut spoiled = whole.clone();
    spoiled[1536 + 3] = b'z';
    assert_eq!(said(spoiled), "`a.tar`: archive header checksum mismatch");
    // a packed one that is cut, has a wrong checksum, or something behind it
    for packed in [gzip(&whole), xz(&whole)] {
        for len in [packed.len() - 1, packed.len() - 10, packed.len() / 2] {
            assert!(open("a.tar", &packed[..len]).is_err());
        }
        for at in [packed.len() / 2, packed.len() - 6] {
            let mut spoiled = packed.clone();
            spoiled[at] ^= 0x55;
            assert!(open("a.tar", &spoiled).is_err(), "{at}");
        }
        let more = [packed.clone(), b"more".to_vec()].concat();
        assert!(open("a.tar", &more).is_err());
    }
}

#[test]
fn numbers_may_not_be_too_large() {
    let mut large = header(b"m", EntryType::Regular, 0o644, 1 << 40);
    assert!(
        said(Tar::default().block(&mut large).end())
            .contains("with it there are more than 2147483648 bytes")
    );
    // base 256, nearly the largest
    let mut field = [0xff; 12];
    field[0] = 0x80;
    large.as_gnu_mut().unwrap().size = field;
    let words = said(Tar::default().block(&mut large).end());
    assert!(
        words.contains("overflow") || words.contains("more than"),
        "{words}"
    );
    let mut odd = header(b"m", EntryType::Regular, 0o644, 0);
    odd.as_gnu_mut().unwrap().size = *b"99999999999\0";
    assert!(said(Tar::default().block(&mut odd).end()).contains("numeric field was not a number"));
    odd.set_size(0);
    odd.as_gnu_mut().unwrap().mode = *b"rwxr-xr\0";
    assert_eq!(
        said(Tar::default().block(&mut odd).end()),
        "`a.tar: m`: its mode is no number"
    );
}

#[test]
fn limits_hold() {
    let tight = Limits {
        bytes: 10_000,
        entries: 5,
        path: 20,
        memory: 100 << 20,
    };
    let say = |tar: Tar| {
        let mut spool = Cursor::new(Vec::new());
        let said = unpack("a.tar", tar.end().as_slice(), &tight, &mut spool)
            .unwrap_err()
            .to_string();
        assert!(spool.into_inner().len() <= 10_000);
        said
    };
    let t = Tar::default;
    assert!(say(t().file("a", &[0; 9_000])).contains("it holds more than 10000 bytes"));
    assert!(say(t().file("a", &[0; 11_000])).contains("with it there are more than 10000 bytes"));
    assert!(
        say(t().file("a", &[0; 4_000]).same("b", "a").same("c", "a"))
            .contains("more than 10000 bytes")
    );
    assert!(say(t().file("a/b/c/d/e/f", b"")).contains("too many files and folders"));
    assert!(say(t().file("a-name-of-21-letters-", b"")).contains("its path is too long"));
    let hungry = Limits {
        memory: 1 << 20,
        ..Limits::default()
    };
    let packed = xz(&t().file("a", b"").end());
    let words = unpack(
        "a.tar",
        packed.as_slice(),
        &hungry,
        &mut Cursor::new(Vec::new()),
    )
    .unwrap_err()
    .to_string();
    assert!(words.contains("memory"), "{words}");
}

/// Ten gigabytes of zeros in one file, packed and packed again where that makes it smaller.
#[test]
fn a_trap_ends_soon() {
    let size: u64 = 10 << 30;
    let mut start = header(b"zeros", EntryType::Regular, 0o644, size);
    let start = Tar::default().block(&mut start).without_end();
    // a stream of zeros that is cut off: who reads on to find out has lost already
    let zeros = vec![0; 32 << 20];
    for packed in [
        gzip(&[start.clone(), zeros.clone()].concat()),
        xz(&[start, zeros].concat()),
    ] {
        assert!(packed.len() < 64 << 10, "{}", packed.len());
        let mut spool = Cursor::new(Vec::new());
        let generous = Limits {
            bytes: 20 << 30,
            ..Limits::default()
        };
        let begun = Instant::now();
        let said = unpack("a.tar", packed.as_slice(), &generous, &mut spool)
            .unwrap_err()
            .to_string();
        let took = begun.elapsed();
        assert!(said.contains("it is a trap"), "{said}");
        assert!(took < Duration::from_millis(900), "{took:?}");
        assert!(spool.into_inner().len() < 20 << 20);
        // the size alone is enough for the usual limits
        let said = open("a.tar", &packed).unwrap_err();
        assert!(
            said.contains("zeros`: with it there are more than"),
            "{said}"
        );
    }
}
