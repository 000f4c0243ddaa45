//! The throw-away folder, its ports and its site.

use std::path::{Path, PathBuf};

use super::super::report::{FAILED, Failure, Report, USAGE};
use super::{Args, accounts, standin};
use crate::host::{process, stand};
use crate::name::{AbsPath, Owner};
use crate::platform::Platform;
use crate::site::{self, Site, WebServer};

/// The throw-away folder, and who owns everything in it.
pub(super) struct Stage {
    folder: tempfile::TempDir,
    /// The folder.
    pub(super) base: AbsPath,
    /// Who owns it, by name.
    pub(super) owner: Owner,
    /// Whom root starts programs as.
    pub(super) run_as: Option<(u32, u32)>,
}

impl Stage {
    /// An empty folder of one's own; root's goes to a user without rights, since a trial needs
    /// none and Prosody should never run as root.
    pub(super) fn new() -> Result<Self, Failure> {
        let temp = stand::temp_dir();
        let elsewhere = "name a folder with room: `TMPDIR=/var/tmp jitsi-install try`";
        let folder = stand::throw_away("jitsi-install-try.")
            .map_err(|error| Failure::io(&temp, &error).hint(elsewhere))?;
        let path =
            stand::whole(folder.path()).map_err(|error| Failure::io(folder.path(), &error))?;
        let base = AbsPath::parse(&path.to_string_lossy()).map_err(|why| {
            Failure::new(FAILED, format!("the folder `{}` {why}", path.display())).hint(elsewhere)
        })?;
        let (mut owner, mut run_as) = (process::myself(), None);
        if process::is_root()
            && let Some(nobody) = process::nobody()
        {
            owner = Owner::new(&nobody.name, &nobody.group);
            run_as = Some((nobody.uid, nobody.gid));
            stand::give(folder.path(), nobody.uid, nobody.gid)
                .map_err(|error| Failure::io(folder.path(), &error))?;
        }
        Ok(Self {
            folder,
            base,
            owner,
            run_as,
        })
    }

    /// What was written beside the engine goes to the user who runs it, too.
    pub(super) fn give_everything(&self) -> Result<(), Failure> {
        let Some((user, group)) = self.run_as else {
            return Ok(());
        };
        for name in ["standins", "run", "log", "mails"] {
            let path = PathBuf::from(self.base.join(name).as_str());
            if stand::is_dir(&path) {
                stand::give(&path, user, group).map_err(|error| Failure::io(&path, &error))?;
            }
        }
        Ok(())
    }

    /// Removes the folder, or leaves it.
    pub(super) fn end(mut self, keep: bool, report: &mut Report) {
        let base = self.base.clone();
        if keep {
            self.folder.disable_cleanup(true);
            return report.note(&format!("left `{base}`"));
        }
        match self.folder.close() {
            Ok(()) => report.note(&format!("removed `{base}`")),
            Err(error) => report.warning(&format!("`{base}` could not be removed: {error}")),
        }
    }
}

/// Ports on loopback that were free a moment ago.
pub(super) struct Ports {
    pub(super) http: u16,
    pub(super) https: u16,
    pub(super) c2s: u16,
    pub(super) bosh: u16,
    pub(super) accounts: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self, Failure> {
        let [http, https, c2s, bosh, accounts] = process::free_ports()
            .map_err(|error| Failure::new(FAILED, format!("no free port on 127.0.0.1: {error}")))?;
        Ok(Self {
            http,
            https,
            c2s,
            bosh,
            accounts,
        })
    }
}

/// The site file of a trial, which is a site file like any other.
pub(super) fn site(
    args: &Args,
    web: WebServer,
    ports: &Ports,
    stage: &Stage,
    platform: &Platform,
    has_accounts: bool,
    remarks: &mut Vec<String>,
) -> Result<Site, Failure> {
    let given = |path: &Path| -> Result<AbsPath, Failure> {
        let whole = stand::whole(path).map_err(|error| Failure::io(path, &error))?;
        AbsPath::parse(&whole.to_string_lossy())
            .map_err(|why| Failure::new(FAILED, format!("`{}` {why}", path.display())))
    };
    let written = |name: &str, files: &[(&str, &[u8])]| -> Result<AbsPath, Failure> {
        let folder = stage.base.join(name);
        for (file, bytes) in files {
            let path = PathBuf::from(format!("{folder}/{file}"));
            stand::write(&path, bytes).map_err(|error| Failure::io(&path, &error))?;
        }
        Ok(folder)
    };
    let installed = |path: &AbsPath, file: &str| {
        stand::is_file(Path::new(path.join(file).as_str())).then(|| path.clone())
    };
    let plugins = match (
        &args.plugins,
        installed(&platform.prosody.plugins, "mod_auth_token.lua"),
    ) {
        (Some(path), _) => given(path)?,
        (None, Some(path)) => path,
        (None, None) => {
            remarks.push("Jitsi's Prosody plugins are not on this machine: small stand-ins of the same names take their place".to_owned());
            written("standins/prosody-plugins", standin::PROSODY_PLUGINS)?
        }
    };
    let meet = match (&args.meet, installed(&platform.meet_home, "index.html")) {
        (Some(path), _) => given(path)?,
        (None, Some(path)) => path,
        (None, None) => {
            remarks.push("the Jitsi Meet web application is not on this machine: a stand-in page shows how far signalling works".to_owned());
            written("standins/meet", standin::MEET)?
        }
    };
    let accounts = if has_accounts {
        accounts::table(ports)
    } else {
        remarks.push("the program `jitsi-accounts` is neither beside this one nor on the PATH: meetings are tried without accounts (from the source, `cargo build` makes it)".to_owned());
        String::new()
    };
    let text = format!(
        "schema = 1\ndomain = \"{}\"\n[auth]\nmode = \"{}\"\n[web]\nserver = \"{}\"\naddresses = [\"127.0.0.1\"]\nhttp_port = {}\nhttps_port = {}\nroot = \"{meet}\"\n\
         [prosody]\nc2s_port = {}\nhttp_port = {}\nplugins = \"{plugins}\"\n[videobridge]\nwebsockets = true\n{accounts}",
        args.domain.escape_default(),
        args.auth.mode().as_str(),
        web.as_str(),
        ports.http,
        ports.https,
        ports.c2s,
        ports.bosh
    );
    // The trial's version of Prosody is the one that will run, whatever the family.
    site::parse(&text)
        .map_err(|error| Failure::new(USAGE, format!("this cannot be tried: {error}")))
}
