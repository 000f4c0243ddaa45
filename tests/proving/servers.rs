//! The web servers as judges of their files: `nginx -t`, `caddy validate`.
//!
//! `nginx -t` binds what it is told to listen on, so it is given a copy of the site in which the
//! `listen` lines name loopback and high ports, and, when it is older than 1.25.1, without the
//! `http2 on;` that only newer ones know. Nothing else differs from what was written.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{output, program, said, unprivileged};

/// An installed nginx.
pub struct Nginx {
    program: PathBuf,
    has_ipv6: bool,
    knows_http2: bool,
}

impl Nginx {
    pub fn find() -> Option<Self> {
        let program = program("nginx", "nginx")?;
        let version = said(&output(Command::new(&program).arg("-v")));
        let numbers: Vec<u32> = version
            .trim()
            .rsplit('/')
            .next()
            .unwrap()
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        Some(Self {
            program,
            has_ipv6: TcpListener::bind(("::1", 0)).is_ok(),
            knows_http2: numbers >= vec![1, 25, 1],
        })
    }

    /// A configuration around `inside` of `http { }`; everything that it writes is in `folder`.
    pub fn wrapped(&self, inside: &str, folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
        let types = ["/etc/nginx/mime.types", "/etc/nginx/conf/mime.types"];
        let include = types
            .iter()
            .find(|path| Path::new(path).is_file())
            .map_or(String::new(), |path| format!("include {path};"));
        let temps: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display()))
            .concat();
        let conf = folder.join("nginx.conf");
        let text = format!(
            "daemon off;\npid {0}/pid;\nerror_log {0}/error.log;\nevents {{ }}\nhttp {{\n{include}\n{temps}{inside}\n}}\n",
            folder.display()
        );
        fs::write(&conf, text).unwrap();
        conf
    }

    /// A command with that configuration.
    pub fn command(&self, conf: &Path) -> Command {
        let folder = conf.parent().unwrap();
        let mut command = unprivileged(&self.program);
        command.arg("-e").arg(folder.join("error.log"));
        command.arg("-p").arg(folder).arg("-c").arg(conf);
        command
    }

    /// What `nginx -t` says against a site; nothing when it says that all is well.
    pub fn objection(&self, site: &Path, folder: &Path) -> Option<String> {
        let copy: String = fs::read_to_string(site)
            .unwrap()
            .lines()
            .filter(|line| self.knows_http2 || line.trim() != "http2 on;")
            .map(|line| self.on_loopback(line) + "\n")
            .collect();
        assert!(copy.contains("listen 127.0.0.1:1"), "{}", site.display());
        let conf = self.wrapped(&copy, folder);
        let output = output(self.command(&conf).arg("-t"));
        let said = said(&output);
        let good = output.status.success() && !said.contains("[warn]");
        (!good).then_some(said)
    }

    /// `listen 192.0.2.7:443 ssl;` is `listen 127.0.0.1:10443 ssl;`.
    fn on_loopback(&self, line: &str) -> String {
        let Some(rest) = line.trim_start().strip_prefix("listen ") else {
            return line.to_owned();
        };
        let (place, options) = rest.split_at(rest.find([' ', ';']).unwrap());
        let (address, port) = place
            .trim_matches('"')
            .rsplit_once(':')
            .unwrap_or(("", place));
        let port = 10_000 + port.parse::<u32>().unwrap() % 10_000;
        let address = match (address.trim_matches('"').starts_with('['), self.has_ipv6) {
            (true, true) => "[::1]",
            (true, false) => "127.0.0.2",
            (false, _) => "127.0.0.1",
        };
        format!("    listen {address}:{port}{options}")
    }
}

/// A Caddy command whose own files go to `home`.
pub fn caddy(home: &Path) -> Option<Command> {
    let mut command = unprivileged(&program("caddy", "caddy")?);
    command.env("HOME", home);
    command
        .env("XDG_DATA_HOME", home)
        .env("XDG_CONFIG_HOME", home);
    Some(command)
}

/// What `caddy validate` says against a Caddyfile; nothing when it says that all is well.
pub fn caddy_objection(file: &Path, home: &Path) -> Option<String> {
    let mut command = caddy(home)?;
    command.args(["validate", "--adapter", "caddyfile", "--config"]);
    let output = output(command.arg(file));
    let said = said(&output);
    let warns = said.contains("\"level\":\"warn\"") || said.contains("WARN");
    let good = output.status.success() && said.contains("Valid configuration") && !warns;
    (!good).then_some(said)
}
