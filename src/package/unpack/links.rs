//! Where links lead. They are followed through the tree, as the kernel would follow them, since
//! two links that are harmless alone may lead out together.

use super::{Node, PackageError, PackagePath, Tree, refuse};

/// Links that are followed one after the other; the kernel follows 40 too.
const HOPS: u32 = 40;

/// Steps for all links together.
const STEPS: u32 = 1_000_000;

/// Refuses the first link that does not stay inside. With `is_rooted` the tree is a whole system's,
/// so that an absolute link means something: it may lead to what the tree has.
pub(super) fn check(archive: &str, tree: &Tree, is_rooted: bool) -> Result<(), PackageError> {
    let mut steps = STEPS;
    for (path, node) in tree.iter() {
        if let Node::Link { target } = node {
            follow(tree, path, target, is_rooted, &mut steps).map_err(|why| {
                let why = format!("the link to `{}` {why}", crate::name::excerpt(target));
                refuse(&format!("{archive}: {path}"), &why)
            })?;
        }
    }
    Ok(())
}

fn follow(
    tree: &Tree,
    path: &PackagePath,
    target: &str,
    is_rooted: bool,
    steps: &mut u32,
) -> Result<(), &'static str> {
    let above = path.parent();
    let mut place: Vec<&str> = match &above {
        Some(folder) => folder.as_str().split('/').collect(),
        None => Vec::new(),
    };
    let mut rest = Vec::new();
    let (mut hops, mut is_known) = (0, true);
    let mut is_absolute = false;
    enter(target, &mut place, &mut rest, &mut is_absolute);
    while let Some(part) = rest.pop() {
        if is_absolute && !is_rooted {
            return Err("is absolute");
        }
        *steps = steps.checked_sub(1).ok_or("is one of too many")?;
        match part {
            "" | "." => continue,
            ".." if !is_known => return Err("turns back in what is not there"),
            ".." => {
                place.pop().ok_or("leads out")?;
                continue;
            }
            name => place.push(name),
        }
        match at(tree, &place) {
            None => is_known = false,
            Some(Node::Dir { .. } | Node::File { .. }) => {}
            Some(Node::Link { target }) => {
                hops += 1;
                if hops > HOPS {
                    return Err("leads in circles");
                }
                place.pop();
                enter(target, &mut place, &mut rest, &mut is_absolute);
            }
        }
    }
    if is_absolute && (!is_rooted || place.is_empty() || at(tree, &place).is_none()) {
        return Err("is absolute, and what it leads to is not in the archive");
    }
    Ok(())
}

/// Goes on with the parts of a link's text.
fn enter<'a>(
    target: &'a str,
    place: &mut Vec<&'a str>,
    rest: &mut Vec<&'a str>,
    is_absolute: &mut bool,
) {
    if target.starts_with('/') {
        place.clear();
        *is_absolute = true;
    }
    rest.extend(target.rsplit('/'));
}

fn at<'a>(tree: &'a Tree, place: &[&str]) -> Option<&'a Node> {
    tree.get(&PackagePath::parse(&place.join("/")).ok()?)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::package::{Content, Node, PackagePath, Tree};

    /// A tree of links, a folder `a/b/c` and a file `a/f`.
    fn judge(links: &[(&str, &str)], is_rooted: bool) -> Result<(), String> {
        let mut tree = Tree::new();
        let mut put = |path: &str, node| tree.put(PackagePath::parse(path).unwrap(), node);
        put("a/b/c", Node::Dir { mode: 0o755 }).unwrap();
        let content = Content::Bytes(Vec::new());
        put(
            "a/f",
            Node::File {
                mode: 0o644,
                content,
            },
        )
        .unwrap();
        for (path, target) in links {
            let target = (*target).to_owned();
            put(path, Node::Link { target }).unwrap();
        }
        check("x", &tree, is_rooted).map_err(|error| error.to_string())
    }

    #[test]
    fn inside_is_inside() {
        for links in [
            &[("l", "a/f")][..],
            &[("a/b/c/l", "../../../a/f")],
            &[("a/b/l", "nowhere/at/all")],
            &[("l", "a/b"), ("m", "l/c/../../f")],
            &[("l", ".")],
            &[("l", "a//b/./c/")],
        ] {
            assert_eq!(judge(links, false), Ok(()), "{links:?}");
        }
        assert_eq!(judge(&[("l", "/a/f"), ("m", "/l")], true), Ok(()));
    }

    #[test]
    fn outside_is_refused() {
        for (links, why) in [
            (&[("l", "..")][..], "leads out"),
            (&[("a/l", "../../etc")], "leads out"),
            // neither would by itself
            (
                &[("a/b/c/up", "../../.."), ("x", "a/b/c/up/../etc")],
                "leads out",
            ),
            (&[("x", "missing/../../y")], "turns back"),
            (&[("x", "y"), ("y", "x")], "circles"),
            (&[("x", "x")], "circles"),
            (&[("x", "/a/f")], "is absolute"),
            (&[("x", "/")], "is absolute"),
        ] {
            let said = judge(links, false).unwrap_err();
            assert!(said.contains(why), "{links:?}: {said}");
        }
        for target in ["/etc/alternatives/java", "/", "/a/../../x"] {
            assert!(judge(&[("x", target)], true).is_err(), "{target}");
        }
    }

    #[test]
    fn a_thicket_of_links_ends_soon() {
        // each one is twice as long as the one before
        let mut links: Vec<(String, String)> = vec![("l0".into(), "a/../a/../.".into())];
        for n in 1..38 {
            links.push((format!("l{n}"), format!("l{0}/l{0}", n - 1)));
        }
        let links: Vec<(&str, &str)> = links
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let said = judge(&links, false).unwrap_err();
        assert!(
            said.contains("circles") || said.contains("too many"),
            "{said}"
        );
    }
}
