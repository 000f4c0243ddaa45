//! Every key of the site file, each with every hostile text in several shapes: refused with key and
//! line, or carried as data to wherever it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use jitsi_install::host::{self, Machine, secrets};
use jitsi_install::name::{AbsPath, Domain};
use jitsi_install::site::{self, Site};

use crate::carried::{accounts, hocon, lua, pages, scripts, servers, write};
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
    if table == "accounts.remote_database" {
        text.push_str("[accounts]\ndatabase = \"postgresql\"\n");
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
        "accounts.smtp.host" => "",
        "accounts.smtp.username" => "host = \"localhost\"\npassword_file = \"/p\"",
        "accounts.smtp.password_file" => "host = \"localhost\"\nusername = \"ann\"",
        "accounts.notify.webhook_key_file" => "webhook = \"https://a.example/h\"",
        "accounts.remote_database.address" => "password_file = \"/p\"",
        "accounts.remote_database.password_file" => "address = \"a.example:1\"",
        "accounts.remote_database.reader" => {
            "address = \"a.example:1\"\npassword_file = \"/p\"\nreader_password_file = \"/p\""
        }
        "accounts.remote_database.reader_password_file" => {
            "address = \"a.example:1\"\npassword_file = \"/p\"\nreader = \"ann\""
        }
        _ if table == "accounts.remote_database" => {
            "address = \"a.example:1\"\npassword_file = \"/p\""
        }
        _ if table == "accounts.smtp" => "host = \"localhost\"",
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

/// Values by key that the site file let through; of one text the first shape that does.
fn accepted() -> BTreeMap<String, Vec<String>> {
    let mut accepted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut refused = 0;
    for key in site::keys() {
        let takes_text = refusal(&key, "?").is_none_or(|said| !said.contains(" is expected"));
        for text in hostile() {
            let is_long = text.len() > 1_000;
            let shapes = shapes(&text);
            let shapes = if takes_text && !is_long {
                &shapes[..]
            } else {
                &shapes[..1]
            };
            for shape in shapes {
                if refusal(&key, shape).is_none() {
                    accepted.entry(key.clone()).or_default().push(shape.clone());
                    break;
                }
                refused += 1;
            }
        }
    }
    assert!(refused > 5_000, "only {refused} values were refused");
    accepted
}

/// What is said against a value of a key, which must be right about key and line.
fn refusal(key: &str, value: &str) -> Option<String> {
    let quoted = toml_string(value);
    let literal = if is_list(key) {
        format!("[{quoted}]")
    } else {
        quoted
    };
    let (document, line) = document(key, &literal);
    let error = site::parse(&document).err()?;
    let shown = error.to_string();
    let place = key.replace(".public_addresses.", ".public_addresses[0].");
    let named = error.problems.iter().any(|problem| {
        problem.line == line && problem.key == place && problem.what.contains(&place)
    });
    assert!(
        named,
        "`{key}` = {value:.80?}: nothing names it in line {line}:\n{shown}"
    );
    assert!(
        shown.len() < 4_000,
        "`{key}`: a message of {} bytes",
        shown.len()
    );
    let is_plain = shown.chars().all(|c| !c.is_control() || c == '\n');
    assert!(is_plain, "`{key}` = {value:.80?}: {shown:?}");
    let turns = [
        '\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2028}', '\u{2029}',
    ];
    assert!(!shown.contains(turns), "`{key}` = {value:.80?}: {shown:?}");
    Some(shown)
}

/// What the installer itself reads and no service does.
const NOT_RENDERED: &[&str] = &[
    "certificates.home",
    "certificates.certificate",
    "certificates.key",
    "auth.token.secret_file",
    "accounts.notify.webhook_key_file",
    "accounts.remote_database.address",
    "accounts.remote_database.ca_file",
    "accounts.remote_database.name",
    "accounts.remote_database.password_file",
    "accounts.remote_database.reader",
    "accounts.remote_database.reader_password_file",
    "accounts.remote_database.user",
    "accounts.smtp.password_file",
    "accounts.smtp.username",
];

/// One site with the `number`th accepted value of every key.
fn site_of(
    values: &BTreeMap<String, Vec<String>>,
    number: usize,
) -> (Site, BTreeMap<String, String>) {
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    let mut chosen = BTreeMap::new();
    for (key, values) in values {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        let value = &values[number % values.len()];
        let quoted = toml_string(value);
        let literal = if is_list(key) {
            format!("[{quoted}]")
        } else {
            quoted
        };
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
        if *table == "accounts.smtp" && !values.contains_key("accounts.smtp.host") {
            text.push_str("host = \"localhost\"\n");
        }
        if *table == "auth.token" {
            text.push_str("algorithm = \"RS256\"\n");
        }
    }
    let site = site::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (site, chosen)
}

/// Is it a list of texts? The site file's own answer to a text tells.
fn is_list(key: &str) -> bool {
    static LISTS: OnceLock<BTreeSet<String>> = OnceLock::new();
    let lists = LISTS.get_or_init(|| {
        let says_so = |key: &String| {
            let (document, _) = document(key, "\"?\"");
            let error = site::parse(&document).err().map(|error| error.to_string());
            error.is_some_and(|said| said.contains("and a list is expected"))
        };
        site::keys().into_iter().filter(says_so).collect()
    });
    lists.contains(key)
}

#[test]
fn every_key_refuses_or_carries_every_text() {
    let mut values = accepted();
    for (key, list) in &values {
        println!(
            "{key}: {} values come through, as {:?}",
            list.len(),
            list.last().unwrap().chars().take(40).collect::<String>()
        );
    }
    for key in ["auth.token.app_id", "auth.token.audience", "meet.app_name"] {
        assert!(values[key].len() > 60, "`{key}` should carry most texts");
    }
    values.retain(|key, _| !NOT_RENDERED.contains(&key.as_str()));
    let most = values.values().map(Vec::len).max().unwrap();
    let (_keep, folder) = folder();
    let machine = Machine::open(&folder).unwrap();
    let domain = Domain::parse("meet.example.org").unwrap();
    let kept = secrets::load(
        machine.root(),
        &AbsPath::fixed("/s.toml"),
        &domain,
        host::now(),
    )
    .unwrap();

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
    accounts(&written);
    scripts(&written);
    pages(&written[most..]);
    let web = ["web.root", "domain", "web.addresses"]
        .iter()
        .map(|key| values.get(*key).map_or(0, Vec::len))
        .max()
        .unwrap();
    servers(&written, most, web);
}
