//! Names: of the package's file, and of its members.

/// The parts of `NAME-VERSION-ARCH-BUILD.txz`.
#[derive(Debug, Default)]
pub struct File {
    pub name: String,
    pub version: String,
    pub arch: String,
    pub build: String,
}

/// Takes a file's name apart.
///
/// # Errors
/// Says what is wrong with it.
pub fn file(text: &str) -> Result<File, String> {
    let form = "its file is not named NAME-VERSION-ARCH-BUILD.txz";
    let stem = text.strip_suffix(".txz").ok_or(form)?;
    let mut parts = stem.rsplitn(4, '-').map(str::to_owned);
    let (Some(build), Some(arch), Some(version), Some(name)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(form.to_owned());
    };
    let plain = |text: &str, more: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    if !plain(&name, "+_.-") || name.starts_with(['-', '.', '+', '_']) {
        return Err(format!(
            "`{}` is no name for a package",
            name.escape_debug()
        ));
    }
    if !plain(&version, "+_.~") {
        return Err(format!("`{}` is no version", version.escape_debug()));
    }
    if !plain(&arch, "_") {
        return Err(format!("`{}` is no architecture", arch.escape_debug()));
    }
    if !plain(&build, "_") || !build.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("`{}` is no build number", build.escape_debug()));
    }
    Ok(File {
        name,
        version,
        arch,
        build,
    })
}

/// What is wrong with a member's path, other than the first's.
pub fn member(path: &str) -> Option<&'static str> {
    if path.starts_with('/') {
        return Some("its path is absolute");
    }
    let bare = path.strip_suffix('/').unwrap_or(path);
    let mut parts = bare.split('/');
    if parts.clone().any(|part| part == "..") {
        return Some("its path leads out of the root");
    }
    if path.starts_with("./") {
        return Some("only the first member begins with `./`");
    }
    if parts.any(|part| part.is_empty() || part == ".") {
        return Some("a part of its path is empty or `.`");
    }
    if path.bytes().any(|byte| !(0x20..0x7f).contains(&byte)) || path.contains('\\') {
        return Some("its name has a character that the list of files cannot carry");
    }
    if bare.starts_with(' ') || bare.ends_with(' ') {
        return Some("its name begins or ends with a space");
    }
    (bare < "./").then_some("it stands before `./` in the list of files")
}
