//! The lines of scripts that both forms share: check, unpack, compile, install.

use std::fmt::Write as _;

use super::Form;
use crate::package::PackageError;
use crate::package::catalogue::{Piece, Release, Source, Style};
use crate::package::meta::Arch;
use crate::render::literal;

/// Lines of a script.
pub(super) struct Lines(Vec<String>);

impl Lines {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a line. Two empty ones never follow each other.
    pub(super) fn push(&mut self, line: impl Into<String>) {
        let line = line.into();
        let is_second_gap = line.is_empty() && self.0.last().is_none_or(String::is_empty);
        if !is_second_gap {
            self.0.push(line);
        }
    }

    pub(super) fn append(&mut self, others: Self) {
        for line in others.0 {
            self.push(line);
        }
    }

    /// Puts assignments before the lines, of those variables that the lines use.
    pub(super) fn assign(self, variables: Vec<(&'static str, String)>) -> Self {
        let text = self.text();
        let mut all = Self::new();
        for (name, value) in variables {
            let sign = format!("${name}");
            let is_it = |at: usize| {
                let next = text[at + sign.len()..].chars().next();
                !next.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            };
            if text.match_indices(&sign).any(|(at, _)| is_it(at)) {
                all.push(format!("{name}={value}"));
            }
        }
        all.append(self);
        all
    }

    pub(super) fn text(&self) -> String {
        self.0.join("\n") + "\n"
    }
}

/// A text as one word of a shell.
pub(super) fn word(text: &str) -> Result<String, PackageError> {
    let mut out = Vec::new();
    literal::shell(text, &mut out).map_err(|error| PackageError::Path {
        path: crate::name::excerpt(text),
        why: error.to_string(),
    })?;
    let text = String::from_utf8_lossy(&out).into_owned();
    Ok(if text.is_empty() {
        "''".to_owned()
    } else {
        text
    })
}

/// A word of a build: text as literals, what stands in braces as variables.
fn build_word(text: &str) -> Result<String, PackageError> {
    const NAMES: [(&str, &str); 6] = [
        ("{version}", "\"$VERSION\""),
        ("{dest}", "\"$DESTDIR\""),
        ("{lib}", "\"$LIB\""),
        ("{lua}", "\"$LUA\""),
        ("{man}", "\"$MAN\""),
        ("{doc}", "\"$DOC\""),
    ];
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let first = NAMES
            .iter()
            .filter_map(|(name, variable)| Some((rest.find(name)?, name, variable)))
            .min();
        let (at, name, variable) = first.unwrap_or((rest.len(), &"", &""));
        let (literal, after) = rest.split_at(at);
        if !literal.is_empty() {
            out += &word(literal)?;
        }
        out += variable;
        rest = after.strip_prefix(name).unwrap_or_default();
    }
    Ok(out)
}

/// A path of the catalogue with the version in it, as a word.
pub(super) fn versioned(text: &str) -> Result<String, PackageError> {
    build_word(text)
}

/// Where the families have things: variable and value as a shell writes it.
pub(super) fn places(piece: &Piece, form: Form) -> Vec<(&'static str, String)> {
    let name = &piece.name;
    match form {
        Form::SlackBuild => vec![
            ("LIB", "lib64".to_owned()),
            ("LUA", "/usr/include".to_owned()),
            ("MAN", "/usr/man".to_owned()),
            ("DOC", format!("/usr/doc/{name}-$VERSION")),
        ],
        Form::Debian => vec![
            (
                "LIB",
                "lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)".to_owned(),
            ),
            ("LUA", "/usr/include/lua5.4".to_owned()),
            ("MAN", "/usr/share/man".to_owned()),
            ("DOC", format!("/usr/share/doc/{}", piece.debian_name())),
        ],
    }
}

/// Checks the sources in `$SOURCES` and unpacks them here; `$ARCH` is the machine, by Slackware's word.
pub(super) fn sources(piece: &Piece, release: &Release) -> Result<(Lines, Lines), PackageError> {
    let mut check = Lines::new();
    let mut unpack = Lines::new();
    let for_machines = release.sources.iter().any(|source| source.arch.is_some());
    if !for_machines {
        for source in &release.sources {
            check.push(format!("FILE={}", word(source.file_name())?));
            check.push(format!("SHA256={}", source.sha256));
            sum(&mut check);
            unpack_one(piece, release, source, &mut unpack)?;
        }
        return Ok((check, unpack));
    }
    check.push("case \"$ARCH\" in");
    for source in &release.sources {
        let arch = source.arch.map_or("*", Arch::slackware);
        check.push(format!("  {arch})"));
        check.push(format!("    FILE={}", word(source.file_name())?));
        if let Some(root) = &source.root {
            check.push(format!("    ROOT={}", word(root)?));
        }
        check.push(format!("    SHA256={}", source.sha256));
        check.push("    ;;");
    }
    check.push("  *)");
    check.push(format!(
        "    echo \"{}: there is none for $ARCH\" >&2",
        piece.name
    ));
    check.push("    exit 1");
    check.push("    ;;");
    check.push("esac");
    sum(&mut check);
    unpack.push("tar xf \"$SOURCES/$FILE\"");
    if release.sources.iter().any(|source| source.root.is_some()) {
        unpack.push("cd \"$ROOT\"");
    }
    Ok((check, unpack))
}

fn sum(lines: &mut Lines) {
    lines.push("echo \"$SHA256  $SOURCES/$FILE\" | sha256sum --check --strict --quiet");
}

fn unpack_one(
    piece: &Piece,
    release: &Release,
    source: &Source,
    lines: &mut Lines,
) -> Result<(), PackageError> {
    let file = word(source.file_name())?;
    let is_archive = |name: &str| {
        [".tar.", ".tgz", ".txz", ".tbz2"]
            .iter()
            .any(|sign| name.contains(sign))
    };
    if piece.style_of(release) == Style::UpstreamDeb {
        lines.push(format!("ar x \"$SOURCES\"/{file}"));
        lines.push("tar xf data.tar.*");
        lines.push("rm -f data.tar.* control.tar.* debian-binary");
    } else if is_archive(source.file_name()) {
        lines.push(format!("tar xf \"$SOURCES\"/{file}"));
    } else {
        lines.push(format!("cp \"$SOURCES\"/{file} ."));
    }
    if let Some(root) = &source.root {
        lines.push(format!("cd {}", word(root)?));
    }
    Ok(())
}

/// Compiles and installs, or puts what is there where it belongs; then the documents.
pub(super) fn install(piece: &Piece, release: &Release) -> Result<Lines, PackageError> {
    let mut lines = Lines::new();
    let build = piece.build.clone().unwrap_or_default();
    let style = piece.style_of(release);
    match style {
        Style::UpstreamDeb | Style::Archive | Style::Binary => put(piece, release, &mut lines)?,
        Style::Autotools | Style::Make => {
            if style == Style::Autotools || !build.configure.is_empty() {
                command(&mut lines, "./configure", &build.configure)?;
            }
            command(&mut lines, "make \"-j${JOBS:-1}\"", &build.make)?;
            command(&mut lines, "make", &build.install)?;
        }
        Style::Luarocks => {
            command(
                &mut lines,
                "luarocks --lua-version=5.4 --tree=\"$DESTDIR/usr\" make",
                &build.make,
            )?;
        }
        Style::Go | Style::Cargo => {
            let program = build.program.as_deref().unwrap_or_default();
            let name = word(program.rsplit('/').next().unwrap_or_default())?;
            if style == Style::Go {
                // Nothing is downloaded, and nothing of the builder's home is used.
                lines.push("export GOCACHE=\"$PWD/.cache\" GOPATH=\"$PWD/.go\" GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0");
                lines.push(format!(
                    "go build -buildvcs=false -trimpath -ldflags '-s -w' -o {name} ."
                ));
                lines.push(format!(
                    "install -D -m 0755 {name} \"$DESTDIR\"/{}",
                    word(program)?
                ));
            } else {
                lines.push("cargo build --release --locked");
                lines.push(format!(
                    "install -D -m 0755 target/release/{name} \"$DESTDIR\"/{}",
                    word(program)?
                ));
            }
        }
    }
    if !piece.docs.is_empty() {
        let mut docs = String::new();
        for path in &piece.docs {
            let _ = write!(docs, " {}", word(path)?);
        }
        lines.push("mkdir -p \"$DESTDIR$DOC\"");
        lines.push(format!("cp -a{docs} \"$DESTDIR$DOC/\""));
    }
    Ok(lines)
}

/// Files and folders to their places. A folder's contents go there, so that it may be there already.
fn put(piece: &Piece, release: &Release, lines: &mut Lines) -> Result<(), PackageError> {
    for place in piece.places_of(release) {
        let (from, to) = (versioned(&place.from)?, versioned(&place.to)?);
        if let Some(mode) = place.mode {
            lines.push(format!("install -D -m {mode:04o} {from} \"$DESTDIR\"/{to}"));
            continue;
        }
        lines.push(format!("if [ -d {from} ]; then"));
        lines.push(format!("  mkdir -p \"$DESTDIR\"/{to}"));
        lines.push(format!("  cp -a {from}/. \"$DESTDIR\"/{to}/"));
        lines.push("else");
        lines.push(format!("  mkdir -p \"$(dirname \"$DESTDIR\"/{to})\""));
        lines.push(format!("  cp -a {from} \"$DESTDIR\"/{to}"));
        lines.push("fi");
    }
    Ok(())
}

/// A command with a word on each line.
fn command(lines: &mut Lines, program: &str, words: &[String]) -> Result<(), PackageError> {
    let mut text = program.to_owned();
    for one in words {
        let _ = write!(text, " \\\n  {}", build_word(one)?);
    }
    lines.push(text);
    Ok(())
}
