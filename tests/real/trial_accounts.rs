//! What `try` has of accounts: somebody signs up, opens the link of the mail in the folder, is approved
//! by the administrator whose link was printed, and signs in; then nothing is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::cases::{Cases, are_here, skip};
use super::site::{DOMAIN, Trial, token_in};

const PASSWORD: &str = "violet kettle 42 drums";

/// A browser without a window: it keeps its cookies and follows nothing.
struct Browser {
    cookies: PathBuf,
    certificate: PathBuf,
    port: u64,
}

/// What came back.
#[derive(Debug)]
struct Page {
    status: String,
    text: String,
}

impl Browser {
    fn ask(&self, address: &str, form: &[(&str, &str)]) -> Page {
        let origin = format!("https://{DOMAIN}:{}", self.port);
        let mut command = Command::new("curl");
        command
            .args(["-sS", "--max-time", "20", "-w", "\n%{http_code}"])
            .args(["--resolve", &format!("{DOMAIN}:{}:127.0.0.1", self.port)])
            .arg("--cacert")
            .arg(&self.certificate)
            .arg("-b")
            .arg(&self.cookies)
            .arg("-c")
            .arg(&self.cookies)
            .args(["-H", &format!("Origin: {origin}")]);
        for (name, value) in form {
            command.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        let output = command.arg(address).output().expect("curl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (text, status) = text.rsplit_once('\n').unwrap_or_default();
        Page {
            status: status.to_owned(),
            text: format!("{text}{}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}

/// The value of a hidden field.
fn field(page: &Page, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = page.text.split_once(&start).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// The text of the newest mail to somebody, as soon as it is there.
fn mail(folder: &Path, to: &str) -> Option<String> {
    mail_that(folder, to, |_| true)
}

/// The newest such mail; waited for.
fn mail_that(folder: &Path, to: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    let until = Instant::now() + Duration::from_secs(15);
    loop {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut mails: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        mails.retain(|path| path.extension().is_some_and(|end| end == "eml"));
        mails.sort_by_key(|path| fs::metadata(path).and_then(|found| found.modified()).ok());
        let texts = mails
            .iter()
            .rev()
            .filter_map(|path| fs::read_to_string(path).ok());
        // Quoted-printable: a line goes on after `=`.
        let mut texts = texts.map(|text| text.replace("=\r\n", "").replace("=3D", "="));
        if let Some(found) = texts.find(|text| text.contains(&format!("To: {to}")) && fits(text)) {
            return Some(found);
        }
        if Instant::now() > until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The first link in a mail that leads to this page.
fn link(mail: &str, page: &str) -> Option<String> {
    let words = mail.split(|c: char| c.is_whitespace() || c == '"' || c == '<' || c == '>');
    let mut links = words.filter(|word| word.starts_with("https://"));
    links.find(|word| word.contains(page)).map(str::to_owned)
}

#[test]
fn accounts_are_tried_with_nginx() {
    tried("nginx");
}

#[test]
fn accounts_are_tried_with_caddy() {
    tried("caddy");
}

fn tried(server: &str) {
    if !are_here(&["prosody", "curl", server]) {
        return;
    }
    let service = Path::new(env!("CARGO_BIN_EXE_jitsi-install")).with_file_name("jitsi-accounts");
    if !service.is_file() {
        skip("`jitsi-accounts` is not beside `jitsi-install`");
        return;
    }
    let mut cases = Cases::new(&format!("accounts in a trial behind {server}"));
    let mut trial = Trial::start(&["--web", server], None);
    let said = cases
        .must("it prints JSON", trial.said())
        .unwrap_or_default();
    let names: Vec<&str> = said["running"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["name"].as_str())
        .collect();
    cases.same(
        "what runs",
        names,
        vec!["jitsi-accounts", "prosody", server],
    );
    let meeting = said["url"].as_str().unwrap_or_default();
    cases.holds(
        "a meeting is opened by a token",
        token_in(meeting).is_some(),
        || said.to_string(),
    );
    walk(&said, trial.place.path(), &mut cases);
    trial.signal(Signal::SIGINT);
    let code = trial.wait().and_then(|status| status.code());
    cases.holds("Ctrl-C ends it well", code == Some(0), || trial.stderr());
    cases.same("the folder is gone", trial.left_over(), Vec::new());
    cases.same("nothing runs", trial.processes(), Vec::new());
    let pids = said["running"].as_array().into_iter().flatten();
    let alive: Vec<&Value> = pids
        .filter(|one| Path::new(&format!("/proc/{}", one["pid"])).exists())
        .collect();
    cases.same("not by their numbers either", alive, Vec::new());
    cases.finish();
}

fn walk(said: &Value, place: &Path, cases: &mut Cases) {
    let word = |key: &str| {
        said["accounts"][key]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let (url, setup, mails) = (word("url"), word("link"), PathBuf::from(word("mails")));
    let folder = PathBuf::from(said["folder"].as_str().unwrap_or_default());
    let browser = |name: &str| Browser {
        cookies: place.join(name),
        certificate: folder.join(format!("etc/prosody/certs/{DOMAIN}.crt")),
        port: said["ports"]["https"].as_u64().unwrap_or_default(),
    };
    let (ann, ben) = (browser("ann"), browser("ben"));
    let is = |cases: &mut Cases, what: &str, page: &Page, status: &str, has: &str| {
        let holds = page.status == status && page.text.contains(has);
        cases.holds(what, holds, || format!("{page:?}"));
    };

    let form = ben.ask(&format!("{url}/sign-up"), &[]);
    is(
        cases,
        "the sign-up page answers",
        &form,
        "200",
        "name=\"began\"",
    );
    // Nobody fills in a form in less.
    std::thread::sleep(Duration::from_secs(4));
    let began = field(&form, "began");
    let fields = [
        ("began", began.as_str()),
        ("login", "ben"),
        ("email", "ben@example.org"),
        ("display_name", "Ben"),
        ("password", PASSWORD),
        ("reason", "the choir meets on Tuesdays"),
    ];
    let sent = ben.ask(&format!("{url}/sign-up"), &fields);
    is(cases, "a sign-up is taken", &sent, "303", "");
    let confirm = mail(&mails, "ben@example.org").and_then(|text| link(&text, "/confirm?t="));
    cases.holds("a mail lands in the folder", confirm.is_some(), || {
        format!("{:?}", fs::read_dir(&mails).map(|all| all.count()))
    });
    let confirm = confirm.unwrap_or_default();
    let page = ben.ask(&confirm, &[]);
    is(cases, "its link opens", &page, "200", "/confirm");
    let page = ben.ask(&format!("{url}/confirm"), &[("t", &field(&page, "t"))]);
    cases.holds(
        "and is confirmed",
        page.status == "200" || page.status == "303",
        || format!("{page:?}"),
    );

    let page = ann.ask(&setup, &[]);
    is(
        cases,
        "the administrator's link opens",
        &page,
        "200",
        "name=\"password\"",
    );
    let page = ann.ask(
        &format!("{url}/setup"),
        &[("t", &field(&page, "t")), ("password", PASSWORD)],
    );
    is(cases, "she chooses a password", &page, "303", "");
    let page = ann.ask(&setup, &[]);
    cases.holds(
        "the link works once",
        !page.text.contains("name=\"password\""),
        || format!("{page:?}"),
    );
    let page = ann.ask(
        &format!("{url}/sign-in"),
        &[("name", "ann"), ("password", PASSWORD)],
    );
    is(cases, "she signs in", &page, "303", "");
    let waiting = ann.ask(&format!("{url}/admin/waiting"), &[]);
    is(
        cases,
        "the console shows who waits",
        &waiting,
        "200",
        "the choir meets on Tuesdays",
    );
    let page = ben.ask(
        &format!("{url}/sign-in"),
        &[("name", "ben"), ("password", PASSWORD)],
    );
    cases.holds("he cannot sign in yet", page.status != "303", || {
        format!("{page:?}")
    });
    let rest = waiting
        .text
        .split_once("name=\"approve\" value=\"")
        .map_or("", |(_, rest)| rest);
    let id = rest.split('"').next().unwrap_or_default();
    let page = ann.ask(
        &format!("{url}/admin/waiting"),
        &[("show", "pending"), ("approve", id)],
    );
    is(cases, "she approves", &page, "200", "");
    let page = ben.ask(
        &format!("{url}/sign-in"),
        &[("name", "ben"), ("password", PASSWORD)],
    );
    is(cases, "he signs in", &page, "303", "");
    let page = ben.ask(&format!("{url}/account"), &[]);
    is(
        cases,
        "and sees his account",
        &page,
        "200",
        "ben@example.org",
    );
    let is_news = |text: &str| !text.contains("/confirm?t=");
    let told = mail_that(&mails, "ben@example.org", is_news);
    cases.holds("he was told by mail", told.is_some(), || {
        format!("{:?}", fs::read_dir(&mails).map(|all| all.count()))
    });
}
