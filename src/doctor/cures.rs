//! What to type, as this system has it: systemd and apt, or rc scripts and pkgtools.

use super::Subject;
use crate::platform::Init;

impl Subject<'_> {
    /// What is typed to a service.
    fn told(&self, verb: &str, name: &str) -> String {
        let platform = self.context.platform;
        match platform.init {
            Init::Systemd => format!("`systemctl {verb} {name}`"),
            Init::RcD => format!("`{}/rc.{} {verb}`", platform.init_dir, rc_name(name)),
        }
    }

    /// How a service is started.
    pub(super) fn start(&self, name: &str) -> String {
        format!("start it: {}", self.told("start", name))
    }

    /// How a service is stopped.
    pub(super) fn stop(&self, name: &str) -> String {
        self.told("stop", name)
    }

    /// How a service is restarted.
    pub(super) fn restart(&self, name: &str) -> String {
        format!("restart it: {}", self.told("restart", name))
    }

    /// The same of several.
    pub(super) fn restart_all(&self, names: &[&str]) -> String {
        let all: Vec<String> = names
            .iter()
            .map(|name| self.told("restart", name))
            .collect();
        format!("restart: {}", all.join(", "))
    }

    /// How a web server reads its files again.
    pub(super) fn reload(&self, name: &str) -> String {
        format!("reload it: {}", self.told("reload", name))
    }

    /// Where a service's last words are.
    pub(super) fn words_of(&self, name: &str) -> String {
        let platform = self.context.platform;
        let service = rc_name(name);
        match platform.init {
            Init::Systemd => format!("`journalctl -u {name} -n 50`"),
            Init::RcD if service == "prosody" => {
                format!("`tail {}`", platform.prosody.logs.join("prosody.err"))
            }
            Init::RcD if service == "nginx" => {
                format!("`tail {}`", platform.nginx.logs.join("error.log"))
            }
            Init::RcD => format!(
                "`{}/rc.{service} status`, and its log below `{}`",
                platform.init_dir, platform.jitsi_logs
            ),
        }
    }

    /// How packages get there.
    pub(super) fn install(&self, names: &[&str]) -> String {
        let names = names.join(" ");
        match self.context.platform.init {
            Init::Systemd => format!("`apt-get install {names}`"),
            Init::RcD => format!("build {names} from SlackBuilds.org and `installpkg` them"),
        }
    }

    /// How packages get there anew.
    pub(super) fn reinstall(&self, names: &[&str]) -> String {
        let names = names.join(" ");
        match self.context.platform.init {
            Init::Systemd => format!("`apt-get install --reinstall {names}`"),
            Init::RcD => format!("`removepkg {names}`, then `installpkg` them again"),
        }
    }

    /// How one of several Javas is chosen.
    pub(super) fn choose_java(&self) -> String {
        let platform = self.context.platform;
        match platform.init {
            Init::Systemd => {
                "`update-alternatives --config java` chooses one of several".to_owned()
            }
            Init::RcD => format!("let `{}` be a link to it", platform.java),
        }
    }
}

/// Slackware's script has another name than Debian's unit.
fn rc_name(unit: &str) -> &str {
    match unit {
        "jitsi-videobridge2" => "jitsi-videobridge",
        name => name,
    }
}
