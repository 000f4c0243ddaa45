//! Reads a finished package and names each rule of pkgtools that it breaks. Nothing is shared with the
//! writer: a mistake there is not repeated here.

mod desc;
mod header;
mod names;
mod script;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;

use self::header::{Header, Kind, RECORD};
use crate::name::excerpt;

/// What is read of one package before it counts as a decompression bomb.
const MOST_BYTES: u64 = 2 << 30;
const MOST_MEMBERS: usize = 200_000;
const MOST_MEMORY: u64 = 128 << 20;

/// Bytes of a file below `install/`.
const MOST_TEXT: u64 = 1 << 20;

/// Bytes of a path in a member of its own.
const MOST_PATH: u64 = 4096;

/// A rule that a package breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The member that breaks it, cut short; `None` when it is the package as a whole.
    pub member: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Some(member) => write!(out, "`{member}`: {}", self.what),
            None => out.write_str(&self.what),
        }
    }
}

/// What a package without a fault holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The package's name.
    pub name: String,
    /// Its version, with `_` for upstream's `-`.
    pub version: String,
    /// What it runs on, in Slackware's word.
    pub arch: String,
    /// Build number and tag.
    pub build: String,
    /// Files and their sizes.
    pub files: BTreeMap<String, u64>,
    /// Folders, without the `/` at their end.
    pub folders: BTreeSet<String>,
    /// Links that `doinst.sh` makes, and their texts.
    pub links: BTreeMap<String, String>,
    /// The eleven lines that `installpkg` shows.
    pub description: Vec<String>,
}

/// Checks a package; `file_name` is what its file is called, without folders.
///
/// # Errors
/// Every rule that it breaks. What comes after damage is not looked at.
pub fn check(file_name: &str, package: impl Read) -> Result<Listing, Vec<Fault>> {
    check_within(MOST_BYTES, file_name, package)
}

fn check_within(most: u64, file_name: &str, package: impl Read) -> Result<Listing, Vec<Fault>> {
    let mut book = Book::default();
    let name = names::file(file_name).unwrap_or_else(|why| {
        book.fault(None, why);
        names::File::default()
    });
    if let Err(damage) = book.read(most, BufReader::new(package)) {
        book.fault(None, format!("it cannot be read to its end: {damage}"));
    } else {
        book.close(&name.name);
    }
    book.folders.remove(".");
    if !book.faults.is_empty() {
        return Err(book.faults);
    }
    Ok(Listing {
        name: name.name,
        version: name.version,
        arch: name.arch,
        build: name.build,
        files: book.files,
        folders: book.folders,
        links: book.links,
        description: book.description,
    })
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Book {
    faults: Vec<Fault>,
    files: BTreeMap<String, u64>,
    folders: BTreeSet<String>,
    links: BTreeMap<String, String>,
    description: Vec<String>,
    /// Files below `install/`.
    texts: BTreeMap<String, Vec<u8>>,
    last: String,
}

fn damage(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl Book {
    fn fault(&mut self, member: Option<&str>, what: impl Into<String>) {
        self.faults.push(Fault {
            member: member.map(excerpt),
            what: what.into(),
        });
    }

    fn read(&mut self, most: u64, package: impl BufRead) -> io::Result<()> {
        let stream = Stream::new_stream_decoder(MOST_MEMORY, 0)?;
        let decoder = XzDecoder::new_stream(package, stream);
        let mut tar = decoder.take(most);
        let members = self.members(&mut tar);
        if tar.limit() == 0 {
            return Err(damage(&format!("it unpacks to {most} bytes or more")));
        }
        members?;
        if !tar.into_inner().into_inner().fill_buf()?.is_empty() {
            self.fault(None, "something follows the end of the xz stream");
        }
        Ok(())
    }

    fn members(&mut self, tar: &mut impl Read) -> io::Result<()> {
        let mut long = None;
        for count in 0_usize.. {
            if count > MOST_MEMBERS {
                return Err(damage("it has more than 200000 members"));
            }
            let mut record = [0; RECORD];
            tar.read_exact(&mut record)?;
            if record == [0; RECORD] {
                return self.end(tar, long.is_some());
            }
            let header = Header::read(&record).map_err(damage)?;
            if header.kind == Kind::LongName {
                if header.size > MOST_PATH {
                    return Err(damage("a path is longer than 4096 bytes"));
                }
                let mut path = contents(tar, header.size)?;
                path.truncate(path.iter().position(|b| *b == 0).unwrap_or(path.len()));
                long = Some(path);
                continue;
            }
            let path = long.take().unwrap_or_else(|| header.path.clone());
            self.member(&path, &header, tar)?;
        }
        Ok(())
    }

    fn member(&mut self, path: &[u8], header: &Header, tar: &mut impl Read) -> io::Result<()> {
        let Ok(path) = std::str::from_utf8(path) else {
            self.fault(
                Some(&String::from_utf8_lossy(path)),
                "its name is not ASCII",
            );
            return skip(tar, header.size);
        };
        for what in header.faults() {
            self.fault(Some(path), what);
        }
        let is_first = self.folders.is_empty() && self.files.is_empty();
        let bare = path.strip_suffix('/').unwrap_or(path);
        if path == "./" {
            if !is_first {
                self.fault(Some(path), "it is there twice");
            } else if header.kind != Kind::Folder {
                self.fault(Some(path), "it is no folder");
            }
        } else {
            if is_first {
                self.fault(Some(path), "the first member is not `./`");
            }
            if let Some(what) = names::member(path) {
                self.fault(Some(path), what);
            } else {
                self.place(path, bare, header.kind);
            }
        }
        match header.kind {
            Kind::Folder => {
                self.folders.insert(bare.to_owned());
            }
            Kind::File => {
                self.files.insert(bare.to_owned(), header.size);
                if let Some(name) = bare.strip_prefix("install/") {
                    if header.size > MOST_TEXT {
                        return Err(damage("a file below install/ is larger than 1 MiB"));
                    }
                    let text = contents(tar, header.size)?;
                    self.texts.insert(name.to_owned(), text);
                    return Ok(());
                }
            }
            Kind::LongName | Kind::Other(_) => {}
        }
        skip(tar, header.size)
    }

    /// Is it in order, once, in a folder of the package?
    fn place(&mut self, path: &str, bare: &str, kind: Kind) {
        if kind == Kind::Folder && !path.ends_with('/') {
            self.fault(Some(path), "a folder's name ends with `/`");
        }
        if kind == Kind::File && path.ends_with('/') {
            self.fault(Some(path), "only a folder's name ends with `/`");
        }
        if self.folders.contains(bare) || self.files.contains_key(bare) {
            self.fault(Some(path), "it is there twice");
        } else if bare <= self.last.as_str() {
            self.fault(Some(path), "it is not in the order of `LC_COLLATE=C sort`");
        }
        bare.clone_into(&mut self.last);
        if let Some((folder, _)) = bare.rsplit_once('/')
            && !self.folders.contains(folder)
        {
            self.fault(Some(path), "the folder around it is not in front of it");
        }
    }

    fn end(&mut self, tar: &mut impl Read, is_waiting: bool) -> io::Result<()> {
        if is_waiting {
            self.fault(None, "the tarball ends after a long path");
        }
        let (mut rest, mut zeros) = ([0; 8192], 0);
        loop {
            let read = tar.read(&mut rest)?;
            if read == 0 {
                break;
            }
            if rest[..read].iter().any(|byte| *byte != 0) {
                self.fault(None, "something follows the end of the tarball");
                return skip_all(tar);
            }
            zeros += read;
        }
        if zeros < RECORD {
            self.fault(None, "the tarball does not end with two empty records");
        }
        Ok(())
    }

    /// What can be judged when all has been seen.
    fn close(&mut self, name: &str) {
        if self.folders.is_empty() && self.files.is_empty() {
            self.fault(None, "there is nothing in it");
        }
        for other in self.texts.keys().cloned().collect::<Vec<_>>() {
            if !["slack-desc", "doinst.sh", "douninst.sh"].contains(&other.as_str()) {
                let what = "`install` is for pkgtools, and this would stay in the root";
                self.fault(Some(&format!("install/{other}")), what);
            }
        }
        match self.texts.remove("slack-desc") {
            None => self.fault(None, "there is no `install/slack-desc`"),
            Some(text) => {
                let read = desc::read(name, &text);
                for what in read.faults {
                    self.fault(Some("install/slack-desc"), what);
                }
                self.description = read.lines;
            }
        }
        let doinst = self.texts.remove("doinst.sh").unwrap_or_default();
        let read = script::read(&doinst);
        let mut faults = read.faults;
        for path in read.links.keys() {
            faults.extend(self.link(path));
        }
        for path in self.files.keys().filter(|path| path.ends_with(".new")) {
            if path.starts_with("etc/") && !read.text.contains(path.as_str()) {
                faults.push(format!("it leaves `{path}` lying there"));
            }
        }
        for what in faults {
            self.fault(Some("install/doinst.sh"), what);
        }
        self.links = read.links;
        self.scripts();
    }

    fn link(&self, path: &str) -> Option<String> {
        if self.files.contains_key(path) || self.folders.contains(path) {
            return Some(format!("its link `{path}` is also a member"));
        }
        let (folder, _) = path.rsplit_once('/')?;
        (!self.folders.contains(folder))
            .then(|| format!("its link `{path}` is in a folder that is not in the package"))
    }

    /// Scripts of services come off, and beside the administrator's.
    fn scripts(&mut self) {
        let is_script = |path: &&String| path.starts_with("etc/rc.d/rc.");
        let scripts: Vec<String> = self.files.keys().filter(is_script).cloned().collect();
        for path in scripts {
            if !path.ends_with(".new") {
                let what = "a script of a service comes as `.new`, beside the one that runs";
                self.fault(Some(&path), what);
            }
        }
    }
}

/// A file's bytes, and the zeros after them.
fn contents(tar: &mut impl Read, size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    tar.take(size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    drain(tar, size.next_multiple_of(RECORD as u64) - size)?;
    Ok(bytes)
}

/// So many bytes, and the zeros up to the next record.
fn skip(tar: &mut impl Read, size: u64) -> io::Result<()> {
    drain(tar, size.next_multiple_of(RECORD as u64))
}

fn drain(tar: &mut impl Read, size: u64) -> io::Result<()> {
    let drained = io::copy(&mut tar.take(size), &mut io::sink())?;
    if drained < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn skip_all(tar: &mut impl Read) -> io::Result<()> {
    io::copy(tar, &mut io::sink()).map(drop)
}
