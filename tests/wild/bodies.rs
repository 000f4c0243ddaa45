//! What is done with bytes of chance: one body for each reader of what others wrote. Each says
//! what must hold besides that nothing breaks.

use std::io::Cursor;
use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use jitsi_install::account::act::check;
use jitsi_install::account::act::decide::Dead;
use jitsi_install::account::import::{csv, ldif, lua, prosody};
use jitsi_install::account::login::Login;
use jitsi_install::account::password::form::Form;
use jitsi_install::account::password::{Keys, scram};
use jitsi_install::account::settings::Settings;
use jitsi_install::account::store::Store;
use jitsi_install::account::totp;
use jitsi_install::desk::serve::prosody::Question;
use jitsi_install::name::Email;
use jitsi_install::web::address::{self, Network, Peer};
use jitsi_install::web::{Cookie, Site};

use crate::house::house;

/// A name, and what reads bytes.
pub type Body = (&'static str, fn(&[u8]));

/// Bodies that take some microseconds, by the names of their targets.
pub const QUICK: &[Body] = &[
    ("lua_table", lua_table),
    ("prosody_file", prosody_file),
    ("csv_list", csv_list),
    ("ldif_file", ldif_file),
    ("password_hash", password_hash),
    ("login_name", login_name),
    ("password_text", password_text),
    ("email_address", email_address),
    ("accounts_toml", accounts_toml),
    ("cookie_header", cookie_header),
    ("client_address", client_address),
    ("prosody_question", prosody_question),
];

/// Bodies that ask a whole service.
pub const SLOW: &[Body] = &[
    ("signed_link", signed_link),
    ("export_file", export_file),
    ("page_request", page_request),
];

/// Lua's literals, as Prosody writes them.
pub fn lua_table(bytes: &[u8]) {
    let _ = lua::read(bytes);
}

/// A file of Prosody's accounts; the first line is its name.
pub fn prosody_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let name = text.lines().next().unwrap_or_default().to_owned() + ".dat";
    for name in [name, "ann.dat".to_owned()] {
        let file = prosody::File {
            host: "meet%2eexample%2eorg".into(),
            name,
            contents: Ok(bytes.to_vec()),
        };
        let _ = prosody::from_file_of(&file, None);
    }
    let row: Vec<&str> = text.split('\n').collect();
    if let [key, kind, value, ..] = row[..] {
        let table = prosody::table_of([(key, kind, value)].into_iter());
        if let (Ok(table), "string") = (table, kind) {
            assert_eq!(
                table.text(key),
                Some(value.as_bytes()),
                "a row is what it was"
            );
        }
    }
}

/// A list. There are never more rows than lines.
pub fn csv_list(bytes: &[u8]) {
    if let Ok(rows) = csv::Rows::new("list", bytes) {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        assert!(rows.take(lines + 1).count() <= lines);
    }
}

/// An LDIF file. There are never more entries than lines.
pub fn ldif_file(bytes: &[u8]) {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    assert!(ldif::Entries::new("file", bytes).take(lines + 1).count() <= lines);
}

/// Hashes of every kind. What is read is bounded in cost, so that it may be checked.
pub fn password_hash(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(form) = Form::parse(text) {
        let _ = scram::from_form(&form);
        assert!(form.is_bounded(), "{form:?}");
        let keys = Keys::taken_over(text, &Settings::default().passwords).unwrap();
        let kept = Form::parse(keys.hash.reveal());
        assert!(
            kept.is_ok_and(|kept| kept.is_bounded()),
            "what is kept is read again"
        );
        if is_cheap(&form) {
            let _ = form.proves("correct horse");
        }
    }
}

/// Whether it is checked in less than some milliseconds.
fn is_cheap(form: &Form) -> bool {
    match form {
        Form::Argon2 { memory, passes, .. } => *memory <= 1024 && *passes <= 2,
        Form::Pbkdf2 { rounds, .. } | Form::Scram { rounds, .. } => *rounds <= 500,
        Form::Scrypt { log_n, r, p, .. } => *log_n <= 7 && *r <= 8 && *p <= 2,
        Form::Salted { .. } => true,
        Form::Bcrypt { .. } | Form::Crypt { .. } => false,
    }
}

/// Names. What comes out goes in again unchanged.
pub fn login_name(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(login) = Login::parse_known(text) {
        assert_eq!(Login::parse_known(login.as_str()).as_ref(), Ok(&login));
        let skeleton = login.skeleton();
        assert!((1..=190).contains(&skeleton.chars().count()));
        assert!(login.as_str().len() <= 64);
        let stranger = Login::parse(text);
        assert!(
            stranger.is_err() || stranger == Ok(login),
            "one form for all"
        );
    } else {
        assert!(Login::parse(text).is_err(), "strangers may not have more");
    }
    let _ = totp::recovery_digest(text);
}

/// Passwords as they are typed.
pub fn password_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(prepared) = scram::prepare(text) {
        assert_eq!(scram::prepare(&prepared).as_deref(), Some(&*prepared));
    }
    let _ = jitsi_install::account::password::strength::judge(text, 1, &["ann", "Jitsi Meet"]);
}

/// E-mail addresses. Those that are taken can be written to, and hold nothing that ends a line
/// of a mail's head.
pub fn email_address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(address) = check::address(text) {
        assert!(address.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_eq!(address.matches('@').count(), 1);
        assert!(Email::parse(&address).is_ok());
        assert_eq!(check::address(&address).as_ref(), Ok(&address));
        let sent: Result<lettre::Address, _> = address.parse();
        assert!(sent.is_ok(), "{address}: {sent:?}");
    }
}

/// The file of settings. Every mistake has a line to look at.
pub fn accounts_toml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Settings::parse(text) {
        Ok(settings) => assert!(Site::of(&settings).is_ok(), "{}", settings.public_url),
        Err(problems) => assert!(!problems.is_empty()),
    }
    let _ = toml::from_str::<Settings>(text);
}

/// `Cookie` headers, one a line. A value is one of a request's own, and there is none when a
/// second one with the name comes.
pub fn cookie_header(bytes: &[u8]) {
    let settings = Settings {
        public_url: "https://meet.example.org/accounts".into(),
        ..Settings::default()
    };
    let site = Site::of(&settings).unwrap();
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(line) = HeaderValue::from_bytes(line) {
            headers.append(header::COOKIE, line);
        }
    }
    for cookie in [Cookie::Session, Cookie::Said, Cookie::Half, Cookie::Device] {
        let Some(value) = cookie.read(&site, &headers) else {
            continue;
        };
        assert!(!value.is_empty() && !value.contains(';'));
        let line = cookie.set(&site, value, None);
        let again = line.split(';').next().unwrap().parse().unwrap();
        let alone = HeaderMap::from_iter([(header::COOKIE, again)]);
        assert_eq!(cookie.read(&site, &alone), Some(value));
        let mut twice = headers.clone();
        let second = format!("{}=second", cookie.name(&site));
        twice.append(header::COOKIE, second.parse().unwrap());
        assert_eq!(cookie.read(&site, &twice), None, "two have the name");
    }
}

/// `X-Forwarded-For`, one header a line. Who is not trusted is never believed, and what stands
/// left of the first address that is not trusted changes nothing.
pub fn client_address(bytes: &[u8]) {
    let trusted = ["127.0.0.1", "2001:db8::/32"].map(|text| Network::parse(text).unwrap());
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(line) = HeaderValue::from_bytes(line) {
            headers.append("forwarded", line.clone());
            headers.append("x-real-ip", line.clone());
            headers.append("x-forwarded-for", line);
        }
    }
    let stranger: IpAddr = "192.0.2.7".parse().unwrap();
    let proxy = Some(Peer::Tcp("127.0.0.1".parse().unwrap()));
    let from = Some(Peer::Tcp(stranger));
    assert_eq!(address::client(from, &headers, &trusted), Some(stranger));
    assert_eq!(address::client(None, &headers, &trusted), None);
    for peer in [proxy, Some(Peer::Socket)] {
        let _ = address::client(peer, &headers, &trusted).map(address::neighbourhood);
        let mut more = headers.clone();
        more.append("x-forwarded-for", "192.0.2.7, 2001:db8::1".parse().unwrap());
        assert_eq!(address::client(peer, &more, &trusted), Some(stranger));
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(network) = Network::parse(text.trim())
        && let Ok(base) = text.trim().split('/').next().unwrap().parse()
    {
        assert!(network.has(base), "a network has the address that names it");
    }
}

/// What Prosody sends to ask whether a password is right.
pub fn prosody_question(bytes: &[u8]) {
    let read: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let Some(question) = Question::read(bytes) else {
        return;
    };
    let shown = format!("{question:?}");
    let read = read.expect("a question is JSON");
    assert_eq!(read["username"].as_str(), Some(question.username.as_str()));
    let password = question.password.reveal();
    assert_eq!(read["password"].as_str(), Some(password.as_str()));
    let is_told = password.len() > 12 && !question.username.contains(password.as_str());
    assert!(!(is_told && shown.contains(password.as_str())), "{shown}");
}

/// A mailed link to a decision, of which something is cut out and something put in: a place, a
/// length, and what comes there. None but the link itself is good.
pub fn signed_link(bytes: &[u8]) {
    let link = house().link();
    let mut text = link.as_bytes().to_vec();
    if let [place, length, with @ ..] = bytes {
        let start = usize::from(*place).min(text.len());
        let end = (start + usize::from(*length)).min(text.len());
        text.splice(start..end, with.iter().copied());
    }
    let Ok(text) = std::str::from_utf8(&text) else {
        return;
    };
    let seal = &house().office.seal;
    assert_eq!(seal.open("decide", text), None, "nobody sealed this");
    match house().offer(text) {
        Ok(_) => assert_eq!(text, link),
        Err(dead) => {
            assert_ne!(text, link);
            assert_eq!(
                dead,
                Dead::Bad,
                "what is not signed says nothing of an account"
            );
        }
    }
}

/// An export. What is said to be good is read into a database, and comes out again the same.
pub fn export_file(bytes: &[u8]) {
    let checked = Store::check_export(&mut Cursor::new(bytes));
    let Ok(checked) = checked else {
        let why = checked.unwrap_err().to_string();
        assert!(why.contains("(line "), "{why}");
        return;
    };
    let (restored, again) = house().restored(bytes).expect("it was said to be good");
    assert_eq!(restored, checked);
    let (restored, same) = house().restored(&again).expect("what we write, we read");
    assert_eq!(restored, checked);
    assert_eq!(again, same);
}

/// A request for a page: method and path, headers, an empty line, a body. `as: boss` signs in;
/// `{link}` and `{began}` are what the service signed. Whatever it is, an answer in order comes:
/// with the headers that protect it, no way to another site, no markup of others; and to look at
/// a page changes nothing.
pub fn page_request(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut text = text.replace("{began}", &house().began());
    if text.contains("{link}") {
        text = text.replace("{link}", &house().new_link());
    }
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.split('\n');
    let first = lines.next().unwrap_or_default();
    let (method, path) = first.split_once(' ').unwrap_or(("GET", first));
    let Ok(uri) = Uri::try_from(format!("/accounts{path}")) else {
        return;
    };
    let Ok(method) = Method::from_bytes(method.as_bytes()) else {
        return;
    };
    let mut request = Request::new(body.as_bytes().to_vec());
    let mut who = "";
    let headers = request.headers_mut();
    if method == Method::POST {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    }
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        if name == "as" {
            who = value;
        } else if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            headers.append(name, value);
        }
    }
    *request.method_mut() = method.clone();
    let uri_path = uri.path().to_owned();
    *request.uri_mut() = uri;
    let before = house().written();
    let answer = house().ask(who, request);
    let status = answer.status();
    assert!(!status.is_server_error(), "{status}");
    let headers = answer.headers();
    assert!(headers.contains_key("content-security-policy"), "{status}");
    let text_of = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    if let Some(place) = text_of("location") {
        assert!(place.starts_with("/accounts"), "{place}");
    }
    if text_of("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        let page = String::from_utf8(answer.body().clone()).expect("pages are UTF-8");
        assert!(!page.contains("<x7"), "markup of others: {page}");
    }
    // That a list was downloaded is written down.
    let is_list = uri_path.ends_with(".csv");
    if (method == Method::GET || method == Method::HEAD) && !is_list {
        assert_eq!(house().written(), before, "a look changed something");
    }
}
