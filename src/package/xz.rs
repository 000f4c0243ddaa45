//! xz, on all processors and yet always the same bytes.

use std::io::{self, Write};

use liblzma::stream::{Check, Filters, LzmaOptions, MtStreamBuilder};
use liblzma::write::XzEncoder;

/// What `xz` and `dpkg-deb` take when nobody says otherwise.
pub const LEVEL: u32 = 6;

/// Bytes that are compressed on their own. The bytes that come out depend on this number and
/// never on how many processors there are.
const BLOCK: u64 = 8 << 20;

/// How far back a block is searched for what was there before: half of it. Jars grow by less than a part in a thousand,
/// text by one in a hundred, and each thread takes some 65 MiB in place of 110.
const DICTIONARY: u32 = 4 << 20;

/// With so many threads it stays below 300 MB.
const MOST_THREADS: u32 = 4;

/// Compresses what is written to it; `finish` gives `out` back.
///
/// # Errors
/// When there is not memory enough.
pub fn writer<W: Write>(out: W, threads: u32) -> io::Result<XzEncoder<W>> {
    let mut options = LzmaOptions::new_preset(LEVEL)?;
    options.dict_size(DICTIONARY);
    let mut filters = Filters::new();
    filters.lzma2(&options);
    let stream = MtStreamBuilder::new()
        .filters(filters)
        .block_size(BLOCK)
        .threads(threads.clamp(1, MOST_THREADS))
        .check(Check::Crc64)
        .encoder()?;
    Ok(XzEncoder::new_stream(out, stream))
}
