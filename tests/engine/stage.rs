//! A throw-away root, the layout of a small site, and pictures of the tree.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jitsi_install::apply::{ApplyError, Outcome, Progress, apply};
use jitsi_install::host::Machine;
use jitsi_install::host::books::Books;
use jitsi_install::host::secrets;
use jitsi_install::journal::Ledger;
use jitsi_install::layout::layout;
use jitsi_install::name::{AbsPath, Domain};
use jitsi_install::plan::{Plan, Step, plan};
use jitsi_install::platform::Release;
use jitsi_install::resource::Layout;
use jitsi_install::service::Facts;
use jitsi_install::site;

/// A root that goes away with the test.
pub struct Stage {
    folder: tempfile::TempDir,
    secrets: jitsi_install::secret::Secrets,
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn step(&mut self, _: usize, _: usize, _: &Step) {}
    fn kept(&mut self, _: &AbsPath, _: &AbsPath) {}
    fn back(&mut self, _: &str) {}
    fn service(&mut self, _: &str, _: &str) {}
    fn warn(&mut self, _: &str) {}
}

/// Path, and what stands there: kind, mode, and contents or target.
pub type Picture = BTreeMap<String, String>;

impl Stage {
    pub fn new() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    /// A root without a disk below it, where syncing costs nothing: to a process that is killed
    /// it is the same.
    pub fn quick() -> Self {
        Self::in_folder(
            tempfile::tempdir_in("/dev/shm")
                .or_else(|_| tempfile::tempdir())
                .unwrap(),
        )
    }

    fn in_folder(folder: tempfile::TempDir) -> Self {
        let machine = Machine::open(folder.path()).unwrap();
        let domain = Domain::parse("meet.example.org").unwrap();
        let file = AbsPath::fixed("/etc/jitsi-install/secrets.toml");
        let secrets = secrets::load(machine.root(), &file, &domain, 1_790_000_000)
            .unwrap()
            .secrets;
        Self { folder, secrets }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn machine(&self) -> Machine {
        Machine::open(self.folder.path()).unwrap()
    }

    pub fn books<'m>(&self, machine: &'m Machine) -> Books<'m> {
        Books::locked(
            machine.root(),
            AbsPath::fixed("/var/lib/jitsi-install"),
            "test",
        )
        .unwrap()
    }

    /// The layout of a site file with `more` below its two first lines.
    pub fn layout(&self, more: &str) -> Layout {
        self.layout_for(Release::Debian12, more)
    }

    /// The same for another release.
    pub fn layout_for(&self, release: Release, more: &str) -> Layout {
        let text = format!("schema = 1\ndomain = \"meet.example.org\"\n{more}");
        let site = site::parse(&text).unwrap();
        layout(&site, &release.platform(), &self.secrets, &Facts::default()).unwrap()
    }

    pub fn plan(&self, more: &str) -> Plan {
        let machine = self.machine();
        let books = Books::read_only(machine.root(), AbsPath::fixed("/var/lib/jitsi-install"));
        plan(&self.layout(more), &machine, &books.applied().unwrap())
    }

    pub fn apply(&self, more: &str) -> Result<Outcome, ApplyError> {
        self.carry_out(&self.layout(more))
    }

    pub fn carry_out(&self, layout: &Layout) -> Result<Outcome, ApplyError> {
        let mut machine = self.machine();
        let reader = self.machine();
        let mut books = self.books(&reader);
        let plan = plan(layout, &machine, &books.applied()?);
        apply(&plan, "apply", &mut machine, &mut books, &mut Silent)
    }

    /// Everything but the books.
    pub fn picture(&self) -> Picture {
        let mut picture = Picture::new();
        look(self.folder.path(), "", &mut picture);
        picture
    }

    /// Inode and time of change of every file.
    pub fn stamps(&self) -> BTreeMap<String, (u64, i64, i64)> {
        self.picture()
            .keys()
            .map(|path| {
                let meta = std::fs::symlink_metadata(self.path(path)).unwrap();
                (path.clone(), (meta.ino(), meta.ctime(), meta.ctime_nsec()))
            })
            .collect()
    }
}

fn look(folder: &Path, prefix: &str, picture: &mut Picture) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if path == "var/lib/jitsi-install" {
            continue;
        }
        let meta = std::fs::symlink_metadata(entry.path()).unwrap();
        let mode = meta.mode() & 0o7777;
        if meta.is_symlink() {
            let target = std::fs::read_link(entry.path()).unwrap();
            picture.insert(path, format!("link {}", target.display()));
        } else if meta.is_dir() {
            picture.insert(path.clone(), format!("dir {mode:o}"));
            look(&entry.path(), &format!("{path}/"), picture);
        } else {
            let bytes = std::fs::read(entry.path()).unwrap();
            picture.insert(
                path,
                format!("file {mode:o} {}", jitsi_install::resource::digest(&bytes)),
            );
        }
    }
}

/// What a picture has of the folders that the books themselves need.
pub fn without_shared(mut picture: Picture) -> Picture {
    picture.retain(|path, _| path != "var" && path != "var/lib");
    picture
}
