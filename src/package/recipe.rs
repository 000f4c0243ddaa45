//! Recipes: what somebody else needs to make a package of a piece, without this program.
//!
//! A SlackBuild for Slackware, by the conventions of SlackBuilds.org, or a `debian/` folder. Both
//! check the sources by SHA-256, and both compile with the very lines that [`build_script`] gives to
//! `package build`. Whatever comes from the catalogue stands in a script as a whole shell word.

mod debian;
mod own;
mod script;
mod slackbuild;
mod text;

use std::collections::BTreeMap;

use super::catalogue::{Piece, Release};
use super::tree::{Content, Node, Tree};
use super::{PackageError, PackagePath};

pub use own::{own_file, own_file_names};

/// Whose form a recipe has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// A script of SlackBuilds.org's form.
    SlackBuild,
    /// A `debian/` folder.
    Debian,
}

/// The files of a recipe with their permissions, by path below the recipe's folder.
pub type Recipe = BTreeMap<PackagePath, (u32, String)>;

/// Writes the recipe of a piece.
///
/// # Errors
/// When something in the catalogue cannot stand in a script, or the family has the piece itself.
pub fn write(piece: &Piece, release: &Release, form: Form) -> Result<Recipe, PackageError> {
    match form {
        Form::SlackBuild => slackbuild::recipe(piece, release),
        Form::Debian => debian::recipe(piece, release),
    }
}

/// The lines that compile a release and install it below `$DESTDIR`: a script for bash, run in the
/// folder that the sources were unpacked in. Nothing for a style that does not compile.
///
/// Of the environment it takes `DESTDIR` (absolute) and `JOBS` (how many at once; 1).
///
/// # Errors
/// When something in the catalogue cannot stand in a script.
pub fn build_script(
    piece: &Piece,
    release: &Release,
    form: Form,
) -> Result<Option<String>, PackageError> {
    if !piece.style_of(release).compiles() {
        return Ok(None);
    }
    let mut variables = vec![("VERSION", script::word(&release.version)?)];
    variables.extend(script::places(piece, form));
    let mut lines = script::Lines::new();
    lines.push("set -e");
    lines.push(": \"${DESTDIR:?}\"");
    lines.push(format!("export SOURCE_DATE_EPOCH={}", release.time));
    if let Some(root) = release
        .sources
        .first()
        .and_then(|source| source.root.as_ref())
    {
        lines.push(format!("cd {}", script::word(root)?));
    }
    lines.append(script::install(piece, release)?.assign(variables));
    Ok(Some(lines.text()))
}

/// What a package has besides what its sources bring: empty folders, links and, on Slackware,
/// files of this program's own.
///
/// # Errors
/// When two of them want one place.
pub fn extras(piece: &Piece, release: &Release, form: Form) -> Result<Tree, PackageError> {
    let filled = |text: &str| text.replace("{version}", &release.version);
    let mut tree = Tree::new();
    for path in &piece.dirs {
        tree.put(PackagePath::parse(path)?, Node::Dir { mode: 0o755 })?;
    }
    for link in links(piece, form) {
        let target = filled(&link.target);
        tree.put(
            PackagePath::parse(&filled(&link.path))?,
            Node::Link { target },
        )?;
    }
    for (path, text) in own_files(piece, form) {
        let content = Content::Bytes(text.as_bytes().to_vec());
        tree.put(
            PackagePath::parse(path)?,
            Node::File {
                mode: 0o644,
                content,
            },
        )?;
    }
    Ok(tree)
}

/// The links of a piece; those in Slackware's rc.d are for Slackware alone.
fn links(piece: &Piece, form: Form) -> impl Iterator<Item = &super::catalogue::PlaceLink> {
    piece
        .links
        .iter()
        .filter(move |link| form == Form::SlackBuild || !link.path.starts_with("etc/rc.d/"))
}

/// Path and text of this program's own files in a package.
fn own_files(piece: &Piece, form: Form) -> impl Iterator<Item = (&str, &'static str)> {
    piece
        .files
        .iter()
        .filter(move |_| form == Form::SlackBuild)
        .filter_map(|file| Some((file.to.as_str(), own_file(&file.from)?)))
}
