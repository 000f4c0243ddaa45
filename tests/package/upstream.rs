//! Stand-ins for upstream's packages: the same paths, conffiles and kinds of maintainer scripts, made by
//! dpkg-deb; the jars are tiny, and nothing in them is upstream's. Their description says so.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package of upstream's, as far as dpkg can see.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) package: &'static str,
    depends: &'static str,
    /// Path and content; `{version}` is the version. What ends in `.jar` becomes one.
    files: &'static [(&'static str, &'static str)],
    conffiles: &'static [&'static str],
    scripts: &'static [(&'static str, &'static str)],
}

const SHELL: &str = "#!/bin/bash\nexec java -cp /nowhere Main\n";

pub(crate) const JICOFO: Upstream = Upstream {
    package: "jicofo",
    depends: "",
    files: &[
        (
            "etc/init.d/jicofo",
            "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: jicofo\n### END INIT INFO\nexit 0\n",
        ),
        ("etc/jitsi/jicofo/logging.properties", "handlers = none\n"),
        (
            "etc/logrotate.d/jicofo",
            "/var/log/jitsi/jicofo.log {\n  daily\n}\n",
        ),
        ("usr/share/doc/jicofo/copyright", "A stand-in.\n"),
        ("usr/share/jicofo/collect-dump-logs.sh", SHELL),
        ("usr/share/jicofo/jicofo.jar", "{version}"),
        ("usr/share/jicofo/jicofo.sh", SHELL),
        (
            "usr/share/jicofo/lib/jitsi-utils-1.0-{version}.jar",
            "{version}",
        ),
        ("usr/share/jicofo/lib/kotlin-stdlib-2.0.0.jar", "kotlin"),
    ],
    conffiles: &[
        "etc/init.d/jicofo",
        "etc/jitsi/jicofo/logging.properties",
        "etc/logrotate.d/jicofo",
    ],
    scripts: &[
        (
            "postinst",
            "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n  getent group jitsi >/dev/null || groupadd -r jitsi\n\
          getent passwd jicofo >/dev/null || useradd -r -g jitsi -d /usr/share/jicofo -s /usr/sbin/nologin jicofo\n  mkdir -p /var/log/jitsi\n\
          [ -f /etc/jitsi/jicofo/config ] || echo 'JICOFO_OPTS=\"\"' > /etc/jitsi/jicofo/config\n  chown -R jicofo:jitsi /etc/jitsi/jicofo\nfi\n",
        ),
        (
            "prerm",
            "#!/bin/sh\nset -e\n[ ! -x /etc/init.d/jicofo ] || /etc/init.d/jicofo stop || true\n",
        ),
        (
            "postrm",
            "#!/bin/sh\nset -e\nif [ \"$1\" = purge ]; then\n  userdel jicofo 2>/dev/null || true\n  rm -rf /etc/jitsi/jicofo\nfi\n",
        ),
    ],
};

pub(crate) const VIDEOBRIDGE: Upstream = Upstream {
    package: "jitsi-videobridge2",
    depends: "procps",
    files: &[
        (
            "etc/jitsi/videobridge/logging.properties",
            "handlers = none\n",
        ),
        (
            "etc/logrotate.d/jitsi-videobridge",
            "/var/log/jitsi/jvb.log {\n  hourly\n}\n",
        ),
        (
            "etc/sysctl.d/20-jvb-udp-buffers.conf",
            "net.core.rmem_max=10485760\n",
        ),
        (
            "lib/systemd/system/jitsi-videobridge2.service",
            "[Unit]\nDescription=A stand-in\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
        ),
        (
            "usr/share/doc/jitsi-videobridge2/copyright",
            "A stand-in.\n",
        ),
        ("usr/share/jitsi-videobridge/graceful_shutdown.sh", SHELL),
        (
            "usr/share/jitsi-videobridge/jitsi-videobridge.jar",
            "{version}",
        ),
        ("usr/share/jitsi-videobridge/jvb.sh", SHELL),
        (
            "usr/share/jitsi-videobridge/lib/ice4j-3.0-{version}.jar",
            "{version}",
        ),
        (
            "usr/share/jitsi-videobridge/lib/videobridge.rc",
            "VIDEOBRIDGE_DEBUG_OPTIONS=\n",
        ),
    ],
    conffiles: &[
        "etc/jitsi/videobridge/logging.properties",
        "etc/logrotate.d/jitsi-videobridge",
        "etc/sysctl.d/20-jvb-udp-buffers.conf",
    ],
    scripts: &[
        (
            "postinst",
            "#!/bin/sh\nset -e\nif [ \"$1\" = configure ]; then\n  getent group jitsi >/dev/null || groupadd -r jitsi\n\
          getent passwd jvb >/dev/null || useradd -r -g jitsi --shell /bin/bash --create-home -d /usr/share/jitsi-videobridge jvb\n\
          chown jvb:jitsi /usr/share/jitsi-videobridge\nfi\n",
        ),
        (
            "postrm",
            "#!/bin/sh\nset -e\nif [ \"$1\" = purge ]; then\n  userdel jvb 2>/dev/null || true\nfi\n",
        ),
    ],
};

pub(crate) const WEB: Upstream = Upstream {
    package: "jitsi-meet-web",
    depends: "",
    files: &[
        ("usr/share/doc/jitsi-meet-web/copyright", "A stand-in.\n"),
        ("usr/share/jitsi-meet/base.html", "<base href=\"/\" />\n"),
        ("usr/share/jitsi-meet/css/all.css", "body { color: #fff }\n"),
        (
            "usr/share/jitsi-meet/images/watermark.svg",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n",
        ),
        (
            "usr/share/jitsi-meet/index.html",
            "<!DOCTYPE html><html lang=\"en\"><head><!--#include virtual=\"title.html\" --></head><body></body></html>\n",
        ),
        (
            "usr/share/jitsi-meet/interface_config.js",
            "var interfaceConfig = {};\n",
        ),
        ("usr/share/jitsi-meet/lang/main.json", "{}\n"),
        (
            "usr/share/jitsi-meet/libs/app.bundle.min.js",
            "(()=>{\"{version}\"})();\n",
        ),
        ("usr/share/jitsi-meet/libs/tflite.wasm", "\0asm\u{1}\0\0\0"),
        ("usr/share/jitsi-meet/sounds/knock.mp3", "ID3"),
        (
            "usr/share/jitsi-meet/static/close.html",
            "<!DOCTYPE html><html lang=\"en\"></html>\n",
        ),
        (
            "usr/share/jitsi-meet/title.html",
            "<title>Jitsi Meet</title>\n",
        ),
    ],
    conffiles: &[],
    scripts: &[],
};

pub(crate) const PROSODY: Upstream = Upstream {
    package: "jitsi-meet-prosody",
    depends: "",
    files: &[
        (
            "usr/share/doc/jitsi-meet-prosody/copyright",
            "A stand-in.\n",
        ),
        (
            "usr/share/jitsi-meet-prosody/prosody.cfg.lua-jvb.example",
            "VirtualHost \"jitmeet.example.com\"\n",
        ),
        (
            "usr/share/jitsi-meet/prosody-plugins/mod_muc_size.lua",
            "module:log(\"info\", \"{version}\");\n",
        ),
        (
            "usr/share/jitsi-meet/prosody-plugins/token/util.lib.lua",
            "return {};\n",
        ),
        (
            "usr/share/jitsi-meet/prosody-plugins/util.lib.lua",
            "return {};\n",
        ),
    ],
    conffiles: &[],
    scripts: &[("postinst", "#!/bin/sh\nset -e\nexit 0\n")],
};

pub(crate) const ALL: [&Upstream; 4] = [&JICOFO, &VIDEOBRIDGE, &WEB, &PROSODY];

impl Upstream {
    /// Builds it into a folder; the version is upstream's, without the revision, which is 1.
    pub(crate) fn build(&self, version: &str, folder: &Path) -> Result<PathBuf, String> {
        let said = |error: std::io::Error| format!("{}: {error}", self.package);
        let place = tempfile::tempdir_in(folder).map_err(said)?;
        let root = place.path();
        for (path, content) in self.files(version) {
            let is_program = content.starts_with(b"#!");
            put(
                root,
                &path,
                &content,
                if is_program { 0o755 } else { 0o644 },
            )
            .map_err(said)?;
        }
        let sums = "find * -path DEBIAN -prune -o -path etc -prune -o -type f -print0 \
                    | LC_ALL=C sort -z | xargs -0 -r md5sum";
        let sums = Command::new("sh")
            .args(["-c", sums])
            .current_dir(root)
            .output();
        put(root, "DEBIAN/md5sums", &sums.map_err(said)?.stdout, 0o644).map_err(said)?;
        let mut control = format!(
            "Package: {}\nVersion: {version}-1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n",
            self.package
        );
        if !self.depends.is_empty() {
            control.push_str(&format!("Depends: {}\n", self.depends));
        }
        control.push_str("Section: net\nPriority: optional\nDescription: a stand-in for tests\n Nothing of upstream's is in it.\n");
        put(root, "DEBIAN/control", control.as_bytes(), 0o644).map_err(said)?;
        if !self.conffiles.is_empty() {
            let lines: String = self
                .conffiles
                .iter()
                .map(|path| format!("/{path}\n"))
                .collect();
            put(root, "DEBIAN/conffiles", lines.as_bytes(), 0o644).map_err(said)?;
        }
        for (name, text) in self.scripts {
            put(root, &format!("DEBIAN/{name}"), text.as_bytes(), 0o755).map_err(said)?;
        }
        // whatever the umask of this machine
        let shell = "find \"$1\" -type d -exec chmod 755 {} + && dpkg-deb --root-owner-group -Zxz --build \"$1\" \"$2\"";
        let file = folder.join(format!("{}_{version}-1_all.deb", self.package));
        let built = Command::new("sh")
            .args(["-c", shell, "sh"])
            .arg(root)
            .arg(&file)
            .output();
        let built = built.map_err(said)?;
        match built.status.success() {
            true => Ok(file),
            false => Err(String::from_utf8_lossy(&built.stderr).into_owned()),
        }
    }

    /// Every file and its content.
    pub(crate) fn files(&self, version: &str) -> BTreeMap<String, Vec<u8>> {
        let files = self.files.iter().map(|(path, text)| {
            let text = text.replace("{version}", version);
            let is_jar = path.ends_with(".jar");
            let content = if is_jar {
                jar(&text)
            } else {
                text.into_bytes()
            };
            (path.replace("{version}", version), content)
        });
        files.collect()
    }
}

fn put(root: &Path, path: &str, content: &[u8], mode: u32) -> std::io::Result<()> {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    fs::write(&path, content)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))
}

/// A jar with a manifest and a class of eight bytes and a word.
fn jar(word: &str) -> Vec<u8> {
    let class = [b"\xca\xfe\xba\xbe\0\0\0\x3d", word.as_bytes()].concat();
    let manifest = b"Manifest-Version: 1.0\r\nMain-Class: Main\r\n\r\n".to_vec();
    let (mut out, mut index) = (Vec::new(), Vec::new());
    let files = [("META-INF/MANIFEST.MF", manifest), ("Main.class", class)];
    for (name, content) in &files {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let size = (content.len() as u32).to_le_bytes();
        // version, flags, method (stored), time, date (1980-01-01)
        let mut facts = vec![10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        facts.extend(crc.sum().to_le_bytes());
        facts.extend(size.iter().chain(&size));
        facts.extend((name.len() as u16).to_le_bytes());
        facts.extend([0, 0]);
        let at = (out.len() as u32).to_le_bytes();
        out.extend(b"PK\x03\x04".iter().chain(&facts));
        out.extend(name.as_bytes().iter().chain(content));
        index.extend(b"PK\x01\x02\x0a\0".iter().chain(&facts));
        index.extend([0; 10]);
        index.extend(at);
        index.extend(name.as_bytes());
    }
    let (at, count) = (out.len() as u32, files.len() as u8);
    out.extend(&index);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, 0, count, 0]);
    out.extend((index.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}
