//! Printing and asking: stdout is for data, stderr for people.

use std::io::{IsTerminal, Write};

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum When {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl When {
    /// Colours for a stream; `no_color` is what the environment asks for.
    #[must_use]
    pub fn paint(self, stream: &impl IsTerminal, no_color: bool) -> Paint {
        Paint(match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => stream.is_terminal() && !no_color,
        })
    }
}

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    /// Text in a colour (an SGR number), when colours are on.
    #[must_use]
    pub fn paint(self, code: u8, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A warning, for [`line()`].
    #[must_use]
    pub fn warning(self, text: &str) -> String {
        format!("{}: {text}", self.paint(33, "warning"))
    }

    /// Something to type next, for [`line()`].
    #[must_use]
    pub fn hint(self, text: &str) -> String {
        format!("  {}: {text}", self.paint(36, "hint"))
    }

    /// A failure and its hint, for [`line()`].
    #[must_use]
    pub fn failure(self, failure: &super::Failure) -> String {
        let mut text = format!("{}: {}", self.paint(31, "error"), failure.what);
        if let Some(hint) = &failure.hint {
            text.push('\n');
            text.push_str(&self.hint(hint));
        }
        text
    }
}

/// Data. A reader that went away is no error: `plan | head` should be silent.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// A line for people.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Asks a yes-or-no question on the terminal; `None` when there is none to ask on.
#[must_use]
pub fn ask(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question} [y/N] ");
    let _ = err.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    Some(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}
