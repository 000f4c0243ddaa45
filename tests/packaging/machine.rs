//! Our own package on a booted Debian: installed, with a site applied, upgraded, removed and purged.
//! The site runs on, and what is the administrator's stays.

use std::fs;
use std::sync::OnceLock;

use super::cases::Cases;
use super::container::Container;
use super::deb::Built;
use super::rootfs::Release;
use super::{deb, debs, gate};

/// A site that needs no network.
const SITE: &str = "schema = 1\ndomain = \"meet.example.org\"\n\
    web.server = \"nginx\"\njicofo.memory = 256\nvideobridge.memory = 256\n\
    videobridge.require_valid_address = false\n";

const UNITS: &str = "systemctl list-unit-files --state=enabled --no-legend --plain";

/// What a site needs to run, and what its administrator has: where it stands, by its bytes.
const KEPT: &str = "find /etc/jitsi-install /var/lib/jitsi-install /etc/systemd/system/jitsi-install-renew.* \
    /etc/prosody /etc/jitsi /etc/nginx -type f -not -name lock -exec sha256sum {} + | sort -k2";

/// Built once for both machines.
static FIRST: OnceLock<Result<Built, String>> = OnceLock::new();
static NEXT: OnceLock<Result<Built, String>> = OnceLock::new();

fn built(
    once: &'static OnceLock<Result<Built, String>>,
    version: Option<&str>,
) -> Result<&'static Built, String> {
    once.get_or_init(|| deb::build(version))
        .as_ref()
        .map_err(Clone::clone)
}

#[test]
fn our_own_package_on_bookworm() {
    if gate::is_open() && deb::is_open() {
        on(Release::Bookworm);
    }
}

#[test]
fn our_own_package_on_trixie() {
    if gate::is_open() && deb::is_open() {
        on(Release::Trixie);
    }
}

fn on(release: Release) {
    let mut cases = Cases::new(&format!("our own package on {}", release.name()));
    let first = cases.must("a package", built(&FIRST, None));
    let next = cases.must("the next one", built(&NEXT, Some("0.1.0+next")));
    let standins = cases.must("stand-ins", debs::built());
    if let (Some(first), Some(next), Some(standins)) = (first, next, standins) {
        let booted = Container::boot(release, "own", standins);
        if let Some(mut machine) = cases.must("it boots", booted) {
            let packages = [
                ("first", &first.deb),
                ("next", &next.deb),
                ("first-accounts", &first.accounts),
                ("next-accounts", &next.accounts),
            ];
            for (name, deb) in packages {
                let bytes = fs::read(deb).map_err(|error| error.to_string());
                let put = bytes
                    .and_then(|bytes| machine.put(&format!("/root/{name}.deb"), &bytes, 0o644));
                cases.must(name, put);
            }
            // the copy that other tests use
            cases.must(
                "it is away",
                machine.remove("/usr/local/sbin/jitsi-install"),
            );
            live(&mut cases, &machine);
            accounts(&mut cases, &machine);
            cases.must("it powers off", machine.stop());
        }
    }
    cases.finish();
}

fn live(cases: &mut Cases, machine: &Container) {
    let mut ends_with = |line: &str, code: i32| -> String {
        let said = machine.sh(line);
        cases.holds(line, said.code == code, || said.whole());
        said.out
    };
    let before = ends_with(UNITS, 0);
    ends_with("dpkg -i /root/first.deb", 0);
    let version = ends_with("jitsi-install --version", 0);
    let place = ends_with("command -v jitsi-install", 0);
    let after = ends_with(UNITS, 0);
    let verified = ends_with("dpkg --verify jitsi-install", 0);
    // before there is a site nothing runs, and nothing of a site is there
    ends_with(
        "ls -d /etc/jitsi-install /var/lib/jitsi-install /var/cache/jitsi-install",
        2,
    );
    ends_with("systemctl cat jitsi-install-renew.timer", 1);
    let failed = ends_with("systemctl --failed --no-legend", 0);

    let text = format!(
        "mkdir -p /etc/jitsi-install && cat > /etc/jitsi-install/site.toml <<'E'\n{SITE}E\n"
    );
    ends_with(&text, 0);
    ends_with("jitsi-install apply --yes", 0);
    ends_with(
        "systemctl is-active jitsi-install-renew.timer prosody jicofo jitsi-videobridge2 nginx",
        0,
    );
    ends_with(
        "mkdir -p /var/cache/jitsi-install/packages && echo 1 > /var/cache/jitsi-install/packages/a",
        0,
    );
    let laid_out = ends_with(KEPT, 0);

    ends_with("dpkg -i /root/next.deb", 0);
    let upgraded = ends_with("dpkg-query -W -f '${Version}' jitsi-install", 0);
    let in_order = ends_with("jitsi-install status", 0);
    let still_laid_out = ends_with(KEPT, 0);
    ends_with("systemctl start jitsi-install-renew.service", 0);

    ends_with("dpkg -r jitsi-install", 0);
    ends_with("command -v jitsi-install", 1);
    ends_with("test -e /var/cache/jitsi-install/packages/a", 0);
    ends_with(
        "test -e /usr/share/doc/jitsi-install || test -e /usr/share/man/man8/jitsi-install.8.gz",
        1,
    );
    let purge = ends_with("dpkg -P jitsi-install 2>&1", 0);
    ends_with("test -e /var/cache/jitsi-install", 1);
    let without_the_program = ends_with(KEPT, 0);
    ends_with(
        "systemctl is-active jitsi-install-renew.timer prosody jicofo jitsi-videobridge2 nginx",
        0,
    );
    // the unit that is left looks for the program first
    ends_with("systemctl start jitsi-install-renew.service", 0);
    let failed_after = ends_with("systemctl --failed --no-legend", 0);

    ends_with("dpkg -i /root/first.deb", 0);
    let back = ends_with(
        "jitsi-install plan --json >/dev/null && jitsi-install status",
        0,
    );
    ends_with("jitsi-install uninstall --yes", 0);
    ends_with("dpkg -P jitsi-install", 0);
    ends_with("systemctl cat jitsi-install-renew.timer", 1);

    let own = concat!("jitsi-install ", env!("CARGO_PKG_VERSION"));
    cases.same("its version", version.trim(), own);
    cases.same("its place", place.trim(), "/usr/sbin/jitsi-install");
    cases.same("nothing is enabled", after, before);
    cases.same("its files are as packed", verified.as_str(), "");
    cases.same("nothing failed", failed.as_str(), "");
    cases.same("the next one is there", upgraded.as_str(), "0.1.0+next");
    cases.holds(
        "something is laid out",
        laid_out.lines().count() > 20,
        || laid_out.clone(),
    );
    cases.same("an upgrade leaves the site", &still_laid_out, &laid_out);
    cases.same("so does a purge", &without_the_program, &laid_out);
    cases.holds(
        "it says what it keeps",
        purge.contains("kept /etc/jitsi-install"),
        || purge.clone(),
    );
    cases.same("nothing failed after the purge", failed_after.as_str(), "");
    cases.same("all in order, as before", back, in_order);
}

/// The account service's package: laid out by an apply, it goes on with the next program, and ends with
/// its package; people stay.
fn accounts(cases: &mut Cases, machine: &Container) {
    let mut ends_with = |line: &str, code: i32| -> String {
        let said = machine.sh(line);
        cases.holds(line, said.code == code, || said.whole());
        said.out
    };
    let before = ends_with(UNITS, 0);
    ends_with("dpkg -i /root/first.deb /root/first-accounts.deb", 0);
    let after = ends_with(UNITS, 0);
    ends_with("dpkg --verify jitsi-accounts", 0);
    ends_with(
        "ls -d /etc/jitsi-accounts /var/lib/jitsi-accounts; getent passwd jitsi-accounts",
        2,
    );
    let text = format!(
        "mkdir -p /etc/jitsi-install && cat > /etc/jitsi-install/site.toml <<'E'\n{SITE}[accounts]\nE\n"
    );
    ends_with(&text, 0);
    ends_with("jitsi-install apply --yes", 0);
    ends_with(
        "systemctl is-active jitsi-accounts jitsi-accounts.socket",
        0,
    );
    let pid = "systemctl show -P MainPID jitsi-accounts";
    let first = ends_with(pid, 0);
    ends_with("dpkg -i /root/next-accounts.deb", 0);
    ends_with(
        "systemctl is-active jitsi-accounts jitsi-accounts.socket",
        0,
    );
    let next = ends_with(pid, 0);
    ends_with("dpkg -P jitsi-accounts", 0);
    ends_with(
        "systemctl is-active jitsi-accounts jitsi-accounts.socket",
        3,
    );
    ends_with("test -s /var/lib/jitsi-accounts/accounts.sqlite", 0);
    ends_with("dpkg -i /root/first-accounts.deb", 0);
    ends_with("jitsi-install apply --yes", 0);
    ends_with(
        "systemctl is-active jitsi-accounts jitsi-accounts.socket",
        0,
    );
    ends_with("jitsi-install uninstall --purge --yes", 0);
    ends_with("dpkg -P jitsi-accounts jitsi-install", 0);
    let failed = ends_with("systemctl --failed --no-legend", 0);
    cases.same("nothing is enabled by its package", after, before);
    cases.holds("an upgrade starts it anew", first != next, || next.clone());
    cases.same("nothing failed with accounts", failed.as_str(), "");
}
