//! Rows as spreadsheets read them (RFC 4180), and nothing in them that a spreadsheet would run.

/// One row with its line end. A cell that a spreadsheet would take for a formula gets an
/// apostrophe in front, which shows the rest as text.
#[must_use]
pub fn row(cells: &[&str]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        push(&mut line, cell);
    }
    line.push_str("\r\n");
    line
}

fn push(line: &mut String, cell: &str) {
    let is_formula = cell
        .trim_start_matches([' ', '\u{a0}', '\u{feff}'])
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let is_quoted = is_formula || cell.contains([',', '"', '\r', '\n', ';', '\t']);
    if !is_quoted {
        line.push_str(cell);
        return;
    }
    line.push('"');
    if is_formula {
        line.push('\'');
    }
    line.push_str(&cell.replace('"', "\"\"").replace('\0', ""));
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ASVS 1.2.10: no cell begins as a formula does.
    #[test]
    fn no_cell_is_a_formula() {
        for start in [
            "=",
            "+",
            "-",
            "@",
            "\t",
            "\r",
            "\n",
            " =",
            "\u{feff}=",
            "＝",
        ] {
            let line = row(&[&format!("{start}HYPERLINK(\"x\")"), "b"]);
            assert!(line.starts_with("\"'"), "{line:?}");
            assert!(line.ends_with("(\"\"x\"\")\",b\r\n"), "{line:?}");
        }
    }

    #[test]
    fn what_is_plain_stays_plain() {
        assert_eq!(
            row(&["ann", "a-b@example.org", ""]),
            "ann,a-b@example.org,\r\n"
        );
        assert_eq!(
            row(&["a,b", "say \"hi\""]),
            "\"a,b\",\"say \"\"hi\"\"\"\r\n"
        );
        assert_eq!(row(&["two\nlines"]), "\"two\nlines\"\r\n");
    }
}
