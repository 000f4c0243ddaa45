//! Versions of Jitsi's pieces: of one set, and without known holes.

use super::{Check, Probe, Question, Subject};
use crate::package::version::compare;
use crate::package::{Catalogue, Piece};
use crate::platform::Family;

pub(super) const SET: Question = Question::new("D-16", "the pieces of Jitsi are of one set");
pub(super) const HOLES: Question =
    Question::new("D-16", "no piece of Jitsi has a hole that is known");

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    if !probe.is_running() {
        return vec![SET.asleep(), HOLES.asleep()];
    }
    let catalogue = match &subject.catalogue {
        Ok(catalogue) => catalogue,
        Err(why) => return vec![SET.skipped(why.clone()), HOLES.skipped(why.clone())],
    };
    let installed = installed(subject, catalogue, probe);
    vec![
        set(subject, catalogue, &installed),
        holes(subject, &installed),
    ]
}

/// A piece that is there, by the name that its package has, and upstream's version.
struct There<'c> {
    piece: &'c Piece,
    name: &'c str,
    version: String,
}

/// The pieces of sets that are installed.
fn installed<'c>(
    subject: &Subject<'_>,
    catalogue: &'c Catalogue,
    probe: &dyn Probe,
) -> Vec<There<'c>> {
    let packages = probe.packages();
    let is_debian = subject.context.platform.release.family() == Family::Debian;
    let pieces = catalogue.pieces.iter().filter(|piece| piece.has_sets());
    let there = pieces.filter_map(|piece| {
        let debian = piece.debian.as_ref().filter(|_| is_debian);
        let name = debian.unwrap_or(&piece.name);
        let version = packages.get(name)?.clone();
        Some(There {
            piece,
            name,
            version,
        })
    });
    there.collect()
}

fn list(installed: &[There<'_>]) -> String {
    let each = installed
        .iter()
        .map(|one| format!("{} {}", one.name, one.version));
    each.collect::<Vec<_>>().join(", ")
}

fn set(subject: &Subject<'_>, catalogue: &Catalogue, installed: &[There<'_>]) -> Check {
    let sets: Vec<Option<&str>> = installed
        .iter()
        .map(|one| one.piece.release(&one.version)?.set.as_deref())
        .collect();
    let known: Vec<&str> = sets.iter().copied().flatten().collect();
    let Some(first) = known.first() else {
        return SET.skipped(format!(
            "the catalogue does not know these versions: {}",
            list(installed)
        ));
    };
    if known.len() == installed.len() && known.iter().all(|set| set == first) {
        return SET.good(format!("all are of set {first}"));
    }
    let wanted = subject.context.site.packages.set.as_deref();
    let wanted = wanted.or(catalogue.newest_set()).unwrap_or(first);
    SET.bad(
        list(installed),
        format!("set `packages.set = \"{wanted}\"` in the site file, then `jitsi-install apply`; or upgrade all of them with the system's package manager"),
    )
}

fn holes(subject: &Subject<'_>, installed: &[There<'_>]) -> Check {
    let (mut faults, mut count) = (Vec::new(), 0);
    for one in installed {
        let Some(minimum) = &one.piece.minimum else {
            continue;
        };
        // A version that somebody gave his own build says nothing of its age.
        if numbers(&one.version) < numbers(&minimum.version) {
            continue;
        }
        count += 1;
        if compare(&one.version.replace('_', "-"), &minimum.version).is_lt() {
            faults.push(format!(
                "{} {} is older than {} ({})",
                one.name, one.version, minimum.version, minimum.why
            ));
        }
    }
    if count == 0 {
        return HOLES.skipped(format!(
            "no version is one of upstream's: {}",
            list(installed)
        ));
    }
    let newest = match &subject.catalogue {
        Ok(catalogue) => catalogue.newest_set().unwrap_or_default(),
        Err(_) => "",
    };
    HOLES.faults(
        &faults,
        list(installed),
        &format!("upgrade: `packages.set = \"{newest}\"` in the site file, `jitsi-install package fetch`, then `apply`; or the system's package manager"),
    )
}

/// How many numbers a version has.
fn numbers(version: &str) -> usize {
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.filter(|part| !part.is_empty()).count()
}
