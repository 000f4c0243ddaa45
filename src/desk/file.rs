//! The file of settings and the secrets that it names, as they stand on this machine.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::report::{BAD_SETTINGS, Failure, NOT_PERMITTED};
use crate::account::settings::{Problem, Settings};
use crate::secret::Secret;

/// Largest file that is read here.
const MOST: u64 = 1024 * 1024;

/// What the settings name and do not hold.
#[derive(Debug)]
pub(super) struct Secrets {
    /// Seals what is stored and signs what is mailed.
    pub(super) key: Secret<String>,
    pub(super) database: Option<Secret<String>>,
    pub(super) mail: Option<Secret<String>>,
    pub(super) webhook: Option<Secret<String>>,
    pub(super) prosody: Option<Secret<String>>,
}

/// Reads and checks the file of settings.
pub(super) fn settings(path: &Path) -> Result<Settings, Failure> {
    found(path)?.map_err(|problems| wrong(path, &problems))
}

/// The settings, or every mistake in them.
pub(super) fn found(path: &Path) -> Result<Result<Settings, Vec<Problem>>, Failure> {
    let bytes = read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::io(path, &error)
            .hint("name the file of settings with --config, or let `jitsi-install apply` write it"),
        _ => Failure::io(path, &error),
    })?;
    let mode = std::fs::metadata(path).map_or(0, |found| found.permissions().mode());
    if mode & 0o002 != 0 {
        let what = format!("`{}` may be written by everybody", path.display());
        return Err(Failure::new(BAD_SETTINGS, what).hint(format!("chmod o-w {}", path.display())));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        let what = format!("`{}` is no text in UTF-8", path.display());
        Failure::new(BAD_SETTINGS, what).hint("save it as plain UTF-8 text")
    })?;
    Ok(Settings::parse(&text))
}

fn wrong(path: &Path, problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let what = format!("`{}` is wrong\n{}", path.display(), lines.join("\n"));
    Failure::new(BAD_SETTINGS, what)
}

/// Reads every secret that the settings name; all that is wrong at once.
pub(super) fn secrets(settings: &Settings) -> Result<Secrets, Failure> {
    let mut problems = Vec::new();
    let mut one = |key: &str, path: Option<&String>| {
        let path = path?;
        match secret(key, Path::new(path)) {
            Ok(secret) => Some(secret),
            Err(failure) => {
                problems.push(failure);
                None
            }
        }
    };
    let key = one("key_file", Some(&settings.key_file));
    let secrets = Secrets {
        database: one(
            "database_password_file",
            settings.database_password_file.as_ref(),
        ),
        mail: one("mail.password_file", settings.mail.password_file.as_ref()),
        webhook: one(
            "notify.webhook_key_file",
            settings.notify.webhook_key_file.as_ref(),
        ),
        prosody: one("prosody.secret_file", settings.prosody.secret_file.as_ref()),
        key: key.unwrap_or_else(|| Secret::new(String::new())),
    };
    let length = secrets.key.reveal().len();
    if problems.is_empty() && length < 32 {
        let what = format!(
            "`key_file`: `{}` has {length} characters, and 32 are needed",
            settings.key_file
        );
        problems.push(Failure::new(BAD_SETTINGS, what).hint(format!(
            "head -c 32 /dev/urandom | base64 > {}, before anything is stored",
            settings.key_file
        )));
    }
    let mut problems = problems.into_iter();
    let Some(mut first) = problems.next() else {
        return Ok(secrets);
    };
    for next in problems {
        first.what = format!(
            "{}\n  hint: {}\n{}",
            first.what,
            first.hint.unwrap_or_default(),
            next.what
        );
        first.hint = next.hint;
    }
    Err(first)
}

/// A secret in a file that others may not read. A credential of systemd with the file's name
/// (`LoadCredential=`) comes before the file.
pub(super) fn secret(key: &str, path: &Path) -> Result<Secret<String>, Failure> {
    let path = &credential(path).unwrap_or_else(|| path.to_owned());
    let shown = path.display();
    let bad = |what: String, hint: String| {
        Failure::new(BAD_SETTINGS, format!("`{key}`: {what}")).hint(hint)
    };
    let found = std::fs::metadata(path).map_err(|error| unread(key, path, &error))?;
    if !found.is_file() {
        return Err(bad(format!("`{shown}` is no file"), "name a file".into()));
    }
    if found.mode() & 0o007 != 0 {
        let what = format!(
            "`{shown}` is open to everybody (mode {:04o})",
            found.mode() & 0o7777
        );
        return Err(bad(
            what,
            format!("chmod 0640 {shown}, and change the secret"),
        ));
    }
    let bytes = read(path).map_err(|error| unread(key, path, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        bad(
            format!("`{shown}` is no text"),
            "write it as text, in one line".into(),
        )
    })?;
    let text = Secret::new(text);
    let line = text.reveal().trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.chars().any(char::is_control) {
        let what = format!("`{shown}` does not hold one line of text");
        return Err(bad(what, "write the secret into it, in one line".into()));
    }
    Ok(Secret::new(line.to_owned()))
}

fn unread(key: &str, path: &Path, error: &std::io::Error) -> Failure {
    let mut failure = Failure::io(path, error);
    failure.what = format!("`{key}`: {}", failure.what);
    if failure.code != NOT_PERMITTED {
        failure.code = BAD_SETTINGS;
    }
    failure
}

fn credential(path: &Path) -> Option<PathBuf> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    let place = Path::new(&folder).join(path.file_name()?);
    place.is_file().then_some(place)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(std::io::Error::other(
            "it is larger than any file of its kind",
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, text: &str, mode: u32) -> String {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn secrets_that_others_can_read_are_refused_all_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let long = "0123456789abcdef0123456789abcdef\n";
        let mut settings = Settings {
            key_file: file(folder.path(), "key", long, 0o640),
            ..Settings::default()
        };
        assert_eq!(secrets(&settings).unwrap().key.reveal(), long.trim());

        settings.key_file = file(folder.path(), "open", long, 0o644);
        settings.prosody.secret_file = Some(file(folder.path(), "empty", "\n", 0o600));
        settings.mail.password_file = Some(folder.path().join("none").to_str().unwrap().to_owned());
        let failure = secrets(&settings).unwrap_err();
        assert_eq!(failure.code, BAD_SETTINGS);
        for said in [
            "is open to everybody (mode 0644)",
            "one line of text",
            "`mail.password_file`",
            "No such file",
        ] {
            assert!(failure.what.contains(said), "{said}: {}", failure.what);
        }
        assert!(!failure.what.contains("0123456789"), "{}", failure.what);

        let short = Settings {
            key_file: file(folder.path(), "short", "short", 0o600),
            ..Settings::default()
        };
        assert!(
            secrets(&short)
                .unwrap_err()
                .what
                .contains("has 5 characters")
        );
    }
}
