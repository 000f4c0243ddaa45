//! `certificates status`: every certificate and keystore of the site, who shows it, how long it
//! lasts, and what breaks when it does not.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::Global;
use super::report::{FAILED, Failure, Report};
use super::scene::{self, Places, Scene};
use crate::command::terminal::Paint;
use crate::host::{self, Machine, facts, stand};
use crate::keystore::{self, CertificateInfo, KeyPair, Kind, Store};
use crate::name::AbsPath;
use crate::service::certificates::{consumers, is_made_here};
use crate::service::{Context, TRUSTSTORE_PASSWORD};
use crate::site::CertificateSource;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// List certificates and keystores, who uses them, and how long they last
    Status(Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Fewer days left are a fault
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    days: i64,
    /// Write metrics for the textfile collector of Prometheus' node_exporter
    #[arg(long, value_name = "FILE")]
    textfile: Option<PathBuf>,
}

/// One file with a certificate.
#[derive(Debug, Serialize)]
struct Row {
    /// Whose it is.
    who: String,
    path: String,
    form: &'static str,
    names: Vec<String>,
    key: String,
    fingerprint_sha256: String,
    not_after: Option<i64>,
    days_left: Option<i64>,
    /// Is it the one that it should be?
    is_current: bool,
    /// What is wrong with it.
    faults: Vec<String>,
    /// Does the trouble begin with its end? Else it is there already.
    #[serde(skip)]
    ends_it: bool,
    /// What does not work any more without it.
    breaks: String,
    cure: &'static str,
}

/// What the rows are judged by.
struct Judge {
    now: i64,
    days: i64,
}

const RENEW: &str = "`jitsi-install renew` hands it over";
const ISSUE: &str = "have it renewed by its client, which calls `jitsi-install renew`";

pub(super) fn run(global: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    let Verb::Status(args) = verb;
    let target = scene::Target::of(global)?;
    let site = scene::read_site(global)?;
    let machine = target.open()?;
    let places = Places::system();
    let platform = scene::platform(global, &machine)?;
    let scene = Scene::set(site, platform, &machine, &places)?;
    let judge = Judge {
        now: host::now(),
        days: args.days,
    };
    let rows = rows(&scene, &machine, &places, &judge)?;
    if let Some(file) = &args.textfile {
        let text = metrics(scene.site.domain.as_str(), &rows);
        let readable = stand::Access {
            mode: Some(0o644),
            owner: None,
        };
        stand::replace(file, text.as_bytes(), &readable)
            .map_err(|error| Failure::io(file, &error))?;
    }
    let is_well = rows.iter().all(|row| row.faults.is_empty());
    if report.is_json() {
        report.json(&serde_json::json!({
            "ok": is_well, "domain": scene.site.domain, "certificates": rows,
        }));
    } else {
        let text = table(&rows, report.paint());
        report.data(&text);
    }
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn rows(
    scene: &Scene,
    machine: &Machine,
    places: &Places,
    judge: &Judge,
) -> Result<Vec<Row>, Failure> {
    let (site, root) = (&scene.site, machine.root());
    let context = Context::new(site, &scene.platform, &scene.kept.secrets, &scene.facts);
    let known = places.known(site, &scene.platform);
    let chosen = facts::chosen(root, site, &known.taken_in)
        .map_err(|error| Failure::new(FAILED, error.what).hint(error.hint))?;
    let leaf = |pem: &str| -> Option<CertificateInfo> {
        let der = keystore::certificates(pem.as_bytes()).ok()?;
        keystore::describe(der.first()?).ok()
    };
    let shown = leaf(&context.certificate().certificate);
    let private = leaf(&scene.kept.secrets.auth_certificate.certificate);
    let mut rows = Vec::new();
    let is_made_here = shown
        .as_ref()
        .is_some_and(|leaf| is_made_here(&leaf.issuer, &site.domain));
    match (&chosen, &site.certificates) {
        (Some(found), _) => {
            let who = match &site.certificates {
                _ if found.at == known.taken_in.certificate => "taken in".to_owned(),
                CertificateSource::Issued { by, .. } => by.as_str().to_owned(),
                CertificateSource::Files { .. } | CertificateSource::SelfSigned => {
                    "your files".to_owned()
                }
            };
            let mut row = judge.row(&who, &found.at, "certificate", Ok(found.leaf.clone()), None);
            row.breaks = "nothing by itself: the copies are what is shown".to_owned();
            rows.push(row);
        }
        (None, CertificateSource::Issued { by, home }) if !is_made_here => {
            let gone = Err("it has none any more; what is laid out stays".to_owned());
            let mut row = judge.row(by.as_str(), home, "certificate", gone, None);
            row.breaks = "nothing is renewed".to_owned();
            row.cure = ISSUE;
            rows.push(row);
        }
        (None, _) => {
            let authority = leaf(&scene.kept.secrets.site_authority.certificate);
            let authority = authority.ok_or_else(|| "it is damaged".to_owned());
            let path = context.authority();
            let mut row = judge.row("made here", &path, "authority", authority, None);
            row.breaks = "those who trust it have to trust another".to_owned();
            row.cure = "`jitsi-install apply` makes another";
            rows.push(row);
        }
    }
    for consumer in consumers(&context) {
        let is_private = consumer.name == context.hosts.auth.as_str();
        let wanted = if is_private { &private } else { &shown };
        for path in &consumer.paths {
            let (form, found) = if path.as_str().ends_with(".p12") {
                let password = if is_private {
                    TRUSTSTORE_PASSWORD
                } else {
                    scene.kept.secrets.keystore_password.reveal()
                };
                let form = if is_private { "truststore" } else { "keystore" };
                (form, store(machine, path, password))
            } else if path.as_str().ends_with(".crt") {
                ("certificate", pair(machine, path))
            } else {
                // A key goes with its certificate.
                continue;
            };
            let mut row = judge.row(&consumer.name, path, form, found, wanted.as_ref());
            row.breaks = breaks(&consumer.name, is_private);
            if !is_private
                && let (CertificateSource::SelfSigned, true) = (&site.certificates, row.is_current)
            {
                row.cure = "`jitsi-install apply` makes another";
            }
            rows.push(row);
        }
    }
    if let (None, CertificateSource::Issued { by, .. }) = (&chosen, &site.certificates)
        && is_made_here
        && let Some(row) = rows.first_mut()
    {
        row.faults.push(format!(
            "browsers do not know it, and {} has no other yet",
            by.as_str()
        ));
        row.ends_it = false;
        row.breaks = "browsers warn of the site".to_owned();
        row.cure = "have one issued; its client calls `jitsi-install renew`";
    }
    Ok(rows)
}

/// What does not work any more for whom.
fn breaks(who: &str, is_private: bool) -> String {
    match who {
        _ if is_private => "Jicofo and the bridge do not log in, and no meeting begins",
        "prosody" => "XMPP clients and servers from outside do not connect",
        "videobridge" => "browsers do not reach the bridge's websockets",
        _ => "browsers do not open the site",
    }
    .to_owned()
}

/// A certificate with the key that stands beside it.
fn pair(machine: &Machine, path: &AbsPath) -> Result<CertificateInfo, String> {
    let root = machine.root();
    let key = AbsPath::parse(&format!("{}.key", path.as_str().trim_end_matches(".crt")))
        .map_err(|why| why.to_string())?;
    let read = |path: &AbsPath| {
        root.read(path)
            .map_err(|error| format!("`{path}` cannot be read: {error}"))
    };
    let pair = KeyPair::from_pem(&read(path)?, &zeroize::Zeroizing::new(read(&key)?))
        .map_err(|error| error.to_string())?;
    keystore::describe(pair.leaf()).map_err(|error| error.to_string())
}

/// The first certificate that Java sees in a store.
fn store(machine: &Machine, path: &AbsPath, password: &str) -> Result<CertificateInfo, String> {
    let bytes = machine
        .root()
        .read(path)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    let store = Store::open(&bytes, Some(password)).map_err(|error| error.to_string())?;
    let leaf = store
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::PrivateKey | Kind::TrustedCertificate))
        .find_map(|entry| entry.chain.first())
        .ok_or("it holds no certificate that Java sees")?;
    keystore::describe(leaf).map_err(|error| error.to_string())
}

impl Judge {
    fn row(
        &self,
        who: &str,
        path: &AbsPath,
        form: &'static str,
        found: Result<CertificateInfo, String>,
        wanted: Option<&CertificateInfo>,
    ) -> Row {
        let mut row = Row {
            who: who.to_owned(),
            path: path.to_string(),
            form,
            names: Vec::new(),
            key: String::new(),
            fingerprint_sha256: String::new(),
            not_after: None,
            days_left: None,
            is_current: false,
            faults: Vec::new(),
            ends_it: true,
            breaks: String::new(),
            cure: ISSUE,
        };
        let leaf = match found {
            Ok(leaf) => leaf,
            Err(why) => {
                row.faults.push(why);
                row.cure = "`jitsi-install apply` lays it out again";
                return row;
            }
        };
        let days = leaf.validity.days_left(self.now);
        if days < 0 {
            row.faults.push(format!("it ended {} days ago", -days));
        } else if leaf.validity.not_before > self.now {
            row.faults.push("it is not valid yet".to_owned());
        } else if days < self.days {
            row.faults.push(format!("it ends in {days} days"));
        }
        row.is_current =
            wanted.is_none_or(|wanted| wanted.fingerprint_sha256 == leaf.fingerprint_sha256);
        if !row.is_current {
            row.faults.push("it is not the newest".to_owned());
            row.cure = RENEW;
        }
        row.names = leaf
            .names
            .iter()
            .map(|name| keystore::printable(name))
            .collect();
        row.key = leaf.key_kind;
        row.fingerprint_sha256 = leaf.fingerprint_sha256;
        row.not_after = Some(leaf.validity.not_after);
        row.days_left = Some(days);
        row
    }
}

fn date(at: Option<i64>) -> String {
    at.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok())
        .map_or_else(|| "-".to_owned(), |at| at.date().to_string())
}

fn table(rows: &[Row], paint: Paint) -> String {
    let width = |of: &dyn Fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (who, form) = (width(&|row| row.who.len()), width(&|row| row.form.len()));
    let mut text = String::new();
    for row in rows {
        let sign = if row.faults.is_empty() {
            paint.paint(32, "ok ")
        } else {
            paint.paint(31, "bad")
        };
        let days = row
            .days_left
            .map_or_else(|| "-".to_owned(), |days| format!("{days} days"));
        let short = row.fingerprint_sha256.get(..16).unwrap_or("-");
        text.push_str(&format!(
            "{sign}  {:who$}  {:form$}  until {:10}  {days:>9}  {short:16}  {}\n",
            row.who,
            row.form,
            date(row.not_after),
            row.path,
        ));
        for fault in &row.faults {
            text.push_str(&format!("     {fault}\n"));
        }
        if !row.faults.is_empty() {
            let when = match row.not_after {
                Some(_) if row.ends_it && row.days_left.is_some_and(|days| days >= 0) => {
                    format!("from {} on: ", date(row.not_after))
                }
                _ => "now: ".to_owned(),
            };
            text.push_str(&format!(
                "     {when}{}\n     hint: {}\n",
                row.breaks, row.cure
            ));
        }
    }
    text
}

/// Prometheus' text form (prometheus.io, "Text-based format").
fn metrics(domain: &str, rows: &[Row]) -> String {
    let escaped = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let labels = |row: &Row| {
        format!(
            "{{domain=\"{}\",consumer=\"{}\",form=\"{}\",path=\"{}\"}}",
            escaped(domain),
            escaped(&row.who),
            row.form,
            escaped(&row.path)
        )
    };
    let mut text = String::from(
        "# HELP jitsi_install_certificate_not_after_seconds End of the certificate, in seconds since 1970.\n\
         # TYPE jitsi_install_certificate_not_after_seconds gauge\n",
    );
    for row in rows {
        if let Some(at) = row.not_after {
            text.push_str(&format!(
                "jitsi_install_certificate_not_after_seconds{} {at}\n",
                labels(row)
            ));
        }
    }
    text.push_str(
        "# HELP jitsi_install_certificate_ok Whether it is there, whole, current and lasts.\n\
         # TYPE jitsi_install_certificate_ok gauge\n",
    );
    for row in rows {
        text.push_str(&format!(
            "jitsi_install_certificate_ok{} {}\n",
            labels(row),
            u8::from(row.faults.is_empty())
        ));
    }
    text
}
