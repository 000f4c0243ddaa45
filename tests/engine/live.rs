//! Options of an apply on a machine with people and services: its files are real, the rest is made up.

use std::collections::BTreeMap;

use jitsi_install::apply::{Alter, AlterError, ApplyError, Outcome, apply};
use jitsi_install::host::Machine;
use jitsi_install::journal::Ledger;
use jitsi_install::name::{AbsPath, Owner, ServiceId};
use jitsi_install::plan::{Action, Found, Observe, Plan, State, plan};
use jitsi_install::resource::{How, Item, Layout, Resource, Service, Wake};

use super::stage::{Silent, Stage};

/// A machine whose services are names in a map.
struct Live {
    tree: Machine,
    services: BTreeMap<String, (bool, bool)>,
    /// What services were told.
    told: Vec<String>,
    /// A path or name at which every change fails.
    refuses: &'static str,
}

impl Live {
    fn refuse(&self, what: &str) -> Result<(), AlterError> {
        if what != self.refuses {
            return Ok(());
        }
        Err(AlterError {
            path: what.to_owned(),
            why: "made up by the test".to_owned(),
        })
    }

    /// What was told since the last question.
    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }
}

impl Observe for Live {
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
        let (enabled, running) = self.services.get(resource.name()).copied()?;
        Some(Found::State(State::Service { enabled, running }))
    }
}

impl Alter for Live {
    fn put(&mut self, path: &AbsPath, state: &State) -> Result<(), AlterError> {
        self.refuse(path.as_str())?;
        self.tree.put(path, state)
    }
    fn set(&mut self, thing: &Resource, state: &State) -> Result<(), AlterError> {
        let State::Service { enabled, running } = *state else {
            panic!("{state:?} is no service");
        };
        let (_, ran) = self.services[thing.name()];
        if running && !ran {
            self.refuse(thing.name())?;
            self.told.push(format!("start {}", thing.name()));
        } else if ran && !running {
            self.told.push(format!("stop {}", thing.name()));
        }
        self.services
            .insert(thing.name().to_owned(), (enabled, running));
        Ok(())
    }
    fn wake(&mut self, service: &str, how: How) -> Result<(), AlterError> {
        self.told.push(format!("{} {service}", how.as_str()));
        self.refuse(service)
    }
    fn sweep(&mut self, path: &AbsPath) {
        self.tree.sweep(path);
    }
    fn random(&mut self, buffer: &mut [u8]) {
        self.tree.random(buffer);
    }
}

fn file(path: &str, text: &str, service: ServiceId, how: How) -> Item {
    Item {
        service,
        resource: Resource::public_file(AbsPath::parse(path).unwrap(), text.to_owned()),
        wakes: vec![Wake { service, how }],
    }
}

fn service(name: &str, id: ServiceId) -> Item {
    Item {
        service: id,
        resource: Resource::Service(Service {
            name: name.to_owned(),
            id,
            probes: Vec::new(),
        }),
        wakes: Vec::new(),
    }
}

/// Prosody with two files, nginx with one, and Jicofo with one.
fn layout(version: &str) -> Layout {
    let mut items = vec![
        Item {
            service: ServiceId::Prosody,
            resource: Resource::dir(AbsPath::fixed("/p"), Owner::root(), 0o755),
            wakes: Vec::new(),
        },
        file("/j.conf", version, ServiceId::Jicofo, How::Restart),
        file("/n.conf", version, ServiceId::Nginx, How::Reload),
        file("/p/a.conf", version, ServiceId::Prosody, How::Restart),
        file("/p/b.conf", version, ServiceId::Prosody, How::Reload),
    ];
    items.push(service("prosody", ServiceId::Prosody));
    items.push(service("jicofo", ServiceId::Jicofo));
    items.push(service("nginx", ServiceId::Nginx));
    Layout {
        items,
        ..Layout::default()
    }
}

fn live(stage: &Stage) -> Live {
    let names = ["prosody", "jicofo", "nginx"];
    Live {
        tree: stage.machine(),
        services: names.map(|name| (name.to_owned(), (false, false))).into(),
        told: Vec::new(),
        refuses: "",
    }
}

fn plan_of(stage: &Stage, machine: &Live, layout: &Layout) -> Plan {
    let reader = stage.machine();
    let applied = stage.books(&reader).applied().unwrap();
    plan(layout, machine, &applied)
}

fn carry_out(stage: &Stage, machine: &mut Live, plan: &Plan) -> Result<Outcome, ApplyError> {
    let reader = stage.machine();
    let mut books = stage.books(&reader);
    apply(plan, "apply", machine, &mut books, &mut Silent)
}

fn all(stage: &Stage, machine: &mut Live, version: &str) -> Result<Outcome, ApplyError> {
    let plan = plan_of(stage, machine, &layout(version));
    carry_out(stage, machine, &plan)
}

fn put_off(stage: &Stage, machine: &mut Live, version: &str) -> Plan {
    let plan = plan_of(stage, machine, &layout(version)).put_off();
    carry_out(stage, machine, &plan).unwrap();
    plan
}

fn waiting(plan: &Plan) -> Vec<(String, Option<How>)> {
    let waiting = plan.waiting().into_iter();
    waiting.map(|one| (one.service, one.how)).collect()
}

#[test]
fn what_is_put_off_is_told_by_a_later_apply() {
    let stage = Stage::new();
    let mut machine = live(&stage);
    let plan = put_off(&stage, &mut machine, "1");
    assert_eq!(machine.told(), Vec::<String>::new(), "nothing is started");
    assert_eq!(machine.services["nginx"], (true, false), "but enabled");
    let none = |name: &str| (name.to_owned(), None);
    assert_eq!(waiting(&plan), ["prosody", "jicofo", "nginx"].map(none));

    all(&stage, &mut machine, "1").unwrap();
    assert_eq!(
        machine.told(),
        ["start prosody", "start jicofo", "start nginx"]
    );
    assert!(!plan_of(&stage, &machine, &layout("1")).changes());

    let plan = put_off(&stage, &mut machine, "2");
    assert_eq!(machine.told(), Vec::<String>::new());
    let some = |(name, how): (&str, How)| (name.to_owned(), Some(how));
    let all_wait = [
        ("prosody", How::Restart),
        ("jicofo", How::Restart),
        ("nginx", How::Reload),
    ]
    .map(some);
    assert_eq!(waiting(&plan), all_wait);

    // Put off again with nothing else to do: nothing is forgotten, and nothing is done.
    let again = plan_of(&stage, &machine, &layout("2")).put_off();
    assert!(!again.changes());
    assert_eq!(waiting(&again), all_wait);
    carry_out(&stage, &mut machine, &again).unwrap();
    assert_eq!(machine.told(), Vec::<String>::new());

    let plan = plan_of(&stage, &machine, &layout("2"));
    let remarks: Vec<&str> = plan.todo().map(|step| step.remark.as_str()).collect();
    assert_eq!(
        remarks,
        [
            "restart, which was put off",
            "restart, which was put off",
            "reload, which was put off"
        ]
    );
    // Told by an apply that fails in the end, they are told again by the next.
    machine.refuses = "nginx";
    carry_out(&stage, &mut machine, &plan).unwrap_err();
    machine.refuses = "";
    machine.told();
    all(&stage, &mut machine, "2").unwrap();
    assert_eq!(
        machine.told(),
        ["restart prosody", "restart jicofo", "reload nginx"]
    );
    assert!(!plan_of(&stage, &machine, &layout("2")).changes());
}

#[test]
fn a_failure_of_an_apply_that_leaves_services_leaves_them_too() {
    let stage = Stage::new();
    let mut machine = live(&stage);
    all(&stage, &mut machine, "1").unwrap();
    machine.told();
    machine.refuses = "/p/b.conf";
    let plan = plan_of(&stage, &machine, &layout("2")).put_off();
    carry_out(&stage, &mut machine, &plan).unwrap_err();
    assert_eq!(machine.told(), Vec::<String>::new());
    assert!(!plan_of(&stage, &machine, &layout("1")).changes());
}

#[test]
fn a_service_that_would_have_to_stop_stands_in_the_way() {
    let stage = Stage::new();
    let mut machine = live(&stage);
    all(&stage, &mut machine, "1").unwrap();
    let mut smaller = layout("1");
    smaller
        .items
        .retain(|item| item.service != ServiceId::Nginx);
    let plan = plan_of(&stage, &machine, &smaller).put_off();
    let step = plan.blocked().next().unwrap();
    assert_eq!(step.id, "service nginx");
    assert_eq!(plan.count(Action::Blocked), 1);
    let error = carry_out(&stage, &mut machine, &plan).unwrap_err();
    assert!(error.to_string().contains("--no-restart"), "{error}");
    assert!(stage.path("n.conf").exists());
}
