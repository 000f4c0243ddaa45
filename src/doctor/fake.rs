//! A machine that exists in memory alone.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::{Listener, Probe, Reception, Seen, Visit};
use crate::name::{AbsPath, Mode};

/// A change of one file.
pub(super) type Edit = fn(&mut Seen);

/// What the doctor is told.
#[derive(Clone, Default)]
pub(super) struct Fake {
    pub(super) running: bool,
    pub(super) files: BTreeMap<String, Seen>,
    pub(super) edits: Vec<(&'static str, Edit)>,
    pub(super) drifted: Vec<String>,
    pub(super) kernel: BTreeMap<&'static str, &'static str>,
    pub(super) about: Option<&'static str>,
    pub(super) lacking: Option<Vec<String>>,
    pub(super) java: Option<&'static str>,
    pub(super) listeners: Vec<(&'static str, bool, &'static str)>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) limits: Option<&'static str>,
    pub(super) http: Option<u16>,
    pub(super) page: Option<&'static str>,
    /// Is everything open to everybody?
    pub(super) open: bool,
}

impl Fake {
    /// A machine on which everything is well.
    pub(super) fn running() -> Self {
        Self {
            running: true,
            kernel: BTreeMap::from([
                ("meminfo", "MemTotal:       16000000 kB\n"),
                ("sys/net/core/rmem_max", "10485760\n"),
                ("net/fib_trie", "  |-- 8.8.4.4\n     /32 host LOCAL\n"),
            ]),
            about: Some(
                "Prosody was unable to find lua-unbound\nProsody 13.0.1\nSource directory:\t/usr/lib/prosody\n",
            ),
            lacking: Some(Vec::new()),
            java: Some("openjdk version \"21.0.4\" 2024-07-16\n"),
            listeners: vec![
                ("0.0.0.0:80", false, "nginx"),
                ("0.0.0.0:443", false, "nginx"),
                ("127.0.0.1:5222", false, "lua5.4"),
                ("127.0.0.1:5280", false, "lua5.4"),
                ("127.0.0.1:8888", false, "java"),
                ("127.0.0.1:8080", false, "java"),
                ("[::]:10000", true, "java"),
            ],
            addresses: vec![IpAddr::from([8, 8, 4, 4])],
            limits: Some("Max open files  65000  65000  files\nMax processes  65000  65000  p\n"),
            http: Some(200),
            page: Some("var config = {}; var interfaceConfig = {};"),
            ..Self::default()
        }
    }

    pub(super) fn with_log(mut self, text: &str) -> Self {
        let seen = Seen {
            bytes: text.as_bytes().to_vec(),
            mode: Mode(0o640),
        };
        self.files
            .insert("/var/log/prosody/prosody.log".to_owned(), seen);
        self
    }

    pub(super) fn with_names(mut self, folder: &str, names: &[&str]) -> Self {
        for name in names {
            let seen = Seen {
                bytes: Vec::new(),
                mode: Mode(0o644),
            };
            self.files.insert(format!("{folder}/{name}"), seen);
        }
        self
    }

    pub(super) fn edited(mut self, path: &'static str, edit: Edit) -> Self {
        self.edits.push((path, edit));
        self
    }
}

impl Probe for Fake {
    fn is_running(&self) -> bool {
        self.running
    }
    fn file(&self, path: &AbsPath) -> Result<Option<Seen>, String> {
        Ok(self.files.get(path.as_str()).cloned())
    }
    fn tail(&self, path: &AbsPath) -> Option<Seen> {
        self.files.get(path.as_str()).cloned()
    }
    fn names(&self, path: &AbsPath) -> Vec<String> {
        let start = format!("{path}/");
        let below = self.files.keys().filter_map(|one| one.strip_prefix(&start));
        below.map(str::to_owned).collect()
    }
    fn kernel(&self, path: &str) -> Option<String> {
        self.kernel.get(path).map(|text| (*text).to_owned())
    }
    fn about(&self) -> Result<String, String> {
        self.about.map(str::to_owned).ok_or("silent".to_owned())
    }
    fn lacking(&self, _: &[&str]) -> Result<(String, Vec<String>), String> {
        let lacking = self.lacking.clone().ok_or("silent")?;
        Ok(("lua5.4".to_owned(), lacking))
    }
    fn java(&self, _: &AbsPath) -> Result<String, String> {
        self.java.map(str::to_owned).ok_or("silent".to_owned())
    }
    fn listeners(&self) -> Result<Vec<Listener>, String> {
        let listener = |(address, is_udp, program): &(&str, bool, &str)| Listener {
            address: address.parse().expect("an address"),
            is_udp: *is_udp,
            program: Some((*program).to_owned()),
        };
        Ok(self.listeners.iter().map(listener).collect())
    }
    fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, String> {
        Ok(self.addresses.clone())
    }
    fn limits(&self, _: &str) -> Option<String> {
        self.limits.map(str::to_owned)
    }
    fn http(&self, _: u16, path: &str, _: &str) -> Result<(u16, String), String> {
        let body = "{\"bridge_selector\":{\"bridge_count\":1,\"operational_bridge_count\":1}}";
        let body = if path == "/stats" { body } else { "" };
        let status = self.http.ok_or("nothing listens")?;
        Ok((status, body.to_owned()))
    }
    fn page(&self, _: &str, _: SocketAddr, _: &str) -> Result<Option<String>, String> {
        Ok(self.page.map(str::to_owned))
    }
    fn visit(&self, visit: &Visit) -> Result<Reception, String> {
        let refused = "not-allowed".to_owned();
        let is_guest = visit.host.starts_with("guest.");
        let outcome = |room: &String| {
            let got = if self.open {
                Ok("owner".to_owned())
            } else {
                Err(refused.clone())
            };
            (room.clone(), got)
        };
        Ok(Reception {
            mechanisms: vec!["ANONYMOUS".to_owned()],
            login: Some(if is_guest || self.open {
                Ok(())
            } else {
                Err(refused.clone())
            }),
            rooms: visit.rooms.iter().map(outcome).collect(),
        })
    }
}
