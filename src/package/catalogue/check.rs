//! Every mistake of a catalogue at once. A mistake here would be a broken package on somebody's
//! server, or one that is not what it says.

mod release;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalogue, Mistake, Piece, Style, licence};
use crate::name::excerpt;
use crate::package::{PackagePath, recipe};

/// Packages of Slackware itself that pieces may depend on.
pub(super) const DISTRIBUTION: &[&str] = &[
    "bash", "curl", "expat", "gcc", "icu4c", "libevent", "libidn", "mariadb", "openssl", "pcre2",
    "readline", "sqlite", "zlib",
];

/// Collects mistakes below a place.
struct Notes<'a> {
    place: String,
    found: &'a mut Vec<Mistake>,
}

impl Notes<'_> {
    fn add(&mut self, key: &str, why: impl Into<String>, cure: impl Into<String>) {
        self.found.push(Mistake {
            place: format!("{} {key}", self.place),
            why: why.into(),
            cure: cure.into(),
        });
    }
}

/// What is wrong with a catalogue.
pub(super) fn mistakes(catalogue: &Catalogue) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut notes = Notes {
        place: "catalogue".to_owned(),
        found: &mut found,
    };
    if catalogue.schema != 1 {
        notes.add("schema", "unknown form", "write 1");
    }
    upstream(catalogue, &mut notes);
    for piece in &catalogue.pieces {
        let mut notes = Notes {
            place: format!("piece `{}`", excerpt(&piece.name)),
            found: &mut found,
        };
        described(piece, &mut notes);
        laid_out(piece, &mut notes);
        depends(catalogue, piece, &mut notes);
        release::check(catalogue, piece, &mut notes);
    }
    let mut notes = Notes {
        place: "catalogue".to_owned(),
        found: &mut found,
    };
    unique_names(catalogue, &mut notes);
    release::unique_files(catalogue, &mut notes);
    release::whole_sets(catalogue, &mut notes);
    found
}

fn upstream(catalogue: &Catalogue, notes: &mut Notes) {
    let upstream = &catalogue.upstream;
    if !words::is_address(&upstream.index) || !upstream.index.ends_with('/') {
        notes.add("upstream.index", "no https:// folder", "end it with `/`");
    }
    if !words::is_address(&upstream.key) {
        notes.add("upstream.key", "no https:// address", "write one");
    }
    let is_digit = |letter: char| letter.is_ascii_digit() || ('A'..='F').contains(&letter);
    if upstream.fingerprint.len() != 40 || !upstream.fingerprint.chars().all(is_digit) {
        notes.add(
            "upstream.fingerprint",
            "no fingerprint",
            "write 40 digits or capitals from A to F, without spaces",
        );
    }
    if !words::is_package(&upstream.metapackage) {
        notes.add("upstream.metapackage", "no package name", "write one");
    }
}

/// What is said of a piece.
fn described(piece: &Piece, notes: &mut Notes) {
    for (key, name) in [("name", &piece.name)]
        .into_iter()
        .chain(piece.debian.as_ref().map(|name| ("debian", name)))
    {
        if !words::is_package(name) {
            notes.add(
                key,
                "no package name",
                "write small letters, digits, `+`, `-` and `.`, beginning with a letter or digit",
            );
        }
    }
    if let Some(why) = words::wrong_summary(&piece.summary) {
        notes.add("summary", why, "write one line of at most 60 characters");
    }
    let is_plain = |text: &str| {
        !text.trim().is_empty() && !text.chars().any(|one| one.is_control() && one != '\n')
    };
    if !is_plain(&piece.description) {
        notes.add("description", "empty, or no plain text", "write a sentence");
    }
    if !is_plain(&piece.copyright) || piece.copyright.contains('\n') {
        notes.add(
            "copyright",
            "empty, or not one line",
            "name whose work it is",
        );
    }
    if let Some(why) = licence::wrong(&piece.licence) {
        notes.add("licence", why, "write an SPDX expression");
    }
    if !words::is_address(&piece.homepage) {
        notes.add("homepage", "no https:// address", "write one");
    }
    if let Some(account) = &piece.account {
        if !words::is_account(&account.name) {
            notes.add(
                "account.name",
                "no user name",
                "write small letters and digits",
            );
        }
        let inside = account.home == "/" || words::is_absolute(&account.home);
        if !inside {
            notes.add("account.home", "no absolute path", "begin it with `/`");
        }
        if account.id.is_some_and(|id| !(100..60_000).contains(&id)) {
            notes.add(
                "account.id",
                "no number for a service",
                "write 100 to 59999",
            );
        }
    }
}

/// What is in the package of a piece.
fn laid_out(piece: &Piece, notes: &mut Notes) {
    words::check_places("place", &piece.places, notes);
    for link in &piece.links {
        if let Err(why) = words::in_package(&link.path) {
            notes.add("link.path", why, "write a path like `usr/share/NAME`");
        }
        if let Some(why) = words::wrong_target(&link.path, &link.target) {
            notes.add("link.target", why, "write one that stays below the root");
        }
    }
    for file in &piece.files {
        if recipe::own_file(&file.from).is_none() {
            notes.add(
                "file.from",
                format!("`{}` does not come with this program", excerpt(&file.from)),
                format!("choose one of {}", recipe::own_file_names().join(", ")),
            );
        }
    }
    let others = piece.files.iter().map(|file| ("file.to", &file.to));
    let others = others.chain(piece.dirs.iter().map(|path| ("dirs", path)));
    let others = others.chain(piece.config.iter().map(|path| ("config", path)));
    for (key, path) in others {
        if let Err(why) = words::in_package(path) {
            notes.add(key, why, "write a path like `etc/NAME`");
        }
        if key == "config" && !path.starts_with("etc/") {
            notes.add(
                key,
                format!("`{}` is not in etc/", excerpt(path)),
                "leave it out",
            );
        }
    }
    for path in &piece.docs {
        if PackagePath::parse(path).is_err() || !words::is_word(path) {
            notes.add(
                "docs",
                format!("`{}` is no path", excerpt(path)),
                "write one",
            );
        }
    }
    let empty = super::Build::default();
    let build = piece.build.as_ref().unwrap_or(&empty);
    for word in [&build.configure, &build.make, &build.install]
        .into_iter()
        .flatten()
    {
        if let Some(why) = words::wrong_build_word(word) {
            notes.add(
                "build",
                why,
                format!("use one of {}", words::BUILD_WORDS.join(" ")),
            );
        }
    }
    if let Some(program) = &build.program
        && let Err(why) = words::in_package(program)
    {
        notes.add("build.program", why, "write a path like `usr/sbin/NAME`");
    }
    let needs_program = matches!(piece.style, Style::Go | Style::Cargo);
    if piece.style.compiles() {
        if piece.build.is_none() || needs_program != build.program.is_some() {
            notes.add(
                "build",
                "it does not say how it is built",
                "`program` for go and cargo, `make` and `install` for the others",
            );
        }
        if !piece.places.is_empty() {
            notes.add(
                "place",
                "its style installs by itself",
                "leave the places out",
            );
        }
    } else if piece.places.is_empty() && piece.releases.iter().any(|one| one.places.is_empty()) {
        notes.add("place", "nothing of it goes anywhere", "name a place");
    }
}

fn depends(catalogue: &Catalogue, piece: &Piece, notes: &mut Notes) {
    for name in &piece.depends {
        let is_piece = catalogue.pieces.iter().any(|other| other.name == *name);
        if !is_piece && !DISTRIBUTION.contains(&name.as_str()) {
            notes.add(
                "depends",
                format!(
                    "`{}` is neither a piece nor a package of Slackware",
                    excerpt(name)
                ),
                "correct it",
            );
        }
    }
    for line in piece.debian_depends.iter().chain(build_needs(piece)) {
        if !line.split('|').all(|one| words::is_relation(one.trim())) {
            notes.add(
                "debian_depends",
                format!("`{}` is no relation of Debian", excerpt(line)),
                "write `name`, `name (>= version)` or alternatives parted by ` | `",
            );
        }
    }
    if leads_back(catalogue, &piece.name) {
        notes.add(
            "depends",
            "it leads back to the piece itself",
            "break the circle",
        );
    }
}

fn build_needs(piece: &Piece) -> impl Iterator<Item = &String> {
    piece.build.iter().flat_map(|build| &build.debian_needs)
}

fn leads_back(catalogue: &Catalogue, name: &str) -> bool {
    let needs = |one: &str| {
        let piece = catalogue.pieces.iter().find(|piece| piece.name == one);
        piece.map_or(&[][..], |piece| piece.depends.as_slice())
    };
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = needs(name).iter().map(String::as_str).collect();
    while let Some(next) = open.pop() {
        if next == name {
            return true;
        }
        if seen.insert(next) {
            open.extend(needs(next).iter().map(String::as_str));
        }
    }
    false
}

fn unique_names(catalogue: &Catalogue, notes: &mut Notes) {
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, piece) in catalogue.pieces.iter().enumerate() {
        for name in [piece.name.as_str(), piece.debian_name()] {
            if owners
                .insert(name, index)
                .is_some_and(|other| other != index)
            {
                notes.add(
                    "name",
                    format!("`{}` is there twice", excerpt(name)),
                    "every name belongs to one piece, on either family",
                );
            }
        }
    }
}
