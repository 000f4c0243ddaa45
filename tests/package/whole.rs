//! From upstream's package by the catalogue's own words to ours: every release that is taken from a
//! `.deb`, with stand-ins for upstream's files.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use jitsi_install::package::assemble::{Family, Order, assemble};
use jitsi_install::package::deb::{self, Expected};
use jitsi_install::package::meta::Arch;
use jitsi_install::package::{Catalogue, Limits, Piece, Release, Style};

use crate::cases::{Cases, are_here};
use crate::shell;
use crate::upstream::{ALL, Upstream};

/// Builds one into a folder; the name of its file.
fn built(
    piece: &Piece,
    release: &Release,
    upstream: &Upstream,
    place: &Path,
) -> Result<String, String> {
    let file = upstream.build(&release.version, place)?;
    let source = release.sources.first().ok_or("it has no source")?;
    let expected = Expected {
        package: piece.debian_name(),
        version: &release.version,
        arch: Arch::Any,
    };
    let mut spool = tempfile::tempfile().map_err(|error| error.to_string())?;
    let from = File::open(file).map_err(|error| error.to_string())?;
    let said = |error: jitsi_install::package::PackageError| error.to_string();
    let read = deb::read(
        source.file_name(),
        from,
        &expected,
        &Limits::default(),
        &mut spool,
    );
    let (_, tree) = read.map_err(said)?;
    let order = Order {
        piece,
        release,
        family: Family::Debian,
        arch: Arch::X86_64,
        build: 1,
        time: None,
    };
    let (meta, tree) = assemble(&order, &[tree], None, &mut spool).map_err(said)?;
    let name = deb::file_name(&meta);
    let out = File::create_new(place.join(&name)).map_err(|error| error.to_string())?;
    deb::write(&meta, &tree, &mut spool, 2, out).map_err(said)?;
    Ok(name)
}

#[test]
fn the_catalogues_packages_are_clean() {
    if !are_here(&["dpkg-deb", "md5sum", "lintian"]) {
        return;
    }
    let mut cases = Cases::new("the catalogue's packages");
    let catalogue = Catalogue::own().unwrap();
    let (mut names, mut seen) = (Vec::new(), 0);
    let place = tempfile::tempdir().unwrap();
    for piece in &catalogue.pieces {
        for release in piece.releases.iter().filter(|release| !release.old) {
            if piece.style_of(release) != Style::UpstreamDeb {
                continue;
            }
            let name = format!("{} {}", piece.name, release.version);
            let upstream = ALL.iter().find(|one| one.package == piece.debian_name());
            let Some(upstream) = cases.must(&name, upstream.ok_or("it has no stand-in")) else {
                continue;
            };
            let built = built(piece, release, upstream, place.path());
            names.extend(cases.must(&name, built));
            seen += 1;
        }
    }
    cases.holds("all four are there", seen >= 4, || seen.to_string());
    for name in &names {
        let file = File::open(place.path().join(name)).unwrap();
        let mut spool = tempfile::tempfile().unwrap();
        cases.must(name, deb::check(name, file, &Limits::default(), &mut spool));
    }
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--no-cfg", "--fail-on", "error,warning"]);
    let said = shell::told(lintian.args(&names).current_dir(place.path()));
    cases.same("lintian", said, Ok(String::new()));
    let left = fs::read_dir(place.path())
        .map(Iterator::count)
        .unwrap_or_default();
    cases.same("nothing else is left", left, 2 * names.len());
    cases.finish();
}
