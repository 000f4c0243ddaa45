//! PEM text to named blocks (RFC 7468, with the freedoms that OpenSSL and acme.sh take).
//!
//! Text between blocks, CRLF, a byte order mark and blocks of unknown name are allowed; a block
//! that is not whole is not: most decoders would glue the rest of a cut block to the next one. What
//! is in a block is not looked at here. To allow another freedom: in [`blocks`], with a case in
//! `tests/keystore.rs`.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::error::{KeystoreError, Part};
use crate::name::excerpt;

/// One block of a PEM text, not decoded yet.
pub(super) struct Block<'a> {
    pub(super) part: Part,
    /// The name between `BEGIN` and the dashes.
    pub(super) label: &'a str,
    /// The line of `BEGIN`, counted from 1.
    pub(super) line: usize,
    /// From `BEGIN` to the end of the `END` line.
    text: &'a [u8],
}

impl Block<'_> {
    /// Whether the block is a private key behind a pass phrase, in PKCS#8 or in OpenSSL's old form
    /// (RFC 1421 headers).
    pub(super) fn is_encrypted(&self) -> bool {
        let header = b"Proc-Type:";
        self.label == "ENCRYPTED PRIVATE KEY"
            || (self.label.ends_with("PRIVATE KEY")
                && self.text.windows(header.len()).any(|w| w == header))
    }

    /// The bytes inside; wiped on drop, since they may be a key.
    pub(super) fn der(&self) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
        let inner = lines(self.text).map(|line| &self.text[line.start..line.end]);
        // Made in full at once, so that growing leaves no copy of a key behind.
        let mut letters = Zeroizing::new(Vec::with_capacity(self.text.len()));
        for line in inner.filter(|line| !line.starts_with(b"-----")) {
            letters.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
        match STANDARD.decode(&*letters) {
            Ok(der) => Ok(Zeroizing::new(der)),
            Err(_) => Err(self.damaged("is not base64")),
        }
    }

    /// An error that points to this block; `why` ends the sentence.
    pub(super) fn damaged(&self, why: &'static str) -> KeystoreError {
        KeystoreError::DamagedPem {
            part: self.part,
            label: excerpt(self.label),
            line: self.line,
            why,
        }
    }
}

/// Cuts a text into its blocks.
///
/// # Errors
/// When there is no block at all, or one that is not whole.
pub(super) fn blocks(pem: &[u8], part: Part) -> Result<Vec<Block<'_>>, KeystoreError> {
    let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
    let cut = |label: &str, line| KeystoreError::CutPem {
        part,
        label: excerpt(label),
        line,
    };
    let mut found = Vec::new();
    let mut open: Option<(&str, usize, usize)> = None;
    for Line { number, start, end } in lines(pem) {
        let line = pem[start..end].trim_ascii_end();
        if let Some(rest) = line.strip_prefix(b"-----BEGIN ") {
            if let Some((label, begun, _)) = open {
                return Err(cut(label, begun));
            }
            let label = label(rest).ok_or_else(|| cut("?", number))?;
            open = Some((label, number, start));
        } else if let Some(rest) = line.strip_prefix(b"-----END ") {
            let ended = label(rest).unwrap_or("?");
            let (label, line, begin) = open.take().ok_or_else(|| cut(ended, number))?;
            if label != ended {
                return Err(cut(label, line));
            }
            found.push(Block {
                part,
                label,
                line,
                text: &pem[begin..end],
            });
        } else if let Some((label, begun, _)) = open
            && line.windows(5).any(|window| window == b"-----")
        {
            // Cut in the middle of a line, and another block glued on.
            return Err(cut(label, begun));
        }
    }
    if let Some((label, line, _)) = open {
        return Err(cut(label, line));
    }
    if found.is_empty() {
        return Err(KeystoreError::NotPem(part));
    }
    Ok(found)
}

/// The names of some blocks, each once, for a message.
pub(super) fn labels(blocks: &[Block<'_>]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for label in blocks.iter().map(|block| excerpt(block.label)) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

/// `CERTIFICATE-----` without the dashes.
fn label(rest: &[u8]) -> Option<&str> {
    std::str::from_utf8(rest.strip_suffix(b"-----")?).ok()
}

struct Line {
    number: usize,
    start: usize,
    end: usize,
}

/// The lines of a text that end in LF, CRLF or CR, without the ends.
fn lines(text: &[u8]) -> impl Iterator<Item = Line> + '_ {
    let mut next = 0;
    (1..).map_while(move |number| {
        let start = next;
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|b| matches!(b, b'\n' | b'\r'));
        let end = start + length.unwrap_or(rest.len());
        next = end
            + if text[end..].starts_with(b"\r\n") {
                2
            } else {
                1
            };
        Some(Line { number, start, end })
    })
}
