//! What `rc.local` is for: the machine boots, and its administrator writes into the same file.

use std::collections::BTreeMap;

use super::cases::Cases;
use super::journey::{SITE, all_run, machine, site};
use super::machine::Machine;

pub(crate) fn take() {
    let machine = machine();
    let mut cases = Cases::new("Slackware, boot and administrator");
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("the machine is made", said.code == 0, || said.whole());
    if said.code == 0 {
        the_block(&machine, &mut cases);
        a_boot(&machine, &mut cases);
        stale_pids(&machine, &mut cases);
        an_edit(&machine, &mut cases);
        half_a_block(&machine, &mut cases);
        left_to_him(&machine, &mut cases);
        a_script_that_cannot_start(&machine, &mut cases);
        a_bridge_comes_back(&machine, &mut cases);
        away(&machine, &mut cases);
    }
    let left = machine.end();
    cases.same("nothing is left of the root", left, Vec::new());
    cases.finish();
}

/// The names in the lines of our block, in order.
pub(crate) fn order(text: &str, verb: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with("if [ -x /etc/rc.d/rc."))
        .filter_map(|line| {
            let name = line.split("then /etc/rc.d/rc.").nth(1)?;
            Some(name.strip_suffix(&format!(" {verb}; fi"))?.to_owned())
        })
        .collect()
}

fn the_block(machine: &Machine, cases: &mut Cases) {
    let start = machine.read("/etc/rc.d/rc.local");
    let stop = machine.read("/etc/rc.d/rc.local_shutdown");
    let mut want = vec!["prosody", "jicofo", "jitsi-videobridge", "nginx"];
    cases.same("the order of starting", order(&start, "start"), own(&want));
    want.reverse();
    cases.same("the order of stopping", order(&stop, "stop"), own(&want));
    let holds = start.starts_with("#!/bin/sh\n# mine\n") && start.ends_with("\nexit 0\n");
    cases.holds("the administrator's lines stand", holds, || start.clone());
    let holds = stop.starts_with("#!/bin/bash\n");
    cases.holds("the missing file is a script", holds, || stop.clone());
    let modes =
        ["rc.local", "rc.local_shutdown"].map(|name| machine.mode(&format!("/etc/rc.d/{name}")));
    cases.same("both may run", modes, [0o755, 0o755]);
}

fn own(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn a_boot(machine: &Machine, cases: &mut Cases) {
    let before = machine.pids("nginx");
    let said = machine.sh("/etc/rc.d/rc.K");
    cases.holds("all stop at shutdown", said.code == 0, || said.whole());
    let gone = machine.sh("for i in $(seq 50); do pgrep -x 'nginx|java|lua5.4' > /dev/null || exit 0; sleep 0.1; done; exit 1");
    let left = machine.pids("nginx");
    cases.holds("and are gone", gone.code == 0 && left.is_empty(), || {
        machine.sh("ps axf").out
    });
    let said = machine.sh("/etc/rc.d/rc.M");
    cases.holds("the machine boots", said.code == 0, || said.whole());
    all_run(machine, "nginx", cases, "after a boot");
    let after = machine.pids("nginx");
    let anew = after
        .iter()
        .all(|(name, pid)| before.get(name) != Some(pid));
    cases.holds("all are new", anew, || format!("{before:?} {after:?}"));
    cases.same(
        "the administrator's line ran",
        machine.read("/var/log/mine").as_str(),
        "mine was here\n",
    );
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 0 && said.err.contains("everything is in order");
    cases.holds("an apply after it has nothing to do", holds, || {
        said.whole()
    });
    cases.same("and restarts nothing", machine.pids("nginx"), after);
}

/// All are killed, and every pid file names somebody else who lives.
fn stale_pids(machine: &Machine, cases: &mut Cases) {
    let kill = "for f in /run/jicofo.keeper /run/jitsi-videobridge.keeper /run/jicofo.pid /run/jitsi-videobridge.pid \
        /run/nginx.pid /var/lib/prosody/prosody.pid; do kill -KILL $(cat $f); done; sleep 0.5; \
        for p in $(pgrep -x nginx); do kill -KILL $p; done; \
        for f in /run/jicofo.pid /run/jitsi-videobridge.pid /run/nginx.pid /var/lib/prosody/prosody.pid; do echo 1 > $f; done";
    machine.sh(kill);
    let status = machine.installer(&["status"]);
    let words = ["prosody", "jicofo", "jitsi-videobridge", "nginx"];
    for name in words {
        let holds = status.out.contains(&format!("{name}: it does not run"));
        cases.holds(&format!("{name} is seen to be down"), holds, || {
            status.whole()
        });
    }
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("stale pid files are no obstacle", said.code == 0, || {
        said.whole()
    });
    all_run(machine, "nginx", cases, "after a crash");
}

fn an_edit(machine: &Machine, cases: &mut Cases) {
    let before = machine.pids("nginx");
    let text = machine.read("/etc/rc.d/rc.local");
    let edited = text
        .replace("rc.jicofo start", "rc.jicofo start --fast")
        .replace("# mine\n", "# mine, and more\n");
    machine.write("/etc/rc.d/rc.local", &edited);
    let plan = machine.installer(&["plan"]);
    let words = ["block /etc/rc.d/rc.local", "start --fast", "drift"];
    let holds = words.iter().all(|word| plan.out.contains(word));
    cases.holds("an edit of the block is seen", holds, || plan.whole());
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("and taken back", said.code == 0, || said.whole());
    let want = text.replace("# mine\n", "# mine, and more\n");
    cases.same(
        "but not what is around it",
        machine.read("/etc/rc.d/rc.local"),
        want,
    );
    let kept = machine.sh("grep -rl 'start --fast' /var/lib/jitsi-install/backups/etc/rc.d");
    cases.holds("the edit is kept", !kept.out.is_empty(), || kept.whole());
    machine.sh("chmod -x /etc/rc.d/rc.local_shutdown");
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("a bit that is gone comes back", said.code == 0, || {
        said.whole()
    });
    cases.same(
        "as it was",
        machine.mode("/etc/rc.d/rc.local_shutdown"),
        0o755,
    );
    cases.same(
        "none of it restarts anything",
        machine.pids("nginx"),
        before,
    );
    machine.write("/etc/rc.d/rc.local", &text);
}

fn half_a_block(machine: &Machine, cases: &mut Cases) {
    let text = machine.read("/etc/rc.d/rc.local");
    machine.write(
        "/etc/rc.d/rc.local",
        &text.replace("# <<< jitsi-install\n", ""),
    );
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 1 && said.err.contains("# <<< jitsi-install");
    cases.holds("half a block stops everything", holds, || said.whole());
    machine.write("/etc/rc.d/rc.local", &text);
}

/// Both files are the administrator's alone, and then no longer.
fn left_to_him(machine: &Machine, cases: &mut Cases) {
    let text = machine.read("/etc/rc.d/rc.local");
    let keep = ("keep", "[\"/etc/rc.d/rc.local\"]");
    machine.write(SITE, &site(&[keep]));
    let own =
        "#!/bin/sh\nfor n in prosody jicofo jitsi-videobridge; do /etc/rc.d/rc.$n start; done\n";
    machine.write("/etc/rc.d/rc.local", own);
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 1 && said.err.contains("`/etc/rc.d/rc.local`");
    cases.holds(
        "a file that is kept and starts nothing is named",
        holds,
        || said.whole(),
    );
    let mine = "#!/bin/sh\n/etc/rc.d/rc.prosody start\n/etc/rc.d/rc.jicofo start\n\
        sh /etc/rc.d/rc.jitsi-videobridge start\n/etc/rc.d/rc.nginx start\n";
    machine.write("/etc/rc.d/rc.local", mine);
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 0 && machine.read("/etc/rc.d/rc.local") == mine;
    cases.holds("lines of his own do as well", holds, || said.whole());
    machine.write("/etc/rc.d/rc.local", &text);
    machine.write(SITE, &site(&[]));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("and back to the block", said.code == 0, || said.whole());
    cases.same(
        "which is there once",
        machine.read("/etc/rc.d/rc.local").matches(">>>").count(),
        1,
    );
}

/// Jicofo's jar is no program any more: the apply fails, and all is as before.
fn a_script_that_cannot_start(machine: &Machine, cases: &mut Cases) {
    let config = machine.read("/etc/jitsi/jicofo/config");
    machine.write(
        "/etc/jitsi-install/templates/jicofo/config.sh",
        "JAVA=/bin/false\nJICOFO_GROUP=jicofo\nJICOFO_LOG_DIR=/var/log/jitsi/jicofo\n",
    );
    let said = machine.installer(&["apply", "--yes"]);
    let holds = said.code == 1 && said.err.contains("rc.jicofo") && said.err.contains("taken back");
    cases.holds("a service that cannot start fails the apply", holds, || {
        said.whole()
    });
    cases.same(
        "its file is as before",
        machine.read("/etc/jitsi/jicofo/config"),
        config,
    );
    machine.sh("rm -r /etc/jitsi-install/templates/jicofo");
    all_run(machine, "nginx", cases, "after a failure");
}

/// Ended over REST, the bridge is started again by its script; without the wish for it, it may not be
/// ended at all.
fn a_bridge_comes_back(machine: &Machine, cases: &mut Cases) {
    let end = "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'POST /colibri/shutdown HTTP/1.0\\r\\n\
        Content-Type: application/json\\r\\nContent-Length: 26\\r\\n\\r\\n{\"graceful-shutdown\":true}' >&3 \
        && timeout 5 cat <&3 | head -n 1";
    let said = machine.sh(end);
    cases.holds("no bridge is ended", said.out.contains(" 404 "), || {
        said.whole()
    });
    let wish = ("videobridge.rest_shutdown", "true");
    machine.write(SITE, &site(&[wish]));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("an apply with that wish", said.code == 0, || said.whole());
    let bridge = || machine.pids("nginx").remove("jitsi-videobridge");
    let before = bridge();
    let said = machine.sh(end);
    cases.holds("a bridge is ended", said.out.contains(" 200 "), || {
        said.whole()
    });
    let until = std::time::Instant::now() + std::time::Duration::from_secs(15);
    let mut after = bridge();
    while (after.is_none() || after == before) && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(200));
        after = bridge();
    }
    cases.holds(
        "and comes back",
        before.is_some() && after.is_some() && after != before,
        || format!("{before:?} {after:?}"),
    );
    all_run(machine, "nginx", cases, "after it came back");
    machine.write(SITE, &site(&[]));
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("an apply without", said.code == 0, || said.whole());
}

fn away(machine: &Machine, cases: &mut Cases) {
    let own = "#!/bin/bash\n/opt/mine stop\n";
    let text = machine.read("/etc/rc.d/rc.local_shutdown");
    machine.write(
        "/etc/rc.d/rc.local_shutdown",
        &text.replace("#!/bin/bash\n", own),
    );
    let said = machine.installer(&["uninstall", "--yes"]);
    cases.holds("uninstall", said.code == 0, || said.whole());
    cases.same("nothing runs", machine.pids("nginx"), BTreeMap::new());
    cases.same(
        "rc.local is the administrator's",
        machine.read("/etc/rc.d/rc.local").as_str(),
        super::journey::OWN,
    );
    let rest = machine.read("/etc/rc.d/rc.local_shutdown");
    cases.same(
        "a file of ours with a line of his stays",
        rest.as_str(),
        own,
    );
}
