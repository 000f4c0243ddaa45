//! The account service itself beside real Prosody: what its hashing costs others, and whom a stranger
//! can hold up.

use std::cell::Cell;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::alike::UNLIMITED;
use super::busy::{LIMIT, best};
use super::cases::{Cases, say};
use super::databases::{Database, Kind, free_port};
use super::people::{PASSWORD, django_sha256};
use super::place::{self, DOMAIN, Prosody, Way};
use super::standin_service::SECRET;
use super::xmpp::{C2s, Client, Login};

const PROGRAM: &str = env!("CARGO_BIN_EXE_jitsi-accounts");

/// `jitsi-accounts serve` on SQLite, ended with the test.
struct Service {
    port: u16,
    child: Child,
}

impl Service {
    /// With people who have these hashes.
    fn start(folder: &Path, people: &[(String, &str)]) -> Self {
        let folder = folder.join("service");
        fs::create_dir(&folder).unwrap();
        let port = free_port();
        let at = |name: &str| folder.join(name).display().to_string();
        let put = |name: &str, text: &str| {
            use std::os::unix::fs::PermissionsExt;
            fs::write(folder.join(name), text).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        };
        put("key", "key-of-the-site-0123456789-0123456789");
        put("secret", SECRET);
        put(
            "accounts.toml",
            &format!(
                "schema = 1\npublic_url = \"https://{DOMAIN}/accounts\"\nlisten = \"unix:{}\"\n\
                 internal = \"127.0.0.1:{port}\"\ndatabase = \"sqlite:{}\"\nkey_file = \"{}\"\n\
                 [prosody]\nsecret_file = \"{}\"\n[mail]\nfolder = \"{}\"\n",
                at("web.sock"),
                at("accounts.sqlite"),
                at("key"),
                at("secret"),
                at("mails"),
            ),
        );
        fs::create_dir(folder.join("mails")).unwrap();
        let mut list = "login,email,password\n".to_owned();
        for (name, hash) in people {
            // Hashes in PHC form have commas.
            list.push_str(&format!("{name},{name}@example.org,\"{hash}\"\n"));
        }
        put("list.csv", &list);
        let command = || {
            let mut command = Command::new(PROGRAM);
            command.env("JITSI_ACCOUNTS_CONFIG", folder.join("accounts.toml"));
            command.stdin(Stdio::null());
            command
        };
        let taken = command()
            .args(["import", "csv"])
            .arg(at("list.csv"))
            .output();
        let taken = taken.expect("it starts");
        assert!(
            taken.status.success(),
            "{}",
            String::from_utf8_lossy(&taken.stderr)
        );
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = command().arg("serve").stderr(log).spawn();
        let service = Service {
            port,
            child: child.expect("it starts"),
        };
        let until = Instant::now() + Duration::from_secs(20);
        while !service
            .asks("/readyz")
            .is_some_and(|said| said.ends_with("ready\n"))
        {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "{log}");
            thread::sleep(Duration::from_millis(20));
        }
        service
    }

    fn asks(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/prosody/password", self.port)
    }

    /// How many of Prosody's questions ended so.
    fn counted(&self, outcome: &str) -> u32 {
        let name =
            format!("jitsi_accounts_sign_ins_total{{via=\"prosody\",outcome=\"{outcome}\"}} ");
        let page = self.asks("/metrics").unwrap_or_default();
        let line = page.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |count| count.parse().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everybody's password as the service hashes a new one.
fn argon2id() -> String {
    use base64::Engine;
    let salt = b"sixteen of salt.";
    let params = argon2::Params::new(19_456, 2, 1, None).expect("they fit");
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut hash = [0; 32];
    hasher
        .hash_password_into(PASSWORD.as_bytes(), salt, &mut hash)
        .expect("there is memory");
    let text = |bytes: &[u8]| base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
    format!(
        "$argon2id$v=19$m=19456,t=2,p=1${}${}",
        text(salt),
        text(&hash)
    )
}

/// Passes everything on to an address, and comes there from another one of loopback.
fn from(address: Ipv4Addr, to: SocketAddr) -> SocketAddr {
    let door = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let at = door.local_addr().expect("bound");
    thread::spawn(move || {
        for near in door.incoming().flatten() {
            let far = connected(address, to).expect("it listens");
            for (mut one, mut other) in [
                (near.try_clone().unwrap(), far.try_clone().unwrap()),
                (far, near),
            ] {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut one, &mut other);
                    let _ = other.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
    at
}

fn connected(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddr::new(IpAddr::V4(from), 0))?;
    connect(&socket, &to)?;
    Ok(socket.into())
}

#[test]
fn twenty_at_once_hash_for_real_and_hold_nobody_up() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let mut cases = Cases::new("many at once, with the service itself");
    // As many for each of three times: at the first sign-in an old hash is replaced by a new one.
    let django = django_sha256(PASSWORD, "saltsaltsaltsaltsaltsa", 600_000);
    let argon2 = argon2id();
    let people: Vec<(String, &str)> = (0..60)
        .map(|one| {
            let hash = if one % 4 == 0 { &django } else { &argon2 };
            (format!("person{one}"), hash.as_str())
        })
        .collect();
    let service = Service::start(place.path(), &people);
    let options = format!("sql_hashed_service = \"{}\"", service.url());
    let prosody = Arc::new(Prosody::start(place.path(), &options));
    let time = Cell::new(0);
    let logins = || {
        let first = time.replace(time.get() + 20);
        (first..first + 20)
            .map(|one| {
                let way = if one % 4 < 2 { Way::Bosh } else { Way::C2s };
                (way, Login::plain(&people[one].0, PASSWORD))
            })
            .collect()
    };
    let (answers, took, (worst, count)) = best(&prosody, logins);
    say(&format!(
        "20 at once, 5 by pbkdf2_sha256 of 600,000 and 15 by Argon2id: {took:?} in all; a guest's worst of {count} round trips {worst:?}"
    ));
    // On a machine that is slower than the service's line is patient, some are told to come again.
    let is_slow = took > Duration::from_secs(7);
    for answer in &answers {
        let put_off = Err("temporary-auth-failure".to_owned());
        let fits = answer.is_ok() || is_slow && *answer == put_off;
        cases.holds("who is right gets in", fits, || format!("{answer:?}"));
    }
    cases.holds("it cost real time", took > Duration::from_secs(1), || {
        format!("{took:?}")
    });
    cases.holds("the guest", worst < LIMIT && count > 10, || {
        format!("{worst:?} of {count}")
    });
    cases.holds(
        "the service checked them",
        service.counted("accepted") >= if is_slow { 5 } else { 20 },
        || service.asks("/metrics").unwrap_or_default(),
    );
    // Wrong ones, and names that nobody has, cost as much.
    let wrong = || {
        (0..20)
            .map(|one| {
                let name = format!("{}{one}", ["person", "nobody"][one % 2]);
                (Way::Bosh, Login::plain(&name, "wrong"))
            })
            .collect()
    };
    let (answers, took, (worst, count)) = best(&prosody, wrong);
    say(&format!(
        "20 wrong ones: {took:?} in all; a guest's worst of {count} round trips {worst:?}"
    ));
    for answer in &answers {
        cases.holds("who is wrong does not", answer.is_err(), || {
            format!("{answer:?}")
        });
    }
    cases.holds("the guest of those", worst < LIMIT, || format!("{worst:?}"));
    cases.same("nothing stumbled", prosody.says("raceback"), Vec::new());
    cases.finish();
}

/// Who comes over TCP from an address, and what he hears.
fn by_tcp(prosody: &Prosody, address: [u8; 4], login: &Login) -> String {
    let at = from(address.into(), prosody.c2s);
    let answer = C2s::new(at, DOMAIN, None).login(login);
    answer.map_or_else(|refusal| refusal.condition, |_| "in".to_owned())
}

/// The same through a web server that names the address.
fn by_web(prosody: &Prosody, address: &str, login: &Login) -> String {
    let mut client = prosody.visit_from(Way::Bosh, DOMAIN, address);
    let answer = client.login(login);
    answer.map_or_else(|refusal| refusal.condition, |_| "in".to_owned())
}

#[test]
fn a_stranger_holds_up_himself_and_nobody_else() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let mut cases = Cases::new("a stranger and ann's name");
    let hash = argon2id();
    let people = ["ann", "ben"].map(|name| (name.to_owned(), hash.as_str()));
    let service = Service::start(place.path(), &people);
    let right = Login::plain("ann", PASSWORD);
    let wrong = Login::plain("ann", "wrong");
    for (title, options) in [
        ("counted in Prosody", ""),
        ("counted by the service", UNLIMITED),
    ] {
        let options = format!("{options}\nsql_hashed_service = \"{}\"", service.url());
        let home = tempfile::Builder::new()
            .prefix("p")
            .tempdir_in(place.path());
        let home = home.expect("room").keep();
        fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let prosody = Prosody::start(&home, &options);
        let limited = service.counted("limited");
        let heard: Vec<String> = (0..14)
            .map(|_| by_tcp(&prosody, [127, 0, 0, 2], &wrong))
            .collect();
        let expected = [
            vec!["not-authorized".to_owned(); if options.contains(UNLIMITED) { 0 } else { 10 }],
            vec![
                "temporary-auth-failure".to_owned();
                if options.contains(UNLIMITED) { 14 } else { 4 }
            ],
        ]
        .concat();
        cases.same(
            &format!("{title}: he is not heard any more"),
            heard,
            expected,
        );
        cases.same(
            &format!("{title}: with the right one neither"),
            by_tcp(&prosody, [127, 0, 0, 2], &right),
            "temporary-auth-failure".to_owned(),
        );
        let begun = Instant::now();
        cases.same(
            &format!("{title}: ann is"),
            by_tcp(&prosody, [127, 0, 0, 1], &right),
            "in".to_owned(),
        );
        let took = begun.elapsed();
        cases.holds("at once", took < Duration::from_secs(3), || {
            format!("{took:?}")
        });
        cases.same(
            &format!("{title}: ben beside him too"),
            by_tcp(&prosody, [127, 0, 0, 2], &Login::plain("ben", PASSWORD)),
            "in".to_owned(),
        );
        if options.contains(UNLIMITED) {
            cases.same(
                "the service said so",
                service.counted("limited"),
                limited + 15,
            );
            // By the web, an address and a network of IPv6.
            for _ in 0..10 {
                by_web(&prosody, "198.51.100.7", &wrong);
            }
            for one in 0..10 {
                by_web(&prosody, &format!("2001:db8::{one}"), &wrong);
            }
            for (address, expected) in [
                ("198.51.100.7", "temporary-auth-failure"),
                ("2001:db8::99", "temporary-auth-failure"),
                ("198.51.100.8", "in"),
                ("2001:db8:0:1::99", "in"),
                ("not an address", "in"),
            ] {
                cases.same(
                    &format!("by the web from {address}"),
                    by_web(&prosody, address, &right),
                    expected.to_owned(),
                );
            }
        }
        cases.same("nothing stumbled", prosody.says("raceback"), Vec::new());
    }
    cases.finish();
}

#[test]
fn a_stranger_holds_up_nobody_while_the_service_is_away() {
    let place = place::folder();
    if !place::is_here() {
        return;
    }
    let Some(database) = Database::start(Kind::Sqlite, place.path()) else {
        return;
    };
    let mut cases = Cases::new("a stranger and eve's name, without the service");
    let options = format!(
        "sql_hashed_database = {}\nsql_hashed_service = \"http://127.0.0.1:{}/\"",
        database.settings(place.path()),
        free_port()
    );
    let prosody = Prosody::start(place.path(), &options);
    let right = Login::plain("eve", PASSWORD);
    for _ in 0..10 {
        let heard = by_tcp(&prosody, [127, 0, 0, 2], &Login::plain("eve", "wrong"));
        cases.same("he is wrong", heard, "not-authorized".to_owned());
    }
    for (address, expected) in [
        ([127, 0, 0, 2], "temporary-auth-failure"),
        ([127, 0, 0, 1], "in"),
    ] {
        cases.same(
            &format!("from {address:?}"),
            by_tcp(&prosody, address, &right),
            expected.to_owned(),
        );
    }
    cases.finish();
}
