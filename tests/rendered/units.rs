//! systemd's units by `systemd-analyze verify`, which must have nothing to say.

use std::process::Command;

use jitsi_install::platform::Init;

use crate::proving::{output, program, said};
use crate::stage::stages;

#[test]
fn systemd_has_nothing_to_say() {
    let Some(analyze) = program("systemd-analyze", "systemd") else {
        return;
    };
    for stage in stages()
        .iter()
        .filter(|stage| stage.platform.init == Init::Systemd)
    {
        let units = stage.ending(".service");
        let wanted = 2 + usize::from(stage.site.accounts.is_some());
        assert_eq!(units.len(), wanted, "{}", stage.name);
        let sockets = stage
            .site
            .accounts
            .iter()
            .flat_map(|_| stage.ending(".socket"));
        let units: Vec<_> = units.into_iter().chain(sockets).collect();
        let mut command = Command::new(&analyze);
        let output = output(command.args(["verify", "--man=no"]).args(&units));
        let said = said(&output);
        assert!(
            output.status.success() && said.trim().is_empty(),
            "{}:\n{said}",
            stage.name
        );
    }
}
