//! The memory that argon2 fills, kept for the next hash.
//!
//! Every hash takes megabytes (19 by default). Given back to the allocator they would stay with
//! whatever thread was at work, and the memory of the process would grow with its threads; asked
//! of the kernel anew, each page would be a fault. So as many pieces are kept as were in use at
//! once, wiped, which the places of the [`Hasher`](super::Hasher) bound.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize as _;

/// Larger pieces, which only hashes from elsewhere want, are given back: in KiB.
const KEPT_MOST: usize = 64 * 1024;

static KEPT: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// Fills `output`, whose length is part of `params`; `None` when they contradict each other.
pub(super) fn argon2(
    (algorithm, version, params): (Algorithm, Version, Params),
    password: &str,
    salt: &[u8],
    output: &mut [u8],
) -> Option<()> {
    let mut blocks = kept().pop().unwrap_or_default();
    blocks.resize(params.block_count(), Block::new());
    let made = Argon2::new(algorithm, version, params).hash_password_into_with_memory(
        password.as_bytes(),
        salt,
        output,
        &mut blocks,
    );
    for block in &mut blocks {
        block.zeroize();
    }
    if blocks.len() <= KEPT_MOST {
        kept().push(blocks);
    }
    made.ok()
}

fn kept() -> std::sync::MutexGuard<'static, Vec<Vec<Block>>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}
