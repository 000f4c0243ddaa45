//! Options of an apply on a machine with people and services: its files are real, the rest is made up.

use std::collections::BTreeMap;

use jitsi_install::apply::{Alter, AlterError, ApplyError, Outcome, apply, keep_going};
use jitsi_install::host::Machine;
use jitsi_install::journal::Ledger;
use jitsi_install::name::{AbsPath, Owner, ServiceId};
use jitsi_install::plan::{Action, Found, Observe, Plan, State, plan};
use jitsi_install::resource::{How, Item, Layout, Resource, Service, Wake};

use super::stage::{Silent, Stage, without_shared};

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
        if running != ran {
            self.refuse(thing.name())?;
        }
        if running && !ran {
            self.told.push(format!("start {}", thing.name()));
        } else if ran && !running {
            self.told.push(format!("stop {}", thing.name()));
        }
        self.services
            .insert(thing.name().to_owned(), (enabled, running));
        Ok(())
    }
    fn wake(&mut self, service: &Service, how: How) -> Result<bool, AlterError> {
        self.told.push(format!("{} {}", how.as_str(), service.name));
        self.refuse(&service.name).map(|()| true)
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

/// Carries out what can be, while `refuses` does not let itself be changed, and names what failed.
fn go_on(stage: &Stage, machine: &mut Live, layout: &Layout, refuses: &'static str) -> Vec<String> {
    let plan = plan_of(stage, machine, layout);
    let reader = stage.machine();
    let mut books = stage.books(&reader);
    machine.refuses = refuses;
    let outcome = keep_going(&plan, "apply", machine, &mut books, &mut Silent).unwrap();
    machine.refuses = "";
    // A service that cannot be told is a failure without a step of its own.
    assert!(outcome.taken + outcome.failures.len() >= plan.todo().count());
    let failures = outcome.failures.into_iter();
    failures
        .map(|one| format!("{}: {}", one.id, one.why))
        .collect()
}

#[test]
fn going_on_leaves_out_what_needs_the_step_that_failed() {
    let stage = Stage::new();
    let mut machine = live(&stage);
    let failed = go_on(&stage, &mut machine, &layout("1"), "/p");
    let left = |what: &str| format!("{what}: left out, since `dir /p` failed");
    assert_eq!(
        failed,
        [
            "dir /p: `/p`: made up by the test".to_owned(),
            left("file /p/a.conf"),
            left("file /p/b.conf"),
            left("service prosody"),
        ]
    );
    assert_eq!(machine.told(), ["start jicofo", "start nginx"]);
    all(&stage, &mut machine, "1").unwrap();
    assert_eq!(machine.told(), ["start prosody"]);
    assert!(!plan_of(&stage, &machine, &layout("1")).changes());

    // One of two files of a service that runs: it is not told of half of it, and not forgotten.
    let failed = go_on(&stage, &mut machine, &layout("2"), "/p/a.conf");
    assert_eq!(failed, ["file /p/a.conf: `/p/a.conf`: made up by the test"]);
    assert_eq!(machine.told(), ["restart jicofo", "reload nginx"]);
    let plan = plan_of(&stage, &machine, &layout("2"));
    let ids: Vec<&str> = plan.todo().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["file /p/a.conf", "service prosody"]);
    carry_out(&stage, &mut machine, &plan).unwrap();
    assert_eq!(machine.told(), ["restart prosody"]);
    assert!(!plan_of(&stage, &machine, &layout("2")).changes());

    // A service that does not take it: the others do.
    let failed = go_on(&stage, &mut machine, &layout("3"), "jicofo");
    assert_eq!(failed, ["service jicofo: `jicofo`: made up by the test"]);
    let told = ["restart prosody", "restart jicofo", "reload nginx"];
    assert_eq!(machine.told(), told);
    all(&stage, &mut machine, "3").unwrap();
    assert_eq!(machine.told(), ["restart jicofo"]);
}

#[test]
fn going_on_converges_whatever_failed() {
    let things = [
        "/p",
        "/p/a.conf",
        "/p/b.conf",
        "/j.conf",
        "/n.conf",
        "prosody",
        "jicofo",
        "nginx",
    ];
    let mut smaller = layout("2");
    smaller
        .items
        .retain(|item| item.service != ServiceId::Prosody);
    let wanted = [layout("1"), layout("2"), smaller, Layout::default()];
    let pictures: Vec<_> = {
        let stage = Stage::new();
        let mut machine = live(&stage);
        wanted
            .iter()
            .map(|layout| {
                let plan = plan_of(&stage, &machine, layout);
                carry_out(&stage, &mut machine, &plan).unwrap();
                (without_shared(stage.picture()), machine.services.clone())
            })
            .collect()
    };
    let mut failures = 0;
    for refuses in things {
        let stage = Stage::new();
        let mut machine = live(&stage);
        for (layout, picture) in wanted.iter().zip(&pictures) {
            failures += go_on(&stage, &mut machine, layout, refuses).len();
            let plan = plan_of(&stage, &machine, layout);
            carry_out(&stage, &mut machine, &plan).unwrap();
            let now = (without_shared(stage.picture()), machine.services.clone());
            assert_eq!(now, *picture, "after a failure of {refuses}");
            assert!(!plan_of(&stage, &machine, layout).changes());
        }
    }
    assert!(failures > 3 * things.len(), "{failures} failures only");
}
