//! `install/slack-desc`: what `installpkg` shows, eleven lines of it.

use crate::package::Meta;

/// Lines that a description has.
pub const LINES: usize = 11;

/// Characters that a line may have after `name: `.
pub const COLUMNS: usize = 70;

/// The whole file.
#[must_use]
pub fn text(meta: &Meta) -> String {
    let name = &meta.name;
    let margin = " ".repeat(name.len());
    let mut out = format!(
        "# {LINES} lines, each after `{name}:`, and none longer than the ruler.\n\
         {margin}|-----handy-ruler{}|\n",
        "-".repeat(COLUMNS - 16),
    );
    let mut lines = vec![title(meta), String::new()];
    lines.extend(body(meta));
    lines.resize(LINES, String::new());
    for line in lines {
        out.push_str(format!("{name}: {line}").trim_end());
        out.push('\n');
    }
    out
}

/// `name (summary)`; a summary that does not fit loses its last words.
fn title(meta: &Meta) -> String {
    let room = COLUMNS.saturating_sub(meta.name.chars().count() + 3);
    let lines = wrap(&meta.summary, room.max(1));
    let summary = lines.first().map_or("", String::as_str);
    format!("{} ({summary})", meta.name)
}

/// The description, then the homepage where there is room for it.
fn body(meta: &Meta) -> Vec<String> {
    let room = LINES - 2;
    let mut lines = Vec::new();
    for paragraph in meta.description.split("\n\n") {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(wrap(paragraph, COLUMNS));
    }
    if lines.len() > room {
        lines.truncate(room);
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        if let Some(last) = lines.last_mut() {
            let kept = last.chars().take(COLUMNS - 4).collect::<String>();
            *last = format!("{} ...", kept.trim_end());
        }
    } else if lines.len() + 2 <= room && meta.homepage.chars().count() <= COLUMNS {
        lines.resize(room - 1, String::new());
        lines.push(meta.homepage.clone());
    }
    lines
}

/// Words in lines of at most so many characters; a longer word is cut.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let visible: Vec<char> = word.chars().filter(|c| !c.is_control()).collect();
        for part in visible.chunks(columns) {
            if used > 0 && used + 1 + part.len() > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.extend(part);
            used += part.len();
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}
