//! `doctor` on a Slackware machine: what it finds there, and cures that can be typed there.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::cases::Cases;
use super::journey::{all_run, machine};
use super::machine::Machine;

/// Words that no cure may have here.
const FOREIGN: [&str; 4] = ["systemctl", "journalctl", "apt-get", "update-alternatives"];

/// What is done, what takes it back, and what turns: id, word of the title, words of the evidence
/// and of the cure.
type Spoiled = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, &'static str, &'static str)],
);

const SPOILED: &[Spoiled] = &[
    (
        "/etc/rc.d/rc.prosody stop; sleep 1",
        "/etc/rc.d/rc.prosody start",
        &[
            (
                "D-51",
                "",
                "`prosody` does not run",
                "`/etc/rc.d/rc.prosody start`",
            ),
            (
                "D-06",
                "can log in",
                "nothing listens",
                "`/etc/rc.d/rc.prosody restart`",
            ),
            (
                "D-07",
                "well",
                "answers 500",
                "`/etc/rc.d/rc.jicofo status`",
            ),
        ],
    ),
    (
        "echo 'videobridge {' > /etc/jitsi/videobridge/jvb.conf.new; cp -p /etc/jitsi/videobridge/jvb.conf /root/; \
         cat /etc/jitsi/videobridge/jvb.conf.new > /etc/jitsi/videobridge/jvb.conf; \
         /etc/rc.d/rc.jitsi-videobridge restart; sleep 2; rm /etc/jitsi/videobridge/jvb.conf.new",
        "cp -p /root/jvb.conf /etc/jitsi/videobridge/; /etc/rc.d/rc.jitsi-videobridge start",
        &[
            (
                "D-51",
                "",
                "`jitsi-videobridge` does not run: it ended with 78, so its configuration is wrong",
                "`/etc/rc.d/rc.jitsi-videobridge start`",
            ),
            (
                "D-34",
                "",
                "nothing listens",
                "`/etc/rc.d/rc.jitsi-videobridge status`",
            ),
        ],
    ),
    (
        "sleep 3; touch /etc/jitsi/truststore.p12",
        "/etc/rc.d/rc.jicofo restart; /etc/rc.d/rc.jitsi-videobridge restart",
        &[(
            "D-13",
            "has read",
            "`jicofo` runs since before `/etc/jitsi/truststore.p12` changed",
            "`/etc/rc.d/rc.jicofo restart`, `/etc/rc.d/rc.jitsi-videobridge restart`",
        )],
    ),
    (
        "chmod a-x /etc/rc.d/rc.jicofo",
        "chmod a+x /etc/rc.d/rc.jicofo",
        &[(
            "D-52",
            "",
            "`jicofo` does not start at boot",
            "jitsi-install apply",
        )],
    ),
];

pub(crate) fn take() {
    let machine = machine();
    let mut cases = Cases::new("the doctor on Slackware");
    let said = machine.installer(&["apply", "--yes"]);
    cases.holds("an apply", said.code == 0, || said.whole());
    all_run(&machine, "nginx", &mut cases, "before the doctor");
    is_healthy(&machine, &mut cases, "when all is well");
    for (how, back, finds) in SPOILED {
        machine.sh(how);
        let (checks, code) = examined(&machine, &mut cases);
        cases.same(&format!("doctor ends with 1: {how}"), code, 1);
        for (id, title, evidence, cure) in *finds {
            let found: Vec<&Value> = checks
                .iter()
                .filter(|check| text(check, "id") == *id && text(check, "title").contains(title))
                .collect();
            let holds = found.iter().any(|check| {
                text(check, "verdict") == "bad"
                    && text(check, "evidence").contains(evidence)
                    && text(check, "cure").contains(cure)
            });
            cases.holds(&format!("{id} {title} turns: {how}"), holds, || {
                format!("{found:#?}")
            });
        }
        machine.sh(back);
    }
    all_run(&machine, "nginx", &mut cases, "after the doctor");
    is_healthy(&machine, &mut cases, "after all was taken back");
    let left = machine.end();
    cases.same("nothing is left of the root", left, Vec::new());
    cases.finish();
}

/// Nothing is bad; Jicofo and the bridge find Prosody again by themselves, a moment later.
fn is_healthy(machine: &Machine, cases: &mut Cases, when: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    let bad = loop {
        let (checks, code) = examined(machine, cases);
        let bad: Vec<Value> = checks
            .into_iter()
            .filter(|check| text(check, "verdict") == "bad")
            .collect();
        if code == 0 || Instant::now() > until {
            break bad;
        }
        std::thread::sleep(Duration::from_millis(500));
    };
    cases.holds(&format!("nothing is bad {when}"), bad.is_empty(), || {
        format!("{bad:#?}")
    });
}

fn examined(machine: &Machine, cases: &mut Cases) -> (Vec<Value>, i32) {
    let said = machine.installer(&["doctor", "--json"]);
    let json: Value = serde_json::from_str(&said.out).unwrap_or_default();
    let checks = json["checks"].as_array().cloned().unwrap_or_default();
    cases.holds("doctor says JSON", checks.len() >= 50, || said.whole());
    for check in &checks {
        let foreign = FOREIGN
            .iter()
            .find(|word| text(check, "cure").contains(**word));
        cases.holds(
            "a cure can be typed on Slackware",
            foreign.is_none(),
            || format!("{check:#?}"),
        );
    }
    (checks, said.code)
}

fn text<'c>(check: &'c Value, key: &str) -> &'c str {
    check[key].as_str().unwrap_or_default()
}
