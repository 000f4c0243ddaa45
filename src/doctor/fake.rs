//! A machine that exists in memory alone.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::running::{BRIDGE, JICOFO};
use super::{Admission, Listener, LogIn, Place, Probe, Process, Reader, Reception, Seen, Visit};
use crate::name::{AbsPath, Mode};
use crate::package::Catalogue;
use crate::secret::Secret;

/// When everything started.
pub(super) const STARTED: i64 = 1_789_000_000;

fn process(pid: u32, name: &str, arguments: &[impl AsRef<str>]) -> Process {
    Process {
        pid,
        name: name.to_owned(),
        arguments: arguments
            .iter()
            .map(|one| one.as_ref().to_owned())
            .collect(),
        started: Some(STARTED),
    }
}

fn java(config: &str, class: &str) -> Vec<String> {
    vec![
        "/usr/bin/java".to_owned(),
        format!("-Dconfig.file=/etc/jitsi/{config}"),
        "-Djavax.net.ssl.trustStore=/etc/jitsi/truststore.p12".to_owned(),
        "-Djavax.net.ssl.trustStorePassword=changeit".to_owned(),
        "-Djavax.net.ssl.trustStoreType=PKCS12".to_owned(),
        class.to_owned(),
    ]
}

fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    let all = CertificateDer::pem_slice_iter(pem).map(|one| one.expect("PEM"));
    all.map(|one| one.as_ref().to_vec()).collect()
}

/// A change of one file.
pub(super) type Edit = fn(&mut Seen);

/// What the doctor is told.
#[derive(Clone, Default)]
pub(super) struct Fake {
    pub(super) running: bool,
    pub(super) files: BTreeMap<String, Seen>,
    pub(super) edits: Vec<(&'static str, Edit)>,
    pub(super) gone: Vec<&'static str>,
    pub(super) drifted: Vec<String>,
    pub(super) packages: BTreeMap<String, String>,
    pub(super) kernel: BTreeMap<&'static str, &'static str>,
    pub(super) about: Option<&'static str>,
    pub(super) lacking: Option<Vec<String>>,
    pub(super) java: Option<&'static str>,
    pub(super) listeners: Vec<(&'static str, bool, &'static str)>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) processes: Vec<Process>,
    /// When each file changed.
    pub(super) changed: i64,
    pub(super) down: &'static [&'static str],
    pub(super) exit: Option<i32>,
    pub(super) http: Option<u16>,
    pub(super) page: Option<&'static str>,
    /// What the web server and the bridge show instead of the site's certificate.
    pub(super) shown: Option<Vec<Vec<u8>>>,
    /// What Prosody shows instead of the service accounts' certificate.
    pub(super) shown_to_accounts: Option<Vec<u8>>,
    /// Why Prosody refuses service accounts.
    pub(super) refused: Option<&'static str>,
    pub(super) fetched: Option<Result<&'static str, &'static str>>,
    /// Is everything open to everybody?
    pub(super) open: bool,
    /// The account service's place, its database and its socket.
    pub(super) places: BTreeMap<&'static str, Place>,
    /// What its settings lack.
    pub(super) wrong: Option<Vec<String>>,
    /// How many people administer it.
    pub(super) administrators: u32,
    /// How it answers Prosody's secret.
    pub(super) question: Option<u16>,
    /// What Prosody's role may do besides.
    pub(super) rights: Option<Vec<String>>,
}

impl Fake {
    /// A machine on which everything is well.
    pub(super) fn running() -> Self {
        Self {
            running: true,
            packages: newest_set(),
            kernel: BTreeMap::from([
                ("meminfo", "MemTotal:       16000000 kB\n"),
                ("sys/net/core/rmem_max", "10485760\n"),
                ("net/fib_trie", "  |-- 8.8.4.4\n     /32 host LOCAL\n"),
                ("net/if_inet6", ""),
                (
                    "20/limits",
                    "Max open files  65000  65000  files\nMax processes  65000  65000  p\n",
                ),
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
            processes: vec![
                process(10, "java", &java("jicofo/jicofo.conf", JICOFO)),
                process(20, "java", &java("videobridge/jvb.conf", BRIDGE)),
                process(30, "lua5.4", &["lua5.4", "/usr/bin/prosody", "-F"]),
                process(40, "nginx", &["nginx: worker process"]),
            ],
            changed: STARTED - 5,
            http: Some(200),
            page: Some("var config = {}; var interfaceConfig = {};"),
            places: BTreeMap::from([
                place("/run/jitsi-accounts", 0o755, "root", false),
                place("/run/jitsi-accounts/web.sock", 0o660, "www-data", true),
                place("/var/lib/jitsi-accounts", 0o2750, "prosody", false),
                place(
                    "/var/lib/jitsi-accounts/accounts.sqlite",
                    0o640,
                    "prosody",
                    false,
                ),
            ]),
            wrong: Some(Vec::new()),
            administrators: 1,
            question: Some(400),
            rights: Some(Vec::new()),
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

    pub(super) fn gone(mut self, path: &'static str) -> Self {
        self.gone.push(path);
        self
    }

    pub(super) fn edited(mut self, path: &'static str, edit: Edit) -> Self {
        self.edits.push((path, edit));
        self
    }
}

fn place(path: &'static str, mode: u32, group: &str, is_socket: bool) -> (&'static str, Place) {
    let place = Place {
        mode: Mode(mode),
        user: "jitsi-accounts".to_owned(),
        group: group.to_owned(),
        is_socket,
    };
    (path, place)
}

/// The newest set of the catalogue, as Debian names its packages.
fn newest_set() -> BTreeMap<String, String> {
    let catalogue = Catalogue::own().expect("the catalogue");
    let set = catalogue.newest_set().expect("a set");
    let chosen = catalogue.choose_set(set).expect("a set");
    let each = chosen.iter().map(|one| {
        let name = one.piece.debian.as_ref().unwrap_or(&one.piece.name);
        (name.clone(), one.release.version.clone())
    });
    each.collect()
}

impl Probe for Fake {
    fn is_running(&self) -> bool {
        self.running
    }
    fn packages(&self) -> BTreeMap<String, String> {
        self.packages.clone()
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
    fn changed(&self, path: &AbsPath) -> Option<i64> {
        self.files.get(path.as_str()).map(|_| self.changed)
    }
    fn processes(&self) -> Vec<Process> {
        self.processes.clone()
    }
    fn last_exit(&self, _: &str) -> Option<i32> {
        self.exit
    }
    fn http(&self, _: u16, path: &str, _: &str) -> Result<(u16, String), String> {
        let body = "{\"bridge_selector\":{\"bridge_count\":1,\"operational_bridge_count\":1}}";
        let figure = format!("jitsi_accounts_administrators {}\n", self.administrators);
        let body = match path {
            "/stats" => body,
            "/metrics" => &figure,
            _ => "",
        };
        let status = self.http.ok_or("nothing listens")?;
        Ok((status, body.to_owned()))
    }
    fn page(&self, _: &str, _: SocketAddr, _: &str) -> Result<(u16, String), String> {
        let page = self.page.ok_or("nothing listens")?;
        Ok((200, page.to_owned()))
    }
    fn certificates(&self, host: &str, _: SocketAddr) -> Result<Vec<Vec<u8>>, String> {
        let file = self.files.get(&format!("/etc/jitsi/certs/{host}.crt"));
        let shown = file.map(|seen| certificates(&seen.bytes));
        Ok(self.shown.clone().or(shown).unwrap_or_default())
    }
    fn fetch(&self, _: &str) -> Option<Result<String, String>> {
        let fetched = self.fetched?;
        Some(fetched.map(str::to_owned).map_err(str::to_owned))
    }
    fn log_in(&self, order: &LogIn<'_>) -> Result<Admission, String> {
        let trusted = certificates(order.trusted.as_bytes());
        let shown = self.shown_to_accounts.clone().map(|one| vec![one]);
        let certificates = shown.unwrap_or_else(|| trusted.clone());
        let is_trusted = certificates.first() == trusted.first();
        self.http.ok_or("nothing listens")?;
        Ok(Admission {
            certificates,
            login: is_trusted.then(|| self.refused.map_or(Ok(()), |why| Err(why.to_owned()))),
        })
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
    fn place(&self, path: &AbsPath) -> Option<Place> {
        self.places.get(path.as_str()).cloned()
    }
    fn settings(&self, _: &AbsPath, _: &AbsPath) -> Result<Vec<String>, String> {
        self.wrong.clone().ok_or("silent".to_owned())
    }
    fn question(&self, _: u16, _: &Secret<String>) -> Result<u16, String> {
        self.question.ok_or("nothing listens".to_owned())
    }
    fn rights(&self, _: &Reader<'_>) -> Result<Vec<String>, String> {
        self.rights.clone().ok_or("access denied".to_owned())
    }
}
