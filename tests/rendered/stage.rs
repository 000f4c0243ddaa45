//! Lays out every example for every release below one folder, through the engine.
//!
//! An example is taken as it is, but for this: absolute paths in it stand below the folder, where
//! certificates (made by openssl) and the shared token secret wait; a web application and plugins
//! (the stand-ins) are there too; `java` is a script, since a machine that tests may have none; and
//! nothing is kept as it is (`keep`), so that every file is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use jitsi_install::apply::{self, apply};
use jitsi_install::host::books::Books;
use jitsi_install::host::{self, Machine, facts, secrets};
use jitsi_install::journal::Ledger;
use jitsi_install::layout::layout;
use jitsi_install::name::{AbsPath, Owner};
use jitsi_install::plan::{Plan, Step, plan};
use jitsi_install::platform::{Platform, Release};
use jitsi_install::resource::{File, Layout, Resource};
use jitsi_install::secret::Secrets;
use jitsi_install::service::Facts;
use jitsi_install::site::{self, Site};

use crate::proving::{self, run};

/// The secret that the examples share with another program.
pub const SHARED: &str = "shared-with-another-program-0123456789";

/// One example on one release, laid out.
pub struct Stage {
    /// `full/debian-13`.
    pub name: String,
    pub base: AbsPath,
    pub site: Site,
    pub platform: Platform,
    pub secrets: Secrets,
    pub facts: Facts,
    pub layout: Layout,
    /// The plan that was carried out.
    pub plan: Plan,
}

impl Stage {
    /// The files of the layout.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.layout
            .items
            .iter()
            .filter_map(|item| match &item.resource {
                Resource::File(file) => Some(file),
                _ => None,
            })
    }

    /// Files whose name ends so; at least one.
    pub fn ending(&self, ending: &str) -> Vec<PathBuf> {
        let found: Vec<PathBuf> = self
            .files()
            .map(|file| PathBuf::from(file.path.as_str()))
            .filter(|path| path.to_string_lossy().ends_with(ending))
            .collect();
        assert!(
            !found.is_empty(),
            "{}: no file ends with {ending}",
            self.name
        );
        found
    }

    /// The one file whose name ends so.
    pub fn one(&self, ending: &str) -> PathBuf {
        let found = self.ending(ending);
        assert_eq!(found.len(), 1, "{}: {found:?}", self.name);
        found[0].clone()
    }

    /// The shared or the generated one.
    pub fn token_secret(&self) -> &str {
        let secret = self.facts.token_secret.as_ref();
        secret.unwrap_or(&self.secrets.token_secret).reveal()
    }

    /// A file beside the layout, for proofs.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = PathBuf::from(self.base.join(name).as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// All of them; none when openssl is missing.
pub fn stages() -> &'static [Stage] {
    static STAGES: OnceLock<Vec<Stage>> = OnceLock::new();
    STAGES.get_or_init(|| {
        if proving::program("openssl", "openssl").is_none() {
            return Vec::new();
        }
        let home = home();
        let made = home.join("made");
        certificates(&made);
        let mut stages = Vec::new();
        for (name, text) in proving::examples() {
            for release in Release::ALL {
                let folder = home.join(&name).join(release.as_str());
                stages.push(lay_out(&name, &text, release, &folder, &made));
            }
        }
        stages
    })
}

/// A folder that is emptied at each run; below the target folder, unless the user without rights
/// cannot go there.
fn home() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).to_path_buf();
    let there = proving::unprivileged(Path::new("/bin/sh"))
        .args(["-c", "cd \"$1\"", "sh"])
        .arg(&target)
        .status()
        .unwrap()
        .success();
    let folder = if there { target } else { std::env::temp_dir() };
    let home = folder
        .canonicalize()
        .unwrap()
        .join("jitsi-install-rendered");
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    home
}

/// A root, and chains for the site with an RSA and an EC key.
fn certificates(made: &Path) {
    fs::create_dir_all(made).unwrap();
    let openssl = |arguments: &str| {
        run(Command::new("openssl")
            .current_dir(made)
            .args(arguments.split(' ')))
    };
    fs::write(made.join("cnf"), "[req]\ndistinguished_name=dn\n[dn]\n").unwrap();
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out root.key");
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key");
    openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key");
    let request = "req -x509 -new -config cnf -days 90";
    openssl(&format!(
        "{request} -subj /CN=Root -key root.key -out root.pem -addext basicConstraints=critical,CA:TRUE"
    ));
    for name in ["ec", "rsa"] {
        openssl(&format!(
            "{request} -subj /CN={name} -key {name}.key -out {name}.pem -CA root.pem -CAkey root.key \
             -addext subjectAltName=DNS:meet.example.org"
        ));
        let chain = [format!("{name}.pem"), "root.pem".to_owned()]
            .map(|file| fs::read_to_string(made.join(file)).unwrap())
            .concat();
        fs::write(made.join(format!("{name}.chain")), chain).unwrap();
    }
}

/// Everything that an example may name, at its place.
fn furnish(folder: &Path, made: &Path) {
    for (from, to) in [
        ("rsa.chain", "root/.acme.sh/meet.example.org/fullchain.cer"),
        (
            "rsa.key",
            "root/.acme.sh/meet.example.org/meet.example.org.key",
        ),
        ("ec.chain", "etc/acme.sh/meet.example.org_ecc/fullchain.cer"),
        (
            "ec.key",
            "etc/acme.sh/meet.example.org_ecc/meet.example.org.key",
        ),
        ("ec.chain", "etc/ssl/meet/fullchain.pem"),
        ("ec.key", "etc/ssl/meet/privkey.pem"),
    ] {
        let to = folder.join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(made.join(from), to).unwrap();
    }
    let secrets = folder.join("etc/jitsi-install");
    fs::create_dir_all(&secrets).unwrap();
    fs::write(secrets.join("token.secret"), format!("{SHARED}\n")).unwrap();
    for name in [
        "database.password",
        "reader.password",
        "smtp.password",
        "webhook.key",
    ] {
        fs::write(secrets.join(name), format!("{SHARED} {name}\n")).unwrap();
    }
    let standins = proving::root().join("tests/standins");
    copy(&standins.join("meet"), &folder.join("srv/jitsi-meet"));
    copy(
        &standins.join("prosody-plugins"),
        &folder.join("opt/jitsi/prosody-plugins"),
    );
    let java = folder.join("usr/bin/java");
    fs::create_dir_all(java.parent().unwrap()).unwrap();
    fs::write(&java, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&java, fs::Permissions::from_mode(0o755)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, to).unwrap();
        }
    }
}

fn owner() -> Owner {
    use nix::unistd::{Group, User, getegid, geteuid};
    let (user, group) = match proving::nobody() {
        Some(nobody) => (nobody.name, nobody.gid),
        None => (User::from_uid(geteuid()).unwrap().unwrap().name, getegid()),
    };
    Owner::new(&user, &Group::from_gid(group).unwrap().unwrap().name)
}

/// Carries a step out without a word.
pub struct Silent;

impl apply::Progress for Silent {
    fn step(&mut self, _: usize, _: usize, _: &Step) {}
    fn kept(&mut self, _: &AbsPath, _: &AbsPath) {}
    fn back(&mut self, _: &str) {}
    fn service(&mut self, _: &str, _: &str) {}
    fn warn(&mut self, _: &str) {}
}

fn lay_out(example: &str, text: &str, release: Release, folder: &Path, made: &Path) -> Stage {
    let name = format!("{example}/{}", release.as_str());
    furnish(folder, made);
    let base = AbsPath::parse(&folder.to_string_lossy()).unwrap();
    // A path of an address is none on the disk.
    let text = text
        .replace("\"/", &format!("\"{base}/"))
        .replace(&format!("path = \"{base}/"), "path = \"/");
    let mut site = site::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let web_root = site
        .web
        .root
        .get_or_insert_with(|| base.join("srv/jitsi-meet"))
        .clone();
    site.prosody
        .plugins
        .get_or_insert_with(|| base.join("opt/jitsi/prosody-plugins"));
    let mut platform = release.platform().below(&base, &owner());
    site.keep.clear();
    platform.java = base.join("usr/bin/java");
    // Files are the stage's owner's all the same; units name who would run them on a machine, and
    // systemd does not like `nobody` there.
    let system = release.platform();
    platform.jicofo.owner = system.jicofo.owner;
    platform.videobridge.owner = system.videobridge.owner;
    platform.accounts.account.owner = system.accounts.account.owner;
    // systemd looks whether it is there, on the machine that asks.
    platform.accounts.program = AbsPath::fixed("/bin/true");

    let mut machine = Machine::open(Path::new("/")).unwrap();
    let reader = Machine::open(Path::new("/")).unwrap();
    let config = base.join("etc/jitsi-install");
    let (facts, _) = facts::gather(
        machine.root(),
        &site,
        &web_root,
        &config.join("templates"),
        &facts::KnownPlaces::below(
            &base.join("var/lib/jitsi-install"),
            &platform.jitsi_config,
            &site.domain,
        ),
        host::now(),
    )
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    let kept = secrets::load(
        machine.root(),
        &config.join("secrets.toml"),
        &site.domain,
        host::now(),
    )
    .unwrap();
    secrets::save(machine.root(), &config.join("secrets.toml"), &kept.secrets).unwrap();
    let wanted = layout(&site, &platform, &kept.secrets, &facts).unwrap();
    let mut books =
        Books::locked(reader.root(), base.join("var/lib/jitsi-install"), "a test").unwrap();
    let first = plan(&wanted, &machine, &books.applied().unwrap());
    apply(&first, "a test", &mut machine, &mut books, &mut Silent)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let again = plan(&wanted, &machine, &books.applied().unwrap());
    assert!(
        !again.changes(),
        "{name}: a second apply would change something"
    );
    Stage {
        name,
        base,
        site,
        platform,
        secrets: kept.secrets,
        facts,
        layout: wanted,
        plan: first,
    }
}
