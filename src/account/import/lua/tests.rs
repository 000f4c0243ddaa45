//! What Prosody writes is read, and nothing else.

use super::*;

#[test]
fn what_prosody_writes() {
    let text = b"return {\n\t[\"stored_key\"] = \"0f6e\";\n\t[\"salt\"] = \"af70\\\"\\\n\\r\\0\\195\\188\";\n\
            \t[\"iteration_count\"] = 10000;\n\t[\"disabled\"] = true;\n\t[\"meta\"] = { [1] = (1/0); 'x', y = -1.5e3, [[\nlong]] };\n};\n";
    let table = read(text).unwrap();
    assert_eq!(table.text("stored_key"), Some(&b"0f6e"[..]));
    assert_eq!(table.text("salt"), Some("af70\"\n\r\0ü".as_bytes()));
    assert_eq!(table.whole("iteration_count"), Some(10000));
    assert_eq!(table.get("disabled"), Some(&Value::Bool(true)));
    let Some(Value::Table(meta)) = table.get("meta") else {
        panic!("{table:?}");
    };
    assert_eq!(meta.get("y"), Some(&Value::Number(-1500.0)));
    assert_eq!(meta.0.len(), 4);
    assert!(
        meta.0
            .iter()
            .any(|(_, value)| *value == Value::Text(b"long".to_vec()))
    );
    assert_eq!(read(b"return {}").map(|t| t.0.len()), Ok(0));
}

#[test]
fn nothing_is_run() {
    for (text, line) in [
        (&b"return os.execute('x')"[..], 1),
        (b"os.execute('x') return {}", 1),
        (b"return {\n\n a = print };", 3),
        (b"return { a = f() }", 1),
        (b"return { a = 'x' .. 'y' }", 1),
        (b"return { a = 1 + 1 }", 1),
        (b"return { a = (2^60) }", 1),
        (b"return {} x", 1),
        (b"return { a = \"x\n\" }", 2),
        (b"return { [{}] = 1 }", 1),
        (b"return { [nil] = 1 }", 1),
        (b"return { a = '\\400' }", 1),
        (b"return { a = '\\u{110000}' }", 1),
        (b"return { a = '\\q' }", 1),
        (b"return { a = inf }", 1),
        (b"return { a = 1einf }", 1),
        (b"return {", 1),
        (b"return", 1),
        (b"", 1),
        (b"\x1bLua", 1),
    ] {
        let why = read(text).unwrap_err();
        assert_eq!(why.line, line, "{}: {why}", String::from_utf8_lossy(text));
    }
    let deep = [b"return ".to_vec(), b"{".repeat(100_000)].concat();
    assert!(read(&deep).is_err());
    let minus = [b"return { ".to_vec(), b"-".repeat(100_000)].concat();
    assert!(read(&minus).is_err());
    let wide = [b"return {".to_vec(), b"1,".repeat(20_000), b"}".to_vec()].concat();
    assert!(read(&wide).is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(4000))]
    #[test]
    fn bytes_do_not_break_it(bytes: Vec<u8>, tail in "[\\[\\]{}=;,\"'\\\\0-9a-fx.()/\\- \\n]{0,60}") {
        let _ = read(&bytes);
        let _ = read(format!("return {{{tail}").as_bytes());
    }
}
