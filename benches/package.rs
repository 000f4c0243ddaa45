//! What `benches/package.sh` times: a folder becomes a package, through the same functions as every package.
//!
//!   package txz|deb FOLDER OUT THREADS

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a program of its own, which reads and writes files"
)]

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use jitsi_install::package::meta::Arch;
use jitsi_install::package::{Content, Meta, Node, PackagePath, Tree, deb, txz};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("package: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds words of its own; without ours there is nothing to do.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let [form, folder, out, threads] = words.as_slice() else {
        return Ok(());
    };
    let mut spool = tempfile::tempfile()?;
    let mut tree = Tree::new();
    let mut files = BufWriter::new(&mut spool);
    gather(Path::new(folder), "", &mut files, &mut tree)?;
    files.flush()?;
    drop(files);
    let meta = meta();
    let (threads, out) = (threads.parse()?, File::create(out)?);
    match form.as_str() {
        "txz" => txz::write(&meta, &tree, &mut spool, threads, out).map(drop)?,
        "deb" => deb::write(&meta, &tree, &mut spool, threads, out).map(drop)?,
        _ => return Err("txz or deb?".into()),
    }
    Ok(())
}

fn gather(
    folder: &Path,
    inside: &str,
    spool: &mut (impl Write + Seek),
    tree: &mut Tree,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| "a name is no text")?;
        let path = format!("{inside}{name}");
        let meta = entry.metadata()?;
        let mode = meta.permissions().mode() & 0o755;
        if meta.is_dir() {
            tree.put(PackagePath::parse(&path)?, Node::Dir { mode })?;
            gather(&entry.path(), &format!("{path}/"), spool, tree)?;
        } else {
            let at = spool.stream_position()?;
            let len = std::io::copy(&mut File::open(entry.path())?, spool)?;
            let content = Content::Spooled { at, len };
            tree.put(PackagePath::parse(&path)?, Node::File { mode, content })?;
        }
    }
    Ok(())
}

fn meta() -> Meta {
    Meta {
        name: "bench".to_owned(),
        version: "1.0".to_owned(),
        build: 1,
        arch: Arch::Any,
        summary: "jars from Maven Central".to_owned(),
        description: "What a package of Java programs weighs.".to_owned(),
        homepage: "https://example.org/".to_owned(),
        licence: "Apache-2.0".to_owned(),
        copyright: "their authors".to_owned(),
        depends: Vec::new(),
        replaces: Vec::new(),
        config: Vec::new(),
        links_that_were_folders: Vec::new(),
        time: 1_780_272_000,
    }
}
