//! The log: events to stderr, as text or as JSON. Only this program's own events come below
//! warnings, since libraries tell what they carry when they are asked for more; and what is a
//! control character in a line of text is written as `\xNN`, so that no value can begin a line.

use std::io::{self, Write};

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// Text, one line for each event
    Plain,
    /// JSON, one object for each event
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    /// What failed
    Error,
    /// And what is strange
    Warn,
    /// And every request
    Info,
    /// And more about each
    Debug,
    /// And everything
    Trace,
}

/// From here on events are written.
pub(super) fn start(form: Form, level: Level) {
    let ours = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let which = Targets::new()
        .with_default(ours.min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), ours);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Lines)
        .with_ansi(false);
    let registry = tracing_subscriber::registry().with(which);
    let _ = match form {
        Form::Plain => registry.with(lines.with_target(false)).try_init(),
        Form::Json => registry
            .with(lines.json().flatten_event(true).with_target(false))
            .try_init(),
    };
}

/// Makes a writer for each event.
struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

/// Takes one event in one piece.
struct Line;

impl Write for Line {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write_all(&one_line(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The event as a single line.
fn one_line(event: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(event);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let mut line = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // U+2028 and U+2029 end a line for some readers.
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        let event = "INFO name=ann\r\n2026 ERROR \u{1b}[31mforged\u{2028}é\n";
        let line = String::from_utf8(one_line(event.as_bytes())).unwrap();
        assert_eq!(
            line,
            "INFO name=ann\\r\\n2026 ERROR \\u{1b}[31mforged\\u{2028}é\n"
        );
    }
}
