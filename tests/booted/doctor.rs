//! `doctor` on the machine itself: what is well is called well, and what is spoiled is found, one
//! thing after the other, by the right check and with its cure.
//!
//! Over 400 lines: most of it is the list of what is spoiled, and by which check it is found.

use std::collections::BTreeSet;

use serde_json::Value;

use super::journey::Journey;
use super::services::Ports;

/// What is not `ok` on a healthy machine without a network: id, a word of the title, verdict, and a
/// word of the evidence.
const NOT_TOLD: &[(&str, &str, &str, &str)] = &[
    (
        "D-12",
        "is good",
        "warn",
        "signed by nobody whom browsers know",
    ),
    ("D-14", "keystore", "skip", "no websockets"),
    ("D-15", "by its name", "skip", "no websockets"),
    // The stand-ins have versions that upstream never had.
    ("D-16", "of one set", "skip", "does not know these versions"),
    ("D-16", "hole", "skip", "no version is one of upstream's"),
    ("D-17", "jar", "skip", "no jars with a version"),
    ("D-24", "keys", "skip", "shared secret"),
    ("D-27", "leads to", "warn", "has no address"),
    ("D-32", "address to offer", "skip", "names no address"),
    // The kernel, its limits and its memory are those of the machine below.
    ("D-33", "buffers", "warn", "net.core.rmem_max"),
    ("D-33", "buffers", "skip", "does not tell"),
    ("D-44", "heaps", "warn", "heaps of 512 MiB"),
    ("D-45", "files", "warn", "max open files"),
    ("D-35", "IPv6", "skip", "has no address"),
    // Web servers make their logs for everybody to read, until logrotate makes them anew.
    ("D-40", "", "warn", "everybody may read `/var/log/"),
    // These sites have meetings alone.
    ("D-60", "", "skip", "no accounts on this site"),
    ("D-61", "", "skip", "no accounts on this site"),
    ("D-62", "", "skip", "no accounts on this site"),
    ("D-63", "", "skip", "no accounts on this site"),
    ("D-64", "", "skip", "no accounts on this site"),
    ("D-65", "", "skip", "no accounts on this site"),
];

/// One thing to spoil.
struct Spoiled {
    /// What is done, in shell.
    how: &'static str,
    /// What takes it back.
    back: &'static str,
    /// The checks that turn: id, a word of the title, and words of the evidence and the cure.
    finds: &'static [Find],
}

/// Check's id, a word of its title, words of the evidence and of the cure.
type Find = (&'static str, &'static str, &'static str, &'static str);

const SPOILED: &[Spoiled] = &[
    Spoiled {
        how: "systemctl stop prosody",
        back: "systemctl start prosody",
        finds: &[
            (
                "D-51",
                "",
                "`prosody` does not run",
                "`systemctl start prosody`",
            ),
            (
                "D-06",
                "can log in",
                "nothing listens at 127.0.0.1:5222",
                "`journalctl -u prosody",
            ),
            (
                "D-06",
                "offer",
                "nothing listens",
                "`systemctl restart prosody`",
            ),
            (
                "D-28",
                "",
                "Prosody does not listen on TCP 5222",
                "jitsi-install status",
            ),
            ("D-48", "", "nothing listens", "`systemctl restart prosody`"),
            ("D-07", "well", "answers 500", "`journalctl -u jicofo"),
        ],
    },
    Spoiled {
        how: "cd /var/lib/prosody/auth*/accounts && cp -p focus.dat /var/tmp/ && cat jvb.dat > focus.dat",
        back: "cd /var/lib/prosody/auth*/accounts && cat /var/tmp/focus.dat > focus.dat",
        finds: &[
            (
                "D-06",
                "passwords",
                "does not open with focus's password",
                "jitsi-install apply",
            ),
            (
                "D-06",
                "can log in",
                "refuses the password of focus@auth.meet.example.org: `not-authorized`",
                "jitsi-install apply",
            ),
        ],
    },
    Spoiled {
        how: "mv /var/lib/prosody/auth*/accounts/jvb.dat /var/tmp/",
        back: "mv /var/tmp/jvb.dat /var/lib/prosody/auth*/accounts/",
        finds: &[
            (
                "D-06",
                "passwords",
                "jvb.dat` is missing",
                "jitsi-install apply",
            ),
            (
                "D-06",
                "can log in",
                "there is no account jvb@auth.meet.example.org",
                "jitsi-install apply",
            ),
        ],
    },
    // the file is changed, and Prosody has not heard of it
    Spoiled {
        how: "cd /etc/prosody/certs && cp -p auth.*.crt auth.*.key /var/tmp/ && \
              openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=x -addext subjectAltName=DNS:auth.meet.example.org \
              -keyout /var/tmp/new.key -out /var/tmp/new.crt 2>&1 && \
              cat /var/tmp/new.key > auth.meet.example.org.key && cat /var/tmp/new.crt > auth.meet.example.org.crt",
        back: "true",
        finds: &[
            (
                "D-10",
                "shows them",
                "127.0.0.1:5222 shows another certificate (auth.meet.example.org; SHA-256 ",
                "`systemctl restart prosody`",
            ),
            (
                "D-11",
                "trust that",
                "does not hold the certificate",
                "`systemctl restart jicofo`",
            ),
        ],
    },
    // and now it has
    Spoiled {
        how: "systemctl restart prosody",
        back: "cd /etc/prosody/certs && cat /var/tmp/auth.meet.example.org.key > auth.meet.example.org.key && \
               cat /var/tmp/auth.meet.example.org.crt > auth.meet.example.org.crt && systemctl restart prosody",
        finds: &[
            (
                "D-06",
                "can log in",
                "shows focus a certificate that is not the trusted one",
                "`systemctl restart prosody`",
            ),
            (
                "D-11",
                "trust that",
                "does not hold the certificate",
                "`systemctl restart jicofo`",
            ),
        ],
    },
    Spoiled {
        how: "cd /etc/jitsi/certs && cp -p meet.example.org.crt meet.example.org.key /var/tmp/ && \
              cat /var/tmp/new.key > meet.example.org.key && cat /var/tmp/new.crt > meet.example.org.crt",
        back: "cd /etc/jitsi/certs && cat /var/tmp/meet.example.org.key > meet.example.org.key && \
               cat /var/tmp/meet.example.org.crt > meet.example.org.crt && systemctl reload nginx",
        finds: &[
            (
                "D-12",
                "is good",
                "is for auth.meet.example.org, not for meet.example.org",
                "acme.sh --renew",
            ),
            (
                "D-12",
                "shows it",
                "127.0.0.1:443, asked for meet.example.org, shows another certificate",
                "`systemctl restart nginx`",
            ),
            (
                "D-13",
                "copies",
                "is not the one that was made for this site",
                "jitsi-install apply",
            ),
        ],
    },
    Spoiled {
        how: "sleep 3; touch /etc/jitsi/truststore.p12 /etc/prosody/prosody.cfg.lua",
        back: "systemctl restart prosody jicofo jitsi-videobridge2",
        finds: &[
            (
                "D-13",
                "has read",
                "`jicofo` runs since before `/etc/jitsi/truststore.p12` changed",
                "`systemctl restart jicofo`",
            ),
            (
                "D-13",
                "has read",
                "`prosody` runs since before `/etc/prosody/prosody.cfg.lua` changed",
                "`systemctl restart prosody`",
            ),
        ],
    },
    Spoiled {
        how: "sleep 3; touch /etc/nginx/sites-available/meet.example.org.conf",
        back: "systemctl reload nginx",
        finds: &[(
            "D-13",
            "has read",
            "`nginx` runs since before",
            "`systemctl restart nginx`",
        )],
    },
    Spoiled {
        how: "cp -p /etc/jitsi/jicofo/config /var/tmp/ && \
              sed -i 's/^JAVA_SYS_PROPS=.*/JAVA_SYS_PROPS=-Djavax.net.ssl.trustStore=\\/nowhere/' /etc/jitsi/jicofo/config && \
              systemctl restart jicofo",
        back: "cp -p /var/tmp/config /etc/jitsi/jicofo/config && systemctl restart jicofo",
        finds: &[
            (
                "D-11",
                "run with",
                "with `javax.net.ssl.trustStore=/nowhere`, not `/etc/jitsi/truststore.p12`",
                "`systemctl restart jicofo`",
            ),
            ("D-09", "", "none works", "journalctl -u jitsi-videobridge2"),
        ],
    },
    Spoiled {
        how: "cp -p /etc/jitsi/videobridge/jvb.conf /var/tmp/ && \
              sed -i 's/jvbbrewery@/other@/' /etc/jitsi/videobridge/jvb.conf && systemctl restart jitsi-videobridge2 && sleep 4",
        back: "cp -p /var/tmp/jvb.conf /etc/jitsi/videobridge/ && systemctl restart jitsi-videobridge2",
        finds: &[
            (
                "D-08",
                "",
                "other@internal.auth.meet.example.org",
                "jitsi-install apply",
            ),
            (
                "D-09",
                "",
                "0 known, none works",
                "`journalctl -u jitsi-videobridge2",
            ),
        ],
    },
    Spoiled {
        how: "echo 'videobridge {' > /etc/jitsi/videobridge/jvb.conf; systemctl restart jitsi-videobridge2; sleep 3",
        back: "cp -p /var/tmp/jvb.conf /etc/jitsi/videobridge/ && systemctl restart jitsi-videobridge2",
        finds: &[
            (
                "D-51",
                "",
                "`jitsi-videobridge2` does not run: it ended with 78, so its configuration is wrong",
                "`journalctl -u jitsi-videobridge2",
            ),
            (
                "D-34",
                "",
                "nothing listens at 127.0.0.1:8080",
                "`journalctl -u jitsi-videobridge2",
            ),
        ],
    },
    Spoiled {
        how: "mv /usr/share/jitsi-meet/prosody-plugins/mod_token_affiliation.lua /var/tmp/",
        back: "mv /var/tmp/mod_token_affiliation.lua /usr/share/jitsi-meet/prosody-plugins/",
        finds: &[(
            "D-05",
            "every Prosody module",
            "`token_affiliation` of conference.meet.example.org",
            "`apt-get install --reinstall jitsi-meet-prosody`",
        )],
    },
    Spoiled {
        how: "mv /usr/share/jitsi-meet/prosody-plugins/mod_token_affiliation.lua /var/tmp/ && systemctl restart prosody && sleep 1",
        back: "mv /var/tmp/mod_token_affiliation.lua /usr/share/jitsi-meet/prosody-plugins/ && systemctl restart prosody",
        finds: &[(
            "D-05",
            "log",
            "Unable to load module 'token_affiliation'",
            "`systemctl restart prosody`",
        )],
    },
    Spoiled {
        how: "mv /usr/local/share/lua/5.4/basexx.lua /var/tmp/",
        back: "mv /var/tmp/basexx.lua /usr/local/share/lua/5.4/",
        finds: &[("D-01", "", "cannot load basexx", "`apt-get install ")],
    },
    Spoiled {
        how: "chmod o+r /etc/jitsi/jicofo/jicofo.conf",
        back: "chmod o-r /etc/jitsi/jicofo/jicofo.conf",
        finds: &[(
            "D-46",
            "",
            "`/etc/jitsi/jicofo/jicofo.conf` has mode 0644",
            "`chmod o= FILE`",
        )],
    },
    Spoiled {
        how: "systemctl stop nginx && systemd-run --quiet --unit=squatter --socket-property=ListenStream=443 /bin/sleep infinity",
        back: "systemctl stop squatter.socket squatter.service; systemctl start nginx",
        finds: &[
            (
                "D-28",
                "",
                "`systemd` holds TCP 443 of the web server",
                "`ss -tulpn`",
            ),
            (
                "D-25",
                "",
                "https://meet.example.org/doctor at 127.0.0.1:443",
                "`journalctl -u nginx",
            ),
            (
                "D-51",
                "",
                "`nginx` does not run",
                "`systemctl start nginx`",
            ),
        ],
    },
    Spoiled {
        how: "systemd-run --quiet --unit=squatter --socket-property=ListenStream=0.0.0.0:5269 /bin/sleep infinity",
        back: "systemctl stop squatter.socket",
        finds: &[("D-30", "", "listens on 0.0.0.0:5269", "jitsi-install apply")],
    },
    Spoiled {
        how: "systemctl disable --quiet jicofo",
        back: "systemctl enable --quiet jicofo",
        finds: &[(
            "D-52",
            "",
            "`jicofo` does not start at boot",
            "jitsi-install apply",
        )],
    },
    Spoiled {
        how: "echo 'GET /?jwt=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln HTTP/1.1' >> /var/log/nginx/jitsi-access.log",
        back: "truncate -s 0 /var/log/nginx/jitsi-access.log",
        finds: &[("D-40", "", "keeps tokens in 1 lines", "remove the lines")],
    },
    // whoever brings no token is a host, guests are plain anonymous, the brewery is open
    Spoiled {
        how: "cd /etc/prosody/conf.d && cp -p meet.example.org.cfg.lua /var/tmp/ && \
              sed -i 's/allow_empty_token = false/allow_empty_token = true/; s/\"jitsi-anonymous\"/\"anonymous\"/; \
              s/; \"muc_filter_access\"//; s/restrict_room_creation = true//; s/; \"guests_bring_no_token\"//' meet.example.org.cfg.lua && \
              systemctl restart prosody && sleep 1",
        back: "cp -p /var/tmp/meet.example.org.cfg.lua /etc/prosody/conf.d/ && systemctl restart prosody",
        finds: &[
            (
                "D-19",
                "configuration",
                "`allow_empty_token` of meet.example.org is true",
                "jitsi-install apply",
            ),
            (
                "D-20",
                "configuration",
                "is \"anonymous\" and not \"jitsi-anonymous\"",
                "jitsi-install apply",
            ),
            (
                "D-21",
                "configuration",
                "anybody can walk into the brewery",
                "jitsi-install apply",
            ),
            (
                "D-21",
                "anonymous client",
                "he gets into jvbbrewery@internal.auth.meet.example.org",
                "`systemctl restart prosody`",
            ),
            (
                "D-54",
                "",
                "does not load `guests_bring_no_token`",
                "jitsi-install apply",
            ),
        ],
    },
];

/// `doctor --json`: its checks and its exit code.
type Examined = (Vec<Value>, i32);

impl Journey<'_> {
    fn examined(&mut self) -> Examined {
        let said = self.says(&["doctor", "--json"]);
        let json: Result<Value, _> = serde_json::from_str(&said.out);
        let mut json = match json {
            Ok(json) => json,
            Err(error) => {
                let failed: Result<(), String> = Err(format!("{error}\n{}", said.whole()));
                self.cases.must("doctor says JSON", failed);
                return (Vec::new(), said.code);
            }
        };
        self.cases.same(
            "the exit code of doctor tells whether anything is bad",
            (said.code, json["ok"].as_bool()),
            (
                if bad(&json["checks"]) { 1 } else { 0 },
                Some(said.code == 0),
            ),
        );
        let secrets = self.machine.read("/etc/jitsi-install/secrets.toml");
        let shown: Vec<String> = secrets
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.split('"').nth(1).map(str::to_owned))
            .filter(|word| word.len() > 16 && said.out.contains(word.as_str()))
            .collect();
        self.cases.same("doctor shows no secret", shown.len(), 0);
        let checks = json["checks"].take();
        (checks.as_array().cloned().unwrap_or_default(), said.code)
    }

    /// Everything is well, or told honestly not to be known.
    pub(super) fn is_healthy(&mut self, when: &str) {
        let (checks, code) = self.examined();
        self.cases
            .same(&format!("doctor ends with 0 {when}"), code, 0);
        let is_known = |check: &&Value| {
            NOT_TOLD.iter().any(|(id, title, verdict, evidence)| {
                is(check, id, title)
                    && text(check, "verdict") == *verdict
                    && text(check, "evidence").contains(evidence)
            })
        };
        let odd: Vec<&Value> = checks
            .iter()
            .filter(|check| text(check, "verdict") != "ok")
            .filter(|check| !is_known(check))
            .collect();
        self.cases.holds(
            &format!("doctor finds all well {when}"),
            odd.is_empty(),
            || format!("{odd:#?}"),
        );
        self.cases.holds(
            &format!("doctor asks all it can {when}"),
            checks.len() >= 50,
            || checks.len().to_string(),
        );
    }

    /// What a bridge shows by TLS comes out of its keystore, as it was at its start.
    fn a_bridge_with_websockets(&mut self) {
        self.write_site(&[("videobridge.websockets", "true")]);
        self.succeeds("apply: websockets", &["apply", "--yes"]);
        self.site_is_well("with websockets", Ports::default());
        let questions = [("D-14", ""), ("D-15", ""), ("D-36", "")];
        let (checks, _) = self.examined();
        for (id, title) in questions {
            let check = checks.iter().find(|check| is(check, id, title));
            let holds = check.is_some_and(|check| text(check, "verdict") == "ok");
            self.cases
                .holds(&format!("{id} is well with websockets"), holds, || {
                    format!("{check:#?}")
                });
        }
        let place = "/etc/jitsi/certs/meet.example.org.crt";
        let old = self.machine.read(place).unwrap_or_default();
        self.machine.sh(&format!("cat /var/tmp/new.crt > {place}"));
        let (checks, _) = self.examined();
        let check = checks.iter().find(|check| is(check, "D-15", ""));
        let holds = check.is_some_and(|check| {
            text(check, "verdict") == "bad"
                && text(check, "evidence")
                    .contains("127.0.0.1:8443, asked for meet.example.org, shows another")
                && text(check, "cure").contains("`systemctl restart jitsi-videobridge2`")
        });
        self.cases
            .holds("D-15 turns with another certificate", holds, || {
                format!("{check:#?}")
            });
        let put = self.machine.put(place, old.as_bytes(), 0o644);
        self.cases.must("the certificate can be put back", put);
        self.machine.sh("systemctl reload nginx");
        self.write_site(&[]);
        self.succeeds("apply: no websockets", &["apply", "--yes"]);
    }

    /// A healthy machine, then one that is spoiled in one way after the other.
    pub(super) fn the_doctor_comes(&mut self) {
        self.is_healthy("when all is well");
        for spoiled in SPOILED {
            let name = spoiled.how.lines().next().unwrap_or_default();
            let done = self.machine.sh(spoiled.how);
            self.cases
                .holds(&format!("can be spoiled: {name}"), done.code == 0, || {
                    done.whole()
                });
            // A service that is starting yet, here or since the last repair, is given its time.
            let mut tries = 0;
            let (checks, code) = loop {
                let (checks, code) = self.examined();
                tries += 1;
                if tries == 10 || spoiled.finds.iter().all(|find| is_found(&checks, find)) {
                    break (checks, code);
                }
                std::thread::sleep(std::time::Duration::from_secs(1));
            };
            self.cases
                .same(&format!("doctor ends with 1: {name}"), code, 1);
            for find @ (id, title, ..) in spoiled.finds {
                let holds = is_found(&checks, find);
                self.cases
                    .holds(&format!("{id} {title} turns: {name}"), holds, || {
                        let asked = checks.iter().filter(|check| is(check, id, title));
                        format!("{:#?}", asked.collect::<Vec<_>>())
                    });
            }
            let done = self.machine.sh(spoiled.back);
            self.cases.holds(
                &format!("can be taken back: {name}"),
                done.code == 0,
                || done.whole(),
            );
        }
        self.a_bridge_with_websockets();
        self.site_is_well("after the doctor", Ports::default());
        self.is_healthy("after all was taken back");
    }
}

fn is_found(checks: &[Value], (id, title, evidence, cure): &Find) -> bool {
    checks.iter().any(|check| {
        is(check, id, title)
            && text(check, "verdict") == "bad"
            && text(check, "evidence").contains(evidence)
            && text(check, "cure").contains(cure)
    })
}

fn text<'c>(check: &'c Value, key: &str) -> &'c str {
    check[key].as_str().unwrap_or_default()
}

fn is(check: &Value, id: &str, title: &str) -> bool {
    text(check, "id") == id && text(check, "title").contains(title)
}

fn bad(checks: &Value) -> bool {
    let all = checks.as_array().into_iter().flatten();
    let verdicts: BTreeSet<&str> = all.map(|check| text(check, "verdict")).collect();
    verdicts.contains("bad")
}
