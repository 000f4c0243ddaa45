//! Lists of what is in a package, judged by CycloneDX's own schema in its strict form.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use jitsi_install::package::sbom::{self, Made};
use jitsi_install::package::{Catalogue, Content, Meta, Node, PackagePath, Tree, meta::Arch};
use serde_json::{Value, json};

use super::cases::Cases;
use super::shell::told;
use super::{cases, debs, python};

/// A jar that Maven has made: its own, as Debian packs it.
const MAVENS: &str = "/usr/share/maven/lib/maven-core-3.x.jar";

/// Says of each list in a folder what is wrong, as `NAME: …`.
const JUDGE: &str = "
import pathlib, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
judge = JsonStrictValidator(SchemaVersion.V1_6)
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    wrong = judge.validate_str(path.read_text())
    print(path.name, 'wrong' if wrong else 'right', str(wrong)[-300:].replace(chr(10), ' ') if wrong else '')
";

/// What is said of each list, in their order; one judge is started for all of them.
fn judged(lists: &[(String, Value)]) -> Result<Vec<String>, String> {
    let python = python::program("python").ok_or("no python")?;
    let place = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (index, (name, list)) in lists.iter().enumerate() {
        let file = place.path().join(format!("{index:03}-{name}"));
        fs::write(&file, list.to_string()).map_err(|error| error.to_string())?;
    }
    let said = told(Command::new(python).args(["-c", JUDGE]).arg(place.path()))?;
    Ok(said.lines().map(str::to_owned).collect())
}

/// The list of a made-up package of every piece in the catalogue, with a real jar in it.
fn lists() -> Result<Vec<(String, Value)>, String> {
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let (plain, mavens) = (read(&debs::library())?, read(Path::new(MAVENS))?);
    let catalogue = Catalogue::own().map_err(|error| error.to_string())?;
    let mut lists = Vec::new();
    for piece in &catalogue.pieces {
        let Some(release) = piece.releases.first() else {
            continue;
        };
        let mut tree = Tree::new();
        let files = [
            ("config.jar", &plain),
            ("lib/odd ü name-1.2~rc.jar", &plain),
            ("lib/maven-core-3.x.jar", &mavens),
        ];
        for (name, jar) in files {
            let path = PackagePath::parse(&format!("usr/share/{}/{name}", piece.name));
            let content = Content::Bytes(jar.clone());
            let node = Node::File {
                mode: 0o644,
                content,
            };
            let put = path.and_then(|path| tree.put(path, node));
            put.map_err(|error| error.to_string())?;
        }
        let meta = Meta {
            name: piece.name.clone(),
            version: release.version.clone(),
            build: 1,
            arch: Arch::Any,
            summary: piece.summary.clone(),
            description: piece.description.clone(),
            homepage: piece.homepage.clone(),
            licence: piece.licence.clone(),
            copyright: piece.copyright.clone(),
            depends: piece.depends.clone(),
            replaces: Vec::new(),
            config: Vec::new(),
            links_that_were_folders: Vec::new(),
            time: release.time,
        };
        for ending in ["txz", "deb"] {
            let file = format!("{}-1.{ending}", piece.name);
            let sha256 = "0123456789abcdef".repeat(4);
            let made = Made {
                piece,
                release,
                meta: &meta,
                file: &file,
                sha256: &sha256,
            };
            let list = sbom::of(&made, &tree, &mut Cursor::new(Vec::new()));
            lists.push((file, list.map_err(|error| error.to_string())?));
        }
    }
    Ok(lists)
}

#[test]
fn lists_are_cyclonedx() {
    if python::program("python").is_none() {
        return;
    }
    if !debs::library().is_file() || !Path::new(MAVENS).is_file() {
        cases::skip("jars to look into are not here: maven, and target/java");
        return;
    }
    let mut cases = Cases::new("lists of what is in a package");
    let printed = told(Command::new(env!("CARGO_BIN_EXE_jitsi-install")).args([
        "package",
        "sbom",
        "--time",
        "1780272000",
    ]));
    let own =
        printed.and_then(|text| serde_json::from_str::<Value>(&text).map_err(|e| e.to_string()));
    let mut all = cases.must("lists are made", lists()).unwrap_or_default();
    let packages = all.len();
    let service = told(Command::new(env!("CARGO_BIN_EXE_jitsi-install")).args([
        "package",
        "sbom",
        "jitsi-accounts",
    ]));
    let service =
        service.and_then(|text| serde_json::from_str::<Value>(&text).map_err(|e| e.to_string()));
    if let (Ok(own), Some(service)) = (&own, cases.must("the service's is printed", service)) {
        let has = |list: &Value, name: &str| {
            let all = list["components"].as_array().into_iter().flatten();
            all.into_iter().any(|one| one["name"] == name)
        };
        for (name, installs, serves) in [
            ("rcgen", true, false),
            ("axum", false, true),
            ("serde_json", true, true),
            ("tungstenite", false, false),
        ] {
            cases.same(
                name,
                (has(own, name), has(&service, name)),
                (installs, serves),
            );
        }
        all.push(("service".to_owned(), service));
    }
    if let Some(own) = cases.must("our own is printed", own) {
        for (what, value) in [("serialNumber", json!("1")), ("components", json!([{}]))] {
            let mut spoiled: Value = own.clone();
            spoiled[what] = value;
            all.push((format!("spoiled-{what}"), spoiled));
        }
        all.push(("own".to_owned(), own));
    }
    let said = cases
        .must("they are judged", judged(&all))
        .unwrap_or_default();
    cases.same("all of them", said.len(), packages + 4);
    for line in said {
        let want = if line.contains("-spoiled-") {
            " wrong "
        } else {
            " right "
        };
        cases.holds(&line, line.contains(want), || format!("not{want}"));
    }
    for (name, list) in &all[..packages] {
        let purls = |list: &Value| -> Vec<String> {
            let all = list["components"].as_array().into_iter().flatten();
            all.map(|one| one["purl"].to_string()).collect()
        };
        for start in [
            "pkg:maven/org.apache.maven/maven-core@3.",
            "pkg:generic/config",
            "pkg:generic/odd%20%C3%BC%20name@1.2~rc",
        ] {
            let found = purls(list).iter().any(|one| one[1..].starts_with(start));
            cases.holds(name, found, || format!("{:?}", purls(list)));
        }
    }
    cases.finish();
}
