//! Every key of the site file, each with every hostile text in several shapes: refused with key and
//! line, or carried as data to wherever it is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jitsi_install::host::{self, Machine, secrets};
use jitsi_install::layout::layout;
use jitsi_install::name::{AbsPath, Owner};
use jitsi_install::platform::Release;
use jitsi_install::resource::{Content, Resource};
use jitsi_install::service::Facts;
use jitsi_install::site::{self, Site};
use serde_json::{Value, json};

use crate::proving::servers::{Nginx, caddy_objection};
use crate::proving::{browser, java, program, root, run, small_pages};
use crate::values::{folder, hostile, toml_string};

/// A site file whose key `key` is the TOML `literal`, with whatever else that key needs, and the
/// line where it stands.
fn document(key: &str, literal: &str) -> (String, usize) {
    let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
    let mut text = String::new();
    for (other, value) in [("schema", "1"), ("domain", "\"meet.example.org\"")] {
        if key != other {
            text.push_str(&format!("{other} = {value}\n"));
        }
    }
    if table == "videobridge.public_addresses" {
        text.push_str("[[videobridge.public_addresses]]\n");
    } else if !table.is_empty() {
        text.push_str(&format!("[{table}]\n"));
    }
    let needed = match key {
        "certificates.home" => "source = \"acme.sh\"",
        "certificates.certificate" => "source = \"files\"\nkey = \"/k\"",
        "certificates.key" => "source = \"files\"\ncertificate = \"/c\"",
        "auth.token.key_server" => "algorithm = \"RS256\"\nkeys_url = \"https://a.example/k\"",
        "auth.token.keys_url" => "algorithm = \"RS256\"\nkey_server = \"https://a.example/k\"",
        "videobridge.public_addresses.local" => "public = \"198.51.100.7\"",
        "videobridge.public_addresses.public" => "local = \"10.0.0.5\"",
        _ => "",
    };
    if !needed.is_empty() {
        text.push_str(needed);
        text.push('\n');
    }
    let line = 1 + text.matches('\n').count();
    // After the line that counts: a table's own line must not come before the first keys.
    text.push_str(&format!("{name} = {literal}\n"));
    (text, line)
}

/// A hostile text in the shapes that some key lets through.
fn shapes(text: &str) -> Vec<String> {
    vec![
        text.to_owned(),
        format!("/srv/{text}"),
        format!("https://id.example.org/{text}"),
        format!("http://127.0.0.1{text}"),
        format!("{text}.example.org"),
        format!("{text}@example.org"),
        format!("stun.example.org:{text}"),
        format!("{text}:3478"),
        format!("192.0.2.{text}"),
    ]
}

/// Values by key that the site file let through.
fn accepted() -> BTreeMap<String, Vec<String>> {
    let mut accepted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut refused = 0;
    for key in site::keys() {
        for text in hostile().iter().flat_map(|text| shapes(text)) {
            for is_list in [false, true] {
                let quoted = toml_string(&text);
                let literal = if is_list { format!("[{quoted}]") } else { quoted };
                let (document, line) = document(&key, &literal);
                let error = match site::parse(&document) {
                    Ok(_) => {
                        accepted.entry(key.clone()).or_default().push(text.clone());
                        continue;
                    }
                    Err(error) => error,
                };
                refused += 1;
                let found = error.problems.iter().find(|problem| {
                    problem.line == line && problem.key.replace("[0]", "") == key
                });
                let shown = error.to_string();
                let Some(problem) = found else {
                    panic!("`{key}` = {text:.80?}: no problem names it in line {line}:\n{shown}");
                };
                assert!(problem.what.contains(&key.replace(".public_addresses.", ".public_addresses[0].")), "{problem:?}");
                assert!(shown.len() < 4_000, "`{key}`: a message of {} bytes", shown.len());
                let is_plain = shown.chars().all(|c| !c.is_control() || c == '\n');
                assert!(is_plain, "`{key}` = {text:.80?}: {shown:?}");
                let overrides = ['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2028}', '\u{2029}'];
                assert!(!shown.contains(overrides), "`{key}` = {text:.80?}: {shown:?}");
            }
        }
    }
    assert!(refused > 10_000, "only {refused} values were refused");
    accepted
}

/// What the installer itself reads and no service does.
const NOT_RENDERED: &[&str] = &[
    "certificates.home",
    "certificates.certificate",
    "certificates.key",
    "auth.token.secret_file",
];

/// One site with the `number`th accepted value of every key.
fn site_of(values: &BTreeMap<String, Vec<String>>, number: usize) -> (Site, BTreeMap<String, String>) {
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    let mut chosen = BTreeMap::new();
    for (key, values) in values {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        let value = &values[number % values.len()];
        let quoted = toml_string(value);
        let literal = if is_list(key) { format!("[{quoted}]") } else { quoted };
        let text = tables.entry(table).or_default();
        text.push_str(&format!("{name} = {literal}\n"));
        chosen.insert(key.clone(), value.clone());
    }
    let mut text = String::from("schema = 1\n");
    if !values.contains_key("domain") {
        text.push_str("domain = \"meet.example.org\"\n");
    }
    text.push_str(&tables.remove("").unwrap_or_default());
    for (table, keys) in &tables {
        text.push_str(&format!("[{table}]\n{keys}"));
        if *table == "auth.token" {
            text.push_str("algorithm = \"RS256\"\n");
        }
    }
    let site = site::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (site, chosen)
}

fn is_list(key: &str) -> bool {
    matches!(key, "web.addresses" | "videobridge.stun")
}

/// A hostile site on disk.
struct Written {
    site: Site,
    chosen: BTreeMap<String, String>,
    base: PathBuf,
    files: Vec<PathBuf>,
}

impl Written {
    fn one(&self, ending: &str) -> PathBuf {
        let mut found = self.files.iter().filter(|path| path.to_string_lossy().ends_with(ending));
        let file = found.next().unwrap_or_else(|| panic!("no {ending}")).clone();
        assert!(found.next().is_none(), "two files end with {ending}");
        file
    }
}

/// Lays a site out below a folder and writes what is rendered.
fn write(site: Site, chosen: BTreeMap<String, String>, base: PathBuf, number: usize, kept: &secrets::Kept) -> Written {
    let place = AbsPath::parse(&base.to_string_lossy()).unwrap();
    let platform = Release::ALL[number % 4].platform().below(&place, &Owner::root());
    let facts = Facts { pages: small_pages(), ..Facts::default() };
    let layout = layout(&site, &platform, &kept.secrets, &facts)
        .unwrap_or_else(|error| panic!("{error}\n{chosen:?}"));
    let mut files = Vec::new();
    for item in &layout.items {
        match &item.resource {
            Resource::Dir(dir) => {
                use std::os::unix::fs::PermissionsExt;
                let _ = fs::create_dir_all(dir.path.as_str());
                if dir.ours || dir.path.as_str().starts_with(place.as_str()) {
                    // Validators without rights open the logs that a site names.
                    fs::set_permissions(dir.path.as_str(), fs::Permissions::from_mode(0o777)).unwrap();
                }
            }
            Resource::File(file) => {
                if let Content::Bytes(bytes) = &file.content {
                    fs::create_dir_all(file.path.parent().unwrap().as_str()).unwrap();
                    fs::write(file.path.as_str(), bytes).unwrap();
                    files.push(PathBuf::from(file.path.as_str()));
                }
            }
            _ => {}
        }
    }
    Written { site, chosen, base, files }
}

#[test]
fn every_key_refuses_or_carries_every_text() {
    let mut values = accepted();
    for (key, list) in &values {
        println!("{key}: {} values come through, as {:?}", list.len(), list.last().unwrap().chars().take(40).collect::<String>());
    }
    for key in ["auth.token.app_id", "auth.token.audience", "meet.app_name"] {
        assert!(values[key].len() > 100, "`{key}` should carry most texts");
    }
    values.retain(|key, _| !NOT_RENDERED.contains(&key.as_str()));
    let most = values.values().map(Vec::len).max().unwrap();
    let (_keep, folder) = folder();
    let machine = Machine::open(&folder).unwrap();
    let domain = jitsi_install::name::Domain::parse("meet.example.org").unwrap();
    let kept = secrets::load(machine.root(), &AbsPath::fixed("/s.toml"), &domain, host::now()).unwrap();

    // nginx for the first half of the sites, Caddy for the second: in each, every value once.
    let mut written = Vec::new();
    for server in ["nginx", "caddy"] {
        values.insert("web.server".to_owned(), vec![server.to_owned()]);
        for number in 0..most {
            let (site, chosen) = site_of(&values, number);
            let base = folder.join(server).join(number.to_string());
            written.push(write(site, chosen, base, number, &kept));
        }
    }
    println!("{} sites", written.len());
    lua(&written[..most]);
    hocon(&written[..most]);
    scripts(&written);
    pages(&written[most..]);
    let web = ["web.root", "domain", "web.addresses"]
        .iter()
        .map(|key| values.get(*key).map_or(0, Vec::len))
        .max()
        .unwrap();
    servers(&written, most, web);
}

fn lua(written: &[Written]) {
    let Some(lua) = program("lua5.4", "lua5.4") else { return };
    let said = run(std::process::Command::new(lua)
        .arg(root().join("tests/proving/prosody_config.lua"))
        .args(written.iter().map(|site| site.one("/prosody.cfg.lua"))));
    for (site, line) in written.iter().zip(said.lines()) {
        let config: Value = serde_json::from_str(line).unwrap();
        let host = &config[site.site.domain.as_str()];
        let of = |key: &str| json!(site.chosen[key]);
        let url = |key: &str| json!(site.chosen[key].trim_end_matches('/'));
        assert_eq!(host["app_id"], of("auth.token.app_id"));
        assert_eq!(host["asap_accepted_issuers"], json!([of("auth.token.app_id")]));
        assert_eq!(host["asap_accepted_audiences"], json!([of("auth.token.audience")]));
        assert_eq!(host["asap_key_server"], url("auth.token.key_server"));
        assert_eq!(host["cache_keys_url"], url("auth.token.keys_url"));
        assert_eq!(config["*"]["plugin_paths"], json!([url("prosody.plugins")]));
        assert_eq!(config.as_object().unwrap().len(), 15, "another host: {line}");
    }
}

fn hocon(written: &[Written]) {
    let files: Vec<PathBuf> = written
        .iter()
        .flat_map(|site| [site.one("/jicofo.conf"), site.one("/jvb.conf")])
        .collect();
    let Some(read) = java::hocon(&files) else { return };
    for (site, leaves) in written.iter().zip(read.chunks(2)) {
        assert_eq!(leaves[0]["jicofo.xmpp.client.xmpp-domain"], json!(site.site.domain));
        assert_eq!(leaves[0].len(), 16, "{:?}", leaves[0]);
        if let Some(server) = site.chosen.get("videobridge.stun") {
            assert_eq!(leaves[1]["ice4j.harvest.mapping.stun.addresses"], json!([server]));
        }
    }
}

fn scripts(written: &[Written]) {
    let cases: Vec<(Vec<PathBuf>, Option<&str>)> = written
        .iter()
        .map(|site| (vec![site.one("org-config.js"), site.one("-interface_config.js")], Some("/Room")))
        .collect();
    let Some(seen) = browser::scripts(&cases) else { return };
    for (site, world) in written.iter().zip(&seen) {
        let interface = &world["interfaceConfig"];
        assert_eq!(interface["APP_NAME"], json!(site.chosen["meet.app_name"]));
        if let Some(mail) = site.chosen.get("admin_email") {
            assert_eq!(interface["SUPPORT_URL"], json!(format!("mailto:{mail}")));
        }
        assert_eq!(world["config"]["hosts"]["domain"], json!(site.site.domain));
        assert_eq!(world["names"], json!(["config", "interfaceConfig", "location"]));
        for file in [site.one("org-config.js"), site.one("-interface_config.js")] {
            let text = fs::read_to_string(file).unwrap().to_lowercase();
            assert!(!text.contains("</script") && !text.contains("<!--# include"));
            assert!(text.matches("<!--").count() <= 1);
        }
    }
}

/// The scripts inside a page: what stands between the tags runs and says the same.
fn pages(written: &[Written]) {
    let mut cases = Vec::new();
    for site in written {
        let page = fs::read_to_string(site.one("/pages/index.html")).unwrap();
        let lower = page.to_lowercase();
        assert_eq!((lower.matches("<script").count(), lower.matches("</script").count()), (2, 2));
        assert!(!page.contains("<!--"), "a comment is left open for HTML");
        let files: Vec<PathBuf> = page
            .split("<script>")
            .skip(1)
            .enumerate()
            .map(|(number, part)| {
                let file = site.base.join(format!("{number}.js"));
                fs::write(&file, part.split("</script>").next().unwrap()).unwrap();
                file
            })
            .collect();
        cases.push((files, Some("/Room")));
    }
    let Some(seen) = browser::scripts(&cases) else { return };
    for (site, world) in written.iter().zip(&seen) {
        assert_eq!(world["interfaceConfig"]["APP_NAME"], json!(site.chosen["meet.app_name"]));
        assert_eq!(world["config"]["hosts"]["domain"], json!(site.site.domain));
    }
}

/// The web servers read those sites in which something of theirs differs.
fn servers(written: &[Written], most: usize, web: usize) {
    if let Some(nginx) = Nginx::find() {
        for site in &written[..web] {
            let file = site.one(&format!("/{}.conf", site.site.domain));
            let objection = nginx.objection(&file, &site.base.join("proof"));
            assert_eq!(objection, None, "{:?}", site.chosen);
        }
    }
    for site in &written[most..most + web] {
        let objection = caddy_objection(&site.one("/Caddyfile"), Path::new(&site.base));
        assert_eq!(objection, None, "{:?}", site.chosen);
    }
}
