//! What we write, read by the programs that everybody has.

use std::fs;
use std::path::Path;
use std::process::Command;

use jitsi_install::package::{PackagePath, deb};

use crate::cases::{Cases, are_here};
use crate::upstream::{ALL, JICOFO};
use crate::{ours, shell};

const VERSION: &str = "1.0-1183";

fn told(program: &str, arguments: &[&str], place: &Path) -> Result<String, String> {
    shell::told(Command::new(program).args(arguments).current_dir(place))
}

#[test]
fn dpkg_ar_tar_and_xz_read_it() {
    if !are_here(&["dpkg-deb", "dpkg-gencontrol", "ar", "tar", "xz", "sh"]) {
        return;
    }
    let mut cases = Cases::new("what we write, read by others");
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for upstream in ALL {
        let (mut meta, mut tree) = (
            ours::meta(upstream.package, VERSION),
            ours::tree(upstream, VERSION),
        );
        let long = format!("usr/share/{0}/{0}/{0}/file", "long-name-".repeat(9));
        ours::put(&mut tree, &long, 0o664, b"long");
        ours::put(&mut tree, "etc/jitsi/x.conf", 0o640, b"x = 1\n");
        meta.config = vec![PackagePath::parse("etc/jitsi/x.conf").unwrap()];
        meta.depends = vec!["aa (>= 1.0) | bb".to_owned(), "cc".to_owned()];
        meta.replaces = vec!["old (<< 2)".to_owned()];
        let file = deb::file_name(&meta);
        fs::write(place.join(&file), ours::written(&meta, &tree)).unwrap();
        let file = file.as_str();
        let name = |what: &str| format!("{}: {what}", upstream.package);
        let whole = format!("{}_1.0-1183-1+ji1_all.deb", upstream.package);
        cases.same(&name("file name"), file, whole.as_str());
        let field = told(
            "dpkg-deb",
            &["-f", file, "Package", "Version", "Architecture"],
            place,
        );
        let want = format!(
            "Package: {}\nVersion: 1.0-1183-1+ji1\nArchitecture: all\n",
            upstream.package
        );
        cases.same(&name("fields"), field, Ok(want));
        cases.must(&name("-I"), told("dpkg-deb", &["-I", file], place));
        let list = told("dpkg-deb", &["-c", file], place).unwrap_or_default();
        let is_ours = |line: &&str| !line.contains(" root/root ") || !line.contains(" ./");
        cases.same(&name("owners"), list.lines().find(is_ours), None);
        cases.holds(
            &name("a long path"),
            list.contains(&format!("./{long}\n")),
            || list.clone(),
        );
        let members = told("ar", &["t", file], place);
        cases.same(
            &name("ar"),
            members,
            Ok("debian-binary\ncontrol.tar.xz\ndata.tar.xz\n".to_owned()),
        );
        let script = format!(
            "set -e; rm -rf ar x; mkdir ar; cd ar; ar x ../{file}; xz -t *.xz; xz -dc data.tar.xz | tar tvf - > list; \
             tar --same-owner -tf control.tar.xz; cd ..; dpkg-deb --ctrl-tarfile {file} | tar tf - | cmp - <(tar tf ar/control.tar.xz); \
             dpkg-deb -x {file} x; dpkg-deb -e {file} x/DEBIAN; cd x; grep -v DEBIAN DEBIAN/md5sums | md5sum --quiet -c; \
             gzip -t usr/share/doc/*/changelog.Debian.gz; stat -c %a etc/jitsi/x.conf {long} $(dirname {long}) > ../modes; \
             stat -c %Y etc/jitsi usr/share usr/share/doc/*/copyright | sort -u > ../times"
        );
        let read = told("bash", &["-c", &script], place);
        let mut members = "./\n./conffiles\n./control\n./md5sums\n".to_owned();
        if !meta.links_that_were_folders.is_empty() {
            members.push_str("./postinst\n./postrm\n./preinst\n");
        }
        cases.same(&name("taken apart"), read, Ok(members));
        cases.same(
            &name("modes"),
            fs::read_to_string(place.join("modes"))
                .unwrap_or_default()
                .as_str(),
            "640\n644\n755\n",
        );
        cases.same(
            &name("times"),
            fs::read_to_string(place.join("times"))
                .unwrap_or_default()
                .as_str(),
            "1780272000\n",
        );
        // what dpkg's own tools would have said of the size
        let gencontrol = "set -e; rm -rf src beside; mv x/DEBIAN beside; mkdir -p src/debian; cd src; \
             gzip -dc ../x/usr/share/doc/*/changelog.Debian.gz > debian/changelog; \
             p=$(sed -n 's/^Package: //p' ../beside/control); { printf 'Source: %s\\n' $p; grep ^Maint ../beside/control; echo; \
             grep -v '^Version\\|^Installed\\|^Maint' ../beside/control; } > debian/control; \
             dpkg-gencontrol -P../x -O | grep -v ^Source > control; diff control ../beside/control";
        cases.same(
            &name("as dpkg-gencontrol writes it"),
            told("bash", &["-c", gencontrol], place),
            Ok(String::new()),
        );
    }
    cases.finish();
}

#[test]
fn shellcheck_reads_the_scripts() {
    if !are_here(&["dpkg-deb", "shellcheck"]) {
        return;
    }
    let mut cases = Cases::new("maintainer scripts, read by shellcheck");
    let place = tempfile::tempdir().unwrap();
    let bytes = ours::written(
        &ours::meta("jicofo", VERSION),
        &ours::tree(&JICOFO, VERSION),
    );
    fs::write(place.path().join("a.deb"), bytes).unwrap();
    cases.must("-e", told("dpkg-deb", &["-e", "a.deb", "."], place.path()));
    for script in ["preinst", "postinst", "postrm"] {
        let checked = told("shellcheck", &["--shell=sh", script], place.path());
        cases.same(script, checked, Ok(String::new()));
    }
    cases.finish();
}

#[test]
fn lintian_has_nothing_to_say() {
    if !are_here(&["lintian"]) {
        return;
    }
    let mut cases = Cases::new("what we write, read by lintian");
    let place = tempfile::tempdir().unwrap();
    for upstream in ALL {
        let mut meta = ours::meta(upstream.package, VERSION);
        let mut tree = ours::tree(upstream, VERSION);
        if upstream.package == "jicofo" {
            meta.depends = vec!["openjdk-17-jre-headless | openjdk-21-jre-headless".to_owned()];
            meta.replaces = vec!["jicofo-nightly (<< 2)".to_owned()];
            ours::put(&mut tree, "etc/jitsi/x.conf", 0o644, b"x = 1\n");
            meta.config = vec![PackagePath::parse("etc/jitsi/x.conf").unwrap()];
        }
        let file = deb::file_name(&meta);
        fs::write(place.path().join(&file), ours::written(&meta, &tree)).unwrap();
        let options = [
            "--allow-root",
            "--no-cfg",
            "--fail-on",
            "error,warning",
            &file,
        ];
        cases.same(
            &file,
            told("lintian", &options, place.path()),
            Ok(String::new()),
        );
    }
    cases.finish();
}
