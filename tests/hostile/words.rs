//! Secrets and names of any characters, through whole templates to the readers; and never shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use jitsi_install::command::terminal::Paint;
use jitsi_install::layout::layout;
use jitsi_install::name::{AbsPath, Owner};
use jitsi_install::plan::{Found, Observe, State, plan, show};
use jitsi_install::platform::Release;
use jitsi_install::secret::{Secret, Secrets};
use jitsi_install::service::{Context, Facts};
use jitsi_install::site::{self, Site};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::proving::{fixed_secrets, java, program, root, run};
use crate::values::{any_text, folder, many_texts};

fn full_site() -> Site {
    let text = "schema = 1\ndomain = \"meet.example.org\"\n[videobridge]\nwebsockets = true\n";
    site::parse(text).unwrap()
}

fn with_words(words: [&str; 4]) -> Secrets {
    let [focus, jvb, token, keystore] = words.map(|word| Secret::new(word.to_owned()));
    Secrets {
        focus_password: focus,
        jvb_password: jvb,
        token_secret: token,
        keystore_password: keystore,
        ..fixed_secrets()
    }
}

#[test]
fn words_arrive_whole() {
    let (_keep, folder) = folder();
    let texts = many_texts(250);
    let platform = Release::Debian13.platform();
    let (mut hosts, mut confs) = (Vec::new(), Vec::new());
    for (number, text) in texts.iter().enumerate() {
        let mut site = full_site();
        site.auth.token.app_id.clone_from(text);
        site.auth.token.audience.clone_from(text);
        let secrets = with_words([text, text, text, text]);
        let shared = Facts {
            token_secret: Some(Secret::new(text.clone())),
            ..Facts::default()
        };
        let facts = if number % 2 == 0 {
            Facts::default()
        } else {
            shared
        };
        let context = Context::new(&site, &platform, &secrets, &facts);
        let write = |template: &str, ending: &str| -> PathBuf {
            let file = folder.join(format!("{number}.{ending}"));
            fs::write(&file, context.render(template).unwrap()).unwrap();
            file
        };
        hosts.push(write("prosody/host.lua", "lua"));
        confs.push(write("jicofo/jicofo.hocon", "jicofo"));
        confs.push(write("videobridge/jvb.hocon", "jvb"));
    }
    if let Some(lua) = program("lua5.4", "lua5.4") {
        let said = run(Command::new(lua)
            .arg(root().join("tests/proving/prosody_config.lua"))
            .args(&hosts));
        for (text, line) in texts.iter().zip(said.lines()) {
            let config: Value = serde_json::from_str(line).unwrap();
            let host = &config["meet.example.org"];
            for key in ["app_id", "app_secret"] {
                assert_eq!(host[key], json!(text), "{key}");
            }
            for key in ["asap_accepted_issuers", "asap_accepted_audiences"] {
                assert_eq!(host[key], json!([text]), "{key}");
            }
            assert_eq!(
                config.as_object().unwrap().len(),
                14,
                "another host for {text:?}"
            );
        }
    }
    if let Some(read) = java::hocon(&confs) {
        for (text, leaves) in texts.iter().zip(read.chunks(2)) {
            assert_eq!(leaves[0]["jicofo.xmpp.client.password"], json!(text));
            let account = "videobridge.apis.xmpp-client.configs.main.PASSWORD";
            assert_eq!(leaves[1][account], json!(text));
            let store = "videobridge.http-servers.public.key-store-password";
            assert_eq!(leaves[1][store], json!(text));
        }
    }
}

/// A machine on which every file stands that it is told of.
struct Shelf(BTreeMap<String, Vec<u8>>);

impl Observe for Shelf {
    fn names(&self, _: &AbsPath) -> Vec<String> {
        Vec::new()
    }

    fn look(&self, path: &AbsPath) -> Found {
        let bytes = self.0.get(path.as_str());
        Found::State(bytes.map_or(State::Absent, |bytes| State::File {
            bytes: bytes.clone(),
            mode: jitsi_install::name::Mode(0o640),
            ids: None,
        }))
    }
    fn is_dir(&self, _: &AbsPath) -> bool {
        false
    }
    fn ids(&self, _: &Owner) -> Option<(u32, u32)> {
        None
    }
}

/// A word as it stands in a Lua, HOCON or JavaScript literal, and as JSON would write the literal.
fn forms(word: &str) -> Vec<String> {
    use jitsi_install::render::literal::{hocon, lua, script};
    let mut forms = vec![word.to_owned()];
    for escape in [lua, hocon, script] {
        let mut out = Vec::new();
        escape(word, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        forms.push(text[1..text.len() - 1].to_owned());
    }
    let quoted: Vec<String> = forms
        .iter()
        .map(|form| {
            let json = json!(form).to_string();
            json[1..json.len() - 1].to_owned()
        })
        .collect();
    forms.extend(quoted);
    forms
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// The words begin alike, so that one can be the beginning of another, and are long enough to
    /// stand nowhere by chance.
    #[test]
    fn no_plan_shows_a_word(ends in prop::array::uniform4(any_text()), old in any_text()) {
        let words = ends.map(|end| format!("q7Z-{end}-k{end}"));
        let secrets = with_words([&words[0], &words[1], &words[2], &words[3]]);
        let platform = Release::Slackware15.platform();
        let site = full_site();
        let lay_out = |secrets: &Secrets| layout(&site, &platform, secrets, &Facts::default()).unwrap();
        let before = format!("q7Z-before-{old}");
        let shelf = lay_out(&with_words([&before; 4]))
            .items
            .iter()
            .filter_map(|item| match &item.resource {
                jitsi_install::resource::Resource::File(file) => match &file.content {
                    jitsi_install::resource::Content::Bytes(bytes) => Some((file.path.to_string(), bytes.clone())),
                    jitsi_install::resource::Content::Made(_) | jitsi_install::resource::Content::Block(_) => None,
                },
                _ => None,
            })
            .collect();
        let wanted = lay_out(&secrets);
        for machine in [Shelf(BTreeMap::new()), Shelf(shelf)] {
            let plan = plan(&wanted, &machine, &BTreeMap::new());
            let paint = Paint(false);
            let shown = [show::table(&plan, paint, true), show::diffs(&plan, paint), show::json(&plan).to_string()];
            for word in words.iter().chain([&before]) {
                for form in forms(word) {
                    for text in &shown {
                        prop_assert!(!text.contains(&form), "{form:?} of {word:?} is shown");
                    }
                }
            }
        }
    }
}
