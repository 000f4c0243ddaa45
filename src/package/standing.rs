//! The catalogue beside upstream's index: what is outdated, what does not fit.

use std::cmp::Ordering;

use serde::Serialize;

use super::catalogue::{Catalogue, Piece, Release, Source};
use super::index::{Entry, Index};
use super::version::compare;

/// How a piece stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing<'c> {
    /// Its name.
    pub name: &'c str,
    /// The newest version in the catalogue.
    pub version: &'c str,
    /// Upstream's newest version, when the index has the piece.
    pub upstream: Option<String>,
    /// The two compared.
    pub state: State,
    /// The advisory, when the catalogue's newest version is below the oldest one without a known hole.
    pub known_hole: Option<&'c str>,
    /// Its releases.
    pub releases: Vec<ReleaseStanding<'c>>,
}

/// The catalogue's newest version beside upstream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is upstream's newest.
    Current,
    /// Upstream has a newer one.
    Outdated,
    /// The index does not have it yet, or not any more.
    Newer,
    /// The index says nothing of it.
    Unknown,
}

/// How a release stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseStanding<'c> {
    /// Its version.
    pub version: &'c str,
    /// Its set, as the catalogue has it.
    pub set: Option<&'c str>,
    /// The version that this set pins in the index, when it is another.
    pub pinned: Option<String>,
    /// The catalogue's hash beside the index's.
    pub hash: Hash,
}

/// The catalogue's hash beside the index's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// They are the same.
    Confirmed,
    /// They differ.
    Differs,
    /// The index does not have this release.
    Unknown,
}

impl Standing<'_> {
    /// Is there something to do: a newer version, a known hole, or something that does not fit?
    #[must_use]
    pub fn needs_work(&self) -> bool {
        let is_odd = |release: &ReleaseStanding<'_>| {
            release.pinned.is_some() || release.hash == Hash::Differs
        };
        self.state == State::Outdated
            || self.known_hole.is_some()
            || self.releases.iter().any(is_odd)
    }
}

/// How each piece that has releases stands.
#[must_use]
pub fn standings<'c>(catalogue: &'c Catalogue, index: &Index) -> Vec<Standing<'c>> {
    let newest = index.newest(&catalogue.upstream.metapackage);
    let of = |piece: &'c Piece| standing(catalogue, index, newest, piece);
    catalogue.pieces.iter().filter_map(of).collect()
}

fn standing<'c>(
    catalogue: &'c Catalogue,
    index: &Index,
    metapackage: Option<&Entry>,
    piece: &'c Piece,
) -> Option<Standing<'c>> {
    let newest = piece.newest().or(piece.releases.first())?;
    let (package, ours) = newest.sources.iter().find_map(deb).unzip();
    // What the newest set pins counts; upstream's index may have single pieces that are newer.
    let upstream = package.and_then(|package| {
        let pinned = metapackage.and_then(|entry| entry.pins().get(package).copied());
        pinned.or_else(|| index.newest(package).map(|entry| entry.version.as_str()))
    });
    let state = match (ours, upstream) {
        (Some(ours), Some(upstream)) => match compare(ours, upstream) {
            Ordering::Less => State::Outdated,
            Ordering::Equal => State::Current,
            Ordering::Greater => State::Newer,
        },
        _ => State::Unknown,
    };
    let minimum = piece.minimum.as_ref();
    Some(Standing {
        name: &piece.name,
        version: &newest.version,
        upstream: upstream.map(str::to_owned),
        state,
        known_hole: minimum
            .filter(|_| piece.is_below_minimum(newest))
            .map(|minimum| minimum.why.as_str()),
        releases: piece
            .releases
            .iter()
            .map(|release| release_standing(catalogue, index, release))
            .collect(),
    })
}

fn release_standing<'c>(
    catalogue: &Catalogue,
    index: &Index,
    release: &'c Release,
) -> ReleaseStanding<'c> {
    let mut hash = Hash::Unknown;
    let mut pinned = None;
    for source in &release.sources {
        let Some((package, version)) = deb(source) else {
            continue;
        };
        if let Some(entry) = index.file(source.file_name()) {
            hash = match (hash, entry.sha256 == source.sha256) {
                (Hash::Differs, _) | (_, false) => Hash::Differs,
                _ => Hash::Confirmed,
            };
        }
        let metapackage = release
            .set
            .as_ref()
            .and_then(|set| index.release(&catalogue.upstream.metapackage, set));
        let pins = metapackage.map(Entry::pins).unwrap_or_default();
        if let Some(other) = pins.get(package)
            && compare(other, version).is_ne()
        {
            pinned = Some((*other).to_owned());
        }
    }
    ReleaseStanding {
        version: &release.version,
        set: release.set.as_deref(),
        pinned,
        hash,
    }
}

/// Package and version of an upstream `.deb`, from its name: `PACKAGE_VERSION_ARCH.deb`.
fn deb(source: &Source) -> Option<(&str, &str)> {
    let mut parts = source.file_name().strip_suffix(".deb")?.split('_');
    let (package, version, _arch) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some((package, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOGUE: &str = r#"
schema = 1
[upstream]
index = "https://example.org/stable/"
key = "https://example.org/key"
fingerprint = "00"
metapackage = "jitsi-meet"
"#;

    fn piece(name: &str, releases: &[(&str, &str, char)]) -> String {
        let mut text = format!(
            "[[piece]]\nname = \"{name}\"\nsummary = \"s\"\ndescription = \"d\"\nlicence = \"MIT\"\n\
             copyright = \"c\"\nhomepage = \"h\"\nstyle = \"upstream-deb\"\n\
             minimum = {{ version = \"1.0-1133\", why = \"ADVISORY\" }}\n"
        );
        for (version, set, digit) in releases {
            let sum = digit.to_string().repeat(64);
            text.push_str(&format!(
                "[[piece.release]]\nversion = \"{version}\"\nset = \"{set}\"\ntime = 1\n\
                 source = [{{ url = \"https://example.org/stable/{name}_{version}-1_all.deb\", sha256 = \"{sum}\", record = \"computed\" }}]\n"
            ));
        }
        text
    }

    fn entry(package: &str, version: &str, digit: char, depends: &str) -> Entry {
        Entry {
            package: package.to_owned(),
            version: version.to_owned(),
            filename: format!("{package}_{version}_all.deb"),
            size: 1,
            sha256: digit.to_string().repeat(64),
            depends: depends.to_owned(),
        }
    }

    #[test]
    fn a_catalogue_beside_an_index() {
        let text = [
            CATALOGUE.to_owned(),
            piece(
                "jicofo",
                &[("1.0-1183", "2.0.2", 'a'), ("1.0-1100", "2.0.1", 'b')],
            ),
            piece("jvb", &[("1.0-1200", "2.0.2", 'c')]),
            piece("old", &[("1.0-1000", "2.0.1", 'd')]),
            piece("other", &[("1.0-2000", "2.0.2", 'e')]),
        ]
        .concat();
        // Without the checks of a whole catalogue: only names, versions and hashes matter here.
        let catalogue: Catalogue = toml::from_str(&text).unwrap();
        let index = Index {
            entries: vec![
                entry(
                    "jitsi-meet",
                    "2.0.2-1",
                    '0',
                    "jicofo (= 1.0-1183-1), jvb (= 1.0-1199-1)",
                ),
                entry(
                    "jitsi-meet",
                    "2.0.3-1",
                    '0',
                    "jicofo (= 1.0-1189-1), jvb (= 1.0-1200-1)",
                ),
                entry("jicofo", "1.0-1183-1", 'a', ""),
                entry("jicofo", "1.0-1189-1", 'f', ""),
                // Newer than what the newest set pins.
                entry("jicofo", "1.0-1190-1", 'f', ""),
                entry("jvb", "1.0-1200-1", '9', ""),
                entry("old", "1.0-999-1", '9', ""),
            ],
        };
        let all = standings(&catalogue, &index);
        let states: Vec<State> = all.iter().map(|one| one.state).collect();
        assert_eq!(
            states,
            [
                State::Outdated,
                State::Current,
                State::Newer,
                State::Unknown
            ]
        );
        assert_eq!(all[0].upstream.as_deref(), Some("1.0-1189-1"));
        let hashes: Vec<Hash> = all[0].releases.iter().map(|one| one.hash).collect();
        assert_eq!(hashes, [Hash::Confirmed, Hash::Unknown]);
        assert_eq!(all[0].releases[0].pinned, None);
        assert_eq!(all[1].releases[0].hash, Hash::Differs);
        assert_eq!(all[1].releases[0].pinned.as_deref(), Some("1.0-1199-1"));
        assert_eq!(all[2].known_hole, Some("ADVISORY"));
        let work: Vec<bool> = all.iter().map(Standing::needs_work).collect();
        assert_eq!(work, [true, true, true, false]);
    }
}
