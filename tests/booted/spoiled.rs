//! Machines that somebody or something has spoiled: an apply mends them, or is refused or fails and
//! leaves everything as it was.

use super::cases::are_here;
use super::journey::{Journey, passing};
use super::services::{self, Ports};
use super::tree;

const HOST: &str = "/etc/jitsi-install/templates/prosody/host.lua";

/// Calls that fail under an apply: `strace` has the words for it.
const FAULTS: &[(&str, &[&str])] = &[
    ("renameat:error=EIO:when=3", &["Input/output error", "EIO"]),
    ("fsync:error=EIO:when=6", &["Input/output error", "EIO"]),
    (
        "renameat:error=EACCES:when=5",
        &["Permission denied", "EACCES"],
    ),
];

impl Journey<'_> {
    /// An apply that is refused, with the way on, before anything is changed.
    fn is_refused(&mut self, name: &str, words: &[&str]) {
        let before = self.tree();
        let said = self.says(&["apply", "--yes"]);
        let holds = said.code == 1 && words.iter().all(|word| said.err.contains(word));
        self.cases
            .holds(&format!("{name}: the apply is refused"), holds, || {
                said.whole()
            });
        let changed = tree::differences(&before, &self.tree(), passing);
        let name = format!("{name}: nothing is changed");
        self.cases.same(&name, changed, Vec::new());
    }

    /// Something is done to the machine, as an administrator or an accident would.
    fn happens(&mut self, line: &str) {
        let said = self.machine.sh(line);
        self.cases.holds(line, said.code == 0, || said.whole());
    }

    /// On a bare machine already, where no package has brought the unit yet.
    pub(super) fn a_masked_unit(&mut self) {
        let web = self.server.name();
        for name in ["prosody", web] {
            self.happens(&format!("systemctl mask {name}"));
            let cure = format!("systemctl unmask {name}");
            self.is_refused(&format!("{name} is masked"), &["masked", &cure]);
            self.happens(&cure);
        }
    }

    /// A power cut while packages are unpacked: apt, dpkg and we are gone at once.
    pub(super) fn packages_are_cut_short(&mut self) {
        let said = self.machine.sh(
            "systemd-run --quiet --collect --unit=cut /usr/local/sbin/jitsi-install apply --yes\n\
             for i in $(seq 1200); do\n\
                 dpkg-query -W -f '${db:Status-Status}\\n' | grep -q -e unpacked -e half && break\n\
                 sleep 0.05\n\
             done\n\
             systemctl kill --signal=KILL --kill-whom=all cut\n\
             dpkg --audit; cp -a /usr/sbin/policy-rc.d /root/policy",
        );
        let holds = said.code == 0 && !said.out.trim().is_empty();
        self.cases
            .holds("packages are cut short", holds, || said.whole());
    }

    /// Killed a moment later, it would have left the word that keeps services of packages down.
    pub(super) fn nothing_keeps_services_down(&mut self) {
        self.happens("test ! -e /usr/sbin/policy-rc.d && mv /root/policy /usr/sbin/policy-rc.d");
        self.succeeds("an apply after that", &["apply", "--yes"]);
        self.happens("test ! -e /usr/sbin/policy-rc.d");
    }

    /// Jicofo's unit is a file of ours; a link in its place masks it as well.
    pub(super) fn our_own_unit_masked(&mut self) {
        let unit = "/etc/systemd/system/jicofo.service";
        self.happens(&format!("ln -sf /dev/null {unit}; systemctl daemon-reload"));
        self.write_site(&[("jicofo.memory", "300")]);
        self.is_refused("jicofo is masked", &["masked", "systemctl unmask jicofo"]);
        self.happens("systemctl unmask jicofo");
        self.succeeds("an apply after `unmask`", &["apply", "--yes"]);
        self.site_is_well("after `unmask`", Ports::default());
        self.write_site(&[]);
    }

    /// One user's number is free when he comes back, the other one's has somebody else by then.
    pub(super) fn users_are_deleted(&mut self) {
        self.happens("systemctl stop jicofo jitsi-videobridge2; userdel jicofo");
        self.happens("n=$(id -u jvb) && userdel jvb && useradd --system --uid $n squatter");
        let said = self.succeeds("an apply without users", &["apply", "--yes"]);
        self.site_is_well("with new users", Ports::default());
        let owners = "stat -c %U /var/lib/jicofo /var/log/jitsi/jicofo /var/lib/jitsi-videobridge; \
                      stat -c %G /etc/jitsi/jicofo/jicofo.conf /etc/jitsi/videobridge/jvb.conf";
        let owners = self.machine.sh(owners).out;
        self.cases.holds(
            "everything is theirs again",
            owners
                .split_whitespace()
                .eq(["jicofo", "jicofo", "jvb", "jicofo", "jvb"]),
            || format!("{owners}{}", said.whole()),
        );
        let stray = self
            .machine
            .sh("find /etc /var/lib /var/log -nouser -o -nogroup -o -user squatter");
        self.cases
            .same("nothing is a stranger's", stray.out, String::new());
        self.happens("userdel squatter");
        self.finds_all_in_order("with new users");
    }

    /// Prosody's user came with its package, which only its package manager can mend.
    pub(super) fn a_packages_user_is_deleted(&mut self) {
        self.happens("cp -a /etc/passwd /root/passwd; sed -i /^prosody:/d /etc/passwd");
        self.is_refused(
            "a package's user is gone",
            &["`prosody` is gone", "install that package anew"],
        );
        self.happens("cp -a /root/passwd /etc/passwd; rm /root/passwd");
    }

    pub(super) fn wrong_owners(&mut self) {
        let before = self.tree();
        self.happens(
            "chown -R nobody:nogroup /etc/jitsi /etc/prosody/certs; chown root: /var/lib/prosody/auth*/accounts/jvb.dat; \
             chmod 000 /etc/jitsi/videobridge; chmod 666 /etc/jitsi/certs/*",
        );
        self.succeeds("an apply with wrong owners", &["apply", "--yes"]);
        let changed = tree::differences(&before, &self.tree(), passing);
        self.cases
            .same("owners and modes are mended", changed, Vec::new());
        self.site_is_well("with its owners", Ports::default());
    }

    /// Prosody lives on without its port, and somebody answers there.
    pub(super) fn prosodys_port_is_taken(&mut self) {
        self.squatter(15222);
        self.write_site(&[("prosody.c2s_port", "15222")]);
        let words = ["Failed to open server port", "15222"];
        self.fails("Prosody's port is taken", "prosody", &words);
        self.no_squatter();
        self.write_site(&[]);
        self.finds_all_in_order("after Prosody's port was taken");
    }

    /// Up and running, and yet there is something to tell.
    pub(super) fn prosody_starts_with_errors(&mut self) {
        let text = concat!(
            include_str!("../../templates/prosody/host.lua"),
            "\nComponent \"odd.meet.example.org\" \"no_such_module\"\n"
        );
        let put = self.machine.put(HOST, text.as_bytes(), 0o644);
        self.cases.must("a template can be put", put);
        let said = self.succeeds("an apply with an odd template", &["apply", "--yes"]);
        let holds = said.err.contains("warning") && said.err.contains("no_such_module");
        self.cases
            .holds("the errors of a start are shown", holds, || said.whole());
        let gone = self.machine.remove(HOST);
        self.cases.must("a template can be removed", gone);
        let said = self.succeeds("an apply without it", &["apply", "--yes"]);
        let holds = !said.err.contains("warning");
        self.cases
            .holds("and those of an earlier start are not", holds, || {
                said.whole()
            });
    }

    /// A rollback gives the prompt back when the services are up, and not before.
    pub(super) fn a_rollback_awaits_health(&mut self) {
        self.write_site(&[("jicofo.rest_port", "8889"), ("prosody.http_port", "5281")]);
        self.succeeds("an apply to go back from", &["apply", "--yes"]);
        let said = self.succeeds("a rollback", &["rollback", "--yes"]);
        let health = services::http(&self.machine, 8888, "/about/health");
        self.cases.holds(
            "Jicofo is well when it ends",
            health.contains(" 200 "),
            || format!("{health:?}\n{}", said.whole()),
        );
        let order = [
            "prosody: restart",
            "prosody: waiting",
            "jicofo: restart",
            "jicofo: waiting",
        ];
        let places = order.map(|words| said.err.find(words));
        self.cases.holds(
            "its services came in their order",
            places.is_sorted() && places[0].is_some(),
            || said.whole(),
        );
        self.write_site(&[]);
        self.finds_all_in_order("after a rollback");
        self.site_is_well("after a rollback", Ports::default());
    }

    /// Where it cannot succeed, it is taken back as a failed apply is.
    pub(super) fn a_rollback_fails(&mut self) {
        self.write_site(&[("jicofo.rest_port", "8889")]);
        self.succeeds("another apply to go back from", &["apply", "--yes"]);
        self.squatter(8888);
        let before = self.tree();
        let said = self.says(&["rollback", "--yes"]);
        let words = [
            "jicofo",
            "did not come up",
            "Address already in use",
            "hint: ",
        ];
        let holds = said.code == 1 && words.iter().all(|word| said.err.contains(word));
        self.cases
            .holds("a rollback to a taken port fails", holds, || said.whole());
        let changed = tree::differences(&before, &self.tree(), passing);
        self.cases.same("and is taken back", changed, Vec::new());
        let ports = Ports {
            jicofo: 8889,
            ..Ports::default()
        };
        self.site_is_well("after a rollback that failed", ports);
        self.no_squatter();
        self.succeeds("the same rollback later", &["rollback", "--yes"]);
        self.write_site(&[]);
        self.finds_all_in_order("after the same rollback");
    }

    /// The disk fails under the program, and under what it calls.
    pub(super) fn a_failing_disk(&mut self) {
        if !are_here(&["strace"]) {
            return;
        }
        self.write_site(&[("jicofo.memory", "300"), ("videobridge.memory", "300")]);
        let before = self.tree();
        for (fault, words) in FAULTS {
            let said = self.machine.run_below(
                &[
                    "strace",
                    "-f",
                    "-o",
                    "/dev/null",
                    "-e",
                    &format!("inject={fault}"),
                ],
                &["jitsi-install", "apply", "--yes"],
            );
            let holds = said.code != 0 && words.iter().any(|word| said.err.contains(word));
            self.cases
                .holds(&format!("{fault}: the apply fails"), holds, || said.whole());
            let changed = tree::differences(&before, &self.tree(), passing);
            let name = format!("{fault}: every file is as before");
            self.cases.same(&name, changed, Vec::new());
        }
        self.write_site(&[]);
        self.finds_all_in_order("after the disk failed");
        self.site_is_well("after the disk failed", Ports::default());
    }

    fn finds_all_in_order(&mut self, when: &str) {
        let said = self.succeeds(&format!("an apply {when}"), &["apply", "--yes"]);
        let holds = said.err.contains("everything is in order");
        let name = format!("finds everything in order {when}");
        self.cases.holds(&name, holds, || said.whole());
    }
}
