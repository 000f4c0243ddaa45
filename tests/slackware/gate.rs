//! Can a Slackware root be made here at all?

use std::process::Command;

use super::cases::{are_here, skip};
use super::machine::library;

/// Programs that are run on this machine or, by its `/usr`, inside.
const PROGRAMS: &[&str] = &[
    "bash",
    "caddy",
    "chroot",
    "flock",
    "ip",
    "jar",
    "java",
    "javac",
    "logger",
    "nginx",
    "nsenter",
    "openssl",
    "prosodyctl",
    "setpriv",
    "tar",
    "unshare",
    "useradd",
    "xz",
];

/// Says what is missing; `CHECK_STRICT=1` makes that a failure.
pub(crate) fn is_open() -> bool {
    are_here(PROGRAMS)
        && match missing() {
            None => true,
            Some(what) => skip(&format!("no Slackware root can be made here: {what}")),
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
    for module in ["5.2/basexx.lua", "5.3/inspect.lua"] {
        let file = format!("/usr/share/lua/{module}");
        if !std::path::Path::new(&file).is_file() {
            return Some(format!("there is no {file}"));
        }
    }
    let mounts = "d=$(mktemp -d) && mount -t tmpfs tmpfs $d && mkdir $d/u $d/w $d/m \
                  && mount -t overlay -o lowerdir=/usr,upperdir=$d/u,workdir=$d/w overlay $d/m; s=$?; \
                  umount -R $d; rmdir $d; exit $s";
    let probe = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--net", "--uts", "--ipc"])
        .args(["--propagation", "private", "sh", "-c", mounts])
        .output();
    match probe {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
