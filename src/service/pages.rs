//! Server-side includes carried out at install time, for a web server that knows none (Caddy).
//!
//! The pages of the web app are put together from fragments by `<!--#include virtual="…" -->`, and
//! `config.js` itself is included into a script. The dialect is the one that nginx reads and that
//! upstream's pages use: a path from the root, or from the folder of the including file. Nothing is
//! looked up outside the two maps, so a page cannot name a file of the machine.

use std::collections::BTreeMap;

/// Deeper nesting than this is taken for a mistake; upstream's pages nest once.
const DEEPEST: usize = 5;

const START: &str = "<!--#";
const END: &str = "-->";

/// Pages ready to be served, and what was left empty on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// Text by path; the paths are spelled as they were handed in.
    pub pages: BTreeMap<String, String>,
    /// Includes of files that are not there, one sentence each, sorted, each once.
    pub notes: Vec<String>,
}

/// A page that cannot be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// A file includes itself, at once or on a detour.
    #[error("pages include each other in a circle: {}", chain(.0))]
    Circle(Vec<String>),
    /// More than five files inside each other.
    #[error("includes are nested deeper than {DEEPEST} files: {}", chain(.0))]
    TooDeep(Vec<String>),
    /// A path with `..` or the like.
    #[error("`{page}` includes `{path}`, which leaves the web application's folder")]
    Outside {
        /// The including file.
        page: String,
        /// What it asks for.
        path: String,
    },
}

/// Resolves the includes of every HTML file in `pages` that has one, and of `index.html`.
///
/// Keys of `pages` are paths below the root, with or without a leading `/`. `virtuals` maps a path
/// with its leading `/` to a script that stands in no file of the web app (`/config.js`); it goes
/// before a file of that name, and its text is made unable to end the `<script>` around it. A file
/// that is missing counts as empty and is noted; any directive but `include` becomes empty, as does
/// `echo` under nginx when nothing is set.
///
/// # Errors
/// A circle, too deep a nesting, or a path that leaves the root.
pub fn prerender(
    pages: &BTreeMap<String, String>,
    virtuals: &BTreeMap<String, String>,
) -> Result<Pages, PageError> {
    let files = pages
        .iter()
        .map(|(name, text)| (rooted(name), text.as_str()))
        .collect();
    let mut press = Press {
        files,
        virtuals,
        notes: Vec::new(),
    };
    let mut done = BTreeMap::new();
    for (name, text) in pages {
        let path = rooted(name);
        let wanted = path == "/index.html" || (path.ends_with(".html") && has_include(text));
        if wanted {
            done.insert(name.clone(), press.put_together(&mut vec![path], text)?);
        }
    }
    press.notes.sort();
    press.notes.dedup();
    Ok(Pages {
        pages: done,
        notes: press.notes,
    })
}

struct Press<'a> {
    files: BTreeMap<String, &'a str>,
    virtuals: &'a BTreeMap<String, String>,
    notes: Vec<String>,
}

impl Press<'_> {
    /// `text` with its directives carried out; `open` holds the files being read, outermost first.
    fn put_together(&mut self, open: &mut Vec<String>, text: &str) -> Result<String, PageError> {
        let mut out = String::with_capacity(text.len());
        for part in parts(text) {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Include(target) => out.push_str(&self.include(open, target)?),
                Part::Other => {}
            }
        }
        Ok(out)
    }

    fn include(&mut self, open: &mut Vec<String>, target: &str) -> Result<String, PageError> {
        let page = open.last().cloned().unwrap_or_default();
        let Some(path) = resolve(&page, target) else {
            return Err(PageError::Outside {
                page,
                path: target.to_owned(),
            });
        };
        if let Some(script) = self.virtuals.get(&path) {
            return Ok(inside_script(script));
        }
        let is_open = open.contains(&path);
        let Some(text) = self.files.get(&path).copied() else {
            self.notes
                .push(format!("`{page}` includes `{path}`, which is missing"));
            return Ok(String::new());
        };
        open.push(path);
        if is_open {
            return Err(PageError::Circle(open.clone()));
        }
        if open.len() > DEEPEST + 1 {
            return Err(PageError::TooDeep(open.clone()));
        }
        let text = self.put_together(open, text)?;
        open.pop();
        Ok(text)
    }
}

enum Part<'a> {
    Text(&'a str),
    Include(&'a str),
    Other,
}

/// Cuts a text at its directives. One that is not closed is text.
fn parts(mut text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while let Some((before, rest)) = text.split_once(START) {
        let Some((inside, after)) = rest.split_once(END) else {
            break;
        };
        parts.push(Part::Text(before));
        parts.push(included(inside).map_or(Part::Other, Part::Include));
        text = after;
    }
    parts.push(Part::Text(text));
    parts
}

fn has_include(text: &str) -> bool {
    parts(text)
        .iter()
        .any(|part| matches!(part, Part::Include(_)))
}

/// The path of ` include virtual="PATH" `, in either kind of quotes, among other parameters or not.
fn included(directive: &str) -> Option<&str> {
    let mut rest = directive.trim().strip_prefix("include")?;
    if !rest.starts_with(char::is_whitespace) {
        return None;
    }
    loop {
        let (name, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, more) = value[1..].split_once(quote)?;
        if name.trim() == "virtual" {
            return Some(value);
        }
        rest = more;
    }
}

/// The path from the root that `target` means in file `page`, or nothing when it would leave it.
fn resolve(page: &str, target: &str) -> Option<String> {
    let target = target.split(['?', '#']).next().unwrap_or_default();
    let whole = if target.starts_with('/') {
        target.to_owned()
    } else {
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{target}")
    };
    if whole.contains(['\\', '%']) || whole.chars().any(char::is_control) {
        return None;
    }
    let mut path = String::new();
    for part in whole.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            return None;
        }
        path.push('/');
        path.push_str(part);
    }
    Some(path)
}

fn rooted(name: &str) -> String {
    format!("/{}", name.trim_start_matches('/'))
}

/// A script's text that can stand between `<script>` and `</script>`. What would end the element, or
/// let HTML take the rest for a comment, gets a backslash, which changes nothing inside a string.
fn inside_script(script: &str) -> String {
    let bare: String = parts(script)
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(*text),
            Part::Include(_) | Part::Other => None,
        })
        .collect();
    let mut safe = String::with_capacity(bare.len());
    let mut rest = bare.as_str();
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        safe.push_str(before);
        safe.push('<');
        rest = &from[1..];
        let ends = rest
            .get(..7)
            .is_some_and(|word| word.eq_ignore_ascii_case("/script"));
        if ends || rest.starts_with("!--") {
            safe.push('\\');
        }
    }
    safe.push_str(rest);
    safe
}

fn chain(open: &[String]) -> String {
    open.iter()
        .map(|path| format!("`{path}`"))
        .collect::<Vec<_>>()
        .join(" → ")
}

#[cfg(test)]
mod tests;
