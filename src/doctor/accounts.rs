//! Service accounts, their secrets, and what was changed by hand.

use super::{APPLY, Check, Probe, Question, Subject, seen, text_of};
use crate::name::AbsPath;
use crate::recipe::account;
use crate::service::logins;
use crate::service::prosody::site_file;
use crate::site::{Mode, Signature};

pub(super) const RECORDS: Question =
    Question::new("D-06", "the service accounts have their passwords");
pub(super) const ROSTER: Question = Question::new("D-07", "focus is seen by its component");
pub(super) const DRIFT: Question = Question::new("D-43", "everything is as it was laid out");
pub(super) const SECRETS: Question = Question::new("D-46", "secrets are long and private");

/// Fewest characters of a secret.
const LEAST: usize = 32;

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    vec![
        records(subject, probe),
        roster(subject, probe),
        drift(subject),
        secrets(subject, probe),
    ]
}

fn store(subject: &Subject<'_>) -> AbsPath {
    let context = subject.context;
    let name = context.hosts.auth.as_store_name();
    context.platform.prosody.data.join(&name)
}

/// Where Prosody keeps an account.
pub(super) fn record(subject: &Subject<'_>, name: &str) -> AbsPath {
    store(subject).join(&format!("accounts/{name}.dat"))
}

fn records(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let secrets = subject.context.secrets;
    let mut faults = Vec::new();
    for (name, password) in [
        ("focus", &secrets.focus_password),
        ("jvb", &secrets.jvb_password),
    ] {
        let path = record(subject, name);
        match seen(probe, &path) {
            Ok(seen) if account::verifies(&seen.bytes, password.reveal()) => {}
            Ok(_) => faults.push(format!("`{path}` does not open with {name}'s password")),
            Err(why) => faults.push(why),
        }
    }
    RECORDS.faults(
        &faults,
        format!("focus and jvb at {}", subject.context.hosts.auth),
        APPLY,
    )
}

fn roster(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let path = store(subject).join("roster/focus.dat");
    let focus = &subject.context.hosts.focus;
    let text = match text_of(probe, &path) {
        Ok(text) => text,
        Err(why) => return ROSTER.bad(why, APPLY),
    };
    // Prosody writes one contact as `["NAME"] = { … ["subscription"] = "from"; … };`
    let contact = text.split_once(&format!("[\"{focus}\"] = {{"));
    let state = contact.and_then(|(_, rest)| {
        let value = rest.split_once("[\"subscription\"] = \"")?.1;
        value.split('"').next()
    });
    match state {
        Some("from" | "both") => ROSTER.good(format!("`{path}`: {focus} is subscribed")),
        _ => ROSTER.bad(
            format!(
                "`{path}` has no subscription of {focus}: it never learns that Jicofo is there"
            ),
            format!(
                "stop Prosody ({}); {APPLY}; then {}",
                subject.stop("prosody"),
                subject.start("prosody")
            ),
        ),
    }
}

fn drift(subject: &Subject<'_>) -> Check {
    let some = |what: &str, ids: &[String]| -> Option<String> {
        let first = ids.first()?;
        let more = match ids.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        Some(format!("{what}: {first}{more}"))
    };
    let found: Vec<String> = [
        some("changed by somebody else", &subject.drifted),
        some("asked for and not there yet", &subject.pending),
    ]
    .into_iter()
    .flatten()
    .collect();
    if found.is_empty() {
        return DRIFT.good("a plan finds nothing to do");
    }
    DRIFT.warn(
        found.join("; "),
        "`jitsi-install plan` shows it; `jitsi-install apply` replaces it, `keep` in the site file leaves it to you",
    )
}

/// Files with a secret in them, and the permission bits that they may not have.
fn private_files(subject: &Subject<'_>) -> Vec<(AbsPath, u32)> {
    let context = subject.context;
    let (platform, domain) = (context.platform, &context.site.domain);
    let certs = platform.prosody.config.join("certs");
    let mut files: Vec<(AbsPath, u32)> = [
        platform.jitsi_config.join(&format!("certs/{domain}.key")),
        certs.join(&format!("{domain}.key")),
        certs.join(&format!("{}.key", context.hosts.auth)),
        record(subject, "focus"),
        record(subject, "jvb"),
        context.config_dir("jicofo").join("jicofo.conf"),
        context.config_dir("videobridge").join("jvb.conf"),
        context.config_dir("videobridge").join("jvb.p12"),
        site_file(context),
    ]
    .into_iter()
    .map(|path| (path, 0o007))
    .collect();
    let own = match &platform.stage {
        Some(stage) => stage.base.join("etc/jitsi-install/secrets.toml"),
        None => AbsPath::fixed("/etc/jitsi-install/secrets.toml"),
    };
    files.push((own, 0o077));
    if let Signature::Hs256 {
        secret_file: Some(file),
    } = &context.site.auth.token.signature
    {
        files.push((file.clone(), 0o007));
    }
    if context.site.auth.mode == Mode::SqlHashed {
        files.extend(
            [logins::key_file(context), logins::password_file(context)].map(|path| (path, 0o007)),
        );
    }
    files
}

fn secrets(subject: &Subject<'_>, probe: &dyn Probe) -> Check {
    let context = subject.context;
    let secrets = context.secrets;
    let mut faults = Vec::new();
    for (name, secret) in [
        ("focus_password", &secrets.focus_password),
        ("jvb_password", &secrets.jvb_password),
        ("token_secret", context.token_secret()),
        ("keystore_password", &secrets.keystore_password),
    ] {
        let length = secret.reveal().chars().count();
        if length < LEAST {
            faults.push(format!(
                "`{name}` has {length} characters, fewer than {LEAST}"
            ));
        }
    }
    let short = faults.len();
    let files = private_files(subject);
    for (path, forbidden) in &files {
        // What is missing is another check's business.
        if let Ok(Some(seen)) = probe.file(path)
            && seen.mode.0 & forbidden != 0
        {
            faults.push(format!("`{path}` has mode {:04o}", seen.mode.0));
        }
    }
    let cure = if short > 0 {
        "remove the short line from `secrets.toml`, then `jitsi-install apply` makes a new one"
    } else {
        "`chmod o= FILE`, or `jitsi-install apply` for files of its own"
    };
    SECRETS.faults(&faults, "long enough, and no file is for everybody", cure)
}
