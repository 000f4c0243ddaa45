//! Every example on every release, as it is written: `tests/golden/EXAMPLE/RELEASE/` holds each
//! rendered file at its path, and a `MANIFEST` with everything else that the layout asks for.
//!
//! After a change that is meant: `UPDATE_GOLDEN=1 cargo test --test golden`, then read the diff.
#![cfg(feature = "install")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test looks at the disk itself, and says what it skips"
)]

#[path = "proving/mod.rs"]
mod proving;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jitsi_install::layout::layout;
use jitsi_install::platform::Release;
use jitsi_install::resource::{Content, File, Layout, Resource};
use jitsi_install::secret::Secret;
use jitsi_install::service::Facts;
use jitsi_install::service::accounts::Words;
use jitsi_install::site::{self, CertificateSource, Database, Signature, Site, WebServer};
use similar::TextDiff;

/// Files by their path below `EXAMPLE/RELEASE`.
type Tree = BTreeMap<String, Vec<u8>>;

/// What the machine would have told, fixed.
fn facts(site: &Site) -> Facts {
    let named = site.certificates != CertificateSource::SelfSigned;
    let shared = matches!(
        site.auth.token.signature,
        Signature::Hs256 {
            secret_file: Some(_)
        }
    );
    Facts {
        certificate: named.then(|| proving::dummy_pair("meet.example.org, and of its issuer")),
        token_secret: shared.then(|| Secret::new("fixed-shared-token-secret-for-tests".to_owned())),
        pages: match site.web.server {
            WebServer::Caddy => proving::small_pages(),
            WebServer::Nginx => BTreeMap::new(),
        },
        accounts: words(site),
        versions: BTreeMap::new(),
        templates: BTreeMap::new(),
    }
}

/// What stands in the files that `[accounts]` names.
fn words(site: &Site) -> Words {
    let word = |name: &str| {
        Some(Secret::new(format!(
            "fixed-{name}-of-somebody-else-0123456789"
        )))
    };
    let Some(accounts) = &site.accounts else {
        return Words::default();
    };
    let is_remote = matches!(accounts.database, Database::Remote(..));
    let smtp = accounts.smtp.as_ref().and_then(|smtp| smtp.login.as_ref());
    Words {
        database_password: is_remote.then(|| word("database")).flatten(),
        reader_password: is_remote.then(|| word("reader")).flatten(),
        smtp_password: smtp.and_then(|_| word("smtp")),
        webhook_key: accounts
            .notify
            .webhook_key_file
            .as_ref()
            .and_then(|_| word("webhook")),
    }
}

fn laid_out(text: &str, release: Release) -> Layout {
    let site = site::parse(text).unwrap_or_else(|error| panic!("{error}"));
    layout(
        &site,
        &release.platform(),
        &proving::fixed_secrets(),
        &facts(&site),
    )
    .unwrap()
}

fn tree(layout: &Layout) -> Tree {
    let mut tree = Tree::new();
    let mut manifest = String::from(
        "# What `layout` asks for beside the files here: who wants it, kind, name, mode, owner.\n",
    );
    for item in &layout.items {
        let (kind, name) = (item.resource.kind(), item.resource.name());
        let more = match &item.resource {
            Resource::Package { .. } | Resource::Group { .. } | Resource::Service { .. } => {
                String::new()
            }
            Resource::Database(database) => format!(
                " in {}, with the role {}",
                database.engine.as_str(),
                database.reader()
            ),
            Resource::User { group, home, .. } => format!(" group {group}, home {home}"),
            Resource::Dir(dir) => {
                let shared = if dir.ours {
                    ""
                } else {
                    " (made only if missing)"
                };
                format!(" {} {}{shared}", dir.mode, dir.owner)
            }
            Resource::Link(link) => format!(" -> {}", link.target),
            Resource::File(file) => {
                let what = content(file, &mut tree);
                let veiled = if file.veiled { " (never shown)" } else { "" };
                format!(" {} {}{veiled}{what}", file.mode, file.owner)
            }
        };
        let _ = writeln!(
            manifest,
            "{:<12} {kind:<7} {name}{more}",
            item.service.as_str()
        );
    }
    for path in &layout.kept {
        let _ = writeln!(manifest, "left as it is: {path}");
    }
    for remark in &layout.remarks {
        let _ = writeln!(manifest, "remark: {remark}");
    }
    tree.insert("MANIFEST".to_owned(), manifest.into_bytes());
    tree
}

/// Puts a file into the tree, or says what stands in its place: what is made differs each time, and
/// rc scripts are not rendered.
fn content(file: &File, tree: &mut Tree) -> String {
    let bytes = match &file.content {
        Content::Made(recipe) => return format!(" made: {}", recipe.describe()),
        Content::Bytes(bytes) => bytes,
        Content::Block(text) => {
            tree.insert(file.path.relative().to_owned(), text.clone().into_bytes());
            return " (a block in a file of others)".to_owned();
        }
    };
    let script = format!("rc.d/{}", file.path.file_name());
    if fs::read(proving::root().join(&script)).is_ok_and(|own| own == *bytes) {
        return format!(" as {script}");
    }
    tree.insert(file.path.relative().to_owned(), bytes.clone());
    String::new()
}

/// Files of a committed tree.
fn committed(folder: &Path, prefix: &str, tree: &mut Tree) {
    let Ok(entries) = fs::read_dir(folder.join(prefix)) else {
        return;
    };
    for entry in entries {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        if folder.join(&path).is_dir() {
            committed(folder, &path, tree);
        } else {
            let bytes = fs::read(folder.join(&path)).unwrap();
            tree.insert(path, bytes);
        }
    }
}

/// What differs, in a few lines for each file.
fn differences(place: &str, old: &Tree, new: &Tree) -> Vec<String> {
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut list = Vec::new();
    for path in paths {
        match (old.get(path), new.get(path)) {
            (None, Some(_)) => list.push(format!("{place}/{path}: not committed")),
            (Some(_), None) => {
                list.push(format!("{place}/{path}: committed, and no longer written"))
            }
            (Some(old), Some(new)) if old != new => {
                let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
                let diff = TextDiff::from_lines(&*old, &*new)
                    .unified_diff()
                    .context_radius(1)
                    .to_string();
                let short: Vec<&str> = diff.lines().take(20).collect();
                list.push(format!("{place}/{path}: differs\n{}", short.join("\n")));
            }
            _ => {}
        }
    }
    list
}

fn write(folder: &Path, tree: &Tree) {
    let _ = fs::remove_dir_all(folder);
    for (path, bytes) in tree {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

#[test]
fn every_example_on_every_release() {
    let golden = proving::root().join("tests/golden");
    let update = std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1");
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for (name, text) in proving::examples() {
        for release in Release::ALL {
            let place = format!("{name}/{}", release.as_str());
            let new = tree(&laid_out(&text, release));
            assert_eq!(
                new,
                tree(&laid_out(&text, release)),
                "{place}: not the same bytes twice"
            );
            let folder = golden.join(&place);
            if update {
                write(&folder, &new);
            }
            let mut old = Tree::new();
            committed(&folder, "", &mut old);
            wrong.extend(differences(&place, &old, &new));
            known.insert(place);
        }
    }
    let mut all = Tree::new();
    committed(&golden, "", &mut all);
    for path in all.keys() {
        let place: Vec<&str> = path.splitn(3, '/').take(2).collect();
        if !known.contains(&place.join("/")) {
            wrong.push(format!("{path}: of no example or release"));
        }
    }
    assert!(
        wrong.is_empty(),
        "tests/golden is not what is written now; if that is meant: UPDATE_GOLDEN=1 cargo test --test golden\n{}",
        wrong.join("\n")
    );
}

#[test]
fn rendered_files_end_with_one_newline_and_are_text() {
    for (name, text) in proving::examples() {
        for release in Release::ALL {
            for (path, bytes) in tree(&laid_out(&text, release)) {
                let text = String::from_utf8(bytes).unwrap_or_else(|_| panic!("{path}: not UTF-8"));
                let place = format!("{name}/{}/{path}", release.as_str());
                assert!(
                    text.ends_with('\n') && !text.ends_with("\n\n"),
                    "{place}: its end"
                );
                assert!(
                    !text.contains('\r') && !text.contains('\0'),
                    "{place}: control characters"
                );
                let trailing = text.lines().position(|line| line.ends_with([' ', '\t']));
                assert_eq!(
                    trailing.map(|at| at + 1),
                    None,
                    "{place}: a line ends with blanks"
                );
            }
        }
    }
}

/// Dotted paths of every key in a TOML table; lists of tables count as one table.
fn paths(table: &toml::Table, prefix: &str, found: &mut BTreeSet<String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            toml::Value::Table(inner) => paths(inner, &path, found),
            toml::Value::Array(items) => {
                items
                    .iter()
                    .filter_map(toml::Value::as_table)
                    .for_each(|inner| paths(inner, &path, found));
            }
            _ => {}
        }
        found.insert(path);
    }
}

#[test]
fn full_toml_names_every_key_and_no_other() {
    let text = fs::read_to_string(proving::root().join("examples/full.toml")).unwrap();
    // A key or table that cannot stand beside another is there as a comment.
    let uncommented: String = text
        .lines()
        .map(|line| {
            let key = line.strip_prefix("# ").filter(|rest| {
                let is_table = rest.starts_with("[auth.");
                let key = rest.split_once(" = ").map(|(key, _)| key);
                is_table
                    || key
                        .is_some_and(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            });
            format!("{}\n", key.unwrap_or(line))
        })
        .collect();
    let mut named = BTreeSet::new();
    paths(&uncommented.parse().unwrap(), "", &mut named);
    let keys = site::keys();
    let missing: Vec<_> = keys.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "examples/full.toml does not name {missing:?}"
    );
    let free =
        |key: &&String| key.starts_with("meet.config.") || key.starts_with("meet.interface.");
    let foreign: Vec<_> = named.difference(&keys).filter(|key| !free(key)).collect();
    assert!(
        foreign.is_empty(),
        "examples/full.toml names {foreign:?}, which are no keys"
    );
    let own = text.split("[meet.config]").next().unwrap();
    let lines: Vec<&str> = own.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let is_key = line.contains(" = ") && !line.starts_with([' ', '#']);
        let is_said = line.contains("# ") || lines[at.saturating_sub(1)].starts_with("# ");
        assert!(
            is_said || !is_key,
            "examples/full.toml says nothing about `{line}`"
        );
    }
}

#[test]
fn every_example_is_a_site() {
    for (name, text) in proving::examples() {
        let site = site::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(site.domain.as_str(), "meet.example.org", "{name}");
    }
}
