//! A recipe in the form of SlackBuilds.org, for Slackware 15.0.

use super::script::{self, Lines, word};
use super::text::{paragraphs, wrap};
use super::{Form, Recipe, links, own_files};
use crate::package::catalogue::{Piece, Release};
use crate::package::meta::Arch;
use crate::package::{PackageError, PackagePath};

/// Who looks after the recipes.
const MAINTAINER: &str = "The jitsi-install contributors";
const EMAIL: &str = "maintainers@jitsi-install.example.org";

/// Lines of slack-desc.
const DESC_LINES: usize = 11;
/// Letters of one of them.
const DESC_WIDTH: usize = 70;

pub(super) fn recipe(piece: &Piece, release: &Release) -> Result<Recipe, PackageError> {
    let name = &piece.name;
    let mut files = Recipe::new();
    let mut add = |path: &str, mode: u32, text: String| -> Result<(), PackageError> {
        files.insert(PackagePath::parse(path)?, (mode, text));
        Ok(())
    };
    add(&format!("{name}.SlackBuild"), 0o755, build(piece, release)?)?;
    add(&format!("{name}.info"), 0o644, info(piece, release))?;
    add("slack-desc", 0o644, slack_desc(piece))?;
    add("README", 0o644, readme(piece))?;
    if !piece.config.is_empty() {
        add("doinst.sh", 0o644, doinst(piece)?)?;
    }
    for file in &piece.files {
        let text = super::own_file(&file.from).unwrap_or_default();
        add(&file.from, 0o644, text.to_owned())?;
    }
    Ok(files)
}

fn build(piece: &Piece, release: &Release) -> Result<String, PackageError> {
    let is_for_one = piece.style_of(release).is_for_one_machine();
    let compiles = piece.style_of(release).compiles();
    let mut lines = Lines::new();
    lines.push("#!/bin/bash");
    lines.push("#");
    lines.push(format!(
        "# Slackware build script for {}, {}",
        piece.name, piece.summary
    ));
    lines.push("# Written by `jitsi-install package recipe`, which it does not need.");
    lines.push("");
    lines.push("cd \"$(dirname \"$0\")\" || exit 1");
    lines.push("CWD=$(pwd)");
    lines.push("");
    lines.push(format!("PRGNAM={}", word(&piece.name)?));
    lines.push(format!("VERSION=${{VERSION:-{}}}", word(&release.version)?));
    lines.push("BUILD=${BUILD:-1}");
    lines.push("TAG=${TAG:-_SBo}");
    lines.push("PKGTYPE=${PKGTYPE:-tgz}");
    lines.push("");
    if is_for_one {
        lines.push(ARCH.trim());
    } else {
        lines.push("ARCH=noarch");
    }
    lines.push("");
    lines.push("# Parts of a package's name are parted by `-`: there is none within the version.");
    lines.push("PACKAGE=$PRGNAM-${VERSION//-/_}-$ARCH-$BUILD$TAG.$PKGTYPE");
    lines.push("");
    lines.push("if [ -n \"${PRINT_PACKAGE_NAME}\" ]; then");
    lines.push("  echo \"$PACKAGE\"");
    lines.push("  exit 0");
    lines.push("fi");
    lines.push("");
    lines.push("TMP=${TMP:-/tmp/SBo}");
    lines.push("PKG=$TMP/package-$PRGNAM");
    lines.push("OUTPUT=${OUTPUT:-/tmp}");
    let built = script::install(piece, release)?;
    let has_lib = built.text().contains("$LIB");
    if compiles {
        lines.push("");
        let is_wanted = |line: &&str| has_lib || !line.contains("LIBDIRSUFFIX");
        let flags: Vec<_> = FLAGS.trim().lines().filter(is_wanted).collect();
        lines.push(flags.join("\n"));
    }
    lines.push("");
    lines.push("set -e");
    lines.push("");
    lines.push("# A source that is not the one this was written for is not built.");
    lines.push("SOURCES=$CWD");
    let (check, unpack) = script::sources(piece, release)?;
    lines.append(check);
    lines.push("");
    lines.push(FOLDERS.trim());
    lines.append(unpack);
    lines.push(MODES.trim());
    lines.push("");
    let mut body = Lines::new();
    if compiles {
        body.push(format!("export SOURCE_DATE_EPOCH={}", release.time));
        body.push("export CFLAGS=$SLKCFLAGS CXXFLAGS=$SLKCFLAGS");
        body.push("");
    }
    body.append(built);
    body.push("");
    more(piece, &mut body)?;
    if compiles {
        body.push(STRIP.trim());
        body.push("");
    }
    body.push(DOCS.trim());
    let mut variables = vec![("DESTDIR", "$PKG".to_owned())];
    for (name, value) in script::places(piece, Form::SlackBuild) {
        let value = if name == "LIB" {
            "lib$LIBDIRSUFFIX".to_owned()
        } else {
            value
        };
        variables.push((name, value));
    }
    lines.append(body.assign(variables));
    lines.push("");
    lines.push("mkdir -p \"$PKG/install\"");
    lines.push("cat \"$CWD/slack-desc\" > \"$PKG/install/slack-desc\"");
    if !piece.config.is_empty() {
        lines.push("cat \"$CWD/doinst.sh\" > \"$PKG/install/doinst.sh\"");
    }
    lines.push("");
    lines.push("cd \"$PKG\"");
    lines.push("/sbin/makepkg -l y -c n \"$OUTPUT/$PACKAGE\"");
    Ok(lines.text())
}

/// What the package has besides: folders, links, files of ours, and `.new` behind settings.
fn more(piece: &Piece, lines: &mut Lines) -> Result<(), PackageError> {
    for path in &piece.dirs {
        lines.push(format!("mkdir -p \"$PKG\"/{}", word(path)?));
    }
    for (file, (path, _)) in piece.files.iter().zip(own_files(piece, Form::SlackBuild)) {
        let from = word(&file.from)?;
        lines.push(format!(
            "install -D -m 0644 \"$CWD\"/{from} \"$PKG\"/{}",
            word(path)?
        ));
    }
    for link in links(piece, Form::SlackBuild) {
        let (path, target) = (
            script::versioned(&link.path)?,
            script::versioned(&link.target)?,
        );
        lines.push(format!("mkdir -p \"$(dirname \"$PKG\"/{path})\""));
        lines.push(format!("ln -s {target} \"$PKG\"/{path}"));
    }
    if !piece.config.is_empty() {
        lines.push("# Settings that are there already stay; doinst.sh sees to it.");
        for path in &piece.config {
            let path = word(path)?;
            lines.push(format!("mv \"$PKG\"/{path} \"$PKG\"/{path}.new"));
        }
    }
    lines.push("");
    Ok(())
}

/// `.info`: what the site and its tools read, in double quotes, as they ask for it. The catalogue's
/// check has seen to it that nothing in here could end them.
fn info(piece: &Piece, release: &Release) -> String {
    let here = |arch: Arch| {
        let is_for = move |one: &&crate::package::catalogue::Source| one.arch == Some(arch);
        release.sources.iter().filter(is_for).collect::<Vec<_>>()
    };
    let all: Vec<_> = release
        .sources
        .iter()
        .filter(|one| one.arch.is_none())
        .collect();
    let list = |sources: &[&crate::package::catalogue::Source], key: &str, sums: &str| {
        let join =
            |words: Vec<&str>, indent: usize| words.join(&format!(" \\\n{}", " ".repeat(indent)));
        let urls = sources.iter().map(|one| one.url.as_str()).collect();
        let md5s = sources
            .iter()
            .map(|one| one.md5.as_deref().unwrap_or_default());
        let md5s = join(md5s.collect(), sums.len() + 2);
        format!(
            "{key}=\"{}\"\n{sums}=\"{md5s}\"\n",
            join(urls, key.len() + 2)
        )
    };
    let own = here(Arch::X86_64);
    let plain = if all.is_empty() {
        "DOWNLOAD=\"UNSUPPORTED\"\nMD5SUM=\"\"\n".to_owned()
    } else {
        list(&all, "DOWNLOAD", "MD5SUM")
    };
    let pieces = piece
        .depends
        .iter()
        .filter(|name| !super::super::catalogue::is_of_slackware(name));
    let requires: Vec<_> = pieces.map(String::as_str).collect();
    format!(
        "PRGNAM=\"{}\"\nVERSION=\"{}\"\nHOMEPAGE=\"{}\"\n{plain}{}REQUIRES=\"{}\"\nMAINTAINER=\"{MAINTAINER}\"\nEMAIL=\"{EMAIL}\"\n",
        piece.name,
        release.version,
        piece.homepage,
        list(&own, "DOWNLOAD_x86_64", "MD5SUM_x86_64"),
        requires.join(" "),
    )
}

fn slack_desc(piece: &Piece) -> String {
    let name = &piece.name;
    let mut text = vec![format!("{name} ({})", piece.summary), String::new()];
    for paragraph in paragraphs(&piece.description) {
        text.extend(wrap(paragraph, DESC_WIDTH));
        text.push(String::new());
    }
    let home = format!("Homepage: {}", piece.homepage);
    text.truncate(DESC_LINES - 2);
    if text.last().is_some_and(|line| !line.is_empty()) {
        text.push(String::new());
    }
    text.push(home);
    text.resize(DESC_LINES, String::new());
    let ruler = format!("|-----handy-ruler{}|", "-".repeat(DESC_WIDTH - 16));
    let mut out = format!(
        "# The package's description: eleven lines, each with the package's name, a\n\
         # colon and a space, and at most seventy characters after the colon: none\n\
         # reaches beyond the ruler's right end.\n\n{}{ruler}\n",
        " ".repeat(name.len())
    );
    for line in text {
        let line: String = line.chars().take(DESC_WIDTH).collect();
        out += format!("{name}: {line}").trim_end();
        out.push('\n');
    }
    out
}

fn readme(piece: &Piece) -> String {
    let mut out = format!("{}: {}\n", piece.name, piece.summary);
    for paragraph in paragraphs(&piece.description) {
        out += &format!("\n{}\n", wrap(paragraph, 72).join("\n"));
    }
    if let Some(account) = &piece.account
        && account.name != "nobody"
    {
        let name = &account.name;
        let (group, user) = account.id.map_or_else(
            || ("-r".to_owned(), "-r".to_owned()),
            |id| (format!("-g {id}"), format!("-u {id}")),
        );
        out += &format!(
            "\nThe service runs as a user of its own. jitsi-install makes that user; by\n\
             hand it is done with:\n\n    groupadd {group} {name}\n    \
             useradd {user} -g {name} -d {} -s /bin/false {name}\n",
            account.home
        );
    }
    for file in &piece.files {
        if let Some(script) = file.to.strip_prefix("etc/rc.d/") {
            out += &format!(
                "\nThe service starts at boot when its script is executable and\n\
                 /etc/rc.d/rc.local calls it:\n\n    chmod +x /etc/rc.d/{script}\n    \
                 /etc/rc.d/{script} start\n"
            );
        }
    }
    out
}

fn doinst(piece: &Piece) -> Result<String, PackageError> {
    let mut lines = Lines::new();
    lines.push(CONFIG.trim());
    lines.push("");
    for path in &piece.config {
        let call = if path.starts_with("etc/rc.d/") {
            "script"
        } else {
            "config"
        };
        lines.push(format!("{call} {}", word(&format!("{path}.new"))?));
    }
    Ok(lines.text())
}

const ARCH: &str = r#"
if [ -z "$ARCH" ]; then
  case "$(uname -m)" in
    i?86) ARCH=i586 ;;
    arm*) ARCH=arm ;;
    *) ARCH=$(uname -m) ;;
  esac
fi
"#;

const FLAGS: &str = r#"
if [ "$ARCH" = "i586" ]; then
  SLKCFLAGS="-O2 -march=i586 -mtune=i686 -fPIC"
  LIBDIRSUFFIX=""
elif [ "$ARCH" = "x86_64" ] || [ "$ARCH" = "aarch64" ]; then
  SLKCFLAGS="-O2 -fPIC"
  LIBDIRSUFFIX="64"
else
  SLKCFLAGS="-O2 -fPIC"
  LIBDIRSUFFIX=""
fi
"#;

const FOLDERS: &str = r#"
rm -rf "$PKG"
mkdir -p "$TMP" "$PKG" "$OUTPUT"
cd "$TMP"
rm -rf "$PRGNAM-$VERSION"
mkdir "$PRGNAM-$VERSION"
cd "$PRGNAM-$VERSION"
"#;

const MODES: &str = r#"
chown -R root:root .
find -L . \
  \( -perm 777 -o -perm 775 -o -perm 750 -o -perm 711 -o -perm 555 -o -perm 511 \) \
  -exec chmod 755 {} + -o \
  \( -perm 666 -o -perm 664 -o -perm 640 -o -perm 600 -o -perm 444 -o -perm 440 -o -perm 400 \) \
  -exec chmod 644 {} +
"#;

const STRIP: &str = r#"
find "$PKG" -type f -print0 | xargs -0 file | grep -e "executable" -e "shared object" | grep ELF |
  cut -f 1 -d : | xargs strip --strip-unneeded 2> /dev/null || true

if [ -d "$PKG/usr/man" ]; then
  find "$PKG/usr/man" -type f -exec gzip -9n {} +
  find "$PKG/usr/man" -type l | while read -r link; do
    ln -s "$(readlink "$link").gz" "$link.gz"
    rm "$link"
  done
fi
"#;

const DOCS: &str = r#"
mkdir -p "$PKG$DOC"
cat "$CWD/$PRGNAM.SlackBuild" > "$PKG$DOC/$PRGNAM.SlackBuild"
"#;

const CONFIG: &str = r#"
# Settings of the administrator stay: a new file is put beside them, unless it is the same.
config() {
  old=${1%.new}
  if [ ! -e "$old" ]; then
    mv "$1" "$old"
  elif cmp -s "$old" "$1"; then
    rm "$1"
  fi
}

# A script stays executable, or not, as it was.
script() {
  if [ -e "${1%.new}" ]; then
    if [ -x "${1%.new}" ]; then chmod 755 "$1"; else chmod 644 "$1"; fi
  fi
  config "$1"
}
"#;
