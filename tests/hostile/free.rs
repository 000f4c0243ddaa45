//! `[meet.config]` and `[meet.interface]`: keys and values of the administrator's choice, to any
//! depth, as a browser has them in the end.

use std::fs;
use std::path::PathBuf;

use jitsi_install::platform::Release;
use jitsi_install::service::{Context, Facts};
use jitsi_install::site;
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::proving::{browser, fixed_secrets};
use crate::values::{any_text, folder, hostile, samples, toml_string};

/// Random JSON that TOML can say too and JavaScript does not round.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any_text().prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        (-(1i64 << 53)..(1i64 << 53)).prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            any_map(inner).prop_map(Value::Object),
        ]
    })
}

fn any_map(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof!["[a-zA-Z][a-zA-Z0-9]{0,8}", any_text()];
    prop::collection::btree_map(key, inner, 0..4).prop_map(|map| map.into_iter().collect())
}

fn toml_value(value: &Value) -> String {
    match value {
        Value::String(text) => toml_string(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_string(key), toml_value(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Number(number) => {
            // TOML has no `1e5`, and its decimal numbers have a point.
            number.as_i64().map_or_else(
                || format!("{:?}", number.as_f64().unwrap()),
                |n| n.to_string(),
            )
        }
        Value::Bool(_) | Value::Null => value.to_string(),
    }
}

/// Keys that the site file refuses: JavaScript would lose them, or they are ours.
const REFUSED: &[&str] = &[
    "__proto__",
    "hosts",
    "bosh",
    "websocket",
    "websocketKeepAliveUrl",
];

fn has_key(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| key == name || has_key(value, name)),
        Value::Array(items) => items.iter().any(|item| has_key(item, name)),
        _ => false,
    }
}

/// Equal, numbers as JavaScript has them.
fn same(seen: &Value, wanted: &Value) -> bool {
    match (seen, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && b.iter()
                    .all(|(key, b)| a.get(key).is_some_and(|a| same(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Number(a), Value::Number(b)) => {
            // The test's own JSON reader may be one bit off.
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= b.abs() * 1e-12
        }
        _ => seen == wanted,
    }
}

fn cases() -> Vec<Map<String, Value>> {
    let mut cases: Vec<Map<String, Value>> = hostile()
        .into_iter()
        .flat_map(|text| {
            let nested = serde_json::json!({ "a": { "b": [{ text.clone(): [text.clone()] }] } });
            let Value::Object(nested) = nested else {
                unreachable!()
            };
            [
                Map::from_iter([(text.clone(), Value::from(text.clone()))]),
                nested,
            ]
        })
        .collect();
    cases.extend(samples(any_map(any_value()), 150));
    cases
}

#[test]
fn keys_and_values_arrive_or_are_refused() {
    let (_keep, folder) = folder();
    let secrets = fixed_secrets();
    let mut written: Vec<(Map<String, Value>, Vec<PathBuf>)> = Vec::new();
    let mut refused = 0;
    for (number, map) in cases().into_iter().enumerate() {
        let keys: String = map
            .iter()
            .map(|(key, value)| format!("{} = {}\n", toml_string(key), toml_value(value)))
            .collect();
        let text = format!(
            "schema = 1\ndomain = \"meet.example.org\"\n[meet.config]\n{keys}[meet.interface]\n{keys}"
        );
        let whole = Value::Object(map.clone());
        let site = match site::parse(&text) {
            Ok(site) => site,
            Err(error) => {
                let ours = REFUSED[1..].iter().any(|key| map.contains_key(*key));
                assert!(ours || has_key(&whole, REFUSED[0]), "{error}\n{text}");
                refused += 1;
                continue;
            }
        };
        assert!(
            !has_key(&whole, "__proto__"),
            "`__proto__` would be lost: {text}"
        );
        let platform = Release::ALL[number % 4].platform();
        let facts = Facts::default();
        let context = Context::new(&site, &platform, &secrets, &facts);
        let files = ["config.js", "interface_config.js"].map(|name| {
            let file = folder.join(format!("{number}-{name}"));
            let text = context.render(&format!("meet/{name}")).unwrap();
            let lower = text.to_lowercase();
            assert!(
                !lower.contains("</script") && !lower.contains("<!--# include"),
                "{text}"
            );
            assert!(lower.matches("<!--").count() <= 1, "{text}");
            fs::write(&file, text).unwrap();
            file
        });
        written.push((map, files.to_vec()));
    }
    assert!(
        refused >= 2 && written.len() > 250,
        "{refused} refused, {} written",
        written.len()
    );
    let orders: Vec<_> = written
        .iter()
        .map(|(_, files)| (files.clone(), Some("/Room")))
        .collect();
    let Some(seen) = browser::scripts(&orders) else {
        return;
    };
    for ((map, _), world) in written.iter().zip(&seen) {
        for (key, value) in map {
            for name in ["config", "interfaceConfig"] {
                // Tables are merged into ours, of which there is `p2p` alone.
                let arrived = world[name]
                    .get(key)
                    .is_some_and(|seen| same(seen, value) || key == "p2p");
                assert!(
                    arrived,
                    "{name}[{key:?}] should be {value} and is {:?}",
                    world[name].get(key)
                );
            }
        }
        let names = serde_json::json!(["config", "interfaceConfig", "location"]);
        assert_eq!(world["names"], names, "a global of somebody else's");
    }
}
