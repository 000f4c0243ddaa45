//! The own catalogue, and each refusal.

use super::{Catalogue, Mistake};
use crate::package::PackageError;

const OWN: &str = super::OWN;

/// The mistakes of the own catalogue with `from` replaced by `to`, once.
fn mistakes(from: &str, to: &str) -> Vec<Mistake> {
    assert!(OWN.contains(from), "the catalogue no longer has `{from}`");
    match Catalogue::parse(&OWN.replacen(from, to, 1)) {
        Ok(_) => Vec::new(),
        Err(PackageError::Mistakes(found)) => found,
        Err(error) => panic!("`{to}`: {error}"),
    }
}

#[test]
fn the_own_catalogue_has_no_mistake() {
    let catalogue = Catalogue::own().unwrap_or_else(|error| panic!("{error}"));
    let slackware = crate::platform::recognise(None, Some("Slackware 15.0")).unwrap();
    let packages = slackware.platform().packages;
    // MariaDB is Slackware's own, and who runs PostgreSQL there has it already.
    let servers = [packages.mariadb.clone(), packages.postgresql.clone()].concat();
    for name in packages.all().filter(|name| !servers.contains(name)) {
        assert!(catalogue.piece(name).is_some(), "no piece for `{name}`");
    }
    assert_eq!(catalogue.sets(), ["2.0.11146", "2.0.11031"]);
    for set in catalogue.sets() {
        assert_eq!(catalogue.choose_set(set).unwrap().len(), 4, "{set}");
    }
    assert_eq!(
        catalogue.piece("jitsi-videobridge2").unwrap().name,
        "jitsi-videobridge"
    );
}

#[test]
fn each_mistake_is_named_with_its_place() {
    for (from, to, place, why) in [
        (
            "schema = 1",
            "schema = 2",
            "catalogue schema",
            "unknown form",
        ),
        (
            "stable/\"",
            "stable\"",
            "upstream.index",
            "no https:// folder",
        ),
        ("/jitsi-key.gpg.key", "/a b", "upstream.key", "no https://"),
        ("FFD65A", "ffd65a", "upstream.fingerprint", "no fingerprint"),
        (
            "name = \"jicofo\"",
            "name = \"Jicofo\"",
            "piece `Jicofo` name",
            "no package name",
        ),
        (
            "name = \"luasec\"",
            "name = \"luasocket\"",
            "catalogue name",
            "there twice",
        ),
        (
            "name = \"jicofo\"",
            "name = \"lua5.4\"",
            "catalogue name",
            "there twice",
        ),
        (
            "\"conference focus of Jitsi Meet\"",
            "\"It is.\"",
            "`jicofo` summary",
            "full stop",
        ),
        (
            "\"conference focus of Jitsi Meet\"",
            "\"a\\u0007b\"",
            "`jicofo` summary",
            "control",
        ),
        (
            "\"Apache-2.0\"",
            "\"Apache\"",
            "`jicofo` licence",
            "does not belong",
        ),
        (
            "https://github.com/jitsi/jicofo",
            "http://x.org",
            "`jicofo` homepage",
            "no https://",
        ),
        (
            "depends = [\"zulu-openjdk17\"]",
            "depends = [\"java\"]",
            "`jicofo` depends",
            "neither",
        ),
        (
            "depends = [\"zulu-openjdk17\"]",
            "depends = [\"jicofo\"]",
            "`jicofo` depends",
            "leads back",
        ),
        (
            "\"procps\"",
            "\"procps;rm\"",
            "debian_depends",
            "no relation",
        ),
        (
            "from = \"usr/share/jicofo\"",
            "from = \"../etc\"",
            "place.from",
            "no path",
        ),
        (
            "to = \"usr/share/jicofo-{version}\"",
            "to = \"usr/{name}\"",
            "place.to",
            "in braces",
        ),
        (
            "to = \"usr/share/jicofo-{version}\"",
            "to = \"/usr/share\"",
            "place.to",
            "absolute",
        ),
        (
            "to = \"usr/share/jicofo-{version}\"",
            "to = \"root/x\"",
            "place.to",
            "not below",
        ),
        (
            "to = \"usr/share/jicofo-{version}\"",
            "to = \"usr/$(id)\"",
            "place.to",
            "signs",
        ),
        (
            "target = \"jicofo-{version}\"",
            "target = \"../../../etc\"",
            "link.target",
            "out of the root",
        ),
        (
            "mode = 0o755",
            "mode = 0o4755",
            "place.mode",
            "others could write",
        ),
        (
            "from = \"rc.jicofo\"",
            "from = \"rc.other\"",
            "file.from",
            "does not come with",
        ),
        (
            "config = [\"etc/rc.d/rc.jicofo\"]",
            "config = [\"usr/x\"]",
            "config",
            "not in etc/",
        ),
        (
            "LUA_V=5.4\", \"LUA_INC",
            "{home}\", \"LUA_INC",
            "build",
            "unknown in braces",
        ),
        (
            "name = \"jicofo\", home",
            "name = \"a;b\", home",
            "account.name",
            "no user name",
        ),
        ("id = 274", "id = 0", "account.id", "no number"),
        (
            "version = \"1.0-1189\"",
            "version = \"$(id)\"",
            "version",
            "no version",
        ),
        (
            "version = \"1.0-1189\"",
            "version = \"1.0-1183\"",
            "version",
            "there twice",
        ),
        (
            "version = \"1.0-1189\"",
            "version = \"1.0-1100\"",
            "version",
            "JSA-2025-0001",
        ),
        (
            "set = \"2.0.11146\"",
            "set = \"2.0.9000\"",
            "version",
            "JSA-2024-0002",
        ),
        (
            "set = \"2.0.11146\"",
            "set = \"2.0.11146\"\nold = true",
            "old",
            "below no minimum",
        ),
        (
            "set = \"2.0.11146\"",
            "",
            "set `2.0.11146`",
            "has 0 releases",
        ),
        ("time = 1785743738", "time = 0", "time", "2000"),
        (
            "https://download.jitsi.org/stable/jicofo_1.0-1189",
            "http://x/jicofo_1.0-1189",
            "source.url",
            "no https://",
        ),
        (
            "jicofo_1.0-1189-1_all.deb",
            "jicofo.tar.gz",
            "source",
            "no .deb",
        ),
        (
            "jicofo_1.0-1189-1_all.deb",
            "jicofo_1.0-1183-1_all.deb",
            "source.file",
            "two different files",
        ),
        (
            "sha256 = \"73a6",
            "sha256 = \"73A6",
            "source.sha256",
            "no SHA-256",
        ),
        (
            "sha256 = \"73a6",
            "sha256 = \"3a6",
            "source.sha256",
            "no SHA-256",
        ),
        ("md5 = \"8a0f", "md5 = \"", "source.md5", "no MD5"),
        ("size = 54072", "size = 0", "source.size", "0 bytes"),
        (
            "root = \"luaexpat-1.5.2\"",
            "root = \"../x\"",
            "source.root",
            "no folder",
        ),
        (
            "root = \"luaexpat-1.5.2\", ",
            "",
            "source.root",
            "where to build",
        ),
        (
            "arch = \"aarch64\"",
            "arch = \"x86_64\"",
            "source.arch",
            "same machine",
        ),
    ] {
        let found = mistakes(from, to);
        let is_it = |one: &Mistake| one.place.contains(place) && one.why.contains(why);
        assert!(found.iter().any(is_it), "`{from}` to `{to}`: {found:#?}");
        assert!(found.iter().all(|one| !one.cure.is_empty()));
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = OWN
        .replacen("schema = 1", "schema = 7", 1)
        .replacen("sha256 = \"73a6", "sha256 = \"x", 1)
        .replacen("md5 = \"8a0f", "md5 = \"x", 1);
    let error = Catalogue::parse(&text).unwrap_err().to_string();
    for part in [
        "3 mistakes",
        "catalogue schema",
        "piece `jicofo`, release `1.0-1189`",
        "piece `luaexpat`",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn unknown_keys_are_refused() {
    let error = Catalogue::parse(&OWN.replacen("schema = 1", "schema = 1\nscript = 'x'", 1));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("unknown field `script`")
    );
}
