//! What a machine looks like on which somebody installed the same packages by hand, and nothing
//! else: that, and no more, may remain after an uninstall. Made once, by another container, and kept.

use std::fs;

use super::container::Container;
use super::debs::Debs;
use super::rootfs::{Release, target};
use super::services::Server;
use super::tree::{self, Tree};

/// As the installer asks for them: without what is only recommended.
const PACKAGES: &[&str] = &[
    "prosody",
    "lua-basexx",
    "lua-cjson",
    "lua-inspect",
    "lua-luaossl",
    "lua-sec",
    "jicofo",
    "jitsi-videobridge2",
    "jitsi-meet-prosody",
    "jitsi-meet-web",
];

/// Nothing is started meanwhile.
const INSTALL: &str = "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; \
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install";

pub(crate) fn of(release: Release, server: Server, debs: &Debs) -> Result<Tree, String> {
    let name = format!("{}-{}", release.name(), server.name());
    let file = target().join("rootfs").join(format!("{name}.packages"));
    let wanted = format!(
        "{} {} {}",
        PACKAGES.join(" "),
        release.java(),
        server.name()
    );
    let key = format!("{}{wanted} {}", release.stamp(), debs.contents);
    if let Ok(text) = fs::read_to_string(&file)
        && let Ok((made_for, tree)) = serde_json::from_str::<(String, Tree)>(&text)
        && made_for == key
    {
        return Ok(tree);
    }
    let mut machine = Container::boot(release, &format!("{}-packages", server.name()), debs)?;
    let line = format!("{INSTALL} {wanted} && rm /usr/sbin/policy-rc.d");
    let said = machine.sh(&line);
    if said.code != 0 {
        return Err(said.whole());
    }
    let tree = tree::of(&machine.root())?;
    machine.stop()?;
    let text = serde_json::to_string(&(key, &tree)).map_err(|error| error.to_string())?;
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(tree)
}
