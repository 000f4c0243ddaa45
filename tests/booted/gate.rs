//! Can machines be booted here at all?

use std::process::Command;

use super::cases::{are_here, skip};
use super::debs::library;
use super::shell::done;

/// Programs that are run on this machine.
const PROGRAMS: &[&str] = &[
    "debootstrap",
    "systemd-nspawn",
    "apt-get",
    "dpkg-deb",
    "javac",
    "jar",
    "unshare",
    "nsenter",
    "setpriv",
];

/// Says what is missing; `CHECK_STRICT=1` makes that a failure.
pub(crate) fn is_open() -> bool {
    are_here(PROGRAMS)
        && match missing() {
            None => true,
            Some(what) => skip(&format!("no machine can be booted here: {what}")),
        }
}

fn missing() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("it takes root".to_owned());
    }
    if !library().is_file() {
        return Some(
            "the HOCON library is not in target/java (`mvn -q -B -f tests/java/pom.xml generate-resources`)"
                .to_owned(),
        );
    }
    let mounts = "umount -R /sys/fs/cgroup 2>/dev/null; mount -t cgroup2 none /sys/fs/cgroup \
                  && d=/sys/fs/cgroup/ji-probe-$$ && mkdir $d && rmdir $d";
    let mut apart = Command::new("unshare");
    apart.args(["--mount", "--propagation", "private", "sh", "-c", mounts]);
    done(&mut apart).err()
}
