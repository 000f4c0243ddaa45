//! What is done to a machine with packages, and what is looked at afterwards.

use std::fs;
use std::path::Path;

use jitsi_install::package::{Meta, Tree, deb};

use super::{Packages, package};
use crate::container::Said;
use crate::ours;
use crate::tree;
use crate::upstream::Upstream;

impl Packages {
    pub(super) fn install(&mut self, upstream: &Upstream, version: &str, config: &str) {
        let said = self.try_install(upstream, version, config);
        let name = format!("{} {version}", upstream.package);
        self.cases.holds(&name, said.code == 0, || said.whole());
    }

    pub(super) fn try_install(&mut self, upstream: &Upstream, version: &str, config: &str) -> Said {
        let (meta, tree) = package(upstream, version, config);
        let file = self.bring(&meta, &tree);
        self.machine
            .run(&["dpkg", "--force-confdef", "--force-confold", "-i", &file])
    }

    /// Carries a package in.
    pub(super) fn bring(&mut self, meta: &Meta, tree: &Tree) -> String {
        let file = format!("/root/{}", deb::file_name(meta));
        let put = self.machine.put(&file, &ours::written(meta, tree), 0o644);
        self.cases.must(&file, put);
        file
    }

    pub(super) fn install_upstreams(&mut self, upstream: &Upstream, version: &str) {
        // a folder of its own: another release may be building the same at this moment
        let place = self.cases.must("a folder", tempfile::tempdir());
        let Some(place) = place else {
            return;
        };
        let built = upstream.build(version, place.path());
        let Some(built) = self.cases.must(upstream.package, built) else {
            return;
        };
        let bytes = fs::read(&built).unwrap_or_default();
        let name = built.file_name().unwrap_or_default().to_string_lossy();
        let file = format!("/root/{name}");
        self.cases
            .must(&file, self.machine.put(&file, &bytes, 0o644));
        self.fine(
            &file,
            &format!("dpkg --force-confdef --force-confold -i {file}"),
        );
    }

    pub(super) fn fine(&mut self, name: &str, line: &str) {
        let said = self.machine.sh(line);
        self.cases.holds(name, said.code == 0, || said.whole());
    }

    pub(super) fn same_link(&mut self, name: &str, path: &str, target: &str) {
        let said = self
            .machine
            .run(&["readlink", &format!("/usr/share/{path}")]);
        self.cases
            .same(&format!("{name}: {path}"), said.out.trim(), target);
        let backup = self
            .machine
            .sh("find /usr/share -name '*.dpkg-*' -o -name '.dpkg-*'");
        self.cases
            .same(&format!("{name}: no backups"), backup.out.as_str(), "");
    }

    pub(super) fn nothing_is_stale(&mut self, name: &str, version: &str) {
        self.nothing_is_stale_in(name, "/usr/share/ji*", version);
    }

    /// No path and no content of this version.
    pub(super) fn nothing_is_stale_in(&mut self, name: &str, places: &str, version: &str) {
        let look = format!("find {places} -name '*{version}*'; grep -rlF '{version}' {places}");
        let said = self.machine.sh(&look);
        self.cases
            .same(&format!("{name}: nothing is stale"), said.out.as_str(), "");
    }

    pub(super) fn tree(&mut self) -> tree::Tree {
        let root = self.machine.root();
        self.cases
            .must("its tree", tree::of(Path::new(&root)))
            .unwrap_or_default()
    }
}
