//! Figures rather than right and wrong, so this is run by `benches/apply.sh` alone: how long an apply
//! takes on a bare Debian, and what one costs that has nothing to do, beside Ansible.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::container::Container;
use super::journey::{SITE, site};
use super::rootfs::{Release, download, target};
use super::services::Server;
use super::shell::done;
use super::{debs, gate};

const PYTHON: &[&str] = &["python3", "python3-apt"];

fn number(name: &str) -> f64 {
    let value = std::env::var(name).unwrap_or_default();
    value.parse().unwrap_or_else(|_| panic!("{name}: a number"))
}

#[test]
#[ignore = "a bench: `sh benches/apply.sh`"]
fn apply() {
    assert!(gate::is_open(), "no machine can be booted here");
    let binary = PathBuf::from(std::env::var_os("BIN").expect("BIN"));
    let ansible = PathBuf::from(std::env::var_os("ANSIBLE").expect("ANSIBLE"));
    let machine = Container::boot(Release::Trixie, "bench", debs::built().unwrap()).unwrap();
    let binary = fs::read(binary).unwrap();
    let put = |path: &str, bytes: &[u8], mode| machine.put(path, bytes, mode).unwrap();
    put("/usr/local/sbin/jitsi-install", &binary, 0o755);
    // apt writes as on a machine that is kept: else what it has not synced is waited for by whoever syncs next
    machine.remove("/etc/dpkg/dpkg.cfg.d/thrown-away").unwrap();
    put(SITE, site(Server::Nginx, &[]).as_bytes(), 0o644);
    let said = machine.run(&["jitsi-install", "apply", "--yes", "--json"]);
    assert_eq!(said.code, 0, "{}", said.whole());
    let ours = first(&said.out);

    give_python(&machine, &ansible);
    put("/root/play.yml", playbook(&machine).as_bytes(), 0o644);
    let apply = "jitsi-install apply --yes";
    let play = "PYTHONPATH=/root/ansible python3 -m ansible playbook -i localhost, -c local /root/play.yml";
    let (mut us, mut them) = (Vec::new(), Vec::new());
    let runs = number("RUNS") as usize;
    for run in 0..=runs {
        let one = cost(&machine, apply, "everything is in order");
        let other = cost(&machine, play, "changed=0 ");
        // the first one warms the caches
        if run > 0 {
            us.push(one);
            them.push(other);
        }
    }
    let (us, them) = (median(us), median(them));
    println!(
        "an apply that has nothing to do, median of {runs} runs by turns (CPU with children; time):"
    );
    println!("  jitsi-install    {:8.0} ms {:8.0} ms", us.0, us.1);
    println!("  ansible-playbook {:8.0} ms {:8.0} ms", them.0, them.1);
    println!(
        "  ratio            {:8.0}    {:8.0}",
        them.0 / us.0,
        them.1 / us.1
    );
    assert!(us.0 <= number("CPU"), "more than CPU={} ms", number("CPU"));
    assert!(
        ours <= number("SHARE"),
        "more than SHARE={} %",
        number("SHARE")
    );
}

/// Where the time of a first apply went, by its own events; says which part was neither the package
/// manager's nor the services'. Looks at packages, units and accounts count as ours.
fn first(events: &str) -> f64 {
    let events: Vec<Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let mut spent: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut since, mut who) = (0, "plans");
    for event in &events {
        let at = event["ms"].as_u64().expect("events have `ms`");
        *spent.entry(who).or_default() += at - since;
        since = at;
        who = match event["event"].as_str() {
            Some("packages") if event["missing"] != json!([]) => "packages",
            Some("service") => "services",
            Some("step")
                if event["id"]
                    .as_str()
                    .is_some_and(|id| id.starts_with("service ")) =>
            {
                "services"
            }
            Some("step") => "files",
            _ => "plans",
        };
    }
    let ours = spent["plans"] + spent["files"];
    let share = ours as f64 * 100.0 / since as f64;
    println!(
        "a first apply, {since} ms: {spent:?}, so {share:.1} % outside package manager and services"
    );
    share
}

fn give_python(machine: &Container, ansible: &Path) {
    let packages = target().join("bench-python");
    let _ = fs::remove_dir_all(&packages);
    fs::create_dir_all(&packages).unwrap();
    download(Release::Trixie, PYTHON, &packages).unwrap();
    let root = machine.root().join("root");
    let mut copy = Command::new("cp");
    done(copy.arg("-R").args([&packages, ansible]).arg(&root)).unwrap();
    let name = ansible.file_name().unwrap().to_string_lossy();
    let line = format!(
        "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install /root/bench-python/*.deb && mv /root/{name} /root/ansible.new && mv /root/ansible.new /root/ansible"
    );
    let said = machine.sh(&line);
    assert_eq!(said.code, 0, "{}", said.whole());
}

/// The same packages, people, folders, files, links and services as tasks of Ansible's own modules.
fn playbook(machine: &Container) -> String {
    let said = machine.run(&["jitsi-install", "plan", "--json"]);
    let plan: Value =
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.whole()));
    let mut of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for step in plan["steps"].as_array().unwrap() {
        let (kind, name) = step["id"].as_str().unwrap().split_once(' ').unwrap();
        of.entry(kind).or_default().push(name);
    }
    let stat = |path: &str| {
        let found =
            fs::symlink_metadata(machine.root().join(path.trim_start_matches('/'))).unwrap();
        let mode = format!("0{:o}", found.mode() & 0o7777);
        (mode, found.uid().to_string(), found.gid().to_string())
    };
    let dirs: Vec<Value> = of["dir"]
        .iter()
        .map(|path| {
            let (mode, user, group) = stat(path);
            json!({ "path": path, "mode": mode, "owner": user, "group": group })
        })
        .collect();
    let files: Vec<Value> = of["file"]
        .iter()
        .map(|path| {
            let line = format!("mkdir -p \"$(dirname '/root/files{path}')\" && cp '{path}' '/root/files{path}'");
            assert_eq!(machine.sh(&line).code, 0, "{path}");
            let (mode, user, group) = stat(path);
            json!({ "dest": path, "src": format!("/root/files{path}"), "mode": mode, "owner": user, "group": group })
        })
        .collect();
    let links: Vec<Value> = of["link"]
        .iter()
        .map(|path| {
            let place = machine.root().join(path.trim_start_matches('/'));
            json!({ "path": path, "src": fs::read_link(place).unwrap() })
        })
        .collect();
    let users = of.get("user").cloned().unwrap_or_default();
    let groups = of.get("group").cloned().unwrap_or_default();
    let item = |key: &str| format!("{{{{ item.{key} }}}}");
    let tasks = json!([
        { "apt": { "name": of["package"], "state": "present" } },
        { "group": { "name": "{{ item }}", "system": true }, "loop": groups },
        { "user": { "name": "{{ item }}", "system": true }, "loop": users },
        { "file": { "path": item("path"), "state": "directory", "mode": item("mode"), "owner": item("owner"), "group": item("group") },
          "loop": dirs },
        { "copy": { "src": item("src"), "dest": item("dest"), "mode": item("mode"), "owner": item("owner"), "group": item("group") },
          "loop": files },
        { "file": { "path": item("path"), "src": item("src"), "state": "link" }, "loop": links },
        { "systemd_service": { "name": "{{ item }}", "enabled": true, "state": "started" }, "loop": of["service"] },
    ]);
    json!([{ "hosts": "localhost", "gather_facts": false, "tasks": tasks }]).to_string()
}

/// CPU time with that of its children, and time, both in ms.
fn cost(machine: &Container, line: &str, words: &str) -> (f64, f64) {
    let said = machine.sh(&format!("TIMEFORMAT='cost %U %S %R'; time {line}"));
    let whole = said.whole();
    assert!(said.code == 0 && whole.contains(words), "{whole}");
    let costs = said.err.lines().find_map(|line| line.strip_prefix("cost "));
    let costs: Vec<f64> = costs
        .unwrap_or_default()
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    ((costs[0] + costs[1]) * 1000.0, costs[2] * 1000.0)
}

fn median(mut figures: Vec<(f64, f64)>) -> (f64, f64) {
    let middle = figures.len() / 2;
    figures.sort_by(|a, b| a.0.total_cmp(&b.0));
    let cpu = figures[middle].0;
    figures.sort_by(|a, b| a.1.total_cmp(&b.1));
    (cpu, figures[middle].1)
}
