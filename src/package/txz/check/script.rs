//! `install/doinst.sh` as `installpkg` runs it and `removepkg` reads it: in the root of the system, with
//! paths that are relative to it.

use std::collections::BTreeMap;

/// What it does, and the rules that it breaks.
pub struct Read {
    /// Links that it makes, and their texts.
    pub links: BTreeMap<String, String>,
    pub faults: Vec<String>,
    /// All of it, with words as the shell reads them.
    pub text: String,
}

pub fn read(bytes: &[u8]) -> Read {
    let mut read = Read {
        links: BTreeMap::new(),
        faults: Vec::new(),
        text: String::new(),
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        read.faults.push("it is not UTF-8".to_owned());
        return read;
    };
    read.text = text.replace('\\', "");
    let mut removed = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if let Some((path, made)) = link(line) {
            let before = removed.take();
            match made {
                None => removed = Some(path.clone()),
                Some(_) if before.as_ref() != Some(&path) => read.faults.push(format!(
                    "it makes the link `{path}` without removing it first"
                )),
                Some(target) => {
                    if read.links.insert(path.clone(), target).is_some() {
                        read.faults
                            .push(format!("it makes the link `{path}` twice"));
                    }
                }
            }
            if path.split('/').any(|part| part == "..") || path.starts_with('/') {
                read.faults
                    .push(format!("its link `{path}` leads out of the root"));
            }
            continue;
        }
        if line.starts_with("( cd ") {
            let line = line.escape_debug();
            read.faults
                .push(format!("pkgtools do not understand the line `{line}`"));
        }
        if line.trim_start().starts_with('#') {
            continue;
        }
        for word in absolute(line) {
            let number = number + 1;
            read.faults.push(format!(
                "line {number} has the absolute path `{word}`; it runs in a root that may be elsewhere"
            ));
        }
    }
    read
}

/// `( cd FOLDER ; rm -rf NAME )` is a path, and `( cd FOLDER ; ln -sf TEXT NAME )` a path with a text.
fn link(line: &str) -> Option<(String, Option<String>)> {
    let inner = line.strip_prefix("( cd ")?.strip_suffix(" )")?;
    let (folder, command) = inner.split_once(" ; ")?;
    let folder = words(folder)?;
    let [folder] = folder.as_slice() else {
        return None;
    };
    let path = |name: &String| {
        if folder == "." {
            name.clone()
        } else {
            format!("{folder}/{name}")
        }
    };
    match words(command)?.as_slice() {
        [rm, rf, name] if rm == "rm" && rf == "-rf" => Some((path(name), None)),
        [ln, sf, text, name] if ln == "ln" && sf == "-sf" => Some((path(name), Some(text.clone()))),
        _ => None,
    }
}

/// Plain words with backslashes; `None` when the shell would do more than that with them.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.push(chars.next()?),
            ' ' if !word.is_empty() => words.push(std::mem::take(&mut word)),
            ' ' => {}
            '~' | '\'' | '"' | '$' | '`' | '*' | '?' | '[' | ';' | '&' | '|' | '<' | '>' | '('
            | ')' | '{' | '}' | '#' | '!' => return None,
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    Some(words)
}

/// Absolute paths in a line, other than `/dev/null`.
fn absolute(line: &str) -> Vec<&str> {
    let is_gap = |c: char| c.is_whitespace() || "\"'`=<>|&;:(){}".contains(c);
    line.match_indices('/')
        .filter(|(at, _)| line[..*at].chars().next_back().is_none_or(is_gap))
        .map(|(at, _)| {
            let rest = &line[at..];
            &rest[..rest.find(is_gap).unwrap_or(rest.len())]
        })
        .filter(|word| *word != "/dev/null")
        .collect()
}
