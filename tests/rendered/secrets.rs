//! Secrets: in no file that everybody may read, and in nothing that a plan shows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jitsi_install::command::terminal::Paint;
use jitsi_install::host::Machine;
use jitsi_install::layout::layout;
use jitsi_install::plan::{Plan, plan, show};
use jitsi_install::secret::{Secret, Secrets};
use jitsi_install::service::Facts;

use crate::stage::{Stage, stages};

/// Every secret text: words, and the first lines of each private key (what follows in an EC key is
/// the public one, which certificates hold too).
fn secret_texts(secrets: &Secrets, facts: &Facts) -> Vec<String> {
    let mut texts: Vec<String> = [
        &secrets.focus_password,
        &secrets.jvb_password,
        &secrets.token_secret,
        &secrets.keystore_password,
    ]
    .into_iter()
    .chain(&facts.token_secret)
    .map(|secret| secret.reveal().clone())
    .collect();
    let pairs = [
        &secrets.auth_certificate,
        &secrets.site_authority,
        &secrets.site_certificate,
    ];
    for pair in pairs.into_iter().chain(&facts.certificate) {
        texts.extend(
            pair.key
                .reveal()
                .lines()
                .filter(|line| !line.starts_with("-----"))
                .take(2)
                .map(str::to_owned),
        );
    }
    texts
}

#[test]
fn no_secret_is_for_everybody() {
    for stage in stages() {
        let texts = secret_texts(&stage.secrets, &stage.facts);
        assert!(texts.len() >= 8);
        let (mut holders, mut made) = (0, 0);
        for file in stage.files() {
            let bytes = fs::read(file.path.as_str()).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let held: Vec<&String> = texts
                .iter()
                .filter(|secret| text.contains(secret.as_str()))
                .collect();
            // A store and an account record hold theirs in a form that cannot be searched.
            let is_made = ["jvb.p12", "focus.dat", "jvb.dat"].contains(&file.path.file_name());
            if held.is_empty() && !is_made {
                continue;
            }
            let place = format!("{}: {}", stage.name, file.path);
            assert_eq!(
                file.mode.0 & 0o007,
                0,
                "{place} has a secret, and everybody may read it"
            );
            holders += 1;
            made += usize::from(is_made);
            let veiled = |secret: &String| {
                stage
                    .layout
                    .veiled
                    .iter()
                    .any(|word| word.reveal() == secret)
            };
            assert!(
                file.veiled || held.iter().all(|secret| veiled(secret)),
                "{place} has a secret that is shown"
            );
        }
        assert!(
            holders >= 7 && made >= 2,
            "{}: only {holders} files with secrets?",
            stage.name
        );
    }
}

/// Everything that can be shown of a plan.
fn shown(plan: &Plan) -> String {
    let paint = Paint(false);
    [
        show::table(plan, paint, true),
        show::diffs(plan, paint),
        show::diffs(plan, Paint(true)),
        show::json(plan).to_string(),
    ]
    .join("\n")
}

fn assert_silent(stage: &Stage, plan: &Plan, secrets: &[String], which: &str) {
    let text = shown(plan);
    for (number, secret) in secrets.iter().enumerate() {
        if let Some(at) = text.find(secret.as_str()) {
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            panic!(
                "{}: {which} plan shows secret {number}, after `{line}`",
                stage.name
            );
        }
    }
}

#[test]
fn no_plan_shows_a_secret() {
    let machine = Machine::open(Path::new("/")).unwrap();
    for stage in stages() {
        let old = secret_texts(&stage.secrets, &stage.facts);
        assert_silent(stage, &stage.plan, &old, "the first");

        // Everything secret changes at once, and a name, so that there are diffs to look at.
        let fresh = |name: &str| Secret::new(format!("another {name} \"with\" quotes, 0123456789"));
        let secrets = Secrets {
            focus_password: fresh("focus"),
            jvb_password: fresh("jvb"),
            token_secret: fresh("token"),
            keystore_password: fresh("keystore"),
            ..stage.secrets.clone()
        };
        let mut facts = stage.facts.clone();
        facts.token_secret = facts.token_secret.map(|_| fresh("shared"));
        let mut site = stage.site.clone();
        site.meet.app_name = "Another name".to_owned();
        site.prosody.c2s_port += 1;
        let wanted = layout(&site, &stage.platform, &secrets, &facts).unwrap();
        let changed = plan(&wanted, &machine, &BTreeMap::new());
        let mut all = secret_texts(&secrets, &facts);
        all.extend(old);
        all.extend(all.clone().iter().map(|secret| secret.replace('"', "\\\"")));
        assert!(
            show::diffs(&changed, Paint(false)).contains("+        APP_NAME: \"Another name\"")
        );
        assert_silent(stage, &changed, &all, "the changed");
    }
}
