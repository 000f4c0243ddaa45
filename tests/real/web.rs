//! The web server, request by request, with an echo in Prosody's place.
//!
//! `try` is given a `prosody` that does nothing, first on its `PATH`, so that the rendered files,
//! the user and the way of starting are those of every other trial.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::cases::{Cases, are_here};
use super::site::{DOMAIN, Server, Site, Trial, public_folder};
use super::web_echo;
use super::web_facts::{self, Asked, Log};

#[derive(Debug)]
struct File(PathBuf);

impl Log for File {
    fn text(&self) -> String {
        fs::read(&self.0).map_or_else(
            |error| panic!("{}: {error}", self.0.display()),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }
}

fn replay(server: Server) {
    if !are_here(&[server.name()]) {
        return;
    }
    let ours = public_folder();
    let script = ours.path().join("prosody");
    fs::write(&script, "#!/bin/sh\nexec sleep 600\n").expect("the folder is ours");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let trial = Trial::start(&["--web", server.name()], Some(ours.path()));
    let port = wait_for_port(&trial).unwrap_or_else(|| panic!("no port: {}", trial.stderr()));
    web_echo::serve(([127, 0, 0, 1], port).into()).expect("the port is free");
    let site = Site::of(trial, server).unwrap_or_else(|error| panic!("no site: {error}"));

    let (config, access, error) = configuration(&site);
    answer_a_challenge(&config);
    let text = include_str!("../facts/web-requests.txt");
    let facts = web_facts::read(text, server.name());
    let asked = Asked {
        domain: DOMAIN,
        http: site.http,
        https: site.web(),
        access_log: &File(access),
        error_log: &File(error),
    };
    let mut cases = Cases::new(&format!("requests to {}", server.name()));
    cases.holds("the facts are there", facts.len() > 100, || {
        format!("{}", facts.len())
    });
    for fact in facts {
        let got = fact.ask(&asked);
        cases.holds(fact.line(), got.is_ok(), || got.err().unwrap_or_default());
    }
    for wrong in site.end() {
        cases.holds("nothing is left", false, || wrong);
    }
    cases.finish();
}

/// Prosody's HTTP port, as soon as it stands in the configuration of the trial.
fn wait_for_port(trial: &Trial) -> Option<u16> {
    let until = Instant::now() + Duration::from_secs(15);
    while Instant::now() < until {
        for folder in trial.left_over() {
            let config = fs::read_to_string(folder.join("etc/prosody/prosody.cfg.lua"));
            let config = config.unwrap_or_default();
            if let Some((_, rest)) = config.split_once("\nhttp_ports = { ")
                && let Some((port, _)) = rest.split_once(" }")
            {
                return port.parse().ok();
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

/// The text of the web server's configuration, and where it writes its two logs.
fn configuration(site: &Site) -> (String, PathBuf, PathBuf) {
    let (folder, ending, [access, error]) = match site.server {
        Server::Nginx => ("etc/nginx", ".conf", ["access_log ", "error_log "]),
        Server::Caddy => ("etc/caddy", "Caddyfile", ["output file ", "output file "]),
    };
    let file = files(&site.folder.join(folder))
        .into_iter()
        .find(|path| path.to_string_lossy().ends_with(ending));
    let text = file.and_then(|path| fs::read_to_string(path).ok());
    let text = text.unwrap_or_else(|| panic!("no configuration below {folder}"));
    let logs = |word: &str| {
        let found = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(word));
        let path = |rest: &str| {
            rest.split([' ', ';'])
                .next()
                .unwrap_or_default()
                .trim_matches('"')
                .to_owned()
        };
        found.map(path).map(PathBuf::from).collect::<Vec<_>>()
    };
    // the global log of Caddy, its error log, stands first in the file, the access logs after it
    let access = logs(access).pop().expect("an access log");
    let error = logs(error).into_iter().next().expect("an error log");
    (text, access, error)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The file that the first facts ask for, where the server looks for it.
fn answer_a_challenge(config: &str) {
    let at = config
        .find("acme-challenge/")
        .expect("the challenge is served");
    let (_, rest) = config[at..].split_once("root ").expect("from a folder");
    let root = rest
        .trim_start_matches("* ")
        .split([';', '\n'])
        .next()
        .unwrap_or_default();
    let folder = Path::new(root.trim().trim_matches('"')).join(".well-known/acme-challenge");
    fs::create_dir_all(&folder).expect("the webroot can be written");
    fs::write(folder.join("tok-en_1"), "tok-en_1.thumb").expect("and so can its folder");
}

#[test]
fn nginx_answers_as_listed() {
    replay(Server::Nginx);
}

#[test]
fn caddy_answers_as_listed() {
    replay(Server::Caddy);
}
