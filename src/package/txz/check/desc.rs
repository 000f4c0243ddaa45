//! `install/slack-desc` as `installpkg` greps it.

/// Lines of a description.
const LINES: usize = 11;

/// Characters after `name: `.
const COLUMNS: usize = 70;

/// What it says, and the rules that it breaks.
pub struct Read {
    pub lines: Vec<String>,
    pub faults: Vec<String>,
}

pub fn read(name: &str, bytes: &[u8]) -> Read {
    let mut read = Read {
        lines: Vec::new(),
        faults: Vec::new(),
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        read.faults.push("it is not UTF-8".to_owned());
        return read;
    };
    let start = format!("{name}:");
    for line in text.lines() {
        if let Some(said) = line.strip_prefix(&start) {
            let said = said.strip_prefix(' ').unwrap_or(said);
            read.lines.push(said.to_owned());
        } else if !line.is_empty()
            && !line.starts_with('#')
            && !line.trim_start().starts_with("|-----handy-ruler-")
        {
            let line = line.escape_debug();
            read.faults
                .push(format!("the line `{line}` does not begin with `{start}`"));
        }
    }
    if read.lines.len() != LINES {
        let count = read.lines.len();
        read.faults
            .push(format!("it has {count} lines of `{start}`, not {LINES}"));
    }
    let title = read.lines.first().map_or("", String::as_str);
    let inner = title.strip_prefix(&format!("{name} ("));
    if !inner.is_some_and(|rest| rest.len() > 1 && rest.ends_with(')')) {
        read.faults
            .push(format!("its first line is not `{name}: {name} (…)`"));
    }
    for line in &read.lines {
        if line.chars().count() > COLUMNS {
            read.faults.push(format!(
                "a line is longer than {COLUMNS} characters: `{line}`"
            ));
        }
        if line.ends_with(' ') || line.chars().any(char::is_control) {
            let line = line.escape_debug();
            read.faults.push(format!(
                "a line ends with a space or has a control character: `{line}`"
            ));
        }
    }
    read
}
