//! A machine that exists in memory alone: laid out well, then broken in one place.
//!
//! Over 400 lines: each question with what turns it.

mod accounts;

use std::net::IpAddr;

use super::fake::{Edit, Fake};
use super::*;
use crate::host::Machine;
use crate::host::secrets::load;
use crate::layout::layout;
use crate::name::Mode;
use crate::package::Catalogue;
use crate::platform::{Platform, Release};
use crate::secret::Secrets;
use crate::service::Facts;
use crate::site::{Site, parse};

const NOW: i64 = 1_790_000_000;

/// A site and everything that belongs to it.
struct Desk {
    site: Site,
    platform: Platform,
    secrets: Secrets,
}

impl Desk {
    fn new(more: &str) -> Self {
        Self::on(Release::Debian13, more)
    }

    fn on(release: Release, more: &str) -> Self {
        let text = format!("schema = 1\ndomain = \"meet.example.org\"\n{more}");
        let site = parse(&text).expect("a site");
        let folder = tempfile::tempdir().expect("a folder");
        let machine = Machine::open(folder.path()).expect("a tree");
        let place = AbsPath::fixed("/secrets.toml");
        let kept = load(machine.root(), &place, &site.domain, NOW).expect("secrets");
        Self {
            site,
            platform: release.platform(),
            secrets: kept.secrets,
        }
    }

    /// Examines `fake` after everything of the layout that it does not have itself was added.
    fn examine(&self, fake: &Fake) -> Vec<Check> {
        let facts = Facts::default();
        let layout = layout(&self.site, &self.platform, &self.secrets, &facts).expect("a layout");
        let mut fake = fake.clone();
        for item in &layout.items {
            if let Resource::File(file) = &item.resource {
                let bytes = match &file.content {
                    Content::Bytes(bytes) => bytes.clone(),
                    Content::Block(_) => continue,
                    Content::Made(recipe) => {
                        let made = recipe.make(&mut |buffer| buffer.fill(7)).expect("made");
                        made.to_vec()
                    }
                };
                let path = file.path.to_string();
                let seen = Seen {
                    bytes,
                    mode: file.mode,
                };
                fake.files.entry(path).or_insert(seen);
            }
        }
        for path in &fake.gone {
            fake.files.remove(*path);
        }
        for (path, edit) in &fake.edits {
            let seen = fake
                .files
                .get_mut(*path)
                .unwrap_or_else(|| panic!("{path}"));
            edit(seen);
        }
        let subject = Subject {
            context: &Context::new(&self.site, &self.platform, &self.secrets, &facts),
            layout: &layout,
            catalogue: Ok(Catalogue::own().expect("the catalogue")),
            drifted: fake.drifted.clone(),
            pending: Vec::new(),
            services: standings(&layout, &fake),
            now: NOW,
        };
        examine(&subject, &fake)
    }

    /// The verdict on the first check of this id that is not good, else good.
    fn verdict(&self, id: &str, fake: &Fake) -> Verdict {
        let all = self.examine(fake);
        let mut verdicts = all
            .iter()
            .filter(|check| check.id == id)
            .map(|one| one.verdict);
        verdicts
            .find(|verdict| *verdict != Verdict::Good)
            .unwrap_or(Verdict::Good)
    }
}

/// All services of a running machine, those of `down` neither up nor enabled.
fn standings(layout: &Layout, fake: &Fake) -> Vec<Standing> {
    let services = layout.items.iter().filter_map(|item| match &item.resource {
        Resource::Service(service) => Some(service.name.clone()),
        _ => None,
    });
    let standing = |name: String| {
        let is_up = !fake.down.contains(&name.as_str());
        Standing {
            name,
            runs: is_up,
            at_boot: is_up,
        }
    };
    match fake.running {
        true => services.map(standing).collect(),
        false => Vec::new(),
    }
}

fn all_of(checks: &[Check], verdict: Verdict) -> Vec<&Check> {
    checks
        .iter()
        .filter(|check| check.verdict == verdict)
        .collect()
}

const HOST: &str = "/etc/prosody/conf.d/meet.example.org.cfg.lua";

fn replaced(seen: &mut Seen, from: &str, to: &str) {
    let text = seen.text();
    assert!(text.contains(from), "{from} in {text}");
    seen.bytes = text.replace(from, to).into_bytes();
}

#[test]
fn every_answer_has_its_place_and_a_cure_where_one_is_needed() {
    for fake in [
        Fake::default(),
        Fake::running(),
        Fake {
            running: true,
            ..Fake::default()
        },
    ] {
        let checks = Desk::new("").examine(&fake);
        assert_eq!(checks.len(), QUESTIONS.len());
        for (check, question) in checks.iter().zip(QUESTIONS) {
            assert_eq!((check.id, check.title), (question.id, question.title));
            let needs = matches!(check.verdict, Verdict::Bad | Verdict::Warn);
            assert_eq!(needs, !check.cure.is_empty(), "{check:?}");
            assert!(!check.evidence.is_empty(), "{check:?}");
        }
    }
}

#[test]
fn ids_come_in_order() {
    assert!(QUESTIONS.windows(2).all(|two| two[0].id <= two[1].id));
}

#[test]
fn a_fresh_tree_and_a_well_machine_have_nothing_bad() {
    let desk = Desk::new("[videobridge]\nwebsockets = true\n");
    let checks = desk.examine(&Fake::default());
    assert_eq!(all_of(&checks, Verdict::Bad), Vec::<&Check>::new());
    let warned: Vec<&str> = all_of(&checks, Verdict::Warn)
        .iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(warned, ["D-12"], "self-signed");
    let running = Fake::running()
        .with_log("general\tinfo\tHello and welcome to Prosody version 13\nmod\tinfo\tfine\n");
    let checks = Desk::new("").examine(&running);
    let bad: Vec<&str> = all_of(&checks, Verdict::Bad)
        .iter()
        .map(|one| one.title)
        .collect();
    // The fake has no folder of Prosody's and Jitsi's modules.
    assert_eq!(bad, [prosody::PLUGINS.title, hosts::OWN_MODULE.title]);
}

#[test]
fn what_is_broken_on_disk_is_named() {
    let cases: &[(&str, &str, Edit)] = &[
        ("D-03", "/etc/prosody/prosody.cfg.lua", |seen| {
            replaced(seen, "component_admins_as_room_owners = true", "");
        }),
        (
            "D-06",
            "/var/lib/prosody/auth%2emeet%2eexample%2eorg/accounts/jvb.dat",
            |seen| {
                seen.bytes.clear();
            },
        ),
        (
            "D-07",
            "/var/lib/prosody/auth%2emeet%2eexample%2eorg/roster/focus.dat",
            |seen| {
                replaced(seen, "\"from\"", "\"none\"");
            },
        ),
        ("D-08", "/etc/jitsi/videobridge/jvb.conf", |seen| {
            replaced(seen, "jvbbrewery@", "other@")
        }),
        (
            "D-10",
            "/etc/prosody/certs/auth.meet.example.org.crt",
            |seen| seen.bytes.clear(),
        ),
        ("D-11", "/etc/jitsi/truststore.p12", |seen| {
            seen.bytes.truncate(100)
        }),
        ("D-12", "/etc/jitsi/certs/meet.example.org.crt", |seen| {
            seen.bytes.clear()
        }),
        ("D-13", "/etc/prosody/certs/meet.example.org.crt", |seen| {
            seen.bytes.clear()
        }),
        ("D-14", "/etc/jitsi/videobridge/jvb.p12", |seen| {
            seen.bytes.truncate(100)
        }),
        ("D-19", HOST, |seen| {
            replaced(
                seen,
                "allow_empty_token = false",
                "allow_empty_token = true",
            )
        }),
        ("D-20", HOST, |seen| {
            replaced(seen, "\"jitsi-anonymous\"", "\"anonymous\"")
        }),
        ("D-20", HOST, |seen| {
            replaced(seen, "\"muc_wait_for_host\"", "")
        }),
        ("D-21", HOST, |seen| {
            replaced(seen, "\"muc_filter_access\"", "")
        }),
        ("D-22", "/etc/jitsi/jicofo/jicofo.conf", |seen| {
            replaced(
                seen,
                "authentication.enabled = false",
                "authentication.enabled = true",
            );
        }),
        (
            "D-26",
            "/etc/jitsi/meet/meet.example.org-config.js",
            |seen| {
                replaced(seen, "meet.example.org", "meet.example.com");
            },
        ),
        ("D-36", "/etc/jitsi/videobridge/jvb.conf", |seen| {
            replaced(seen, "tls-port = 8443", "port = 8443")
        }),
        (
            "D-47",
            "/etc/nginx/sites-available/meet.example.org.conf",
            |seen| {
                replaced(seen, "proxy_set_header Authorization", "# ");
            },
        ),
        ("D-46", "/etc/prosody/certs/meet.example.org.key", |seen| {
            seen.mode = Mode(0o644)
        }),
        ("D-54", HOST, |seen| {
            replaced(seen, "\"guests_bring_no_token\"", "")
        }),
    ];
    let desk = Desk::new("[videobridge]\nwebsockets = true\n");
    for (id, path, edit) in cases {
        let fake = Fake::default().edited(path, *edit);
        assert_eq!(desk.verdict(id, &fake), Verdict::Bad, "{id}");
    }
}

#[test]
fn what_is_wrong_with_a_running_machine_is_named() {
    let desk = Desk::new("");
    let case = |id: &str, verdict: Verdict, change: fn(&mut Fake)| {
        let mut fake = Fake::running();
        change(&mut fake);
        assert_eq!(desk.verdict(id, &fake), verdict, "{id}");
    };
    case("D-01", Verdict::Bad, |fake| {
        fake.lacking = Some(vec!["basexx".to_owned()])
    });
    case("D-01", Verdict::Skipped, |fake| fake.lacking = None);
    case("D-02", Verdict::Bad, |fake| {
        fake.about = Some("Prosody 0.12.3\n")
    });
    case("D-07", Verdict::Bad, |fake| fake.http = Some(500));
    // Older than an advisory, of two sets, and of somebody's own build.
    case("D-16", Verdict::Bad, |fake| {
        fake.packages
            .insert("jicofo".to_owned(), "1.0-1001".to_owned());
    });
    case("D-16", Verdict::Bad, |fake| {
        fake.packages
            .insert("jicofo".to_owned(), "1.0-999999".to_owned());
    });
    case("D-16", Verdict::Skipped, |fake| {
        for version in fake.packages.values_mut() {
            "1.0".clone_into(version);
        }
    });
    case("D-16", Verdict::Skipped, |fake| fake.packages.clear());
    case("D-18", Verdict::Bad, |fake| {
        fake.java = Some("openjdk version \"11.0.2\"\n")
    });
    case("D-19", Verdict::Bad, |fake| fake.open = true);
    case("D-20", Verdict::Bad, |fake| fake.open = true);
    case("D-21", Verdict::Bad, |fake| fake.open = true);
    case("D-25", Verdict::Bad, |fake| {
        fake.page = Some("<!--#include virtual=\"x\" -->")
    });
    case("D-27", Verdict::Warn, |fake| {
        fake.addresses = vec![IpAddr::from([9, 9, 9, 9])]
    });
    case("D-28", Verdict::Bad, |fake| fake.listeners[1].2 = "apache2");
    case("D-28", Verdict::Bad, |fake| fake.listeners.truncate(6));
    case("D-30", Verdict::Bad, |fake| {
        fake.listeners[2].0 = "0.0.0.0:5222"
    });
    case("D-30", Verdict::Bad, |fake| {
        fake.listeners.push(("[::]:5269", false, "lua5.4"))
    });
    case("D-32", Verdict::Bad, |fake| {
        fake.kernel.insert(
            "net/fib_trie",
            "|-- 10.0.0.7\n/32 host LOCAL\n|-- 127.0.0.1\n/32 host LOCAL\n",
        );
    });
    case("D-33", Verdict::Warn, |fake| {
        fake.kernel.insert("sys/net/core/rmem_max", "212992\n");
    });
    case("D-34", Verdict::Bad, |fake| fake.http = None);
    case("D-43", Verdict::Warn, |fake| {
        fake.drifted = vec!["file /x".to_owned()]
    });
    case("D-44", Verdict::Warn, |fake| {
        fake.kernel.insert("meminfo", "MemTotal: 2000000 kB\n");
    });
    case("D-45", Verdict::Warn, |fake| {
        fake.kernel
            .insert("20/limits", "Max open files  1024  4096  files\n");
    });
    case("D-48", Verdict::Bad, |fake| fake.http = Some(404));
}

#[test]
fn what_is_wrong_on_the_wire_is_named() {
    let desk = Desk::new("[videobridge]\nwebsockets = true\n");
    let case = |id: &str, change: fn(&mut Fake)| {
        let mut fake = Fake::running();
        change(&mut fake);
        let checks = desk.examine(&fake);
        let bad = |one: &&Check| one.id == id && one.verdict == Verdict::Bad;
        let check = checks.into_iter().find(|one| bad(&one));
        check.unwrap_or_else(|| panic!("{id} is not bad"))
    };
    let check = case("D-06", |fake| fake.refused = Some("not-authorized"));
    assert!(
        check
            .evidence
            .contains("refuses the password of focus@auth.meet.example.org: `not-authorized`"),
        "{check:?}"
    );
    assert!(check.cure.contains("`systemctl restart prosody`"));
    let other: fn(&mut Fake) = |fake| fake.shown_to_accounts = Some(vec![1, 2, 3]);
    let check = case("D-06", other);
    assert!(
        check
            .evidence
            .contains("not the trusted one, so that no password was tried")
    );
    assert!(
        case("D-10", other)
            .evidence
            .contains("127.0.0.1:5222 shows another")
    );
    case("D-06", |fake| fake.http = None);
    let check = case("D-12", |fake| fake.shown = Some(vec![vec![1, 2, 3]]));
    assert!(
        check
            .evidence
            .contains("127.0.0.1:443, asked for meet.example.org, shows another certificate"),
        "{check:?}"
    );
    assert!(check.cure.contains("`systemctl restart nginx`"));
    case("D-12", |fake| fake.shown = Some(Vec::new()));
    let check = case("D-15", |fake| fake.shown = Some(vec![vec![1, 2, 3]]));
    assert!(check.evidence.contains("127.0.0.1:8443"), "{check:?}");
    assert_eq!(desk.verdict("D-15", &Fake::running()), Verdict::Good);
    assert_eq!(
        Desk::new("").verdict("D-15", &Fake::running()),
        Verdict::Skipped
    );
}

#[test]
fn an_account_that_is_gone_is_told_from_a_wrong_password() {
    let desk = Desk::new("");
    let mut fake =
        Fake::running().gone("/var/lib/prosody/auth%2emeet%2eexample%2eorg/accounts/jvb.dat");
    fake.refused = Some("not-authorized");
    let checks = desk.examine(&fake);
    let check = checks.iter().find(|one| one.title == wire::LOGIN.title);
    let evidence = &check.expect("there").evidence;
    assert!(
        evidence.contains("there is no account jvb@auth.meet.example.org"),
        "{evidence}"
    );
}

#[test]
fn a_service_that_reads_old_files_is_named() {
    let desk = Desk::new("");
    let check = |change: fn(&mut Fake)| {
        let mut fake = Fake::running();
        change(&mut fake);
        let checks = desk.examine(&fake);
        let found = checks
            .into_iter()
            .find(|one| one.title == running::FRESH.title);
        found.expect("there")
    };
    let good = check(|_| ());
    assert_eq!(good.verdict, Verdict::Good, "{good:?}");
    assert!(good.evidence.starts_with("4 services"), "{good:?}");
    // The kernel tells whole seconds, and a clock that was set back proves nothing.
    assert_eq!(
        check(|fake| fake.changed = fake::STARTED + 2).verdict,
        Verdict::Good
    );
    assert_eq!(check(|fake| fake.changed = NOW + 60).verdict, Verdict::Good);
    let stale = check(|fake| fake.changed = fake::STARTED + 3);
    assert_eq!(stale.verdict, Verdict::Bad);
    for name in ["prosody", "jicofo", "jitsi-videobridge2", "nginx"] {
        assert!(
            stale
                .evidence
                .contains(&format!("`{name}` runs since before")),
            "{stale:?}"
        );
        assert!(
            stale.cure.contains(&format!("`systemctl restart {name}`")),
            "{stale:?}"
        );
    }
    let none = check(|fake| fake.processes.clear());
    assert_eq!(none.verdict, Verdict::Skipped);
}

#[test]
fn options_of_a_running_java_are_compared_and_passwords_not_shown() {
    let desk = Desk::new("");
    let check = |edit: fn(&mut Vec<String>)| {
        let mut fake = Fake::running();
        edit(&mut fake.processes[0].arguments);
        let checks = desk.examine(&fake);
        let found = checks
            .into_iter()
            .find(|one| one.title == running::OPTIONS.title);
        found.expect("there")
    };
    assert_eq!(check(|_| ()).verdict, Verdict::Good);
    // The last one counts, and what stands behind the main class is no option.
    let check_last = check(|words| {
        words.insert(5, "-Djavax.net.ssl.trustStore=/old".to_owned());
    });
    assert_eq!(check_last.verdict, Verdict::Bad);
    assert!(
        check_last
            .evidence
            .contains("`javax.net.ssl.trustStore=/old`")
            && check_last.evidence.contains("(process 10)"),
        "{check_last:?}"
    );
    let watched = check(|words| words.insert(0, "timeout".to_owned()));
    assert_eq!(watched.verdict, Verdict::Good, "it is no Java");
    let behind = check(|words| words.push("-Dconfig.file=/x".to_owned()));
    assert_eq!(behind.verdict, Verdict::Good);
    let lost = check(|words| words.retain(|word| !word.contains("trustStore=")));
    assert_eq!(lost.verdict, Verdict::Bad);
    let other = check(|words| {
        words.insert(5, "-Djavax.net.ssl.trustStorePassword=hunter2".to_owned());
        words.insert(5, "--secret=hunter2".to_owned());
    });
    assert_eq!(other.verdict, Verdict::Bad);
    assert!(!format!("{other:?}").contains("hunter2"));
}

#[test]
fn what_does_not_run_is_named_with_its_last_exit() {
    let desk = Desk::new("");
    let mut fake = Fake::running();
    assert_eq!(desk.verdict("D-51", &fake), Verdict::Good);
    assert_eq!(desk.verdict("D-52", &fake), Verdict::Good);
    fake.down = &["jitsi-videobridge2"];
    fake.exit = Some(78);
    let checks = desk.examine(&fake);
    let runs = checks.iter().find(|one| one.id == "D-51").expect("there");
    assert_eq!(runs.verdict, Verdict::Bad);
    assert!(
        runs.evidence.contains("its configuration is wrong"),
        "{runs:?}"
    );
    assert!(
        runs.cure.contains("`systemctl start jitsi-videobridge2`"),
        "{runs:?}"
    );
    assert_eq!(desk.verdict("D-52", &fake), Verdict::Bad);
    fake.exit = Some(1);
    let evidence = |fake: &Fake| {
        let checks = desk.examine(fake);
        checks
            .into_iter()
            .find(|one| one.id == "D-51")
            .expect("there")
            .evidence
    };
    assert!(evidence(&fake).ends_with("it ended with 1"));
    fake.exit = Some(0);
    assert!(evidence(&fake).ends_with("does not run"));
}

#[test]
fn ipv6_is_neither_asked_for_nor_promised_in_vain() {
    let desk = Desk::new("");
    let verdict = |id: &str, change: fn(&mut Fake)| {
        let mut fake = Fake::running();
        change(&mut fake);
        desk.verdict(id, &fake)
    };
    let address = "2001:db8::7";
    assert_eq!(verdict("D-31", |_| ()), Verdict::Good);
    let off: fn(&mut Fake) = |fake| {
        fake.kernel.remove("net/if_inet6");
    };
    assert_eq!(verdict("D-31", off), Verdict::Bad);
    let mut fake = Fake::running();
    off(&mut fake);
    let named = Desk::new("[web]\naddresses = [\"192.0.2.7\"]\n");
    assert_eq!(named.verdict("D-31", &fake), Verdict::Good);

    assert_eq!(verdict("D-35", |_| ()), Verdict::Good);
    let mut fake = Fake::running();
    fake.addresses.push(address.parse().expect("an address"));
    assert_eq!(
        desk.verdict("D-35", &fake),
        Verdict::Warn,
        "not of this machine"
    );
    fake.kernel.insert(
        "net/if_inet6",
        "20010db8000000000000000000000007 02 40 00 80 eth0\n",
    );
    assert_eq!(
        desk.verdict("D-35", &fake),
        Verdict::Warn,
        "nginx does not listen"
    );
    fake.listeners.push(("[::]:443", false, "nginx"));
    assert_eq!(desk.verdict("D-35", &fake), Verdict::Good);
}

#[test]
fn keys_of_tokens_are_asked_for() {
    let desk = Desk::new(
        "[auth.token]\nalgorithm = \"RS256\"\nkey_server = \"https://keys.example.org/\"\nkeys_url = \"https://keys.example.org/jwks.json\"\n",
    );
    let verdict = |fetched: Option<Result<&'static str, &'static str>>| {
        let fake = Fake {
            fetched,
            ..Fake::running()
        };
        desk.verdict("D-24", &fake)
    };
    assert_eq!(verdict(None), Verdict::Skipped, "no curl");
    assert_eq!(verdict(Some(Err("404"))), Verdict::Bad);
    assert_eq!(verdict(Some(Ok("<html>"))), Verdict::Bad);
    assert_eq!(verdict(Some(Ok("{\"keys\":[]}"))), Verdict::Bad);
    assert_eq!(
        verdict(Some(Ok("{\"keys\":[{\"kty\":\"EC\"}]}"))),
        Verdict::Bad
    );
    assert_eq!(
        verdict(Some(Ok("{\"keys\":[{\"kty\":\"RSA\"}]}"))),
        Verdict::Good
    );
    assert_eq!(verdict(Some(Ok("{\"a\":\"-----BEGIN x\"}"))), Verdict::Good);
    let fake = Fake::default().edited(HOST, |seen| replaced(seen, "cache_keys_url", "other_url"));
    assert_eq!(desk.verdict("D-24", &fake), Verdict::Bad);
    let fake = Fake::default().edited(HOST, |seen| {
        replaced(
            seen,
            "https://keys.example.org/jwks",
            "http://keys.example.org/jwks",
        );
    });
    assert_eq!(desk.verdict("D-24", &fake), Verdict::Bad);
    assert_eq!(
        Desk::new("").verdict("D-24", &Fake::running()),
        Verdict::Skipped
    );
}

/// Everything that can be broken at once.
fn ruin() -> Fake {
    Fake {
        running: true,
        lacking: Some(vec!["basexx".to_owned()]),
        java: Some("openjdk version \"11.0.2\"\n"),
        down: &[
            "prosody",
            "jicofo",
            "jitsi-videobridge2",
            "jitsi-videobridge",
            "nginx",
        ],
        open: true,
        changed: fake::STARTED + 60,
        ..Fake::running()
    }
    .with_names("/usr/share/jicofo/lib", &["a-1.0.jar", "a-1.1.jar"])
}

#[test]
fn cures_are_those_of_the_system() {
    let words = |release: Release| {
        let desk = Desk::on(release, "");
        let broken = [
            ruin(),
            Fake {
                running: true,
                ..Fake::default()
            },
            Fake {
                http: None,
                page: None,
                ..ruin()
            },
        ];
        let cures = broken.iter().flat_map(|fake| desk.examine(fake));
        cures.map(|one| one.cure).collect::<Vec<_>>().join("\n")
    };
    let debian = ["systemctl", "journalctl", "apt-get", "update-alternatives"];
    let slackware = [
        "/etc/rc.d/rc.",
        "installpkg",
        "SlackBuilds.org",
        "removepkg",
    ];
    let on_debian = words(Release::Debian13);
    let on_slackware = words(Release::Slackware15);
    for word in debian {
        assert!(on_debian.contains(word), "{word}");
        assert!(!on_slackware.contains(word), "{word} on Slackware");
    }
    for word in slackware {
        assert!(on_slackware.contains(word), "{word}");
        assert!(!on_debian.contains(word), "{word} on Debian");
    }
    for word in [
        "`/etc/rc.d/rc.jitsi-videobridge restart`",
        "`/etc/rc.d/rc.prosody restart`",
    ] {
        assert!(on_slackware.contains(word), "{word}");
    }
    assert!(!on_slackware.contains("jitsi-videobridge2"));
}

#[test]
fn what_must_come_first_at_boot_does() {
    let desk = Desk::on(Release::Slackware15, "");
    let with = |text: &str| {
        let seen = Seen {
            bytes: text.as_bytes().to_vec(),
            mode: Mode(0o755),
        };
        let mut fake = Fake::running();
        fake.files.insert("/etc/rc.d/rc.local".to_owned(), seen);
        desk.verdict("D-52", &fake)
    };
    let line =
        |name: &str| format!("if [ -x /etc/rc.d/rc.{name} ]; then /etc/rc.d/rc.{name} start; fi\n");
    let (prosody, jicofo) = (line("prosody"), line("jicofo"));
    assert_eq!(with(&format!("{prosody}{jicofo}")), Verdict::Good);
    assert_eq!(with(&format!("# {jicofo}{prosody}{jicofo}")), Verdict::Good);
    assert_eq!(with(&format!("{jicofo}{prosody}")), Verdict::Bad);
}

#[test]
fn logs_are_read_from_the_last_start_on() {
    let desk = Desk::new("");
    let start = "general\tinfo\tHello and welcome to Prosody version 13\n";
    let fatal = "x\terror\tUnable to load module 'polls': not found\n";
    let verdict = |text: &str| {
        desk.examine(&Fake::running().with_log(text))
            .swap_remove(3)
            .verdict
    };
    assert_eq!(verdict(&format!("{fatal}{start}")), Verdict::Good);
    assert_eq!(verdict(&format!("{start}{fatal}")), Verdict::Bad);
    assert_eq!(
        verdict(&format!("{start}x\terror\tTraceback\n")),
        Verdict::Warn
    );
    assert_eq!(verdict(fatal), Verdict::Warn);
    let token = "GET /?token=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln HTTP/1.1\n";
    let fake = Fake::running().with_log(token);
    assert_eq!(desk.verdict("D-40", &fake), Verdict::Bad);
}

#[test]
fn two_versions_of_a_jar_are_named() {
    let desk = Desk::new("");
    let lib = "/usr/share/jicofo/lib";
    let two = Fake::default().with_names(
        lib,
        &["a-1.0.jar", "a-1.1.jar", "b-1-linux.jar", "b-1-osx.jar"],
    );
    let check = desk
        .examine(&two)
        .into_iter()
        .find(|one| one.id == "D-17")
        .expect("there");
    assert_eq!(check.verdict, Verdict::Bad);
    assert_eq!(check.evidence, format!("`{lib}` has a 1.0 and 1.1"));
    let one = Fake::default().with_names(lib, &["a-1.0.jar"]);
    assert_eq!(desk.verdict("D-17", &one), Verdict::Good);
}

#[test]
fn short_secrets_are_named_and_none_is_shown() {
    let mut desk = Desk::new("");
    desk.secrets.jvb_password = crate::secret::Secret::new("short-and-secret".to_owned());
    let fake = Fake::running().edited("/etc/jitsi/jicofo/jicofo.conf", |seen| {
        seen.mode = Mode(0o644)
    });
    assert_eq!(desk.verdict("D-46", &fake), Verdict::Bad);
    for check in desk.examine(&fake) {
        for word in desk.secrets.words() {
            assert!(
                !check.evidence.contains(word) && !check.cure.contains(word),
                "{check:?}"
            );
        }
    }
}

#[test]
fn a_site_without_guests_has_none() {
    let closed = Desk::new("[auth]\nguests = false\n");
    let checks = closed.examine(&Fake::default());
    assert_eq!(all_of(&checks, Verdict::Bad), Vec::<&Check>::new());
}
