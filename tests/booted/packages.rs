//! Our packages on a booted Debian: over upstream's, over our own, beside edited files, and away again.
//! Upstream's are stand-ins with upstream's paths and kinds of scripts (`tests/package/upstream.rs`).

mod hands;

use jitsi_install::package::{Meta, PackagePath, Tree};

use super::cases::Cases;
use super::container::Container;
use super::debs::Debs;
use super::ours;
use super::rootfs::Release;
use super::tree;
use super::upstream::{ALL, JICOFO, PROSODY, Upstream, VIDEOBRIDGE, WEB};

/// Versions, in their order.
const OLD: &str = "1.0-1174";
const ONE: &str = "1.0-1183";
const TWO: &str = "1.0-1189";

const CONFIG: &str = "etc/jitsi/x.conf";

struct Packages {
    machine: Container,
    cases: Cases,
}

/// All of it.
pub(crate) fn take(release: Release) {
    let none = Debs {
        files: Vec::new(),
        index: String::new(),
        contents: String::new(),
    };
    let mut cases = Cases::new(&format!("packages on {}", release.name()));
    let machine = Container::boot(release, "packages", &none);
    if let Some(machine) = cases.must("boot", machine) {
        let mut packages = Packages { machine, cases };
        packages.come_and_go();
        packages.replace_upstreams();
        packages.replace_our_own();
        packages.go_back_to_upstream();
        packages.go_down_from_upstreams();
        packages.cut_short();
        packages.leave_foreign_files_alone();
        packages.bring_what_they_need();
        cases = packages.cases;
    }
    cases.finish();
}

impl Packages {
    /// A fresh installation leaves nothing behind when it is purged.
    fn come_and_go(&mut self) {
        let before = self.tree();
        for upstream in ALL {
            self.install(upstream, ONE, "x = 1\n");
            let name = upstream.package;
            let verified = self.machine.run(&["dpkg", "-V", name]);
            self.cases
                .same(&format!("{name} verified"), verified.whole(), ok());
        }
        let jar = self
            .machine
            .sh("cat /usr/share/jicofo/jicofo.jar | grep -c 1.0-1183");
        self.cases
            .same("the jar through the link", jar.out.trim(), "1");
        self.same_link("fresh", "jicofo", &format!("jicofo-{ONE}"));
        self.fine(
            "remove",
            "dpkg -r jicofo jitsi-videobridge2 jitsi-meet-web jitsi-meet-prosody",
        );
        let left = self
            .machine
            .sh("ls -d /usr/share/ji* /etc/jitsi/* 2>/dev/null");
        self.cases
            .same("after remove", left.out.as_str(), "/etc/jitsi/x.conf\n");
        self.fine(
            "purge",
            "dpkg -P jicofo jitsi-videobridge2 jitsi-meet-web jitsi-meet-prosody",
        );
        let is_dpkgs = |path: &str| {
            [
                "/var/lib/dpkg",
                "/var/log",
                "/var/cache",
                "/var/lib/systemd",
                "/root",
            ]
            .iter()
            .any(|folder| tree::is_below(path, folder))
        };
        let left = tree::differences(&before, &self.tree(), is_dpkgs);
        self.cases.same("after purge", left, Vec::new());
    }

    /// Upstream's real folders become links; no file of upstream's stays in them.
    fn replace_upstreams(&mut self) {
        for upstream in ALL {
            self.install_upstreams(upstream, OLD);
        }
        let is_folder = self
            .machine
            .sh("test -d /usr/share/jicofo && test ! -h /usr/share/jicofo");
        self.cases.same("upstream's is a folder", is_folder.code, 0);
        for upstream in ALL {
            self.install(upstream, ONE, "x = 1\n");
            let name = upstream.package;
            let verified = self.machine.run(&["dpkg", "-V", name]);
            self.cases
                .same(&format!("{name} verified"), verified.whole(), ok());
        }
        self.same_link("over upstream's", "jicofo", &format!("jicofo-{ONE}"));
        self.same_link(
            "over upstream's",
            "jitsi-videobridge",
            &format!("jitsi-videobridge-{ONE}"),
        );
        let is_folder = self
            .machine
            .sh("test -d /usr/share/jitsi-meet && test ! -h /usr/share/jitsi-meet");
        self.cases
            .same("the shared folder stays one", is_folder.code, 0);
        self.nothing_is_stale("over upstream's", OLD);
        let kept = self.machine.sh("cat /etc/jitsi/jicofo/logging.properties; id -u jicofo >/dev/null && id -u jvb >/dev/null");
        self.cases.same(
            "upstream's configuration and people stay",
            kept.whole(),
            said_of("handlers = none\n"),
        );
    }

    /// The link moves on, the old folder goes, and the administrator's file stays; and back again.
    fn replace_our_own(&mut self) {
        let edited = "x = 2\n";
        let put = self
            .machine
            .put(&format!("/{CONFIG}"), edited.as_bytes(), 0o644);
        self.cases.must("edit", put);
        self.install(&JICOFO, TWO, "x = 1\n");
        self.same_link("over our own", "jicofo", &format!("jicofo-{TWO}"));
        self.nothing_is_stale_in("over our own", "/usr/share/jicofo*", ONE);
        self.cases.same(
            "an edited file stays",
            self.machine.read(&format!("/{CONFIG}")),
            Ok(edited.to_owned()),
        );
        let verified = self.machine.run(&["dpkg", "-V", "jicofo"]);
        self.cases.same(
            "dpkg -V sees the edit",
            verified.out.as_str(),
            "??5?????? c /etc/jitsi/x.conf\n",
        );
        // and back, where both the administrator and the package have changed it
        self.install(&JICOFO, ONE, "x = 3\n");
        self.same_link("back", "jicofo", &format!("jicofo-{ONE}"));
        self.nothing_is_stale_in("back", "/usr/share/jicofo*", TWO);
        self.cases.same(
            "an edited file still stays",
            self.machine.read(&format!("/{CONFIG}")),
            Ok(edited.to_owned()),
        );
        let beside = self.machine.read(&format!("/{CONFIG}.dpkg-dist"));
        self.cases.same(
            "the package's stands beside it",
            beside,
            Ok("x = 3\n".to_owned()),
        );
        for upstream in [&VIDEOBRIDGE, &WEB, &PROSODY] {
            self.install(upstream, TWO, "x = 1\n");
        }
        self.same_link(
            "over our own",
            "jitsi-videobridge",
            &format!("jitsi-videobridge-{TWO}"),
        );
        self.nothing_is_stale_in("over our own", "/usr/share/jitsi-*", ONE);
    }

    /// Upstream's next version over ours, as its repository would bring it, works too; and so do we again.
    fn go_back_to_upstream(&mut self) {
        self.install_upstreams(&JICOFO, "1.0-1190");
        let jar = self
            .machine
            .sh("grep -c 1.0-1190 /usr/share/jicofo/jicofo.jar");
        self.cases.same("upstream's over ours", jar.out.trim(), "1");
        self.install(&JICOFO, "1.0-1191", "x = 1\n");
        self.same_link(
            "ours over upstream's over ours",
            "jicofo",
            "jicofo-1.0-1191",
        );
        let jar = self
            .machine
            .sh("grep -c 1.0-1191 /usr/share/jicofo/jicofo.jar");
        self.cases
            .same("ours over upstream's over ours", jar.out.trim(), "1");
        let verified = self.machine.run(&["dpkg", "-V", "jicofo"]);
        let edited = "??5?????? c /etc/jitsi/x.conf\n";
        self.cases
            .same("and verified", verified.out.as_str(), edited);
        self.nothing_is_stale_in(
            "ours over upstream's over ours",
            "/usr/share/jicofo*",
            "1.0-1190",
        );
    }

    /// An older one of ours over upstream's newer one, as a pinned set may want it.
    fn go_down_from_upstreams(&mut self) {
        self.fine("purge", "dpkg -P jicofo");
        self.install_upstreams(&JICOFO, TWO);
        self.install(&JICOFO, OLD, "x = 1\n");
        self.same_link("down from upstream's", "jicofo", &format!("jicofo-{OLD}"));
        self.nothing_is_stale_in("down from upstream's", "/usr/share/jicofo*", TWO);
        let verified = self.machine.run(&["dpkg", "-V", "jicofo"]);
        self.cases.same("down and verified", verified.whole(), ok());
    }

    /// What is cut short is finished later, or was never begun.
    fn cut_short(&mut self) {
        self.fine("purge", "dpkg -P jicofo");
        self.install_upstreams(&JICOFO, OLD);
        // another package has one of the paths: dpkg finds out when half of it is unpacked
        let (meta, mut tree) = (ours::meta("taken", "1"), Tree::new());
        ours::put(
            &mut tree,
            &format!("usr/share/jicofo-{ONE}/lib/kotlin-stdlib-2.0.0.jar"),
            0o644,
            b"",
        );
        let file = self.bring(&meta, &tree);
        self.fine("another's path", &format!("dpkg -i {file}"));
        let said = self.try_install(&JICOFO, ONE, "x = 1\n");
        let is_named = said.code != 0 && said.err.contains("trying to overwrite");
        self.cases
            .holds("over another's path", is_named, || said.whole());
        let state = self.machine.sh("test ! -h /usr/share/jicofo && dpkg -V jicofo && dpkg --audit && dpkg-query -W -f '${Version}' jicofo");
        self.cases
            .same("upstream's is whole", state.whole(), said_of("1.0-1174-1"));
        self.fine("away with it", "dpkg -P taken");
        // unpacked, and then the power fails
        let (meta, tree) = package(&JICOFO, ONE, "x = 1\n");
        let file = self.bring(&meta, &tree);
        self.fine("unpack", &format!("dpkg --unpack {file}"));
        self.fine("configure", "dpkg --configure -a");
        self.same_link("configured later", "jicofo", &format!("jicofo-{ONE}"));
        self.nothing_is_stale_in("configured later", "/usr/share/jicofo*", OLD);
    }

    /// A file that nobody's package has put there is never lost: the package does not come then.
    fn leave_foreign_files_alone(&mut self) {
        self.fine("purge", "dpkg -P jicofo");
        self.install_upstreams(&JICOFO, OLD);
        let foreign = "/usr/share/jicofo/mine.txt";
        self.cases
            .must("a file", self.machine.put(foreign, b"mine", 0o644));
        let said = self.try_install(&JICOFO, ONE, "x = 1\n");
        let is_named = said.code != 0 && said.err.contains("contains files not owned by");
        self.cases
            .holds("over a foreign file", is_named, || said.whole());
        let state = self.machine.sh("dpkg-query -W -f '${Status} ${Version}' jicofo; cat /usr/share/jicofo/mine.txt; grep -c 1.0-1174 /usr/share/jicofo/jicofo.jar");
        self.cases.same(
            "upstream's is as it was",
            state.out.as_str(),
            "install ok installed 1.0-1174-1mine1\n",
        );
        self.fine("purge", "dpkg -P jicofo");
        // its folder stays, as it is not empty
        let said = self.try_install(&JICOFO, ONE, "x = 1\n");
        let is_named = said.code != 0
            && said
                .err
                .contains("/usr/share/jicofo is to be a link: move the folder away first");
        self.cases
            .holds("over a foreign folder", is_named, || said.whole());
        let state = self.machine.sh("dpkg-query -W -f '${Status}' jicofo; cat /usr/share/jicofo/mine.txt; ls -d /usr/share/jicofo-* 2>/dev/null");
        self.cases.holds(
            "and it stays",
            state.out.ends_with("mine") && !state.out.contains("ok installed"),
            || state.whole(),
        );
        self.fine("an empty folder", "rm /usr/share/jicofo/mine.txt");
        self.install(&JICOFO, ONE, "x = 1\n");
        self.same_link("over an empty folder", "jicofo", &format!("jicofo-{ONE}"));
    }

    /// apt finds what a package depends on.
    fn bring_what_they_need(&mut self) {
        let (mut meta, tree) = package(&PROSODY, "1.0-1192", "x = 1\n");
        meta.depends = vec![
            "lua-nowhere | lua-inspect".to_owned(),
            "lua-basexx".to_owned(),
        ];
        let file = self.bring(&meta, &tree);
        let before = self
            .machine
            .run(&["dpkg-query", "-W", "lua-inspect", "lua-basexx"]);
        self.cases
            .holds("not there yet", before.code != 0, || before.whole());
        self.fine(
            "apt",
            &format!("DEBIAN_FRONTEND=noninteractive apt-get -q -y install {file}"),
        );
        let state = self.machine.sh("dpkg-query -W -f '${Status}\n' jitsi-meet-prosody lua-inspect lua-basexx; apt-get check -q && dpkg --audit");
        let installed = "install ok installed\n";
        self.cases.holds(
            "and then they are",
            state.code == 0 && state.out.starts_with(&installed.repeat(3)),
            || state.whole(),
        );
    }
}

/// Jicofo's has a file that the administrator may change.
fn package(upstream: &Upstream, version: &str, config: &str) -> (Meta, Tree) {
    let (mut meta, mut tree) = (
        ours::meta(upstream.package, version),
        ours::tree(upstream, version),
    );
    if upstream.package == JICOFO.package {
        ours::put(&mut tree, CONFIG, 0o644, config.as_bytes());
        meta.config.extend(PackagePath::parse(CONFIG).ok());
    }
    (meta, tree)
}

fn ok() -> String {
    said_of("")
}

/// What [`Said::whole`] is when all went well.
fn said_of(out: &str) -> String {
    format!("exit code 0\n{out}")
}
