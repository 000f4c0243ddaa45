//! Two sets of stand-ins for upstream's packages, and a catalogue that has them: the pieces are those
//! of the project's own catalogue, their releases are made here. Each version brings a jar with
//! the version in its name, so that one sees what is left of the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use toml::{Table, Value};

/// The sets, older first, with the versions of Jicofo, the bridge, and both parts of the web
/// application.
pub const SETS: [[&str; 4]; 2] = [
    ["2.0.90001", "1.0-9001", "2.3-901-gaaaaaaaaa", "1.0.9901"],
    ["2.0.90002", "1.0-9002", "2.3-902-gbbbbbbbbb", "1.0.9902"],
];

/// Piece, its package at upstream, and which of a set's versions it has.
const PIECES: [(&str, &str, usize); 4] = [
    ("jicofo", "jicofo", 1),
    ("jitsi-videobridge", "jitsi-videobridge2", 2),
    ("jitsi-meet-web", "jitsi-meet-web", 3),
    ("jitsi-meet-prosody", "jitsi-meet-prosody", 3),
];

fn done(command: &mut Command) {
    let output = command.output().expect("it can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// Makes the packages in `folder` and gives the catalogue. `library` is the HOCON library.
pub fn make(library: &Path, folder: &Path) -> String {
    let standins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standins");
    let work = tempfile::tempdir().expect("a folder");
    let classes = work.path().join("classes");
    fs::create_dir_all(&classes).expect("a folder");
    fs::create_dir_all(folder).expect("a folder");
    let sources =
        "find \"$0/java\" -name '*.java' -exec javac --release 17 -cp \"$1\" -d \"$2\" {} +";
    done(
        Command::new("sh")
            .args(["-c", sources])
            .args([&standins, library, &classes]),
    );
    let own = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("slackbuilds/catalogue.toml"),
    );
    let mut catalogue: Table = own.expect("the catalogue").parse().expect("TOML");
    let pieces = catalogue["piece"].as_array_mut().expect("pieces");
    for (name, package, at) in PIECES {
        let mut releases = Vec::new();
        for set in SETS.iter().rev() {
            let file = deb(package, set[at], &classes, library, &standins, folder);
            releases.push(release(set[0], set[at], &file));
        }
        let is_it = |piece: &&mut Value| piece["name"].as_str() == Some(name);
        let piece = pieces.iter_mut().find(is_it).expect("a piece of this name");
        let piece = piece.as_table_mut().expect("a table");
        piece.insert("release".to_owned(), Value::Array(releases));
    }
    toml::to_string(&catalogue).expect("TOML")
}

/// The same catalogue with `lua-cjson` as a toy that has to be built, and needs another toy for it that nobody has
/// installed.
pub fn with_toys(catalogue: &str, folder: &Path) -> String {
    let mut catalogue: Table = catalogue.parse().expect("TOML");
    let pieces = catalogue["piece"].as_array_mut().expect("pieces");
    let is_it = |piece: &&mut Value| piece["name"].as_str() == Some("lua-cjson");
    let piece = pieces.iter_mut().find(is_it).expect("a piece");
    let mut base = piece.clone();
    for (piece, name, needs, all) in [
        (
            &mut *piece,
            "lua-cjson",
            Some("toy-base"),
            "test -e /usr/share/toy-base/Makefile",
        ),
        (&mut base, "toy-base", None, "test \"$$(id -u)\" -ge 61184"),
    ] {
        let work = tempfile::tempdir().expect("a folder");
        fs::create_dir(work.path().join(name)).expect("a folder");
        let makefile = format!(
            "all:\n\t{all}\ninstall:\n\tinstall -D -m 644 Makefile $(DESTDIR)/usr/share/{name}/Makefile\n"
        );
        fs::write(work.path().join(name).join("Makefile"), makefile).expect("a file");
        let file = folder.join(format!("{name}-9.tar.gz"));
        done(
            Command::new("tar")
                .arg("-C")
                .arg(work.path())
                .arg("-czf")
                .arg(&file)
                .arg(name),
        );
        let mut release = release("", "9", &file);
        let table = release.as_table_mut().expect("a table");
        table.remove("set");
        let source = table["source"].as_array_mut().expect("sources");
        let source = source[0].as_table_mut().expect("a table");
        source.insert("root".to_owned(), name.into());
        let table = piece.as_table_mut().expect("a table");
        table.insert("name".to_owned(), name.into());
        for key in ["debian", "docs", "place", "link", "slackware_only"] {
            table.remove(key);
        }
        let needs: Vec<Value> = needs.into_iter().map(Value::from).collect();
        table.insert("depends".to_owned(), needs.into());
        table.insert("style".to_owned(), "make".into());
        let install: Vec<Value> = vec!["install".into(), "DESTDIR={dest}".into()];
        let build = Table::from_iter([("install".to_owned(), Value::from(install))]);
        table.insert("build".to_owned(), build.into());
        table.insert("release".to_owned(), Value::Array(vec![release]));
    }
    pieces.push(base);
    toml::to_string(&catalogue).expect("TOML")
}

fn release(set: &str, version: &str, file: &Path) -> Value {
    let bytes = fs::read(file).expect("a package");
    let hash: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = file.file_name().expect("a name").to_string_lossy();
    let mut source = Table::new();
    source.insert(
        "url".to_owned(),
        format!("https://standin.invalid/{name}").into(),
    );
    source.insert("sha256".to_owned(), hash.into());
    let size = i64::try_from(bytes.len()).expect("a size");
    source.insert("size".to_owned(), size.into());
    source.insert("record".to_owned(), "computed".into());
    let mut release = Table::new();
    release.insert("version".to_owned(), version.into());
    release.insert("set".to_owned(), set.into());
    release.insert("time".to_owned(), 1_780_000_000.into());
    release.insert("source".to_owned(), Value::Array(vec![source.into()]));
    release.into()
}

/// A package of upstream's layout, with stand-ins that run.
fn deb(
    package: &str,
    version: &str,
    classes: &Path,
    library: &Path,
    standins: &Path,
    folder: &Path,
) -> PathBuf {
    let tree = tempfile::tempdir().expect("a folder");
    let share = tree.path().join("usr/share");
    fs::create_dir_all(share.join("doc").join(package)).expect("a folder");
    let note = format!("{package} {version}: a stand-in of jitsi-install's tests\n");
    fs::write(share.join("doc").join(package).join("copyright"), &note).expect("a file");
    match package {
        "jitsi-meet-web" => {
            copy(&standins.join("meet"), &share.join("jitsi-meet"));
            fs::write(share.join("jitsi-meet/title.html"), title(version)).expect("a file");
            fs::write(share.join(format!("jitsi-meet/libs/{version}.js")), &note).expect("a file");
        }
        "jitsi-meet-prosody" => {
            fs::create_dir_all(share.join("jitsi-meet")).expect("a folder");
            let plugins = share.join("jitsi-meet/prosody-plugins");
            copy(&standins.join("prosody-plugins"), &plugins);
            fs::write(plugins.join("standin_version.txt"), &note).expect("a file");
        }
        _ => {
            let home = share.join(package.trim_end_matches('2'));
            fs::create_dir_all(home.join("lib")).expect("a folder");
            let name = package.trim_end_matches('2');
            done(
                Command::new("jar")
                    .args(["--create", "--file"])
                    .arg(home.join(format!("{name}.jar")))
                    .arg("-C")
                    .arg(classes)
                    .arg("."),
            );
            fs::copy(library, home.join("lib/config.jar")).expect("a copy");
            let mark = home.join(format!("lib/standin-{version}.jar"));
            fs::copy(library, mark).expect("a copy");
        }
    }
    let control = format!(
        "Package: {package}\nVersion: {version}-1\nArchitecture: all\nMaintainer: Tests of jitsi-install <tests@example.org>\n\
         Section: net\nPriority: optional\nDescription: stand-in for {package}, for tests of jitsi-install\n"
    );
    let debian = tree.path().join("DEBIAN");
    fs::create_dir_all(&debian).expect("a folder");
    fs::write(debian.join("control"), control).expect("a file");
    done(
        Command::new("chmod")
            .args(["-R", "u=rwX,go=rX"])
            .arg(tree.path()),
    );
    let file = folder.join(format!("{package}_{version}-1_all.deb"));
    done(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", "-Zxz", "-z1", "--build"])
            .arg(tree.path())
            .arg(&file),
    );
    file
}

/// What the web application's title is made of in this version.
pub fn title(version: &str) -> String {
    format!("<title>stand-in {version}</title>\n")
}

fn copy(from: &Path, to: &Path) {
    done(Command::new("cp").arg("-R").arg(from).arg(to));
}
