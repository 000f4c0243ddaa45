//! What administrators change without a restart.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::form::Fields;
use super::view::Moment;
use crate::account::act::settings::{self, Unsaved};
use crate::account::policy::{Fault as PolicyFault, Policy, Problem, Registration};
use crate::web::answer::Answer;
use crate::web::guard::Admin;

/// Names of the lists, with the key of the hint.
const LISTS: [(&str, &str); 3] = [
    ("allowed_domains", "list.hint"),
    ("blocked_domains", "list.hint"),
    ("blocked_addresses", "addresses.hint"),
];

/// Names of the numbers of days or hours, with their bounds.
const DAYS: [(&str, i64, i64); 4] = [
    ("confirm_days", 1, 90),
    ("approve_days", 1, 3650),
    ("audit_days", 0, 36_500),
    ("digest_hours", 0, 168),
];

/// What stands in the fields.
type Form = serde_json::Map<String, Value>;

/// `GET /admin/settings`
pub async fn show(admin: Admin) -> Answer {
    let current = settings::current(&admin.app.office).await?;
    let form = filled(&current.policy);
    page(&admin, &current, form, Vec::new()).await
}

async fn page(
    admin: &Admin,
    current: &settings::Current,
    form: Form,
    wrong: Vec<(&'static str, String)>,
) -> Answer {
    let is_wrong = |name: &str| wrong.iter().any(|(field, _)| *field == name);
    let lists: Vec<Value> = LISTS
        .iter()
        .map(|(name, hint)| {
            json!({ "name": name, "hint": hint, "value": form[*name], "is_wrong": is_wrong(name) })
        })
        .collect();
    let days: Vec<Value> = DAYS
        .iter()
        .map(|(name, min, max)| {
            json!({
                "name": name, "value": form[*name], "min": min, "max": max,
                "is_wrong": is_wrong(name),
            })
        })
        .collect();
    let changed = current.saved.as_ref();
    let changed =
        changed.map(|(when, who)| json!({ "when": Moment::of(*when).text(), "who": who }));
    let told: Vec<Value> = wrong
        .iter()
        .map(|(field, text)| json!({ "field": field, "text": text }))
        .collect();
    let status = if wrong.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    admin
        .page("admin/settings.html")
        .status(status)
        .with("section", "settings")
        .with("modes", &["open", "approval", "invite", "closed"])
        .with("form", &form)
        .with("lists", &lists)
        .with("days", &days)
        .with("changed", &changed)
        .with("seen", &current.seen)
        .with("wrong", &told)
        .answer()
}

/// `POST /admin/settings`
pub async fn save(admin: Admin, fields: Fields) -> Answer {
    let office = &admin.app.office;
    let problems = match read(&fields) {
        Ok(policy) => {
            match settings::save(office, &admin.actor(), policy, fields.get("seen")).await {
                Ok(_) => return admin.go("/admin/settings").say("admin.said.saved").answer(),
                Err(Unsaved::Store(error)) => return Err(error.into()),
                Err(Unsaved::Wrong(problems)) => in_words(&admin, &problems),
                Err(Unsaved::Stale) => {
                    vec![("", say(&admin, "admin.settings.wrong.stale", ""))]
                }
            }
        }
        Err(problems) => problems
            .into_iter()
            .map(|(field, value)| (field, say(&admin, "admin.settings.wrong.number", &value)))
            .collect(),
    };
    let current = settings::current(office).await?;
    page(&admin, &current, typed(&fields), problems).await
}

/// The policy that was typed.
fn read(fields: &Fields) -> Result<Policy, Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let mut days = |name: &'static str| {
        fields.trimmed(name).parse::<i64>().unwrap_or_else(|_| {
            wrong.push((name, crate::name::excerpt(fields.get(name))));
            0
        })
    };
    let policy = Policy {
        mode: match fields.get("mode") {
            "open" => Registration::Open,
            "approval" => Registration::Approval,
            "invite" => Registration::Invite,
            _ => Registration::Closed,
        },
        allowed_domains: fields.lines("allowed_domains"),
        blocked_domains: fields.lines("blocked_domains"),
        blocked_addresses: fields.lines("blocked_addresses"),
        terms_url: fields.trimmed("terms_url").to_owned(),
        ask_reason: fields.ticked("ask_reason"),
        confirm_days: days("confirm_days"),
        approve_days: days("approve_days"),
        audit_days: days("audit_days"),
        digest_hours: days("digest_hours"),
    };
    if wrong.is_empty() {
        Ok(policy)
    } else {
        Err(wrong)
    }
}

fn filled(policy: &Policy) -> Form {
    let mut form = Form::new();
    let value = serde_json::to_value(policy).unwrap_or_default();
    for (name, value) in value.as_object().into_iter().flatten() {
        let shown = match value {
            Value::Array(lines) => {
                let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                lines.join("\n").into()
            }
            Value::Number(number) => number.to_string().into(),
            other => other.clone(),
        };
        form.insert(name.clone(), shown);
    }
    form
}

fn typed(fields: &Fields) -> Form {
    let mut form = Form::new();
    let lists = LISTS.iter().map(|(name, _)| *name);
    let days = DAYS.iter().map(|(name, _, _)| *name);
    for name in lists.chain(days).chain(["mode", "terms_url"]) {
        form.insert(name.into(), fields.get(name).into());
    }
    form.insert("ask_reason".into(), fields.ticked("ask_reason").into());
    form
}

fn in_words(admin: &Admin, problems: &[Problem]) -> Vec<(&'static str, String)> {
    let words = |problem: &Problem| {
        let fault: PolicyFault = problem.fault;
        let key = format!("admin.settings.wrong.{}", fault.as_str());
        (problem.field, say(admin, &key, &problem.value))
    };
    problems.iter().map(words).collect()
}

fn say(admin: &Admin, key: &str, value: &str) -> String {
    let texts = &admin.app.office.texts;
    texts.say(admin.language, key, &[("value", value)])
}
