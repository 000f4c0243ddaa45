//! What stands around a tar: gzip, bzip2, xz or nothing; unpacked no further than the limits.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

use super::{Limits, refuse, said};
use crate::package::PackageError;

/// What is known by its first bytes and is not taken.
const OTHERS: &[(&[u8], &str)] = &[
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"LZIP", "lzip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x1f\x9d", "compress"),
    (b"!<arch>\n", "an ar archive, as `.deb` is one"),
];

/// The unpacked bytes of an archive.
pub(in crate::package) struct Bounded<'a> {
    inner: BufReader<Box<dyn Read + 'a>>,
    /// Packed bytes that were taken so far.
    taken: Rc<Cell<u64>>,
    given: u64,
    most: u64,
    is_packed: bool,
    /// Has the end been seen?
    is_over: bool,
}

/// Counts what passes.
struct Counted<R> {
    inner: R,
    taken: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.taken.set(self.taken.get() + got as u64);
        Ok(got)
    }
}

impl<'a> Bounded<'a> {
    /// Begins to read.
    pub(super) fn open<R: Read + 'a>(
        name: &str,
        from: R,
        limits: &Limits,
    ) -> Result<Self, PackageError> {
        let taken = Rc::new(Cell::new(0));
        let counted = Counted {
            inner: from,
            taken: taken.clone(),
        };
        let mut packed = BufReader::with_capacity(64 << 10, counted);
        let start = packed.fill_buf()?;
        if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
            let why = format!("it is {what}, and only tar, gzip, bzip2 and xz are unpacked");
            return Err(refuse(name, &why));
        }
        let is_xz = start.starts_with(b"\xfd7zXZ\0");
        let is_gzip = start.starts_with(b"\x1f\x8b");
        let is_bzip2 = start.starts_with(b"BZh");
        let inner: Box<dyn Read + 'a> = if is_xz {
            let stream = Stream::new_stream_decoder(limits.memory, CONCATENATED);
            let stream = stream.map_err(|error| said(name, &error.into()))?;
            Box::new(XzDecoder::new_stream(packed, stream))
        } else if is_gzip {
            Box::new(MultiGzDecoder::new(packed))
        } else if is_bzip2 {
            Box::new(MultiBzDecoder::new(packed))
        } else {
            Box::new(packed)
        };
        Ok(Self {
            inner: BufReader::with_capacity(64 << 10, inner),
            taken,
            given: 0,
            most: limits.bytes,
            is_packed: is_xz || is_gzip || is_bzip2,
            is_over: false,
        })
    }

    /// Is it inside gzip or xz?
    pub(super) fn is_packed(&self) -> bool {
        self.is_packed
    }

    /// The first unpacked bytes, which stay there to be read; at most 512.
    pub(super) fn peek(&mut self) -> Result<[u8; 512], PackageError> {
        let mut start = [0; 512];
        let got = self.read_up_to(&mut start)?;
        let inner = std::mem::replace(&mut self.inner, BufReader::new(Box::new(io::empty())));
        let again = io::Cursor::new(start[..got].to_vec()).chain(inner);
        self.inner = BufReader::with_capacity(64 << 10, Box::new(again));
        (self.given, self.is_over) = (0, false);
        Ok(start)
    }

    fn read_up_to(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut got = 0;
        while got < buffer.len() {
            match self.read(&mut buffer[got..])? {
                0 => break,
                more => got += more,
            }
        }
        Ok(got)
    }

    /// Has somebody read to the very end?
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.is_over |= got == 0 && !buffer.is_empty();
        self.given += got as u64;
        if self.given > self.most {
            return Err(io::Error::other(format!(
                "it holds more than {} bytes",
                self.most
            )));
        }
        let taken = self.taken.get();
        if self.is_packed && self.given > Limits::FREE + taken.saturating_mul(Limits::RATIO) {
            return Err(io::Error::other(format!(
                "{taken} packed bytes hold {} and more: it is a trap",
                self.given
            )));
        }
        Ok(got)
    }
}

impl fmt::Debug for Bounded<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Bounded")
            .field("taken", &self.taken)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}
