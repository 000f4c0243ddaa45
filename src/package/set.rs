//! Which release of each piece belongs together.

use super::catalogue::{Catalogue, Piece, Release, Source};
use super::meta::Arch;
use super::version::compare;

/// A piece, and the release of it that is taken.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'c> {
    /// The piece.
    pub piece: &'c Piece,
    /// Its release.
    pub release: &'c Release,
}

/// Why nothing can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// No such piece.
    #[error("the catalogue has no piece `{0}`")]
    NoPiece(String),
    /// No such set.
    #[error("the catalogue has no set `{0}`")]
    NoSet(String),
    /// A set lacks it.
    #[error("the set {set} has no release of `{piece}` in the catalogue")]
    Lacking {
        /// The set.
        set: String,
        /// The piece.
        piece: String,
    },
    /// A piece has a known hole.
    #[error("`{piece}` {version} has a known hole ({advisory})")]
    Hole {
        /// The piece.
        piece: String,
        /// Its version.
        version: String,
        /// Who says so.
        advisory: String,
    },
    /// Every set lacks something, or has a release below its minimum.
    #[error("no set of the catalogue is whole and without a known hole")]
    NoGoodSet,
    /// It has none at all.
    #[error("the catalogue has no release of `{0}`")]
    NoRelease(String),
    /// All its releases have known holes.
    #[error("every release of `{0}` in the catalogue has a known hole")]
    NoGoodRelease(String),
}

impl Piece {
    /// Is a release older than the oldest one without a known hole?
    #[must_use]
    pub fn is_below_minimum(&self, release: &Release) -> bool {
        let below = |minimum: &super::catalogue::Minimum| {
            compare(&release.version, &minimum.version).is_lt()
        };
        self.minimum.as_ref().is_some_and(below)
    }

    /// Is it released in sets?
    #[must_use]
    pub fn has_sets(&self) -> bool {
        self.releases.iter().any(|release| release.set.is_some())
    }

    /// Its release in a set.
    #[must_use]
    pub fn in_set(&self, set: &str) -> Option<&Release> {
        let is_it = |release: &&Release| release.set.as_deref() == Some(set);
        self.releases.iter().find(is_it)
    }

    /// Its release of a version of upstream's; Slackware has `_` where upstream has `-`.
    #[must_use]
    pub fn release(&self, version: &str) -> Option<&Release> {
        let plain = |text: &str| text.replace('-', "_");
        let version = plain(version);
        let is_it = |release: &&Release| plain(&release.version) == version;
        self.releases.iter().find(is_it)
    }
}

impl Release {
    /// What of it is for a machine of this kind.
    pub fn sources_for(&self, arch: Arch) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(move |source| {
            source
                .arch
                .is_none_or(|only| only == Arch::Any || only == arch)
        })
    }
}

impl Catalogue {
    /// The names of all sets, newest first.
    #[must_use]
    pub fn sets(&self) -> Vec<&str> {
        let mut sets: Vec<&str> = self
            .pieces
            .iter()
            .flat_map(|piece| &piece.releases)
            .filter_map(|release| release.set.as_deref())
            .collect();
        sets.sort_by(|one, other| compare(other, one).then_with(|| one.cmp(other)));
        sets.dedup();
        sets
    }

    /// The set of which something is there already: what comes to it should be of the same.
    #[must_use]
    pub fn set_among(&self, is_there: &dyn Fn(&Piece, &Release) -> bool) -> Option<&str> {
        let mut releases = self.pieces.iter().flat_map(|piece| {
            let releases = piece.releases.iter();
            releases.map(move |release| (piece, release))
        });
        let found =
            releases.find(|(piece, release)| release.set.is_some() && is_there(piece, release));
        found.and_then(|(_, release)| release.set.as_deref())
    }

    /// The newest set that has every piece that is released in sets, none of them below its minimum.
    #[must_use]
    pub fn newest_set(&self) -> Option<&str> {
        let is_good = |set: &&str| {
            let mut pieces = self.pieces.iter().filter(|piece| piece.has_sets());
            pieces.all(|piece| {
                let release = piece.in_set(set);
                release.is_some_and(|release| !release.old && !piece.is_below_minimum(release))
            })
        };
        self.sets().into_iter().find(is_good)
    }

    /// Chooses a release of each of these pieces, of all of them when none is named: the one of the
    /// set where there are sets, else the newest one. Without a set, the newest good one is taken; a
    /// set that is named may have known holes.
    ///
    /// # Errors
    /// Says what the catalogue lacks.
    pub fn choose(
        &self,
        set: Option<&str>,
        names: &[String],
    ) -> Result<Vec<Choice<'_>>, ChoiceError> {
        if let Some(set) = set
            && !self.sets().contains(&set)
        {
            return Err(ChoiceError::NoSet(set.to_owned()));
        }
        let mut pieces = Vec::new();
        for name in names {
            let piece = self.piece(name);
            let piece = piece.ok_or_else(|| ChoiceError::NoPiece(name.clone()))?;
            if !pieces.contains(&piece) {
                pieces.push(piece);
            }
        }
        if names.is_empty() {
            // A piece may be described before a release of it is known.
            let known = self
                .pieces
                .iter()
                .filter(|piece| !piece.releases.is_empty());
            pieces.extend(known);
        }
        let choose = |piece| {
            Ok(Choice {
                piece,
                release: self.release_of(piece, set)?,
            })
        };
        pieces.into_iter().map(choose).collect()
    }

    /// The pieces of a set, all of them and none below its minimum.
    ///
    /// # Errors
    /// Says what the catalogue lacks, or which advisory stands against it.
    pub fn choose_set(&self, set: &str) -> Result<Vec<Choice<'_>>, ChoiceError> {
        let pieces = self.pieces.iter().filter(|piece| piece.has_sets());
        let names: Vec<String> = pieces.map(|piece| piece.name.clone()).collect();
        let chosen = self.choose(Some(set), &names)?;
        for Choice { piece, release } in &chosen {
            if let Some(minimum) = &piece.minimum
                && piece.is_below_minimum(release)
            {
                return Err(ChoiceError::Hole {
                    piece: piece.name.clone(),
                    version: release.version.clone(),
                    advisory: minimum.why.clone(),
                });
            }
        }
        Ok(chosen)
    }

    fn release_of<'c>(
        &'c self,
        piece: &'c Piece,
        set: Option<&str>,
    ) -> Result<&'c Release, ChoiceError> {
        if piece.releases.is_empty() {
            return Err(ChoiceError::NoRelease(piece.name.clone()));
        }
        if piece.has_sets() {
            let set = set.or_else(|| self.newest_set());
            let set = set.ok_or(ChoiceError::NoGoodSet)?;
            return piece.in_set(set).ok_or_else(|| ChoiceError::Lacking {
                set: set.to_owned(),
                piece: piece.name.clone(),
            });
        }
        let mut good = piece
            .releases
            .iter()
            .filter(|release| !release.old && !piece.is_below_minimum(release));
        good.next()
            .ok_or_else(|| ChoiceError::NoGoodRelease(piece.name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "schema = 1\n[upstream]\nindex = \"i\"\nkey = \"k\"\nfingerprint = \"f\"\nmetapackage = \"m\"\n";

    fn piece(name: &str, minimum: &str, releases: &[(&str, Option<&str>)]) -> String {
        let mut text = format!(
            "[[piece]]\nname = \"{name}\"\nsummary = \"s\"\ndescription = \"d\"\nlicence = \"MIT\"\ncopyright = \"c\"\n\
             homepage = \"h\"\nstyle = \"archive\"\nminimum = {{ version = \"{minimum}\", why = \"ADVISORY\" }}\n"
        );
        for (version, set) in releases {
            let set = set.map_or_else(String::new, |set| format!("set = \"{set}\"\n"));
            text.push_str(&format!(
                "[[piece.release]]\nversion = \"{version}\"\n{set}time = 1\nsource = []\n"
            ));
        }
        text
    }

    fn catalogue(pieces: &[String]) -> Catalogue {
        toml::from_str(&format!("{HEAD}{}", pieces.concat())).unwrap()
    }

    fn versions(chosen: &[Choice<'_>]) -> Vec<String> {
        let version = |choice: &Choice<'_>| choice.release.version.clone();
        chosen.iter().map(version).collect()
    }

    #[test]
    fn the_newest_good_set_as_a_whole() {
        let all = catalogue(&[
            // 2.0.9 is older than 2.0.10, and only it and 2.0.8 are whole.
            piece(
                "a",
                "1.0-5",
                &[
                    ("1.0-10", Some("2.0.10")),
                    ("1.0-9", Some("2.0.9")),
                    ("1.0-8", Some("2.0.8")),
                ],
            ),
            piece("b", "1", &[("2.9", Some("2.0.9")), ("2.8", Some("2.0.8"))]),
            piece("c", "3", &[("4", None), ("2", None)]),
        ]);
        assert_eq!(all.sets(), ["2.0.10", "2.0.9", "2.0.8"]);
        assert_eq!(all.newest_set(), Some("2.0.9"));
        assert_eq!(
            versions(&all.choose(None, &[]).unwrap()),
            ["1.0-9", "2.9", "4"]
        );
        let named = |set, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            all.choose(set, &names).map(|chosen| versions(&chosen))
        };
        // One piece alone is of the same set as all of them.
        assert_eq!(named(None, &["a", "a"]).unwrap(), ["1.0-9"]);
        assert_eq!(named(Some("2.0.10"), &["a", "c"]).unwrap(), ["1.0-10", "4"]);
        let lacking = ChoiceError::Lacking {
            set: "2.0.10".to_owned(),
            piece: "b".to_owned(),
        };
        assert_eq!(named(Some("2.0.10"), &[]), Err(lacking));
        assert_eq!(
            named(Some("1"), &[]),
            Err(ChoiceError::NoSet("1".to_owned()))
        );
        assert_eq!(
            named(None, &["x"]),
            Err(ChoiceError::NoPiece("x".to_owned()))
        );
    }

    #[test]
    fn nothing_below_a_minimum() {
        let all = catalogue(&[
            piece("a", "1.0-9", &[("1.0-10", Some("2")), ("1.0-8", Some("1"))]),
            piece("b", "3", &[("2", Some("2")), ("4", Some("1"))]),
            piece("c", "3", &[("2.9", None)]),
            piece("d", "3", &[]),
        ]);
        assert_eq!(all.newest_set(), None);
        let choose = |name: &str| {
            all.choose(None, &[name.to_owned()])
                .map(|chosen| versions(&chosen))
        };
        assert_eq!(choose("a"), Err(ChoiceError::NoGoodSet));
        assert_eq!(choose("c"), Err(ChoiceError::NoGoodRelease("c".to_owned())));
        assert_eq!(choose("d"), Err(ChoiceError::NoRelease("d".to_owned())));
        // A set that is named is taken with its holes; whoever asked is told.
        let chosen = all.choose(Some("2"), &["b".to_owned()]).unwrap();
        assert!(chosen[0].piece.is_below_minimum(chosen[0].release));
    }
}
