//! Packages that move together: its files are real, its packages and services are made up.

use std::collections::BTreeMap;

use jitsi_install::apply::{
    Alter, AlterError, ApplyError, Outcome, apply, go_on, plan_back, rollback, take_back, upgrade,
};
use jitsi_install::host::Machine;
use jitsi_install::journal::Ledger;
use jitsi_install::name::{AbsPath, Owner, ServiceId};
use jitsi_install::plan::{Action, Found, Observe, State, plan};
use jitsi_install::resource::{How, Item, Layout, PackageVersion, Resource, Service, Wake};

use super::stage::{Silent, Stage};

const OLD: &str = "1.0-1174";
const NEW: &str = "1.0-1183";

/// A machine whose packages are versions in a map; each brings a file with its version in it.
struct Shop {
    tree: Machine,
    installed: BTreeMap<String, PackageVersion>,
    /// Versions that can be installed.
    store: Vec<&'static str>,
    told: Vec<String>,
    /// A package or service at which the next change fails.
    refuses: &'static str,
}

impl Shop {
    fn open(stage: &Stage) -> Self {
        let mut shop = Self {
            tree: stage.machine(),
            installed: BTreeMap::new(),
            store: vec![OLD, NEW],
            told: Vec::new(),
            refuses: "",
        };
        for name in ["jicofo", "jitsi-meet-web"] {
            shop.put_in(name, &PackageVersion::any(OLD)).unwrap();
        }
        shop
    }

    fn put_in(&mut self, name: &str, version: &PackageVersion) -> Result<(), AlterError> {
        let brought = State::File {
            bytes: version.upstream.replace('_', "-").into_bytes(),
            mode: jitsi_install::name::Mode(0o644),
            ids: None,
        };
        self.tree
            .put(&AbsPath::parse(&format!("/{name}")).unwrap(), &brought)?;
        // As Slackware has it.
        let version = PackageVersion {
            upstream: version.upstream.replace('-', "_"),
            exact: format!("{}-noarch-1", version.upstream.replace('-', "_")),
        };
        self.installed.insert(name.to_owned(), version);
        Ok(())
    }

    fn refuse(&mut self, what: &str) -> Result<(), AlterError> {
        if what != self.refuses {
            return Ok(());
        }
        self.refuses = "";
        Err(AlterError {
            path: what.to_owned(),
            why: "made up by the test".to_owned(),
        })
    }

    /// What each package is at, and what the page says that is made of the web application.
    fn stands(&self) -> [String; 3] {
        let text = |path: &str| match self.tree.look(&AbsPath::parse(path).unwrap()) {
            Found::State(State::File { bytes, .. }) => String::from_utf8(bytes).unwrap(),
            _ => String::new(),
        };
        let version = |name: &str| self.installed[name].upstream.clone();
        [version("jicofo"), version("jitsi-meet-web"), text("/page")]
    }
}

impl Observe for Shop {
    fn look(&self, path: &AbsPath) -> Found {
        self.tree.look(path)
    }
    fn names(&self, path: &AbsPath) -> Vec<String> {
        self.tree.names(path)
    }
    fn is_dir(&self, path: &AbsPath) -> bool {
        self.tree.is_dir(path)
    }
    fn ids(&self, _: &Owner) -> Option<(u32, u32)> {
        Some((nix::unistd::geteuid().into(), nix::unistd::getegid().into()))
    }
    fn is_live(&self) -> bool {
        true
    }
    fn thing(&self, resource: &Resource) -> Option<Found> {
        Some(Found::State(match resource {
            Resource::Package { name, .. } => State::Package(self.installed[name].clone()),
            _ => State::Service {
                enabled: true,
                running: true,
            },
        }))
    }
    fn offers(&self, _: &str, version: &PackageVersion) -> Result<(), String> {
        let has = self.store.iter().any(|one| version.is_of(one));
        has.then_some(())
            .ok_or_else(|| format!("nobody has {}", version.upstream))
    }
}

impl Alter for Shop {
    fn put(&mut self, path: &AbsPath, state: &State) -> Result<(), AlterError> {
        self.tree.put(path, state)
    }
    fn set(&mut self, thing: &Resource, state: &State) -> Result<(), AlterError> {
        self.refuse(thing.name())?;
        match state {
            State::Package(version) => self.put_in(thing.name(), version),
            _ => Ok(()),
        }
    }
    fn wake(&mut self, service: &Service, how: How) -> Result<bool, AlterError> {
        self.told.push(format!("{} {}", how.as_str(), service.name));
        self.refuse("the service").map(|()| true)
    }
    fn sweep(&mut self, path: &AbsPath) {
        self.tree.sweep(path);
    }
    fn random(&mut self, buffer: &mut [u8]) {
        self.tree.random(buffer);
    }
}

fn package(name: &str, service: ServiceId, version: &str) -> Item {
    Item {
        service,
        resource: Resource::Package {
            name: name.to_owned(),
            version: Some(version.to_owned()),
        },
        wakes: vec![Wake {
            service,
            how: How::Restart,
        }],
    }
}

/// A set, a service that runs with it, and a page that is made of what the web application brings.
fn layout(version: &str, shop: &Shop) -> Layout {
    let page = match shop.tree.look(&AbsPath::fixed("/jitsi-meet-web")) {
        Found::State(State::File { bytes, .. }) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    };
    let items = vec![
        package("jicofo", ServiceId::Jicofo, version),
        package("jitsi-meet-web", ServiceId::Meet, version),
        Item {
            service: ServiceId::Meet,
            resource: Resource::public_file(AbsPath::fixed("/page"), page),
            wakes: Vec::new(),
        },
        Item {
            service: ServiceId::Jicofo,
            resource: Resource::Service(Service {
                name: "jicofo".to_owned(),
                id: ServiceId::Jicofo,
                probes: Vec::new(),
            }),
            wakes: Vec::new(),
        },
    ];
    Layout {
        items,
        ..Layout::default()
    }
}

/// As the verb does it: packages, then the plan anew, then the rest.
fn move_to(version: &str, shop: &mut Shop, books: &mut dyn Ledger) -> Result<Outcome, ApplyError> {
    let first = plan(&layout(version, shop), shop, &books.applied().unwrap());
    if first.upgrades().next().is_none() {
        return apply(&first, "apply", shop, books, &mut Silent);
    }
    let begun = upgrade(&first, shop, books, &mut Silent)?;
    let second = plan(&layout(version, shop), shop, &books.applied().unwrap());
    go_on(begun, &second, "apply", false, shop, books, &mut Silent)
}

const AT_OLD: [&str; 3] = ["1.0_1174", "1.0_1174", OLD];
const AT_NEW: [&str; 3] = ["1.0_1183", "1.0_1183", NEW];

/// A machine at the old set, laid out.
fn at_old(stage: &Stage, books: &mut dyn Ledger) -> Shop {
    let mut shop = Shop::open(stage);
    move_to(OLD, &mut shop, books).unwrap();
    assert_eq!(shop.stands(), AT_OLD);
    shop.told.clear();
    shop
}

#[test]
fn a_set_moves_in_one_generation_and_back() {
    let stage = Stage::new();
    let machine = stage.machine();
    let mut books = stage.books(&machine);
    let mut shop = at_old(&stage, &mut books);
    let outcome = move_to(NEW, &mut shop, &mut books).unwrap();
    assert_eq!((outcome.generation, outcome.taken), (Some(2), 3));
    assert_eq!(shop.stands(), AT_NEW);
    assert_eq!(std::mem::take(&mut shop.told), ["restart jicofo"]);
    assert_eq!(books.generations().unwrap().len(), 2);
    // Nothing is left to do.
    let idle = move_to(NEW, &mut shop, &mut books).unwrap();
    assert_eq!((idle.generation, shop.told.len()), (None, 0));

    let back = plan_back(1, &shop, &books).unwrap();
    rollback(&back, 1, &mut shop, &mut books, &mut Silent).unwrap();
    assert_eq!(shop.stands(), AT_OLD);
    assert_eq!(std::mem::take(&mut shop.told), ["restart jicofo"]);
    // And forth again: the rollback is a generation like any other.
    let forth = plan_back(2, &shop, &books).unwrap();
    rollback(&forth, 2, &mut shop, &mut books, &mut Silent).unwrap();
    assert_eq!(shop.stands(), AT_NEW);
}

#[test]
fn a_set_that_fails_half_way_is_taken_back() {
    for hurdle in ["jitsi-meet-web", "the service"] {
        let stage = Stage::new();
        let machine = stage.machine();
        let mut books = stage.books(&machine);
        let mut shop = at_old(&stage, &mut books);
        shop.refuses = hurdle;
        let failed = move_to(NEW, &mut shop, &mut books);
        assert!(matches!(failed, Err(ApplyError::Alter(_))), "{failed:?}");
        assert_eq!(shop.stands(), AT_OLD, "{hurdle}");
        assert_eq!(books.unfinished().unwrap(), None);
        assert_eq!(books.generations().unwrap().len(), 1);
        assert_eq!(move_to(NEW, &mut shop, &mut books).unwrap().taken, 3);
        assert_eq!(shop.stands(), AT_NEW);
    }
}

#[test]
fn a_run_that_ends_between_packages_and_the_rest_is_taken_back() {
    let stage = Stage::new();
    let machine = stage.machine();
    let mut books = stage.books(&machine);
    let mut shop = at_old(&stage, &mut books);
    let first = plan(&layout(NEW, &shop), &shop, &books.applied().unwrap());
    let begun = upgrade(&first, &mut shop, &mut books, &mut Silent).unwrap();
    assert_eq!(books.unfinished().unwrap(), Some(begun.number));
    assert_eq!(shop.stands(), ["1.0_1183", "1.0_1183", OLD]);
    // The next start.
    take_back(begun.number, &mut shop, &mut books, &mut Silent).unwrap();
    assert_eq!(shop.stands(), AT_OLD);
    assert_eq!(shop.told, ["restart jicofo"]);
    assert_eq!(books.unfinished().unwrap(), None);
}

#[test]
fn without_a_way_there_and_back_nothing_is_done() {
    for (store, why) in [
        (vec![OLD], "nobody has 1.0-1183"),
        (
            vec![NEW],
            "there would be no way back to version 1.0_1174: nobody has 1.0_1174",
        ),
    ] {
        let stage = Stage::new();
        let machine = stage.machine();
        let mut books = stage.books(&machine);
        let mut shop = at_old(&stage, &mut books);
        shop.store = store;
        let plan = plan(&layout(NEW, &shop), &shop, &books.applied().unwrap());
        let blocked: Vec<&str> = plan.blocked().map(|step| step.remark.as_str()).collect();
        assert_eq!(blocked, [why, why]);
        let refused = upgrade(&plan, &mut shop, &mut books, &mut Silent);
        assert!(matches!(refused, Err(ApplyError::Blocked(_))));
        assert_eq!(books.unfinished().unwrap(), None);
        assert_eq!(shop.stands(), AT_OLD);
    }
    // The way back is looked for when one goes it, too.
    let stage = Stage::new();
    let machine = stage.machine();
    let mut books = stage.books(&machine);
    let mut shop = at_old(&stage, &mut books);
    move_to(NEW, &mut shop, &mut books).unwrap();
    shop.store = vec![NEW];
    let back = plan_back(1, &shop, &books).unwrap();
    assert_eq!(back.blocked().count(), 2);
    assert!(rollback(&back, 1, &mut shop, &mut books, &mut Silent).is_err());
    assert_eq!(shop.stands(), AT_NEW);
}

#[test]
fn a_part_of_a_set_does_not_move() {
    let stage = Stage::new();
    let machine = stage.machine();
    let mut books = stage.books(&machine);
    let shop = at_old(&stage, &mut books);
    let mut plan = plan(&layout(NEW, &shop), &shop, &books.applied().unwrap());
    assert_eq!(plan.count(Action::Change), 2);
    plan.refuse_upgrades("not now");
    assert_eq!((plan.count(Action::Change), plan.blocked().count()), (0, 2));
}
