//! The little DER (X.690) that this room reads and writes itself: an element and its content.
//!
//! Lengths are checked, values are not: who asks knows what should be there. To add a type: its
//! tag among the constants.

use x509_parser::asn1_rs::{Any, FromDer, Tag};
use zeroize::Zeroizing;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// One element that fills all the bytes.
pub(super) fn whole(der: &[u8], tag: Tag) -> Option<Any<'_>> {
    let (rest, any) = Any::from_der(der).ok()?;
    (rest.is_empty() && any.tag() == tag).then_some(any)
}

/// The elements that lie side by side in the content of a sequence.
pub(super) fn fields(mut content: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut fields = Vec::new();
    while !content.is_empty() {
        let (rest, any) = Any::from_der(content).ok()?;
        fields.push(any);
        content = rest;
    }
    Some(fields)
}

/// One DER element around its parts; the buffer is made in full at once, so that growing leaves no
/// copy of a key behind.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(length + 10));
    out.push(tag);
    let bytes = length.to_be_bytes();
    let digits = &bytes[bytes.iter().take_while(|b| **b == 0).count()..];
    match length {
        0..=0x7f => out.push(length as u8),
        _ => {
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}
