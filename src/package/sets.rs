//! Sets: releases of Jitsi's pieces that belong together and move together.

use super::{Catalogue, Piece, Release};

impl Catalogue {
    /// The names of the sets, as the pieces list them: newest first.
    #[must_use]
    pub fn sets(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for piece in &self.pieces {
            for set in piece.releases.iter().filter_map(|one| one.set.as_deref()) {
                if !names.contains(&set) {
                    names.push(set);
                }
            }
        }
        names
    }

    /// The pieces of a set with their releases; none when there is no such set.
    #[must_use]
    pub fn set(&self, name: &str) -> Vec<(&Piece, &Release)> {
        let of = |piece: &&Piece| piece.in_set(name).is_some();
        let pieces = self.pieces.iter().filter(of);
        pieces
            .filter_map(|piece| Some((piece, piece.in_set(name)?)))
            .collect()
    }

    /// The set that something installed is of: what comes to it should be of the same.
    #[must_use]
    pub fn set_of(&self, is_installed: &dyn Fn(&Piece, &Release) -> bool) -> Option<&str> {
        let mut releases = self
            .pieces
            .iter()
            .flat_map(|piece| piece.releases.iter().map(move |release| (piece, release)));
        let found =
            releases.find(|(piece, release)| release.set.is_some() && is_installed(piece, release));
        found.and_then(|(_, release)| release.set.as_deref())
    }
}

impl Piece {
    /// Its release in a set.
    #[must_use]
    pub fn in_set(&self, set: &str) -> Option<&Release> {
        let is_of = |release: &&Release| release.set.as_deref() == Some(set);
        self.releases.iter().find(is_of)
    }

    /// Its release of a version of upstream's; Slackware has `_` where upstream has `-`.
    #[must_use]
    pub fn release(&self, version: &str) -> Option<&Release> {
        let plain = |text: &str| text.replace('-', "_");
        let version = plain(version);
        self.releases
            .iter()
            .find(|release| plain(&release.version) == version)
    }

    /// The release to take: of this set, if it is a piece of sets; else the newest.
    #[must_use]
    pub fn choose(&self, set: Option<&str>) -> Option<&Release> {
        let of_set = set.and_then(|set| self.in_set(set));
        of_set.or(self.releases.first())
    }
}
