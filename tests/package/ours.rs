//! Packages of ours in the shapes that are installed: upstream's files in a folder with the version in
//! its name, and a link to it where everybody looks.

use std::io::Cursor;

use jitsi_install::package::meta::Arch;
use jitsi_install::package::{Content, Meta, Node, PackagePath, Tree, deb};

use crate::upstream::Upstream;

/// Which of upstream's folders are taken, and whether a link stands where each was. Two packages
/// share `usr/share/jitsi-meet`, so that it stays a folder.
fn folders(package: &str) -> &'static [(&'static str, bool)] {
    match package {
        "jicofo" => &[("usr/share/jicofo", true)],
        "jitsi-videobridge2" => &[("usr/share/jitsi-videobridge", true)],
        "jitsi-meet-prosody" => &[("usr/share/jitsi-meet/prosody-plugins", false)],
        _ => &[("usr/share/jitsi-meet", false)],
    }
}

/// What is said of one of them.
pub(crate) fn meta(package: &str, version: &str) -> Meta {
    let links = folders(package).iter().filter(|(_, is_link)| *is_link);
    Meta {
        name: package.to_owned(),
        version: version.to_owned(),
        build: 1,
        arch: Arch::Any,
        summary: "piece of Jitsi Meet for tests".to_owned(),
        description: format!(
            "This package has the shape of {package}, with the paths and links that the real one has, and tiny \
             files. It is made by tests and should never be seen on a server.\n\nA second paragraph."
        ),
        homepage: format!("https://github.com/jitsi/{package}"),
        licence: "Apache-2.0".to_owned(),
        copyright: "2015-2026 The Jitsi contributors".to_owned(),
        depends: Vec::new(),
        replaces: Vec::new(),
        config: Vec::new(),
        links_that_were_folders: links.map(|(path, _)| link(path, version)).collect(),
        time: 1_780_272_000,
    }
}

fn link(path: &str, version: &str) -> (PackagePath, String) {
    let path = PackagePath::parse(path).unwrap();
    let target = format!("{}-{version}", path.file_name());
    (path, target)
}

/// Upstream's files, where ours has them.
pub(crate) fn tree(upstream: &Upstream, version: &str) -> Tree {
    let mut tree = Tree::new();
    for (path, content) in upstream.files(version) {
        for (folder, is_link) in folders(upstream.package) {
            let Some(rest) = path.strip_prefix(&format!("{folder}/")) else {
                continue;
            };
            let folder = match is_link {
                true => format!("{folder}-{version}"),
                false => (*folder).to_owned(),
            };
            let mode = if content.starts_with(b"#!") {
                0o755
            } else {
                0o644
            };
            put(&mut tree, &format!("{folder}/{rest}"), mode, &content);
        }
    }
    for (path, target) in meta(upstream.package, version).links_that_were_folders {
        tree.put(path, Node::Link { target }).unwrap();
    }
    tree
}

/// One more file.
pub(crate) fn put(tree: &mut Tree, path: &str, mode: u32, content: &[u8]) {
    let content = Content::Bytes(content.to_vec());
    let path = PackagePath::parse(path).unwrap();
    tree.put(path, Node::File { mode, content }).unwrap();
}

/// The package's bytes.
pub(crate) fn written(meta: &Meta, tree: &Tree) -> Vec<u8> {
    let (mut spool, out) = (Cursor::new(Vec::new()), Cursor::new(Vec::new()));
    let written = deb::write(meta, tree, &mut spool, 2, out);
    written.unwrap().into_inner()
}
