//! JKS, the keystore of Java before version 9, read and written.
//!
//! The form is that of `JavaKeyStore` and `KeyProtector` in the JDK's `sun.security.provider`,
//! big-endian:
//!
//! ```text
//! u32 0xFEEDFEED, u32 version (2), u32 number of entries
//! entry: u32 tag (1 key, 2 trusted certificate), u16 + alias in modified UTF-8, u64 ms since 1970
//!   key:         u32 + EncryptedPrivateKeyInfo, u32 number of certificates, certificates
//!   certificate: u16 + "X.509" (from version 2 on), u32 + DER
//! end: SHA-1 of the password in UTF-16, "Mighty Aphrodite", and everything before
//! ```
//!
//! SHA-1 and XOR are all the protection that the form has: the file's mode is the real guard, and
//! PKCS#12 the better choice where a program does not insist. Every length is checked against the
//! bytes that are there. JCEKS, a sibling with another magic number, is not read.

use sha1::{Digest, Sha1};
use x509_parser::asn1_rs::{Oid, Tag, oid};
use zeroize::Zeroizing;

use super::{
    credential::{Alias, Password},
    der::{NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, fields, tlv, whole},
    pair::KeyPair,
};

/// What every JKS begins with.
pub(super) const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
/// `KeyProtector`'s own algorithm.
const PROTECTOR: Oid<'static> = oid!(1.3.6.1.4.1.42.2.17.1.1);
const KEY: u32 = 1;
const TRUSTED: u32 = 2;
const DIGEST: usize = 20;

/// What a store holds under one alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) alias: String,
    pub(super) item: Item,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A private key, still locked, and its chain in DER, leaf first.
    Key {
        locked: Vec<u8>,
        chain: Vec<Vec<u8>>,
    },
    /// A certificate to trust, in DER.
    Trusted(Vec<u8>),
}

/// Why a store was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A length or a tag is wrong, or bytes are missing or too many.
    Damaged,
    /// The digest at the end is not that of these bytes with this password.
    Digest,
}

/// Makes a keystore with the pair as its only entry, made at `created` (seconds since 1970) and
/// with this salt.
#[must_use]
pub fn build_jks(
    pair: &KeyPair,
    alias: &Alias,
    password: &Password,
    created: i64,
    salt: [u8; 20],
) -> Zeroizing<Vec<u8>> {
    let locked = lock(pair.key_pkcs8(), password.reveal(), salt);
    let item = Item::Key {
        locked: locked.to_vec(),
        chain: pair.chain().to_vec(),
    };
    write([(alias, &item)], password, created)
}

/// Makes a truststore of certificates in DER. Equal arguments give equal bytes.
pub(super) fn write_trusted(
    certificates: &[(Alias, Vec<u8>)],
    password: &Password,
    created: i64,
) -> Vec<u8> {
    let entry = |(alias, der): &(Alias, Vec<u8>)| (alias.clone(), Item::Trusted(der.clone()));
    let entries: Vec<_> = certificates.iter().map(entry).collect();
    write(
        entries.iter().map(|(alias, item)| (alias, item)),
        password,
        created,
    )
    .to_vec()
}

/// Whether these bytes are a JKS that this password opens, with exactly one entry: this alias, this
/// chain, this key under the same password.
#[must_use]
pub fn jks_holds(bytes: &[u8], pair: &KeyPair, alias: &Alias, password: &Password) -> bool {
    let Ok(entries) = read(bytes, Some(password.reveal())) else {
        return false;
    };
    let [
        Entry {
            alias: name,
            item: Item::Key { locked, chain },
        },
    ] = entries.as_slice()
    else {
        return false;
    };
    // Java looks for the alias in lower case and takes the entry's as it stands.
    name == alias.as_str()
        && chain == pair.chain()
        && unlock(locked, password.reveal()).is_some_and(|key| *key == pair.key_pkcs8())
}

fn write<'a>(
    entries: impl IntoIterator<Item = (&'a Alias, &'a Item)>,
    password: &Password,
    created: i64,
) -> Zeroizing<Vec<u8>> {
    let mut body = Vec::new();
    let mut count = 0_u32;
    let certificate = |body: &mut Vec<u8>, der: &[u8]| {
        body.extend([0, 5]);
        body.extend(b"X.509");
        put(body, der);
    };
    for (alias, item) in entries {
        count += 1;
        let tag = if matches!(item, Item::Key { .. }) {
            KEY
        } else {
            TRUSTED
        };
        body.extend(tag.to_be_bytes());
        // An alias is ASCII of at most 64 letters: modified UTF-8 is the same bytes.
        body.extend([0, alias.as_str().len() as u8]);
        body.extend(alias.as_str().as_bytes());
        body.extend(created.saturating_mul(1000).max(0).to_be_bytes());
        match item {
            Item::Key { locked, chain } => {
                put(&mut body, locked);
                body.extend((chain.len() as u32).to_be_bytes());
                chain.iter().for_each(|der| certificate(&mut body, der));
            }
            Item::Trusted(der) => certificate(&mut body, der),
        }
    }
    let mut out = Zeroizing::new(Vec::with_capacity(body.len() + 12 + DIGEST));
    out.extend(MAGIC);
    out.extend(2_u32.to_be_bytes());
    out.extend(count.to_be_bytes());
    out.extend(body);
    let digest = digest(&out, password.reveal());
    out.extend(digest);
    out
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
}

/// Reads a store; the digest is compared when there is a password to do it with.
pub(super) fn read(bytes: &[u8], password: Option<&str>) -> Result<Vec<Entry>, Trouble> {
    let end = bytes.len().checked_sub(DIGEST).ok_or(Trouble::Damaged)?;
    let (body, found) = bytes.split_at(end);
    let entries = Reader(body).store().ok_or(Trouble::Damaged)?;
    match password {
        Some(password) if digest(body, password) != found => Err(Trouble::Digest),
        _ => Ok(entries),
    }
}

/// Takes the protection off a private key; `None` when it is damaged or the password is another.
pub(super) fn unlock(locked: &[u8], password: &str) -> Option<Zeroizing<Vec<u8>>> {
    let [scheme, text] = <[_; 2]>::try_from(fields(whole(locked, Tag::Sequence)?.data)?).ok()?;
    if fields(scheme.data)?.first()?.as_oid().ok()? != PROTECTOR || text.tag() != Tag::OctetString {
        return None;
    }
    let (salt, rest) = text.data.split_first_chunk::<DIGEST>()?;
    let (covered, found) = rest.split_last_chunk::<DIGEST>()?;
    let password = wide(password);
    let key = cover(covered, &password, *salt);
    let digest: [u8; DIGEST] = Sha1::new()
        .chain_update(&*password)
        .chain_update(&*key)
        .finalize()
        .into();
    (digest == *found).then_some(key)
}

fn lock(pkcs8: &[u8], password: &str, salt: [u8; DIGEST]) -> Zeroizing<Vec<u8>> {
    let password = wide(password);
    let digest = Sha1::new()
        .chain_update(&*password)
        .chain_update(pkcs8)
        .finalize();
    let oid = tlv(OBJECT_IDENTIFIER, &[PROTECTOR.as_bytes()]);
    let scheme = tlv(SEQUENCE, &[&oid, &[NULL, 0]]);
    let text = tlv(
        OCTET_STRING,
        &[&salt, &cover(pkcs8, &password, salt), &digest],
    );
    tlv(SEQUENCE, &[&scheme, &text])
}

/// XOR with a stream: each 20 bytes are SHA-1 of the password and the 20 before, the salt first.
fn cover(text: &[u8], password: &[u8], salt: [u8; DIGEST]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(text.to_vec());
    let mut stream = Zeroizing::new(salt);
    for part in out.chunks_mut(DIGEST) {
        *stream = Sha1::new()
            .chain_update(password)
            .chain_update(*stream)
            .finalize()
            .into();
        part.iter_mut()
            .zip(stream.iter())
            .for_each(|(byte, mask)| *byte ^= mask);
    }
    out
}

fn digest(body: &[u8], password: &str) -> [u8; DIGEST] {
    let hash = Sha1::new().chain_update(&*wide(password));
    hash.chain_update("Mighty Aphrodite")
        .chain_update(body)
        .finalize()
        .into()
}

/// UTF-16, big-endian, without an end mark.
fn wide(password: &str) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(password.len() * 2));
    password
        .encode_utf16()
        .for_each(|unit| out.extend(unit.to_be_bytes()));
    out
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn store(&mut self) -> Option<Vec<Entry>> {
        if self.take(4)? != MAGIC {
            return None;
        }
        let version = self.u32()?;
        let count = self.u32()?;
        if !matches!(version, 1 | 2) {
            return None;
        }
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push(self.entry(version)?);
        }
        self.0.is_empty().then_some(entries)
    }

    fn entry(&mut self, version: u32) -> Option<Entry> {
        let tag = self.u32()?;
        let length = self.u16()?;
        let alias = modified_utf8(self.take(length)?)?;
        self.take(8)?;
        let item = match tag {
            KEY => {
                let locked = self.block()?.to_vec();
                let count = self.u32()?;
                let mut chain = Vec::new();
                for _ in 0..count {
                    chain.push(self.certificate(version)?);
                }
                Item::Key { locked, chain }
            }
            TRUSTED => Item::Trusted(self.certificate(version)?),
            _ => return None,
        };
        Some(Entry { alias, item })
    }

    fn certificate(&mut self, version: u32) -> Option<Vec<u8>> {
        if version == 2 {
            let length = self.u16()?;
            if self.take(length)? != b"X.509" {
                return None;
            }
        }
        Some(self.block()?.to_vec())
    }

    /// Bytes after their length.
    fn block(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(usize::try_from(length).ok()?)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u16(&mut self) -> Option<usize> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?).into())
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Java's UTF-8 (`DataInput.readUTF`): zero in two bytes, and halves of UTF-16 pairs in three each.
fn modified_utf8(bytes: &[u8]) -> Option<String> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().map(|byte| u16::from(*byte));
    let next = |byte: Option<u16>| {
        byte.filter(|byte| byte & 0xc0 == 0x80)
            .map(|byte| byte & 0x3f)
    };
    while let Some(first) = rest.next() {
        units.push(match first {
            0x00..=0x7f => first,
            0xc0..=0xdf => (first & 0x1f) << 6 | next(rest.next())?,
            0xe0..=0xef => (first & 0x0f) << 12 | next(rest.next())? << 6 | next(rest.next())?,
            _ => return None,
        });
    }
    Some(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests;
