//! One machine from bare to uninstalled, in the order in which an administrator would meet it. The
//! steps stand on each other; when the first apply fails there is nothing more to ask.
//!
//! Over 400 lines: one machine goes through all of it, in one order.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::cases::Cases;
use super::machine::Machine;
use super::tree::{self, Tree};

pub(crate) const SITE: &str = "/etc/jitsi-install/site.toml";
const STORE: &str = "/var/cache/jitsi-install/packages";

/// The administrator's own `rc.local`: with an end behind which nothing is reached.
pub(crate) const OWN: &str =
    "#!/bin/sh\n# mine\necho \"mine was here\" >> /var/log/mine\n\nexit 0\n";

/// What a site file says beside its domain: `key = value` lines.
pub(crate) fn site(changes: &[(&str, &str)]) -> String {
    let mut values = BTreeMap::from([
        ("jicofo.memory", "256"),
        ("videobridge.memory", "256"),
        // there is no network in there
        ("videobridge.require_valid_address", "false"),
    ]);
    values.extend(changes.iter().copied());
    let mut text = "schema = 1\ndomain = \"meet.example.org\"\n".to_owned();
    for (key, value) in values {
        text.push_str(&format!("{key} = {value}\n"));
    }
    text
}

/// A machine with a site file and an administrator.
pub(crate) fn machine() -> Machine {
    let machine = Machine::start();
    machine.write(SITE, &site(&[]));
    machine.program("/etc/rc.d/rc.local", OWN);
    machine
}

pub(crate) fn all_run(machine: &Machine, web: &'static str, cases: &mut Cases, when: &str) {
    let pids = machine.pids(web);
    cases.holds(&format!("all services run {when}"), pids.len() == 4, || {
        format!("{pids:?}\n{}", machine.sh("ps axf").out)
    });
    // The others find Prosody again by themselves.
    let until = Instant::now() + Duration::from_secs(20);
    let mut status = machine.installer(&["status"]);
    while status.code != 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(300));
        status = machine.installer(&["status"]);
    }
    cases.holds(
        &format!("status is content {when}"),
        status.code == 0,
        || status.whole(),
    );
}

pub(crate) fn take() {
    let machine = machine();
    let mut cases = Cases::new("Slackware, from bare to uninstalled");
    a_package_is_missing(&machine, &mut cases);
    if from_nothing(&machine, &mut cases) {
        once_more(&machine, &mut cases);
        only_whom_it_concerns(&machine, &mut cases);
        a_part(&machine, &mut cases);
        put_off(&machine, &mut cases);
        going_on(&machine, &mut cases);
        another_web_server(&machine, &mut cases);
        away(&machine, &mut cases);
    }
    let left = machine.end();
    cases.same("nothing is left of the root", left, Vec::new());
    cases.finish();
}

fn a_package_is_missing(machine: &Machine, cases: &mut Cases) {
    let before = tree::of(&machine.root());
    let hidden = format!("mv {STORE}/jicofo-1.0-noarch-1_SBo.txz /root/");
    cases.same("a package can be hidden", machine.sh(&hidden).code, 0);
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds(
        "an apply without a package is refused, with a way out",
        said.code == 1 && said.err.contains("package jicofo") && said.err.contains("package fetch"),
        || said.whole(),
    );
    let others = said.err.contains("package nginx:");
    cases.holds("the others are not named", !others, || said.whole());
    let back = format!("mv /root/jicofo-1.0-noarch-1_SBo.txz {STORE}/");
    cases.same("and shown again", machine.sh(&back).code, 0);
    let after = tree::of(&machine.root());
    let books = ["/var/lib/jitsi-install", "/var/log/jitsi-install"];
    let changed = tree::differences(&before, &after, &books);
    cases.same("nothing was changed", changed, Vec::new());
}

fn from_nothing(machine: &Machine, cases: &mut Cases) -> bool {
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds(
        "one apply makes a site of a bare machine",
        said.code == 0,
        || said.whole(),
    );
    if said.code != 0 {
        return false;
    }
    all_run(machine, "nginx", cases, "after the apply");
    let records = machine.sh("ls /var/lib/pkgtools/packages").out;
    for name in [
        "prosody",
        "nginx",
        "jicofo",
        "jitsi-videobridge",
        "lua-basexx",
    ] {
        let has = records.contains(&format!("{name}-1.0-noarch-1_SBo\n"));
        cases.holds(&format!("{name} is installed"), has, || records.clone());
    }
    let no_caddy = !records.contains("caddy");
    cases.holds("what nobody wants is not", no_caddy, || records.clone());
    let people = machine.read("/etc/passwd");
    for line in [
        "prosody:x:274:274::/var/lib/prosody:/bin/false",
        ":/usr/share/jicofo:/bin/false",
        ":/usr/share/jitsi-videobridge:/bin/false",
    ] {
        cases.holds(line, people.contains(line), || people.clone());
    }
    let owners = machine.sh("for n in prosody jicofo jitsi-videobridge; do \
        f=/run/$n.pid; [ $n = prosody ] && f=/var/lib/prosody/prosody.pid; stat -c %U /proc/$(cat $f); done");
    cases.same(
        "each runs as its user",
        owners.out.as_str(),
        "prosody\njicofo\njvb\n",
    );
    let page = machine.sh(
        "printf 'GET /config.js HTTP/1.1\\r\\nHost: meet.example.org\\r\\nConnection: close\\r\\n\\r\\n' \
         | timeout 10 openssl s_client -quiet -verify_return_error -verify_hostname meet.example.org \
         -CAfile /etc/jitsi/certs/meet.example.org.crt -servername meet.example.org -connect 127.0.0.1:443",
    );
    cases.holds("the site answers", page.out.contains(" 200 "), || {
        page.whole()
    });
    let bosh = machine.sh("exec 3<>/dev/tcp/127.0.0.1/5280 && printf 'GET /http-bind HTTP/1.0\\r\\n\\r\\n' >&3 && timeout 5 cat <&3");
    cases.holds("Prosody answers", bosh.out.contains(" 200 "), || {
        bosh.whole()
    });
    cases.same(
        "rc.nginx was made executable",
        machine.mode("/etc/rc.d/rc.nginx"),
        0o755,
    );
    cases.same(
        "prosodyctl is as it was",
        machine.mode("/usr/bin/prosodyctl"),
        0o755,
    );
    true
}

fn once_more(machine: &Machine, cases: &mut Cases) {
    let (pids, before) = (machine.pids("nginx"), tree::of(&machine.root()));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds(
        "a second apply has nothing to do",
        said.code == 0 && said.err.contains("everything is in order"),
        || said.whole(),
    );
    cases.same("and restarts nothing", machine.pids("nginx"), pids);
    let passing = [
        "/var/log",
        "/var/lib/prosody",
        "/var/lib/jitsi-install/lock",
    ];
    let changed = tree::differences(&before, &tree::of(&machine.root()), &passing);
    cases.same("and changes nothing", changed, Vec::new());
}

fn only_whom_it_concerns(machine: &Machine, cases: &mut Cases) {
    let before = machine.pids("nginx");
    machine.write(SITE, &site(&[("jicofo.memory", "300")]));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("other memory for Jicofo", said.code == 0, || said.whole());
    let after = machine.pids("nginx");
    let changed: Vec<&str> = before
        .keys()
        .filter(|name| before.get(*name) != after.get(*name))
        .copied()
        .collect();
    cases.same("restarts Jicofo alone", changed, vec!["jicofo"]);
    all_run(machine, "nginx", cases, "with other memory");
    machine.write(
        SITE,
        &site(&[("jicofo.memory", "300"), ("prosody.http_port", "5281")]),
    );
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("another port of Prosody's", said.code == 0, || said.whole());
    let last = machine.pids("nginx");
    cases.same(
        "nginx reads it and goes on",
        last.get("nginx"),
        after.get("nginx"),
    );
    let restarted = last.get("prosody") != after.get("prosody");
    cases.holds("Prosody is restarted", restarted, || format!("{last:?}"));
    all_run(machine, "nginx", cases, "with another port");
}

/// `--only` for what others read: they are told by the next plain apply.
fn a_part(machine: &Machine, cases: &mut Cases) {
    machine.sh("rm /etc/jitsi/certs/meet.example.org.crt");
    let said = machine.installer(&["apply", "--yes", "--only", "certificates"]);
    let words = "nginx: runs with its old configuration, reload is put off";
    let holds = said.code == 0 && said.err.contains(words);
    cases.holds("a part says who is not told", holds, || said.whole());
    let plan = machine.installer(&["plan", "--exit-code"]);
    let holds = plan.code == 2 && plan.out.contains("nginx  (reload, which was put off)");
    cases.holds("and a plan knows", holds, || plan.whole());
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 0 && said.err.contains("nginx: reload");
    cases.holds("who is told later", holds, || said.whole());
}

/// `--no-restart`, and the next plain apply.
fn put_off(machine: &Machine, cases: &mut Cases) {
    let before = machine.pids("nginx");
    let port = ("prosody.http_port", "5281");
    let said = |words: &[&str]| machine.installer(words);
    machine.write(SITE, &site(&[("jicofo.memory", "310"), port]));
    let quiet = said(&["apply", "--yes", "--no-restart"]);
    let words = "jicofo: runs with its old configuration, restart is put off\n  hint: `jitsi-install apply` starts";
    let holds = quiet.code == 0 && quiet.err.contains(words);
    cases.holds("an apply without a restart", holds, || quiet.whole());
    let config = machine.read("/etc/jitsi/jicofo/config");
    cases.holds("lays out", config.contains("310"), || config.clone());
    let pids = machine.pids("nginx");
    cases.same("and leaves all services", pids, before.clone());
    let plan = said(&["plan", "--exit-code"]);
    let holds = plan.code == 2 && plan.out.contains("jicofo  (restart, which was put off)");
    cases.holds("a plan knows of it", holds, || plan.whole());
    let status = said(&["status"]);
    let holds = status.code == 1 && status.out.contains("put off");
    cases.holds("and status too", holds, || status.whole());
    let told = said(&["apply", "--yes", "--no-restart", "--json"]);
    let last: serde_json::Value =
        serde_json::from_str(told.out.lines().last().unwrap_or_default()).unwrap_or_default();
    let want = serde_json::json!([{ "service": "jicofo", "how": "restart" }]);
    cases.same("and JSON", last["waiting"].clone(), want);
    let caddy = site(&[("jicofo.memory", "310"), port, ("web.server", "\"caddy\"")]);
    machine.write(SITE, &caddy);
    let refused = said(&["apply", "--yes", "--no-restart"]);
    let holds = refused.code == 1
        && refused
            .err
            .contains("service nginx: it would have to be stopped");
    cases.holds("no other web server without a stop", holds, || {
        refused.whole()
    });
    machine.write(SITE, &site(&[("jicofo.memory", "310"), port]));
    let later = said(&["apply", "--yes"]);
    cases.same("a later apply", later.code, 0);
    let after = machine.pids("nginx");
    let changed: Vec<&str> = before
        .keys()
        .filter(|name| before.get(*name) != after.get(*name))
        .copied()
        .collect();
    cases.same("restarts Jicofo alone after all", changed, vec!["jicofo"]);
    let plan = said(&["plan", "--exit-code"]);
    cases.same("and then nothing is put off", plan.code, 0);
}

/// `--keep-going`, while Jicofo's file cannot be replaced.
fn going_on(machine: &Machine, cases: &mut Cases) {
    let file = "/etc/jitsi/jicofo/config";
    let wish = [
        ("jicofo.memory", "330"),
        ("prosody.http_port", "5282"),
        ("prosody.log_level", "\"debug\""),
    ];
    machine.write(SITE, &site(&wish));
    let held = machine.sh(&format!("mount --bind {file} {file}"));
    cases.same("a file can be held", held.code, 0);
    let refused = machine.installer(&["apply", "--yes"]);
    let holds = refused.code == 1 && refused.err.contains("taken back");
    cases.holds("an apply takes all back for it", holds, || refused.whole());
    let before = machine.pids("nginx");
    let said = machine.installer(&["apply", "--yes", "--keep-going"]);
    let named = format!("not everything could be done:\n  file {file}: ");
    let holds = said.code == 1 && said.err.contains(&named) && said.err.contains("hint: ");
    cases.holds("one that keeps going names it", holds, || said.whole());
    let prosody = machine.read("/etc/prosody/prosody.cfg.lua");
    cases.holds("does the rest", prosody.contains("5282"), || {
        prosody.clone()
    });
    let config = machine.read(file);
    cases.holds("but not this", config.contains("310"), || config.clone());
    let after = machine.pids("nginx");
    let restarted = after.get("prosody") != before.get("prosody");
    let left = after.get("jicofo") == before.get("jicofo");
    cases.holds("restarts Prosody, not Jicofo", restarted && left, || {
        format!("{before:?} {after:?}")
    });
    let said = machine.installer(&["apply", "--yes", "--keep-going", "--json"]);
    let last: serde_json::Value =
        serde_json::from_str(said.out.lines().last().unwrap_or_default()).unwrap_or_default();
    let holds = last["failures"][0]["id"] == format!("file {file}") && last["generation"].is_null();
    cases.holds(
        "with nothing else to do it makes no generation",
        holds,
        || said.whole(),
    );
    machine.sh(&format!("umount {file}"));
    let later = machine.installer(&["apply", "--yes"]);
    cases.holds("a later apply does it", later.code == 0, || later.whole());
    let config = machine.read(file);
    cases.holds("wholly", config.contains("330"), || config.clone());
    let plan = machine.installer(&["plan", "--exit-code"]);
    cases.holds("and all is in order", plan.code == 0, || plan.whole());
    all_run(
        machine,
        "nginx",
        cases,
        "after a failure that was gone over",
    );
    machine.write(
        SITE,
        &site(&[("jicofo.memory", "310"), ("prosody.http_port", "5281")]),
    );
    let back = machine.installer(&["apply", "--yes"]);
    cases.same("and back again", back.code, 0);
}

fn another_web_server(machine: &Machine, cases: &mut Cases) {
    let memory = ("jicofo.memory", "310");
    machine.write(SITE, &site(&[memory, ("web.server", "\"caddy\"")]));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("from nginx to Caddy", said.code == 0, || said.whole());
    all_run(machine, "caddy", cases, "with Caddy");
    let nginx = machine.pids("nginx").contains_key("nginx");
    cases.holds("nginx has gone", !nginx, String::new);
    cases.same("and stays away", machine.mode("/etc/rc.d/rc.nginx"), 0o644);
    let boot = machine.read("/etc/rc.d/rc.local");
    let holds = boot.contains("rc.caddy start") && !boot.contains("rc.nginx");
    cases.holds("rc.local starts the other one", holds, || boot.clone());
    let said = machine.installer(&["rollback", "--yes"]);
    cases.holds("and rolled back", said.code == 0, || said.whole());
    machine.write(SITE, &site(&[memory, ("prosody.http_port", "5281")]));
    all_run(machine, "nginx", cases, "with nginx again");
    let caddy = machine.pids("caddy").contains_key("caddy");
    cases.holds("Caddy has gone", !caddy, String::new);
}

/// The same machine if only packages had ever been installed.
fn with_packages_only() -> Tree {
    let machine = machine();
    let said = machine.sh(&format!("for file in {STORE}/*; do installpkg $file; done"));
    assert_eq!(said.code, 0, "{}", said.whole());
    tree::of(&machine.root())
}

fn away(machine: &Machine, cases: &mut Cases) {
    let said = machine.installer(&["uninstall", "--yes"]);
    cases.holds("uninstall", said.code == 0, || said.whole());
    let pids = machine.pids("nginx");
    cases.same("nothing runs", pids, BTreeMap::new());
    cases.same(
        "rc.local is the administrator's",
        machine.read("/etc/rc.d/rc.local").as_str(),
        OWN,
    );
    let kept = [
        "/etc/jitsi-install",
        "/var/lib/jitsi-install",
        "/var/log",
        "/var/lib/prosody",
        // where the scripts keep heap dumps, and Caddy its state
        "/var/lib/jicofo",
        "/var/lib/jitsi-videobridge",
        "/var/lib/caddy",
        // nginx's folders for requests
        "/var/lib/nginx",
        // what useradd leaves of its own
        "/etc/passwd-",
        "/etc/group-",
        "/etc/shadow-",
        "/etc/.pwd.lock",
        "/etc/subuid",
        "/etc/subgid",
        "/etc/subuid-",
        "/etc/subgid-",
        // bash and openssl
        "/root",
    ];
    let reference = with_packages_only();
    // Logs stay, and so do those to whom they belong: nobody else may get their numbers.
    let people = ["/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"];
    let changed = tree::differences(
        &reference,
        &tree::of(&machine.root()),
        &[&kept[..], &people].concat(),
    );
    cases.same("all is as with packages alone", changed, Vec::new());
    let ours = "getent passwd prosody jicofo jvb caddy | cut -d: -f1";
    cases.same(
        "but for the owners of logs",
        machine.sh(ours).out.as_str(),
        "jicofo\njvb\n",
    );
    let said = machine.installer(&["uninstall", "--purge", "--yes"]);
    cases.holds("purge", said.code == 0, || said.whole());
    let changed = tree::differences(&reference, &tree::of(&machine.root()), &kept);
    cases.same("they go with their logs", changed, Vec::new());
}
