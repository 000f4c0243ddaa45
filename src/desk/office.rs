//! Opens the office: everything that an act needs, from the file of settings and this machine.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::file::Secrets;
use super::names;
use super::report::{BAD_SETTINGS, Failure, NOT_PERMITTED};
use super::world::Machine;
use crate::account::password::Hasher;
use crate::account::password::breached::Lines;
use crate::account::seal::Seal;
use crate::account::settings::Settings;
use crate::account::store::{Error, Store};
use crate::account::text::{Overrides, Texts};
use crate::account::{Actor, Office};
use crate::secret::Secret;

/// Between two looks for a database that is not there yet.
const PAUSE: Duration = Duration::from_secs(1);

/// Opens the database, brings its tables up to date, and puts everything beside it.
pub(super) async fn open(settings: Settings, secrets: &Secrets) -> Result<Office, Failure> {
    patient(settings, secrets, Duration::ZERO).await
}

/// The same, for as long as the database does not answer yet.
pub(super) async fn patient(
    settings: Settings,
    secrets: &Secrets,
    patience: Duration,
) -> Result<Office, Failure> {
    let store = awaited(&settings, secrets.database.as_ref(), patience).await?;
    Ok(Office {
        hasher: hasher(&settings)?,
        texts: Arc::new(texts(&settings)?),
        seal: Seal::new(secrets.key.reveal().as_bytes()),
        world: Arc::new(Machine),
        policy: Arc::default(),
        settings: Arc::new(settings),
        store,
    })
}

/// The database, with its tables as this program wants them.
pub(super) async fn store(
    settings: &Settings,
    password: Option<&Secret<String>>,
) -> Result<Store, Failure> {
    if let Some(path) = settings.database.strip_prefix("sqlite:") {
        belongs(Path::new(path)).map_err(|error| {
            let mut failure = Failure::io(Path::new(path), &error);
            failure.what = format!("`database`: {}", failure.what);
            failure
        })?;
    }
    let url = addressed(&settings.database).await?;
    Store::connect(&url, password).await.map_err(failure)
}

/// The same for the service, which may come up before its database does.
async fn awaited(
    settings: &Settings,
    password: Option<&Secret<String>>,
    mut patience: Duration,
) -> Result<Store, Failure> {
    loop {
        match store(settings, password).await {
            Err(failure) if patience > PAUSE && failure.what.contains("does not answer") => {
                tracing::warn!(why = failure.what, "waiting for the database");
                tokio::time::sleep(PAUSE).await;
                patience -= PAUSE;
            }
            other => return other,
        }
    }
}

/// As root, a new file of SQLite is made for the owner of its folder. What SQLite puts beside its
/// file later, it gives to the owner of that file itself.
fn belongs(path: &Path) -> std::io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    let wanted = folder.metadata()?;
    if wanted.uid() == 0 || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    fchown(&file, Some(wanted.uid()), Some(wanted.gid()))
}

/// A service that runs as root beside a file of somebody else's is a mistake.
pub(super) fn not_as_root(settings: &Settings) -> Result<(), Failure> {
    let path = settings.database.strip_prefix("sqlite:").map(Path::new);
    let folder = path.and_then(Path::parent);
    let owner = folder
        .and_then(|folder| folder.metadata().ok())
        .map_or(0, |found| found.uid());
    if owner == 0 || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let what = format!("the database belongs to user {owner}, and this is root");
    Err(Failure::new(NOT_PERMITTED, what).hint("runuser -u USER -- jitsi-accounts serve"))
}

/// The address of the database with its host looked up.
pub(super) async fn addressed(url: &str) -> Result<String, Failure> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok(url.to_owned());
    };
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, format!(":{port}")),
        _ => (host, String::new()),
    };
    // No host: a socket, named further on. `verify-full` wants the name for the certificate.
    if host.is_empty() || host.contains('%') || path.contains("verify") || path.contains("VERIFY") {
        return Ok(url.to_owned());
    }
    let found = names::addresses(host).await.map_err(|why| {
        Failure::failed(format!("`database`: {why}")).hint("write the address of the host")
    })?;
    let host = match found.first() {
        Some(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        Some(address) => address.to_string(),
        None => host.to_owned(),
    };
    let user = if user.is_empty() {
        String::new()
    } else {
        format!("{user}@")
    };
    Ok(format!("{scheme}://{user}{host}{port}{path}"))
}

fn hasher(settings: &Settings) -> Result<Hasher, Failure> {
    let rules = Arc::new(settings.passwords.clone());
    let Some(path) = &settings.passwords.breached_file else {
        return Ok(Hasher::new(rules));
    };
    let place = Path::new(path);
    let list = File::open(place).and_then(Lines::new).map_err(|error| {
        let mut failure = Failure::io(place, &error);
        failure.what = format!("`passwords.breached_file`: {}", failure.what);
        failure
    })?;
    Ok(Hasher::with_breached(rules, Arc::new(list)))
}

/// Texts and mails, the administrator's own before those that are built in.
pub(super) fn texts(settings: &Settings) -> Result<Texts, Failure> {
    // Their errors carry a hint in a second line.
    let bad = |text: String| match text.split_once("\nhint: ") {
        Some((what, hint)) => {
            Failure::new(BAD_SETTINGS, format!("`templates`: {what}")).hint(hint.to_owned())
        }
        None => Failure::new(BAD_SETTINGS, format!("`templates`: {text}")),
    };
    let mut overrides = Overrides::default();
    if let Some(folder) = &settings.templates {
        let folder = Path::new(folder);
        let mut files = Vec::new();
        collect(folder, &mut files).map_err(|error| {
            let failure = Failure::io(folder, &error);
            Failure {
                what: format!("`templates`: {}", failure.what),
                ..failure
            }
        })?;
        files.sort();
        for file in files {
            let name = file
                .strip_prefix(folder)
                .unwrap_or(&file)
                .to_string_lossy()
                .into_owned();
            let text = text_of(&file).map_err(|error| Failure::io(&file, &error))?;
            overrides
                .add(&name, &text)
                .map_err(|error| bad(format!("in `{}`: {error}", folder.display())))?;
        }
    }
    Texts::new(&settings.language, overrides).map_err(|error| bad(error.to_string()))
}

fn text_of(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(file)?
        .take(1024 * 1024)
        .read_to_string(&mut text)?;
    Ok(text)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// What the database says, in the form of the command line: errors carry their hint in a second line.
pub(super) fn failure(error: Error) -> Failure {
    let text = error.to_string();
    let (what, hint) = match text.split_once("\nhint: ") {
        Some((what, hint)) => (what.to_owned(), Some(hint.to_owned())),
        None => (text, None),
    };
    let code = if what.contains("Permission denied") || what.contains("readonly database") {
        NOT_PERMITTED
    } else {
        super::report::FAILED
    };
    Failure { code, what, hint }
}

/// Whoever types: `cli:ann`, by the number of the user where the environment names nobody.
pub(super) fn actor() -> Actor {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| {
            !name.is_empty() && name.len() <= 32 && name.chars().all(|c| c.is_ascii_graphic())
        });
    let name = name.unwrap_or_else(|| rustix::process::getuid().as_raw().to_string());
    Actor {
        name: format!("cli:{name}"),
        ..Actor::default()
    }
}
