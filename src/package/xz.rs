//! xz, on all processors and yet always the same bytes.

use std::io::{self, Write};

use liblzma::stream::{Check, MtStreamBuilder};
use liblzma::write::XzEncoder;

/// What `xz` and `dpkg-deb` take when nobody says otherwise.
pub const LEVEL: u32 = 6;

/// Bytes that are compressed on their own. The bytes that come out depend on this number and
/// never on how many processors there are.
const BLOCK: u64 = 8 << 20;

/// Compresses what is written to it; `finish` gives `out` back.
///
/// # Errors
/// When there is not memory enough.
pub fn writer<W: Write>(out: W, threads: u32) -> io::Result<XzEncoder<W>> {
    let stream = MtStreamBuilder::new()
        .preset(LEVEL)
        .block_size(BLOCK)
        .threads(threads.max(1))
        .check(Check::Crc64)
        .encoder()?;
    Ok(XzEncoder::new_stream(out, stream))
}
