//! Reads the tables that Prosody keeps its data in: `return { ["k"] = "v"; … };`. Only literals:
//! nothing is ever run, names and calls are refused. Bounded in depth and in number.

/// Deepest nesting.
const DEPTH: usize = 16;
/// Most values in a file.
const VALUES: usize = 10_000;

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `nil`.
    Nil,
    /// `true`, `false`.
    Bool(bool),
    /// A number; whole ones up to 2^53 are exact.
    Number(f64),
    /// A string: bytes.
    Text(Vec<u8>),
    /// A table.
    Table(Table),
}

/// A table; what has no name is numbered from 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table(Vec<(Value, Value)>);

impl Table {
    /// The value of a name; the last one, as Lua has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let named = |key: &Value| matches!(key, Value::Text(text) if text == name.as_bytes());
        let found = self.0.iter().rev().find(|(key, _)| named(key));
        found.map(|(_, value)| value)
    }

    /// A string of a name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&[u8]> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number, not negative, of a name.
    #[must_use]
    pub fn whole(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            #[allow(clippy::cast_possible_truncation, reason = "looked at before")]
            Value::Number(n) if n.fract() == 0.0 && (0.0..=9e15).contains(n) => Some(*n as i64),
            _ => None,
        }
    }
}

/// Where a text is no table of literals, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NoTable {
    /// From 1.
    pub line: usize,
    /// Why.
    pub why: &'static str,
}

/// Reads the table that a file returns.
///
/// # Errors
/// Anything but one table of literals.
pub fn read(text: &[u8]) -> Result<Table, NoTable> {
    let mut reader = Reader {
        text,
        at: 0,
        values: 0,
    };
    let result = reader.file();
    result.map_err(|why| NoTable {
        line: 1 + text[..reader.at.min(text.len())]
            .iter()
            .filter(|b| **b == b'\n')
            .count(),
        why,
    })
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    values: usize,
}

impl Reader<'_> {
    fn file(&mut self) -> Result<Table, &'static str> {
        self.space()?;
        if self.word() != b"return" {
            return Err("does not begin with `return`");
        }
        self.space()?;
        let table = self.table(0)?;
        self.space()?;
        self.skip(b';');
        self.space()?;
        if self.at < self.text.len() {
            return Err("something follows the table");
        }
        Ok(table)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8, why: &'static str) -> Result<(), &'static str> {
        if self.skip(byte) { Ok(()) } else { Err(why) }
    }

    /// Blanks and comments to the end of a line.
    fn space(&mut self) -> Result<(), &'static str> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c) => self.at += 1,
                Some(b'-') if self.text.get(self.at + 1) == Some(&b'-') => {
                    if self.text.get(self.at + 2) == Some(&b'[') {
                        return Err("long comments are not read");
                    }
                    while self.peek().is_some_and(|b| b != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn word(&mut self) -> &[u8] {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn table(&mut self, depth: usize) -> Result<Table, &'static str> {
        if depth >= DEPTH {
            return Err("tables are nested too deeply");
        }
        self.expect(b'{', "a table was expected")?;
        let mut table = Table::default();
        let mut next = 1.0;
        loop {
            self.space()?;
            if self.skip(b'}') {
                return Ok(table);
            }
            let (key, value) = self.field(depth)?;
            let key = key.unwrap_or_else(|| {
                let key = Value::Number(next);
                next += 1.0;
                key
            });
            if matches!(key, Value::Nil | Value::Table(_)) {
                return Err("a key is neither a string nor a number");
            }
            table.0.push((key, value));
            self.space()?;
            if !self.skip(b';') && !self.skip(b',') && self.peek() != Some(b'}') {
                return Err("`;` or `}` was expected");
            }
        }
    }

    /// `["k"] = v`, `k = v` or `v`.
    fn field(&mut self, depth: usize) -> Result<(Option<Value>, Value), &'static str> {
        let key = match self.peek() {
            Some(b'[') if !matches!(self.text.get(self.at + 1), Some(b'[' | b'=')) => {
                self.at += 1;
                self.space()?;
                let key = self.value(depth + 1)?;
                self.space()?;
                self.expect(b']', "`]` was expected")?;
                Some(key)
            }
            Some(b) if b.is_ascii_alphabetic() || b == b'_' => {
                let start = self.at;
                let word = self.word().to_vec();
                self.space()?;
                if self.peek() == Some(b'=') {
                    Some(Value::Text(word))
                } else {
                    self.at = start;
                    None
                }
            }
            _ => None,
        };
        if key.is_some() {
            self.space()?;
            self.expect(b'=', "`=` was expected")?;
            self.space()?;
        }
        Ok((key, self.value(depth + 1)?))
    }

    fn value(&mut self, depth: usize) -> Result<Value, &'static str> {
        self.values += 1;
        if self.values > VALUES {
            return Err("more values than are read");
        }
        match self.peek().ok_or("the file ends too early")? {
            b'{' => Ok(Value::Table(self.table(depth)?)),
            quote @ (b'"' | b'\'') => Ok(Value::Text(self.quoted(quote)?)),
            b'[' => Ok(Value::Text(self.long()?)),
            b'0'..=b'9' | b'-' | b'.' | b'(' => Ok(Value::Number(self.number(depth)?)),
            b if b.is_ascii_alphabetic() => match self.word() {
                b"true" => Ok(Value::Bool(true)),
                b"false" => Ok(Value::Bool(false)),
                b"nil" => Ok(Value::Nil),
                _ => Err("names and calls are not read"),
            },
            _ => Err("a literal was expected"),
        }
    }

    /// `12`, `-1.5e3`, `0x1F`, and what stands for what has no digits: `(1/0)`, `(0/0)`.
    fn number(&mut self, depth: usize) -> Result<f64, &'static str> {
        const WRONG: &str = "a number is spoiled";
        if self.skip(b'-') {
            if depth >= 2 * DEPTH {
                return Err(WRONG);
            }
            return self.number(depth + DEPTH).map(|number| -number);
        }
        if self.peek() == Some(b'(') {
            for (text, value) in [
                (&b"(1/0)"[..], f64::INFINITY),
                (b"(-1/0)", f64::NEG_INFINITY),
                (b"(0/0)", f64::NAN),
            ] {
                if self.text[self.at..].starts_with(text) {
                    self.at += text.len();
                    return Ok(value);
                }
            }
            return Err("calculations are not read");
        }
        let start = self.at;
        while let Some(b) = self.peek() {
            let sign = matches!(b, b'+' | b'-') && matches!(self.text[self.at - 1], b'e' | b'E');
            if !(b.is_ascii_alphanumeric() || b == b'.' || (sign && self.at > start)) {
                break;
            }
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).map_err(|_| WRONG)?;
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            #[allow(clippy::cast_precision_loss, reason = "as Lua's own numbers")]
            return u64::from_str_radix(digits, 16)
                .map(|number| number as f64)
                .map_err(|_| WRONG);
        }
        // Rust's own reader also takes words like `inf`; these are none of Lua's.
        if !text
            .bytes()
            .all(|b| b.is_ascii_digit() || b".eE+-".contains(&b))
        {
            return Err(WRONG);
        }
        text.parse().map_err(|_| WRONG)
    }

    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, &'static str> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let byte = self.peek().ok_or("a string does not end")?;
            self.at += 1;
            match byte {
                b'\\' => self.escape(&mut text)?,
                b'\n' => return Err("a string does not end on its line"),
                byte if byte == quote => return Ok(text),
                byte => text.push(byte),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), &'static str> {
        const WRONG: &str = "an escape is spoiled";
        let byte = self.peek().ok_or("a string does not end")?;
        self.at += 1;
        text.push(match byte {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' | b'"' | b'\'' | b'\n' => byte,
            b'\r' => {
                self.skip(b'\n');
                b'\n'
            }
            b'x' => {
                let digits = self.text.get(self.at..self.at + 2).ok_or(WRONG)?;
                self.at += 2;
                hex(digits)
                    .and_then(|n| u8::try_from(n).ok())
                    .ok_or(WRONG)?
            }
            b'0'..=b'9' => {
                self.at -= 1;
                let mut number = 0u32;
                for _ in 0..3 {
                    match self.peek() {
                        Some(digit @ b'0'..=b'9') => number = number * 10 + u32::from(digit - b'0'),
                        _ => break,
                    }
                    self.at += 1;
                }
                u8::try_from(number).map_err(|_| WRONG)?
            }
            b'z' => {
                while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
                    self.at += 1;
                }
                return Ok(());
            }
            b'u' => {
                self.expect(b'{', WRONG)?;
                let start = self.at;
                while self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                    self.at += 1;
                }
                let code = hex(&self.text[start..self.at]).and_then(char::from_u32);
                self.expect(b'}', WRONG)?;
                text.extend(code.ok_or(WRONG)?.encode_utf8(&mut [0; 4]).bytes());
                return Ok(());
            }
            _ => return Err(WRONG),
        });
        Ok(())
    }

    /// `[[…]]`, `[=[…]=]`.
    fn long(&mut self) -> Result<Vec<u8>, &'static str> {
        self.at += 1;
        let start = self.at;
        while self.skip(b'=') {}
        let level = self.at - start;
        self.expect(b'[', "a literal was expected")?;
        self.skip(b'\r');
        self.skip(b'\n');
        let end = [b"]".as_slice(), &vec![b'='; level], b"]"].concat();
        let rest = &self.text[self.at..];
        let len = rest.windows(end.len()).position(|window| window == end);
        let len = len.ok_or("a string does not end")?;
        self.at += len + end.len();
        Ok(rest[..len].to_vec())
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    let fits = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| fits)?;
    u32::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests;
