use proptest::prelude::*;

use super::*;

fn password() -> Password {
    Password::parse("secret").unwrap()
}

fn sample() -> Zeroizing<Vec<u8>> {
    let locked = lock(
        b"a private key of some length, longer than one digest",
        "secret",
        [7; 20],
    );
    let (own, other) = (Alias::parse("jvb").unwrap(), Alias::parse("root").unwrap());
    let key = Item::Key {
        locked: locked.to_vec(),
        chain: vec![vec![1; 300], vec![2; 3]],
    };
    let trusted = Item::Trusted(vec![3; 40]);
    write(
        [(&own, &key), (&other, &trusted)],
        &password(),
        1_700_000_000,
    )
}

#[test]
fn what_is_written_is_read() {
    let entries = read(&sample(), Some("secret")).unwrap();
    let Item::Key { locked, chain } = &entries[0].item else {
        panic!()
    };
    assert_eq!((entries[0].alias.as_str(), chain.len()), ("jvb", 2));
    assert_eq!(
        &**unlock(locked, "secret").unwrap(),
        b"a private key of some length, longer than one digest"
    );
    assert_eq!(unlock(locked, "other"), None);
    assert_eq!(
        entries[1],
        Entry {
            alias: "root".into(),
            item: Item::Trusted(vec![3; 40])
        }
    );
    assert_eq!(read(&sample(), Some("other")), Err(Trouble::Digest));
    assert_eq!(read(&sample(), None).unwrap(), entries);
}

#[test]
fn a_cut_store_is_refused_wherever_it_ends() {
    let bytes = sample();
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end], Some("secret")).is_err(), "{end}");
        assert!(read(&bytes[..end], None).is_err(), "{end}");
    }
}

#[test]
fn aliases_in_java_s_own_utf8() {
    assert_eq!(modified_utf8(b"jvb").unwrap(), "jvb");
    assert_eq!(modified_utf8(&[0xc3, 0xa9, 0xc0, 0x80]).unwrap(), "é\0");
    assert_eq!(
        modified_utf8(&[0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]).unwrap(),
        "😀"
    );
    for bad in [
        &[0x80][..],
        &[0xc3],
        &[0xe2, 0x82],
        &[0xf0, 0x9f, 0x98, 0x80],
        &[0xc3, 0x41],
    ] {
        assert_eq!(modified_utf8(bad), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read(&bytes, Some("secret")).is_err());
        prop_assert_eq!(unlock(&bytes, "secret"), None);
    }

    #[test]
    fn a_changed_byte_is_seen(at in any::<prop::sample::Index>(), to in 1..=255_u8) {
        let mut bytes = sample().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= to;
        prop_assert!(read(&bytes, Some("secret")).is_err());
        let _ = read(&bytes, None);
    }
}
