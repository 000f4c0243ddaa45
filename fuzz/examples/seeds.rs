//! Writes what the targets begin from: `corpus/TARGET/seed-NUMBER`.

use std::path::Path;
use std::{fs, io};

// What instrumented code counts with.
use libfuzzer_sys as _;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (number, (target, seed)) in jitsi_install_fuzz::seeds::all().iter().enumerate() {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}
