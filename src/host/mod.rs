//! The workshop: the only room that touches disk, processes, clock and chance.
//!
//! It implements the traits of those who need it ([`Observe`],
//! [`Alter`], [`Ledger`](crate::journal::Ledger)) and hands facts and
//! secrets to the pure rooms. It decides nothing about Jitsi. Every path is resolved inside the
//! root by [`root`], and nowhere else.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the room that clippy.toml keeps the others out of"
)]

mod accounts;
mod ask;
pub mod books;
pub mod bosh;
pub mod bridge;
pub mod build;
pub mod c2s;
pub mod cache;
pub mod compile;
pub mod facts;
pub mod fetch;
pub mod issued;
pub mod line;
pub mod live;
pub mod names;
pub mod net;
pub mod people;
pub mod probe;
pub mod process;
pub mod recipes;
pub mod root;
mod scram;
pub mod secrets;
pub mod signature;
pub mod stand;
mod stanza;
pub mod workshop;

use std::collections::BTreeMap;

use crate::apply::{Alter, AlterError};
use crate::name::{AbsPath, Owner};
use crate::plan::{Applied, Found, Observe, State, removal};
use crate::resource::{How, PackageVersion, Resource, Service};
use root::Root;

/// A machine, or a tree that will become one.
pub struct Machine {
    root: Root,
    people: people::People,
    live: Option<live::Live>,
    /// How long the logs of errors were when their services were started or told.
    logs: BTreeMap<AbsPath, usize>,
}

impl Machine {
    /// Opens the tree below `root`.
    ///
    /// # Errors
    /// When it is no folder or cannot be opened.
    pub fn open(root: &std::path::Path) -> std::io::Result<Self> {
        let root = Root::open(root)?;
        let people = people::People::read(&root);
        Ok(Self {
            root,
            people,
            live: None,
            logs: BTreeMap::new(),
        })
    }

    /// Opens the running machine itself, with its packages, people and services.
    ///
    /// # Errors
    /// When its root cannot be opened.
    pub fn open_live() -> std::io::Result<Self> {
        let machine = Self::open(std::path::Path::new("/"))?;
        Ok(Self {
            live: Some(live::Live::ask(&machine.root)),
            ..machine
        })
    }

    /// What is wrong with a service that runs, as far as one sees from outside.
    #[must_use]
    pub fn look_in(&self, service: &Service) -> Vec<String> {
        match &self.live {
            Some(_) => live::trouble(service),
            None => Vec::new(),
        }
    }

    /// Drops a database with everybody in it; nothing in a tree. Its server may be stopped.
    ///
    /// # Errors
    /// The server's last words.
    pub fn drop_database(&self, id: &str, books: &Applied) -> Result<(), String> {
        let engine = books.get(id).map_or("", |mark| mark.wanted.as_str());
        let thing = id
            .split_once(' ')
            .and_then(|(kind, name)| removal::thing(kind, name, engine));
        match (&self.live, thing) {
            (Some(live), Some(Resource::Database(gone))) => live.drop_database(&self.root, &gone),
            _ => Ok(()),
        }
    }

    /// Takes away what a run that was killed has left behind outside the books; nothing in a tree.
    ///
    /// # Errors
    /// What the system said.
    pub fn tidy(&self) -> std::io::Result<()> {
        self.live
            .as_ref()
            .map_or(Ok(()), |live| live.tidy(&self.root))
    }

    /// Installs packages on the running machine.
    ///
    /// # Errors
    /// The last words of the system's package manager.
    pub fn install(&mut self, wanted: &[live::Wanted]) -> Result<(), AlterError> {
        let done = match &mut self.live {
            Some(live) => live.install(&self.root, wanted),
            None => Ok(()),
        };
        self.people = people::People::read(&self.root);
        done
    }

    /// The tree.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }
}

/// A machine at one moment: what one plan is made from. Faster than the machine itself, since
/// folders stay open between looks.
pub struct Glance<'m> {
    machine: &'m Machine,
    look: Box<dyn Fn(&AbsPath) -> Found + 'm>,
}

impl Machine {
    /// A look at everything, for as long as nobody changes anything.
    #[must_use]
    pub fn glance(&self) -> Glance<'_> {
        Glance {
            machine: self,
            look: Box::new(self.root.glance()),
        }
    }
}

impl Observe for Glance<'_> {
    fn look(&self, path: &AbsPath) -> Found {
        (self.look)(path)
    }

    fn is_dir(&self, path: &AbsPath) -> bool {
        self.machine.is_dir(path)
    }

    fn ids(&self, owner: &Owner) -> Option<(u32, u32)> {
        self.machine.ids(owner)
    }

    fn names(&self, path: &AbsPath) -> Vec<String> {
        self.machine.names(path)
    }

    fn is_live(&self) -> bool {
        self.machine.is_live()
    }

    fn thing(&self, resource: &Resource) -> Option<Found> {
        self.machine.thing(resource)
    }

    fn offers(&self, package: &str, version: &PackageVersion) -> Result<(), String> {
        self.machine.offers(package, version)
    }
}

impl Observe for Machine {
    fn look(&self, path: &AbsPath) -> Found {
        self.root.look(path)
    }

    fn is_dir(&self, path: &AbsPath) -> bool {
        self.root.is_dir(path)
    }

    fn ids(&self, owner: &Owner) -> Option<(u32, u32)> {
        self.people.ids(owner)
    }

    fn names(&self, path: &AbsPath) -> Vec<String> {
        self.root.list(path)
    }

    fn is_live(&self) -> bool {
        self.live.is_some()
    }

    fn thing(&self, resource: &Resource) -> Option<Found> {
        self.live.as_ref()?.thing(&self.root, resource)
    }

    fn offers(&self, package: &str, version: &PackageVersion) -> Result<(), String> {
        match &self.live {
            Some(live) => live.offers(&self.root, package, version),
            None => Ok(()),
        }
    }
}

impl Alter for Machine {
    fn put(&mut self, path: &AbsPath, state: &State) -> Result<(), AlterError> {
        self.root
            .put_later(path, state)
            .map_err(|error| AlterError {
                path: path.to_string(),
                why: error.to_string(),
            })
    }

    fn sync(&mut self) -> Result<(), AlterError> {
        self.root.sync().map_err(|error| AlterError {
            path: "/".to_owned(),
            why: format!("what was written cannot be synced: {error}"),
        })
    }

    fn set(&mut self, thing: &Resource, state: &State) -> Result<(), AlterError> {
        match &mut self.live {
            Some(live) => {
                if let Resource::Service(service) = thing {
                    live::measure(&self.root, service, &mut self.logs);
                }
                live.set(&self.root, thing, state)
            }
            None => Ok(()),
        }
    }

    fn refresh(&mut self) -> Result<(), AlterError> {
        let Some(live) = &self.live else {
            return Ok(());
        };
        self.people = people::People::read(&self.root);
        live.refresh()
    }

    fn wake(&mut self, service: &Service, how: How) -> Result<bool, AlterError> {
        match &self.live {
            Some(live) => {
                live::measure(&self.root, service, &mut self.logs);
                live.wake(&self.root, &service.name, how)
            }
            None => Ok(false),
        }
    }

    fn await_up(&mut self, service: &Service) -> Result<Option<String>, AlterError> {
        match &self.live {
            Some(live) => live.await_up(&self.root, service, &self.logs),
            None => Ok(None),
        }
    }

    fn kernel(&mut self, file: &AbsPath) -> Option<String> {
        self.live.as_ref()?;
        process::load_kernel_settings(file.as_str())
    }

    fn sweep(&mut self, path: &AbsPath) {
        self.root.sweep(path);
    }

    fn random(&mut self, buffer: &mut [u8]) {
        random(buffer);
    }
}

/// Fills a buffer from the system's random source.
///
/// # Panics
/// When the system has none; nothing secret can be made then.
pub fn random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system's random source");
}

/// Counts from when it was made.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begins.
    #[must_use]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Milliseconds until now.
    #[must_use]
    pub fn ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}
