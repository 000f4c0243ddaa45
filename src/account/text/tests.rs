//! Catalogues compared with each other, and with the templates and the code that use them.

#![allow(clippy::disallowed_methods, reason = "a test reads the sources")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

fn texts() -> Texts {
    Texts::new("en", Overrides::default()).unwrap()
}

#[test]
fn the_browser_and_the_wish() {
    let texts = texts();
    assert_eq!(texts.choose(Some("de-AT,de;q=0.9,en;q=0.8"), None), "de");
    assert_eq!(texts.choose(Some("pt, fr;q=0.3, nl;q=0.7"), None), "nl");
    assert_eq!(texts.choose(Some("en;q=0, es"), None), "es");
    assert_eq!(texts.choose(Some("pt;q=1, *"), None), "en");
    assert_eq!(texts.choose(Some("de"), Some("FR_ca")), "fr");
    assert_eq!(texts.choose(Some("de"), Some("../../etc")), "de");
    let names: Vec<(&str, &str)> = texts.languages().collect();
    assert_eq!(names[0], ("en", "English"));
    assert_eq!(names[2], ("fr", "Français"));
}

#[test]
fn placeholders_are_filled_once_and_numbers_have_their_form() {
    assert_eq!(
        catalogue::fill("{a} and {b} {", &[("a", "{b}"), ("b", "2")]),
        "{b} and 2 {"
    );
    let texts = texts();
    let age =
        |language: &str, count: &str| texts.say(language, "admin.age.days", &[("count", count)]);
    assert_eq!(age("en", "1"), "1 day");
    assert_eq!(age("de", "0"), "0 Tage");
    assert_eq!(age("fr", "0"), "0 jour");
    assert_eq!(age("xx", "7"), "7 days");
    assert_eq!(texts.say("en", "no.such.text", &[]), "no.such.text");
}

/// The form for one may leave the number out.
#[test]
fn every_language_has_every_text_with_the_same_placeholders() {
    let words = catalogue::own().unwrap();
    let english = &words["en"];
    assert!(english.len() > 200, "only {} texts", english.len());
    let mut wrong = Vec::new();
    for language in catalogue::LANGUAGES {
        let theirs = &words[language];
        for (key, text) in english {
            let Some(other) = theirs.get(key) else {
                wrong.push(format!("{language} lacks `{key}`"));
                continue;
            };
            let [mut ours, mut others] = [text, other].map(|text| catalogue::placeholders(text));
            if key.ends_with(".one") {
                ours.remove("count");
                others.remove("count");
            }
            if ours != others {
                wrong.push(format!(
                    "{language} `{key}`: {others:?} instead of {ours:?}"
                ));
            }
            if other.trim().is_empty() || other.trim() != other {
                wrong.push(format!("{language} `{key}`: blanks at an end, or nothing"));
            }
        }
        for key in theirs.keys().filter(|key| !english.contains_key(*key)) {
            wrong.push(format!("{language} has `{key}`, which English lacks"));
        }
        for key in theirs.keys().filter_map(|key| key.strip_suffix(".one")) {
            if !theirs.contains_key(&format!("{key}.many")) {
                wrong.push(format!("{language} lacks `{key}.many`"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every text that a template or the code asks for exists, and every text is asked for.
#[test]
fn what_is_asked_for_exists_and_is_all() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in [
        "templates/web",
        "templates/mail",
        "src/web",
        "src/account",
        "src/desk",
    ] {
        read_all(&root.join(folder), &mut sources);
    }
    let english = catalogue::own().unwrap().remove("en").unwrap();
    let plain: BTreeSet<&str> = english
        .keys()
        .map(|key| {
            let form = key
                .strip_suffix(".one")
                .or_else(|| key.strip_suffix(".many"));
            form.unwrap_or(key)
        })
        .collect();
    let (mut asked, mut begun, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (path, text) in &sources {
        for (key, is_whole) in asked_in(text) {
            if is_whole {
                if !plain.contains(key) {
                    wrong.push(format!("{path}: there is no text `{key}`"));
                }
                asked.insert(key);
            } else {
                begun.insert(key);
            }
        }
        // In the code a key stands alone in quotes, or before a word that is put in its place.
        for word in text.split('"').filter(|_| path.ends_with(".rs")) {
            if plain.contains(word) {
                asked.insert(word);
            } else if plain.contains(format!("{word}.title").as_str()) {
                // A page with a title and a text.
                begun.insert(word);
            } else if let Some((before, _)) = word.split_once('{')
                && before.contains('.')
            {
                begun.insert(before);
            }
        }
    }
    for key in plain {
        let is_begun = begun.iter().any(|before| key.starts_with(before));
        if !asked.contains(key) && !is_begun && !key.starts_with("language.") {
            wrong.push(format!("nothing asks for `{key}`"));
        }
    }
    assert!(
        asked.len() > 100,
        "only {} texts are asked for",
        asked.len()
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Keys in `t(key="…")`; one that is put together (`"admin.state." ~ name`) is only begun.
fn asked_in(text: &str) -> Vec<(&str, bool)> {
    text.split("key=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(key, after)| (key, !after.trim_start().starts_with('~')))
        .filter(|(key, _)| key.contains('.'))
        .collect()
}

fn read_all(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            read_all(&path, into);
        } else if !name.contains("tests") && (name.ends_with(".rs") || name.contains("/templates/"))
        {
            into.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn an_administrators_texts_come_first() {
    let mut overrides = Overrides::default();
    overrides
        .add("locale/de.toml", "page.meetings = \"Zurück in den Saal\"")
        .unwrap();
    overrides
        .add(
            "mail/de/waiting.txt",
            "{{ t(key=\"mail.hello\") }} {{ login }}",
        )
        .unwrap();
    let texts = Texts::new("de", overrides).unwrap();
    assert_eq!(texts.choose(None, None), "de");
    assert_eq!(texts.say("de", "page.meetings", &[]), "Zurück in den Saal");
    assert_eq!(texts.say("fr", "page.meetings", &[]), "Retour aux réunions");
}

#[test]
fn wrong_files_are_refused_with_a_reason() {
    let refused = |path: &str, text: &str| {
        let mut overrides = Overrides::default();
        let read = overrides.add(path, text);
        read.and_then(|()| Texts::new("en", overrides).map(drop))
            .unwrap_err()
            .to_string()
    };
    let said = refused("locale/xx.toml", "");
    assert!(said.starts_with("`locale/xx.toml` is neither"), "{said}");
    let said = refused("locale/de.toml", "page.skip = ");
    assert!(said.starts_with("`locale/de.toml`: TOML"), "{said}");
    let said = refused("locale/de.toml", "page.skip = 3");
    assert!(said.contains("`page.skip` is no text"), "{said}");
    let said = refused("locale/de.toml", "page.skipp = \"x\"");
    assert!(said.contains("there is no text `page.skipp`"), "{said}");
    let said = refused("locale/de.toml", "page.signed_in_as = \"{user}\"");
    assert!(
        said.contains("has no value for `{user}`") && said.contains("{name}"),
        "{said}"
    );
    let said = refused("mail/de/unknown.txt", "");
    assert!(said.contains("neither"), "{said}");
    let said = refused("mail/de/confirm.html", "{{ link");
    assert!(
        said.starts_with("template `mail/de/confirm.html`"),
        "{said}"
    );
    let said = refused("mail/de/confirm.txt", "{{ lnk }}");
    assert!(said.contains("lnk"), "{said}");
    let said = refused("mail/de/confirm.txt", "{{ t(key=\"mail.nothing\") }}");
    assert!(said.contains("there is no text `mail.nothing`"), "{said}");
    assert!(Texts::new("xx", Overrides::default()).is_err());
}
