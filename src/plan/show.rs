//! A plan for people and for programs: table, unified diffs, JSON. Secrets are veiled here, once,
//! in everything that leaves; the callers print the text as it is.

use std::fmt::Write as _;

use serde_json::json;
use similar::TextDiff;

use super::{Action, Plan, Reason, State, Step};
use crate::command::terminal::Paint;
use crate::secret::Secret;

/// Dots that stand for a secret.
pub const DOTS: &str = "••••••";

/// Replaces every secret word, as it is or as a quoted literal would escape it.
#[must_use]
pub fn veil(text: &str, words: &[Secret<String>]) -> String {
    let mut forms: Vec<String> = Vec::new();
    for word in words.iter().map(Secret::reveal) {
        forms.push(word.clone());
        for escape in [
            crate::render::literal::lua,
            crate::render::literal::hocon,
            crate::render::literal::script,
        ] {
            let mut form = Vec::new();
            if escape(word, &mut form).is_ok()
                && let Ok(form) = String::from_utf8(form)
            {
                forms.push(form[1..form.len() - 1].to_owned());
            }
        }
    }
    forms.retain(|form| !form.trim().is_empty());
    // Longer ones first: one word may be a part of another.
    forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    forms.dedup();
    let mut veiled = text.to_owned();
    for form in forms {
        veiled = veiled.replace(&form, DOTS);
    }
    veiled
}

/// [`veil`] for a configuration file, which also veils whatever it gives to a key that is called a
/// password or a secret: one that was replaced, or is somebody else's, is in no list of words.
fn veil_file(text: &str, words: &[Secret<String>]) -> String {
    veil(text, words)
        .split_inclusive('\n')
        .map(|line| veiled_value(line).unwrap_or_else(|| line.to_owned()))
        .collect()
}

/// The line with dots for its value, when it is `KEY = VALUE`, `KEY: VALUE` or `KEY VALUE` in quotes
/// and the key has `password` or `secret` in it. Lists and tables stay: they name accounts.
fn veiled_value(line: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let at = ["password", "secret"]
        .iter()
        .filter_map(|word| Some(lower.find(word)? + word.len()))
        .min()?;
    let key_end = at + line[at..].find(|c: char| !(c.is_alphanumeric() || "_-.\"'".contains(c)))?;
    let rest = line[key_end..].trim_start_matches([' ', '\t']);
    let value = rest
        .strip_prefix(['=', ':'])
        .map(|value| value.trim_start_matches([' ', '\t']))
        .or_else(|| rest.starts_with(['"', '\'']).then_some(rest))?;
    let body = value.trim_end_matches(['\n', '\r']);
    let is_quoted = body.starts_with(['"', '\'']);
    let is_comment = ["#", "//", "--"]
        .iter()
        .any(|mark| line.trim_start().starts_with(mark));
    let is_prose = is_comment && !is_quoted && body.contains(' ');
    if body.is_empty() || body.starts_with(['{', '[']) || is_prose {
        return None;
    }
    let start = line.len() - value.len();
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''));
    let quote = quote.map(String::from).unwrap_or_default();
    Some(format!(
        "{}{quote}{DOTS}{quote}{}",
        &line[..start],
        &value[body.len()..]
    ))
}

fn sign(action: Action, paint: Paint) -> String {
    match action {
        Action::Create => paint.paint(32, "+"),
        Action::Change => paint.paint(33, "~"),
        Action::Remove => paint.paint(31, "-"),
        Action::Blocked => paint.paint(31, "!"),
        Action::Keep => "=".to_owned(),
        Action::Machine => ".".to_owned(),
    }
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Change => "change",
        Action::Remove => "remove",
        Action::Blocked => "blocked",
        Action::Keep => "keep",
        Action::Machine => "machine",
    }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Same => "in order",
        Reason::Asked => "asked",
        Reason::Drifted => "drifted",
        Reason::Foreign => "was here before",
    }
}

/// The table: a line for each thing that would be done, then remarks and a sum.
#[must_use]
pub fn table(plan: &Plan, paint: Paint, all: bool) -> String {
    let mut out = String::new();
    let shown = |step: &&Step| match step.action {
        Action::Machine => false,
        Action::Keep => all || !step.remark.is_empty(),
        Action::Create | Action::Change | Action::Remove | Action::Blocked => true,
    };
    for step in plan.steps.iter().filter(shown) {
        let place = match &step.path {
            Some(path) => path.to_string(),
            None => step
                .id
                .split_once(' ')
                .map_or_else(String::new, |(_, name)| name.to_owned()),
        };
        let mut notes = Vec::new();
        if !matches!(step.reason, Reason::Asked | Reason::Same) {
            notes.push(reason(step.reason).to_owned());
        }
        if let Some(mark) = &step.mark
            && !mark.mode.is_empty()
            && step.action == Action::Create
        {
            notes.push(format!("{} {}", mark.mode, mark.owner));
        }
        if !step.remark.is_empty() {
            notes.push(step.remark.clone());
        }
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!("  ({})", notes.join("; "))
        };
        let _ = writeln!(
            out,
            "  {} {:<7} {:<4} {place}{notes}",
            sign(step.action, paint),
            verb(step.action),
            step.kind
        );
    }
    for (kind, title) in [
        ("package", "packages"),
        ("group", "groups"),
        ("user", "users"),
        ("service", "services"),
        ("database", "databases"),
    ] {
        let names: Vec<&str> = plan
            .steps
            .iter()
            .filter(|step| step.action == Action::Machine && step.kind == kind)
            .filter_map(|step| step.id.split_once(' ').map(|(_, name)| name))
            .collect();
        if !names.is_empty() {
            let _ = writeln!(
                out,
                "  . left to the machine that uses this tree, {title}: {}",
                names.join(", ")
            );
        }
    }
    if !plan.unknown_owners.is_empty() {
        let _ = writeln!(
            out,
            "  . owners noted in the manifest, since this root or this user cannot give files to them: {}",
            plan.unknown_owners.join(", ")
        );
    }
    for remark in &plan.remarks {
        let _ = writeln!(out, "  . {remark}");
    }
    let _ = writeln!(out, "{}", sum(plan));
    veil(&out, &plan.veiled)
}

/// The sum on one line.
#[must_use]
pub fn sum(plan: &Plan) -> String {
    let blocked = plan.count(Action::Blocked);
    format!(
        "{} to create, {} to change, {} to remove, {} in order{}",
        plan.count(Action::Create),
        plan.count(Action::Change),
        plan.count(Action::Remove),
        plan.count(Action::Keep),
        if blocked == 0 {
            String::new()
        } else {
            format!(", {blocked} blocked")
        }
    )
}

/// Unified diffs of every file that would change; contents that must not be shown are named only.
#[must_use]
pub fn diffs(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        let Some(text) = diff(step, &plan.veiled) else {
            continue;
        };
        for line in text.lines() {
            let code = match line.as_bytes().first() {
                Some(b'+') => 32,
                Some(b'-') => 31,
                Some(b'@') => 36,
                _ => 0,
            };
            let line = if code == 0 {
                line.to_owned()
            } else {
                paint.paint(code, line)
            };
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

fn diff(step: &Step, words: &[Secret<String>]) -> Option<String> {
    if !matches!(step.action, Action::Create | Action::Change)
        || !matches!(step.kind, "file" | "block")
    {
        return None;
    }
    let path = step.path.as_ref()?;
    let old = match &step.before {
        State::File { bytes, .. } => Some(bytes.as_slice()),
        State::Absent
        | State::Dir { .. }
        | State::Link { .. }
        | State::Present
        | State::Package(_)
        | State::Service { .. }
        | State::Database { .. } => None,
    };
    let State::File { bytes: new, .. } = step.after.as_ref()? else {
        return None;
    };
    if step.veiled || step.recipe.is_some() {
        let what = step
            .recipe
            .as_ref()
            .map_or("secret contents", crate::recipe::Recipe::describe);
        return Some(format!("--- {path}\n+++ {path}\n({what}, not shown)"));
    }
    if old == Some(new.as_slice()) {
        return None;
    }
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let (Some(old_text), Some(new_text)) = (text(old.unwrap_or_default()), text(new)) else {
        return Some(format!(
            "--- {path}\n+++ {path}\n(binary contents, not shown)"
        ));
    };
    let (old_text, new_text) = (veil_file(&old_text, words), veil_file(&new_text, words));
    if old_text == new_text {
        return Some(format!("--- {path}\n+++ {path}\n(a secret in it changes)"));
    }
    let from = if old.is_some() {
        path.to_string()
    } else {
        "/dev/null".to_owned()
    };
    let unified = TextDiff::from_lines(&old_text, &new_text)
        .unified_diff()
        .context_radius(3)
        .header(&from, path.as_str())
        .to_string();
    Some(unified.trim_end().to_owned())
}

/// The plan as JSON.
#[must_use]
pub fn json(plan: &Plan) -> serde_json::Value {
    let steps: Vec<serde_json::Value> = plan
        .steps
        .iter()
        .map(|step| {
            json!({
                "id": step.id,
                "kind": step.kind,
                "path": step.path.as_ref().map(ToString::to_string),
                "service": step.service,
                "action": step.action,
                "reason": step.reason,
                "remark": veil(&step.remark, &plan.veiled),
                "mode": step.mark.as_ref().map(|mark| mark.mode.clone()).filter(|mode| !mode.is_empty()),
                "owner": step.mark.as_ref().map(|mark| mark.owner.clone()).filter(|owner| !owner.is_empty()),
                "diff": diff(step, &plan.veiled),
            })
        })
        .collect();
    json!({
        "changes": plan.changes(),
        "summary": {
            "create": plan.count(Action::Create),
            "change": plan.count(Action::Change),
            "remove": plan.count(Action::Remove),
            "keep": plan.count(Action::Keep),
            "blocked": plan.count(Action::Blocked),
        },
        "remarks": plan.remarks.iter().map(|remark| veil(remark, &plan.veiled)).collect::<Vec<_>>(),
        "unknown_owners": plan.unknown_owners,
        "steps": steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_word_does_not_spoil_the_whole() {
        let words = ["abc", "abcdef", "x\"y", " "].map(|word| Secret::new(word.to_owned()));
        assert_eq!(
            veil("abcdef abc 'x\\\"y' x\"y", &words),
            format!("{DOTS} {DOTS} '{DOTS}' {DOTS}")
        );
    }

    #[test]
    fn a_password_that_nobody_knows_is_veiled_in_a_file() {
        for (line, shown) in [
            ("  app_secret = \"old\"", "  app_secret = \"••••••\""),
            (
                "    password = \"old\" # x\n",
                "    password = \"••••••\"\n",
            ),
            ("PASSWORD: old,\n", "PASSWORD: ••••••\n"),
            ("\"password\": \"old\"", "\"password\": \"••••••\""),
            ("JVB_SECRET=old", "JVB_SECRET=••••••"),
            ("key-store-password old", "key-store-password old"),
            (
                "key-store-password \"old\"",
                "key-store-password \"••••••\"",
            ),
            ("# password = old", "# password = ••••••"),
            (
                "# its own password: there is",
                "# its own password: there is",
            ),
            (
                "muc_password_whitelist = { \"a@b\" }",
                "muc_password_whitelist = { \"a@b\" }",
            ),
            ("no secret here", "no secret here"),
        ] {
            assert_eq!(veil_file(line, &[]), shown);
        }
    }
}
