//! Damaged and hostile input gives an error, never a panic. To add a kind of damage: [`Change`].

use std::sync::OnceLock;

use jitsi_install::keystore::{
    KeyPair, Readers, Store, Wanted, build_jks, build_pkcs12, build_pkcs12_for, describe,
    truststore_holds, verify,
};
use proptest::prelude::*;

use crate::desk::{PASSWORD, alias, cases, desk, password};

/// One change to a text: of a byte, of a base64 letter (so that the DER changes, not the PEM), of a
/// stretch cut out or doubled.
#[derive(Debug, Clone)]
enum Change {
    Byte(prop::sample::Index, u8),
    Letter(prop::sample::Index, prop::sample::Index),
    Cut(prop::sample::Index, usize),
    Double(prop::sample::Index, usize),
}

impl Change {
    fn any() -> impl Strategy<Value = Change> {
        prop_oneof![
            (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, to)| Change::Byte(at, to)),
            (any::<prop::sample::Index>(), any::<prop::sample::Index>())
                .prop_map(|(at, to)| Change::Letter(at, to)),
            (any::<prop::sample::Index>(), 0..200_usize).prop_map(|(at, n)| Change::Cut(at, n)),
            (any::<prop::sample::Index>(), 0..200_usize).prop_map(|(at, n)| Change::Double(at, n)),
        ]
    }

    fn apply(&self, text: &mut Vec<u8>) {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let span = |text: &[u8], at: &prop::sample::Index, n: &usize| {
            let start = at.index(text.len());
            start..(start + n).min(text.len())
        };
        if text.is_empty() {
            return;
        }
        match self {
            Change::Byte(at, to) => {
                let at = at.index(text.len());
                text[at] = *to;
            }
            Change::Letter(at, to) => {
                let places: Vec<usize> = (0..text.len())
                    .filter(|i| letters.contains(&text[*i]))
                    .collect();
                if !places.is_empty() {
                    text[*at.get(&places)] = *to.get(letters);
                }
            }
            Change::Cut(at, n) => drop(text.drain(span(text, at, n))),
            Change::Double(at, n) => {
                let again = text[span(text, at, n)].to_vec();
                let start = at.index(text.len());
                text.splice(start..start, again);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_pem_is_an_error_or_a_pair_but_never_a_panic(
        case in 0..cases().len(),
        on_chain in prop::collection::vec(Change::any(), 0..4),
        on_key in prop::collection::vec(Change::any(), 0..4),
    ) {
        let Some(desk) = desk() else { return Ok(()) };
        let (_, chain, key, _) = cases()[case];
        let mut chain = desk.read(&chain.replace("crlf", "p256"));
        let mut key = desk.read(&key.replace("crlf", "p256"));
        on_chain.iter().for_each(|change| change.apply(&mut chain));
        on_key.iter().for_each(|change| change.apply(&mut key));
        match KeyPair::from_pem(&chain, &key) {
            Ok(pair) => {
                let shown = format!("{pair:?}");
                prop_assert!(shown.contains("••••••"));
            }
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }

    #[test]
    fn a_damaged_store_is_opened_or_refused_but_never_a_panic(
        format in 0..3_usize,
        changes in prop::collection::vec(Change::any(), 1..4),
        right in any::<bool>(),
    ) {
        static STORES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
        let Some(desk) = desk() else { return Ok(()) };
        let stores = STORES.get_or_init(|| {
            let pair = desk.pair("p256.pem middle.pem", "p256.key").unwrap();
            let (jvb, password) = (alias("jvb"), password());
            vec![
                build_pkcs12(&pair, &jvb, &password).unwrap().to_vec(),
                build_pkcs12_for(&pair, &jvb, &password, Readers::Old).unwrap().to_vec(),
                build_jks(&pair, &jvb, &password, 1_700_000_000, [9; 20]).to_vec(),
            ]
        });
        let mut bytes = stores[format].clone();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        let word = if right { PASSWORD } else { "another word" };
        let findings = verify(&bytes, word, &Wanted::default(), 1_700_000_000);
        prop_assert!(!findings.is_empty());
        for finding in findings {
            prop_assert!(finding.what.chars().all(|c| !c.is_control()));
        }
        let _ = Store::open(&bytes, None);
    }

    #[test]
    fn bytes_that_begin_like_a_store_are_none(
        begin in 0..3_usize,
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let begins: [&[u8]; 3] = [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], &[0x30, 0x82, 1, 0, 2, 1, 3], &[0x30]];
        let bytes = [begins[begin], &bytes].concat();
        prop_assert!(Store::open(&bytes, Some(PASSWORD)).is_err());
        prop_assert!(Store::open(&bytes, None).is_err());
    }

    #[test]
    fn hostile_bytes_are_no_store(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(describe(&bytes).is_err());
        prop_assert!(!truststore_holds(&bytes, &[], &password()));
        prop_assert!(KeyPair::from_pem(&bytes, &bytes).is_err());
    }
}
