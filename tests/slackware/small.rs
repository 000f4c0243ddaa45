//! A small site with a thing of every kind, carried out by this very test program inside the root:
//! so small that it can be killed at each single step.

use jitsi_install::apply::{Progress, apply, plan_back, rollback, take_back};
use jitsi_install::host::Machine;
use jitsi_install::host::books::Books;
use jitsi_install::journal::Ledger;
use jitsi_install::name::{AbsPath, Mode, Owner, ServiceId};
use jitsi_install::plan::{Step, plan};
use jitsi_install::resource::{
    Content, Dir, File, How, Item, Layout, Link, Resource, Service, Wake,
};

/// Says inside the root what is to be done: `old`, `new`, `recover`, `rollback`.
pub(crate) const VERB: &str = "SMALL_SITE";

/// Old has `spam`, new has `eggs`, both have `ham`.
fn layout(is_new: bool) -> Layout {
    let version = if is_new { "new" } else { "old" };
    let mut items = Vec::new();
    let mut names = vec![("ham", ServiceId::Prosody)];
    if is_new {
        names.push(("eggs", ServiceId::Jicofo));
    } else {
        names.push(("spam", ServiceId::Videobridge));
    }
    for (name, id) in &names {
        add_service(&mut items, name, *id, version);
    }
    let mut add = |resource, wakes| {
        items.push(Item {
            service: ServiceId::Prosody,
            resource,
            wakes,
        });
    };
    if !is_new {
        // A package's script: nothing but its executable bit is ours.
        let service = Service {
            name: "nginx".to_owned(),
            id: ServiceId::Nginx,
            probes: Vec::new(),
        };
        add(Resource::Service(service), Vec::new());
    }
    let all = names.iter().map(|(_, id)| restart(*id)).collect();
    add(
        Resource::public_file(AbsPath::fixed("/etc/common.conf"), format!("{version}\n")),
        all,
    );
    add(
        Resource::Link(Link {
            path: AbsPath::fixed("/etc/current"),
            target: AbsPath::parse(&format!("/etc/{version}")).unwrap(),
        }),
        Vec::new(),
    );
    for file in ["rc.local", "rc.local_shutdown"] {
        let started = names.iter().map(|(name, _)| *name);
        let started = started.chain((!is_new).then_some("nginx"));
        let lines = started.map(|name| format!("/etc/rc.d/rc.{name} start\n"));
        let block = File {
            path: AbsPath::parse(&format!("/etc/rc.d/{file}")).unwrap(),
            owner: Owner::root(),
            mode: Mode(0o755),
            content: Content::Block(lines.collect()),
            veiled: false,
        };
        add(Resource::File(block), Vec::new());
    }
    items.sort_by_key(|item| {
        let starting = match &item.resource {
            Resource::Service(service) => service.name == "nginx",
            _ => false,
        };
        (item.resource.stage(), starting, item.resource.id())
    });
    Layout {
        items,
        ..Layout::default()
    }
}

fn restart(service: ServiceId) -> Wake {
    Wake {
        service,
        how: How::Restart,
    }
}

/// Group, user, folder, file, script and the service itself.
fn add_service(items: &mut Vec<Item>, name: &str, id: ServiceId, version: &str) {
    let home = AbsPath::parse(&format!("/var/lib/{name}")).unwrap();
    let mut add = |resource, wakes| {
        items.push(Item {
            service: id,
            resource,
            wakes,
        });
    };
    add(
        Resource::Group {
            name: name.to_owned(),
            id: None,
        },
        Vec::new(),
    );
    let user = Resource::User {
        name: name.to_owned(),
        group: name.to_owned(),
        home: home.clone(),
        ids: None,
    };
    add(user, Vec::new());
    let dir = Dir {
        path: home,
        owner: Owner::new(name, name),
        mode: Mode(0o750),
        ours: true,
    };
    add(Resource::Dir(dir), Vec::new());
    let conf = AbsPath::parse(&format!("/etc/{name}.conf")).unwrap();
    add(
        Resource::group_file(conf, name, format!("{name} {version}\n")),
        vec![restart(id)],
    );
    let script = File {
        path: AbsPath::parse(&format!("/etc/rc.d/rc.{name}")).unwrap(),
        owner: Owner::root(),
        mode: Mode(0o755),
        content: Content::Bytes(script(name).into_bytes()),
        veiled: false,
    };
    add(Resource::File(script), vec![restart(id)]);
    let service = Service {
        name: name.to_owned(),
        id,
        probes: Vec::new(),
    };
    add(Resource::Service(service), Vec::new());
}

/// What it starts runs as its user, and `/run/NAME.seen` is the configuration that it has read.
fn script(name: &str) -> String {
    format!(
        "#!/bin/bash\nexec > /dev/null 2>&1\npid=/run/{name}.pid\n\
         runs() {{ [ -s $pid ] && [ -n \"$(tr -d '\\0' < /proc/$(< $pid)/cmdline)\" ]; }}\n\
         case $1 in\n\
         start)\n  runs && exit 1\n  cat /etc/common.conf /etc/{name}.conf > /run/{name}.seen\n  \
         setpriv --reuid {name} --regid {name} --clear-groups sleep 1000000 < /dev/null &\n  echo $! > $pid ;;\n\
         stop) kill -KILL $(< $pid); rm -f $pid ;;\n\
         status) runs ;;\n\
         esac\n"
    )
}

struct Silent;

impl Progress for Silent {
    fn step(&mut self, _: usize, _: usize, _: &Step) {}
    fn kept(&mut self, _: &AbsPath, _: &AbsPath) {}
    fn back(&mut self, _: &str) {}
    fn service(&mut self, _: &str, _: &str) {}
    fn warn(&mut self, _: &str) {}
}

/// Recovers, and does what `verb` says.
pub(crate) fn carry_out(verb: &str) {
    let mut machine = Machine::open_live().unwrap();
    let reader = Machine::open_live().unwrap();
    let state = AbsPath::fixed("/var/lib/jitsi-install");
    let mut books = Books::locked(reader.root(), state, verb).unwrap();
    while let Some(number) = books.unfinished().unwrap() {
        take_back(number, &mut machine, &mut books, &mut Silent).unwrap();
    }
    match verb {
        "old" | "new" => {
            let applied = books.applied().unwrap();
            let plan = plan(&layout(verb == "new"), &machine, &applied);
            apply(&plan, verb, &mut machine, &mut books, &mut Silent).unwrap();
        }
        "rollback" => {
            let target = books.generations().unwrap().last().unwrap().number - 1;
            let plan = plan_back(target, &machine, &books).unwrap();
            rollback(&plan, target, &mut machine, &mut books, &mut Silent).unwrap();
        }
        "recover" => {}
        verb => panic!("{verb} is no verb"),
    }
}
