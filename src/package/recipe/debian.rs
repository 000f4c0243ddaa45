//! A recipe as a `debian/` folder, for `dpkg-buildpackage -b` with debhelper 13.

use super::script::{self, Lines, word};
use super::text::{mail_date, paragraphs, wrap};
use super::{Form, Recipe, links};
use crate::package::catalogue::{Piece, Release};
use crate::package::{PackageError, PackagePath};

const MAINTAINER: &str = "The jitsi-install contributors <maintainers@jitsi-install.example.org>";

pub(super) fn recipe(piece: &Piece, release: &Release) -> Result<Recipe, PackageError> {
    if piece.slackware_only {
        return Err(PackageError::Catalogue {
            place: format!("piece `{}`", piece.name),
            why: "Debian has this itself: there is no recipe in Debian's form".to_owned(),
        });
    }
    let mut files = Recipe::new();
    let mut add = |path: &str, mode: u32, text: String| -> Result<(), PackageError> {
        files.insert(PackagePath::parse(path)?, (mode, text));
        Ok(())
    };
    let name = piece.debian_name();
    add("debian/control", 0o644, control(piece, release))?;
    add("debian/changelog", 0o644, changelog(piece, release))?;
    add("debian/copyright", 0o644, copyright(piece))?;
    add("debian/rules", 0o755, rules(name))?;
    add("debian/build", 0o755, build(piece, release)?)?;
    add("debian/source/format", 0o644, "3.0 (quilt)\n".to_owned())?;
    let filled = |text: &str| text.replace("{version}", &release.version);
    let list = |lines: Vec<String>| lines.join("\n") + "\n";
    let links: Vec<_> = links(piece, Form::Debian)
        .map(|link| {
            format!(
                "{} {}",
                absolute(&filled(&link.path), &filled(&link.target)),
                filled(&link.path)
            )
        })
        .collect();
    if !links.is_empty() {
        add("debian/links", 0o644, list(links))?;
    }
    let dirs: Vec<_> = piece.dirs.iter().map(|path| filled(path)).collect();
    if !dirs.is_empty() {
        add("debian/dirs", 0o644, list(dirs))?;
    }
    Ok(files)
}

/// Where a link leads from the root, as `dh_link` wants it.
fn absolute(path: &str, target: &str) -> String {
    if let Some(target) = target.strip_prefix('/') {
        return target.to_owned();
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn control(piece: &Piece, release: &Release) -> String {
    let style = piece.style_of(release);
    let name = piece.debian_name();
    let mut needs = vec!["debhelper-compat (= 13)".to_owned()];
    needs.extend(
        piece
            .build
            .iter()
            .flat_map(|build| build.debian_needs.clone()),
    );
    let mut depends = piece.debian_depends.clone();
    if style.is_for_one_machine() {
        depends.push("${shlibs:Depends}".to_owned());
    }
    depends.push("${misc:Depends}".to_owned());
    let mut machines: Vec<_> = release
        .sources
        .iter()
        .filter_map(|source| source.arch)
        .collect();
    machines.sort_unstable();
    let machines: Vec<_> = machines
        .into_iter()
        .map(crate::package::meta::Arch::debian)
        .collect();
    let arch = match (style.is_for_one_machine(), machines.is_empty()) {
        (false, _) => "all".to_owned(),
        (true, true) => "any".to_owned(),
        (true, false) => machines.join(" "),
    };
    let list = |lines: &[String]| {
        lines
            .iter()
            .map(|line| format!("\n {line},"))
            .collect::<String>()
    };
    let mut description = format!("Description: {}", piece.summary);
    for (index, paragraph) in paragraphs(&piece.description).enumerate() {
        if index > 0 {
            description += "\n .";
        }
        for line in wrap(paragraph, 76) {
            description += "\n ";
            description += &line;
        }
    }
    format!(
        "Source: {name}\nSection: net\nPriority: optional\nMaintainer: {MAINTAINER}\nBuild-Depends:{}\n\
         Standards-Version: 4.6.2\nHomepage: {}\nRules-Requires-Root: no\n\n\
         Package: {name}\nArchitecture: {arch}\nDepends:{}\n{description}\n",
        list(&needs),
        piece.homepage,
        list(&depends),
    )
}

fn changelog(piece: &Piece, release: &Release) -> String {
    let (name, version) = (piece.debian_name(), &release.version);
    format!(
        "{name} ({version}-1) unstable; urgency=medium\n\n  * Made of upstream's release {version}.\n\n \
         -- {MAINTAINER}  {}\n",
        mail_date(release.time)
    )
}

fn copyright(piece: &Piece) -> String {
    let licence = debian_licence(&piece.licence);
    let mut out = format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: {}\nSource: {}\n\nFiles: *\nCopyright: {}\nLicense: {licence}\n",
        piece.name, piece.homepage, piece.copyright
    );
    let names = licence.split([' ', '(', ')']).filter(|word| {
        !word.is_empty() && !["and", "or", "with"].contains(word) && !word.ends_with("xception")
    });
    for name in names {
        let common = match name {
            "Apache-2.0" | "GPL-2" | "GPL-3" | "LGPL-2.1" | "LGPL-3" | "MPL-2.0" => Some(name),
            "GPL-2+" => Some("GPL-2"),
            "GPL-3+" => Some("GPL-3"),
            "LGPL-2.1+" => Some("LGPL-2.1"),
            "LGPL-3+" => Some("LGPL-3"),
            _ => None,
        };
        let text = common.map_or_else(
            || {
                format!(
                    "The whole text is in upstream's sources, and at\n https://spdx.org/licenses/{}.html",
                    if name == "Expat" { "MIT" } else { name }
                )
            },
            |name| format!("On Debian systems the whole text is in /usr/share/common-licenses/{name}."),
        );
        out += &format!("\nLicense: {name}\n {text}\n");
    }
    out
}

/// An SPDX expression in the words of Debian's copyright files.
fn debian_licence(spdx: &str) -> String {
    let words = spdx.split(' ').map(|word| {
        let bare = word.trim_matches(['(', ')']);
        let own = match bare {
            "MIT" => "Expat".to_owned(),
            "AND" => "and".to_owned(),
            "OR" => "or".to_owned(),
            "WITH" => "with".to_owned(),
            other if other.contains("GPL-") => other
                .replace("-or-later", "+")
                .replace("-only", "")
                .replace(".0", ""),
            other if other.contains("-exception") => {
                other
                    .split("-exception")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
                    + " exception"
            }
            other => other.to_owned(),
        };
        word.replace(bare, &own)
    });
    words.collect::<Vec<_>>().join(" ")
}

fn rules(name: &str) -> String {
    format!(
        "#!/usr/bin/make -f\n\
         # The sources lie in the folder SOURCES; without it, beside this one. debian/build does the work.\n\
         SOURCES ?= $(abspath ..)\n\
         export SOURCES\n\
         export DEB_BUILD_MAINT_OPTIONS = hardening=+all\n\
         include /usr/share/dpkg/buildflags.mk\n\
         export CFLAGS CXXFLAGS CPPFLAGS LDFLAGS\n\n\
         %:\n\tdh $@\n\n\
         override_dh_auto_configure override_dh_auto_build override_dh_auto_test:\n\n\
         override_dh_auto_install:\n\tbash debian/build '$(CURDIR)/debian/{name}'\n\n\
         override_dh_auto_clean:\n\trm -rf debian/work\n"
    )
}

/// The script that checks, unpacks, compiles and installs.
fn build(piece: &Piece, release: &Release) -> Result<String, PackageError> {
    let mut lines = Lines::new();
    lines.push("#!/bin/bash");
    lines.push(format!(
        "# Makes {} of its sources below the folder that is named.",
        piece.name
    ));
    lines.push("set -e");
    lines.push("SOURCES=$(cd \"${SOURCES:-..}\" && pwd)");
    let mut body = Lines::new();
    body.push("");
    body.push("# A source that is not the one this was written for is not built.");
    let (check, unpack) = script::sources(piece, release)?;
    body.append(check);
    body.push("rm -rf debian/work");
    body.push("mkdir -p debian/work");
    body.push("cd debian/work");
    body.append(unpack);
    body.push("");
    body.append(script::install(piece, release)?);
    let mut variables = vec![
        ("DESTDIR", "$1".to_owned()),
        ("VERSION", word(&release.version)?),
        ("ARCH", "$(dpkg-architecture -qDEB_HOST_GNU_CPU)".to_owned()),
    ];
    variables.extend(script::places(piece, Form::Debian));
    lines.append(body.assign(variables));
    Ok(lines.text())
}
