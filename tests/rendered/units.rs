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
        assert_eq!(units.len(), 2, "{}", stage.name);
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
