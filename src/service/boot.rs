//! Where no systemd does it: what starts our services at boot, and ends them at shutdown.
//!
//! Slackware's `rc.M` knows none of them. It runs `rc.local` last, and `rc.6` and `rc.K` run
//! `rc.local_shutdown` first; both are the administrator's, and a block in each is ours.

use super::{Context, Wants, accounts};
use crate::name::{Mode, Owner, ServiceId};
use crate::resource::{Content, File, Item, Resource};
use crate::site::WebServer;

/// The resources.
#[must_use]
pub fn items(context: &Context<'_>) -> Vec<Item> {
    let mut wants = Wants::of(ServiceId::Prosody, None);
    if context.has_systemd() {
        return wants.items;
    }
    let web = match context.site.web.server {
        WebServer::Nginx => "nginx",
        WebServer::Caddy => "caddy",
    };
    let mut starting = accounts::at_boot(context);
    starting.extend(["prosody", "jicofo", "jitsi-videobridge", web]);
    let stopping = starting.iter().rev();
    let folder = &context.platform.init_dir;
    let mut block = |file: &str, lines: String| {
        wants.add(Resource::File(File {
            path: folder.join(file),
            owner: Owner::root(),
            mode: Mode(0o755),
            content: Content::Block(lines),
            veiled: false,
        }));
    };
    let line = |name: &str, verb: &str| {
        let script = folder.join(&format!("rc.{name}"));
        format!("if [ -x {script} ]; then {script} {verb}; fi\n")
    };
    block(
        "rc.local",
        starting.iter().map(|name| line(name, "start")).collect(),
    );
    block(
        "rc.local_shutdown",
        stopping.map(|name| line(name, "stop")).collect(),
    );
    wants.items
}
