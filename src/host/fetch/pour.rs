//! From a connection into a file, hashed on the way: one thread receives and writes, another
//! hashes, and the buffers go round between them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{channel, sync_channel};

use aws_lc_rs::digest::{Context, SHA256};

use crate::recipe::hex;

/// What is received before it is written and hashed.
const BUFFER: usize = 256 << 10;

/// Buffers between receiving and hashing.
const BUFFERS: usize = 4;

/// A file so far: how much of it there is, and its hash.
pub(super) struct Pouring {
    context: Context,
    count: u64,
    is_pieced: bool,
}

/// Where it stopped.
pub(super) enum Spill {
    /// Nothing more comes.
    Read(io::Error),
    /// It cannot be written.
    Write(io::Error),
    /// More comes than should.
    TooMuch,
}

impl Pouring {
    pub(super) fn new() -> Self {
        Self {
            context: Context::new(&SHA256),
            count: 0,
            is_pieced: false,
        }
    }

    /// Did it come in more than one piece? Then two states of a file may be mixed in it.
    pub(super) fn is_pieced(&self) -> bool {
        self.is_pieced
    }

    /// How much is there.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The hash of what is there.
    pub(super) fn hash(&self) -> String {
        hex(self.context.clone().finish().as_ref())
    }

    /// Hashes what a file has already.
    pub(super) fn read_back(&mut self, file: &File) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        loop {
            match file.read_at(&mut buffer, self.count) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    self.context.update(&buffer[..count]);
                    self.count += count as u64;
                    self.is_pieced = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds everything that comes to the end of the file, until there are `largest` bytes and not
    /// the end.
    pub(super) fn pour(
        &mut self,
        mut from: impl Read,
        mut file: &File,
        largest: u64,
        tell: &dyn Fn(u64),
    ) -> Result<(), Spill> {
        self.is_pieced |= self.count > 0;
        io::Seek::seek(&mut file, io::SeekFrom::Start(self.count)).map_err(Spill::Write)?;
        let (to_hash, filled) = sync_channel::<(Vec<u8>, usize)>(BUFFERS);
        let (give_back, free) = channel::<Vec<u8>>();
        for _ in 0..BUFFERS {
            let _ = give_back.send(vec![0; BUFFER]);
        }
        let (context, count) = (&mut self.context, &mut self.count);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for (buffer, len) in filled {
                    context.update(&buffer[..len]);
                    let _ = give_back.send(buffer);
                }
            });
            let mut run = || loop {
                // The other thread has all buffers only for a moment; it ends after us.
                let Ok(mut buffer) = free.recv() else {
                    return Err(Spill::Write(io::ErrorKind::BrokenPipe.into()));
                };
                let len = match from.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(len) => len,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                    Err(error) => return Err(Spill::Read(error)),
                };
                if *count + len as u64 > largest {
                    return Err(Spill::TooMuch);
                }
                file.write_all(&buffer[..len]).map_err(Spill::Write)?;
                *count += len as u64;
                tell(len as u64);
                let _ = to_hash.send((buffer, len));
            };
            let ended = run();
            drop(to_hash);
            ended
        })
    }
}
