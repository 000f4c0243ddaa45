//! A machine that exists in memory alone: laid out well, then broken in one place.

use super::fake::{Edit, Fake};
use super::*;
use crate::host::Machine;
use crate::host::secrets::load;
use crate::layout::layout;
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
        let text = format!("schema = 1\ndomain = \"meet.example.org\"\n{more}");
        let site = parse(&text).expect("a site");
        let folder = tempfile::tempdir().expect("a folder");
        let machine = Machine::open(folder.path()).expect("a tree");
        let place = AbsPath::fixed("/secrets.toml");
        let kept = load(machine.root(), &place, &site.domain, NOW).expect("secrets");
        Self {
            site,
            platform: Release::Debian13.platform(),
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
            drifted: fake.drifted.clone(),
            pending: Vec::new(),
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

fn all_of(checks: &[Check], verdict: Verdict) -> Vec<&Check> {
    checks
        .iter()
        .filter(|check| check.verdict == verdict)
        .collect()
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
    const HOST: &str = "/etc/prosody/conf.d/meet.example.org.cfg.lua";
    fn replaced(seen: &mut Seen, from: &str, to: &str) {
        let text = seen.text();
        assert!(text.contains(from), "{from} in {text}");
        seen.bytes = text.replace(from, to).into_bytes();
    }
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
        fake.limits = Some("Max open files  1024  4096  files\n")
    });
    case("D-48", Verdict::Bad, |fake| fake.http = Some(404));
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
