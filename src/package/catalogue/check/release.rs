//! Releases: their versions, sources, sets and minima.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{Notes, words};
use crate::name::excerpt;
use crate::package::catalogue::{Catalogue, Piece, Release, Source, Style};
use crate::package::{PackagePath, version};

/// 1 January 2000: no release of anything here is older.
const EARLIEST: u64 = 946_684_800;

pub(super) fn check(catalogue: &Catalogue, piece: &Piece, notes: &mut Notes) {
    // A piece without any comes with a catalogue of its own, as this program does.
    if piece.newest().is_none() && !piece.releases.is_empty() {
        notes.add("release", "none can be taken", "name one that is not `old`");
    }
    let mut versions = BTreeSet::new();
    for release in &piece.releases {
        let mut notes = Notes {
            place: format!("{}, release `{}`", notes.place, excerpt(&release.version)),
            found: notes.found,
        };
        if !words::is_version(&release.version) {
            notes.add(
                "version",
                "no version",
                "begin with a digit; letters, digits and `.+~-_` may follow",
            );
        }
        if !versions.insert(&release.version) {
            notes.add("version", "it is there twice", "leave one out");
        }
        if release.time < EARLIEST {
            notes.add("time", "before the year 2000", "write seconds since 1970");
        }
        words::check_places("place", &release.places, &mut notes);
        if release.style.is_some_and(Style::compiles) {
            notes.add(
                "style",
                "one release alone cannot compile",
                "make it the piece's",
            );
        }
        minima(catalogue, piece, release, &mut notes);
        sources(piece, release, &mut notes);
    }
}

/// No release below its minimum, unless it says so.
fn minima(catalogue: &Catalogue, piece: &Piece, release: &Release, notes: &mut Notes) {
    let is_below = |found: &str, minimum: &str| version::compare(found, minimum) == Ordering::Less;
    let own = piece
        .minimum
        .iter()
        .filter(|one| is_below(&release.version, &one.version));
    let of_set = catalogue.upstream.minimum.iter();
    let set = release.set.as_deref();
    let of_set = of_set.filter(|one| set.is_some_and(|set| is_below(set, &one.version)));
    let why: Vec<_> = own
        .chain(of_set)
        .map(|one| format!("older than {}: {}", one.version, one.why))
        .collect();
    match (why.is_empty(), release.old) {
        (false, false) => notes.add(
            "version",
            why.join("; "),
            "take a newer one, or say `old = true`",
        ),
        (true, true) => notes.add("old", "it is below no minimum", "leave `old` out"),
        (false, true) | (true, false) => {}
    }
}

fn sources(piece: &Piece, release: &Release, notes: &mut Notes) {
    if release.sources.is_empty() {
        notes.add("source", "there is none", "name one");
    }
    let style = piece.style_of(release);
    let mut machines = BTreeSet::new();
    for source in &release.sources {
        if !machines.insert(source.arch) && (style.compiles() || source.arch.is_some()) {
            notes.add(
                "source.arch",
                "two are for the same machine",
                "leave one out",
            );
        }
        if source.arch.is_some() && !style.is_for_one_machine() {
            notes.add(
                "source.arch",
                "its style is for every machine",
                "leave it out",
            );
        }
        source_forms(source, notes);
        if style == Style::UpstreamDeb && !source.file_name().ends_with(".deb") {
            notes.add("source", "no .deb", "another style, or another file");
        }
        if style.compiles() && source.root.is_none() {
            notes.add(
                "source.root",
                "it is not said where to build",
                "name the archive's folder",
            );
        }
    }
}

fn source_forms(source: &Source, notes: &mut Notes) {
    for address in std::iter::once(&source.url).chain(&source.mirrors) {
        if !words::is_address(address) {
            let why = format!("`{}` is no https:// address", excerpt(address));
            notes.add("source.url", why, "write one");
        }
    }
    if !words::is_file(source.file_name()) {
        notes.add(
            "source.file",
            "no plain name for a file",
            "give one with `file`",
        );
    }
    let is_hash = |text: &str, len: usize| {
        let is_digit = |one: char| one.is_ascii_digit() || ('a'..='f').contains(&one);
        text.len() == len && text.chars().all(is_digit)
    };
    if !is_hash(&source.sha256, 64) {
        notes.add(
            "source.sha256",
            "no SHA-256",
            "write 64 digits or small letters from a to f",
        );
    }
    if source.md5.as_deref().is_some_and(|md5| !is_hash(md5, 32)) {
        notes.add(
            "source.md5",
            "no MD5",
            "write 32 digits or small letters from a to f",
        );
    }
    if source.size == Some(0) {
        notes.add(
            "source.size",
            "0 bytes",
            "leave it out when it is not known",
        );
    }
    let root = source.root.as_deref();
    if root.is_some_and(|root| PackagePath::parse(root).is_err() || !words::is_word(root)) {
        notes.add("source.root", "no folder in an archive", "write its name");
    }
}

/// Two files of one name in the cache would be taken for each other.
pub(super) fn unique_files(catalogue: &Catalogue, notes: &mut Notes) {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    let releases = catalogue.pieces.iter().flat_map(|piece| &piece.releases);
    for source in releases.flat_map(|release| &release.sources) {
        let name = source.file_name();
        let other = known.insert(name, &source.sha256);
        if other.is_some_and(|other| other != source.sha256) {
            notes.add(
                "source.file",
                format!("two different files are called `{}`", excerpt(name)),
                "name one with `file`",
            );
        }
    }
}

/// A set is coherent only as a whole.
pub(super) fn whole_sets(catalogue: &Catalogue, notes: &mut Notes) {
    let is_of_sets = |piece: &&Piece| piece.releases.iter().any(|release| release.set.is_some());
    let members: Vec<&Piece> = catalogue.pieces.iter().filter(is_of_sets).collect();
    for set in catalogue.sets() {
        for piece in &members {
            let number = piece
                .releases
                .iter()
                .filter(|one| one.set.as_deref() == Some(set))
                .count();
            if number != 1 {
                notes.add(
                    &format!("set `{}`", excerpt(set)),
                    format!("`{}` has {number} releases of it", excerpt(&piece.name)),
                    "list one, or leave the set out",
                );
            }
        }
    }
}
