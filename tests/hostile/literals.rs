//! Each language's escaper, fed with hostile and random text and read back by the language's reader.
//!
//! An escaper may refuse; what it may refuse is asserted, so that none refuses everything.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jitsi_install::render::literal;
use serde_json::Value;

use crate::proving::servers::{Nginx, caddy};
use crate::proving::{java, output, program, run, said};
use crate::values::{folder, many_texts};

type Escape = fn(&str, &mut dyn Write) -> std::io::Result<()>;

const COUNT: usize = 600;

/// Texts and their literals; a text is missing when it is refused, which it must be if and only if
/// `refused` says so.
fn literals(escape: Escape, refused: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    many_texts(COUNT)
        .into_iter()
        .filter_map(|text| {
            let mut out = Vec::new();
            let is_refused = escape(&text, &mut out).is_err();
            assert_eq!(
                is_refused,
                refused(&text),
                "{text:?}: {:?}",
                String::from_utf8_lossy(&out)
            );
            (!is_refused).then(|| (text, String::from_utf8(out).unwrap()))
        })
        .collect()
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// systemd knows some code points for no characters, and refuses the line.
fn is_unfit(text: &str) -> bool {
    let is_none =
        |c: char| matches!(u32::from(c), 0xfdd0..=0xfdef) || u32::from(c) & 0xfffe == 0xfffe;
    has_control(text) || text.contains(is_none)
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Compares texts with what a reader printed of each, a line in hexadecimal digits.
fn compare(cases: &[(String, String)], said: &str) {
    let seen: Vec<&str> = said.lines().collect();
    assert_eq!(seen.len(), cases.len());
    for ((text, literal), seen) in cases.iter().zip(seen) {
        assert_eq!(seen, hex(text), "{text:?} as {literal}");
    }
}

#[test]
fn lua() {
    let Some(lua) = program("lua5.4", "lua5.4") else {
        return;
    };
    let cases = literals(literal::lua, |_| false);
    let (_keep, folder) = folder();
    let mut list = String::from(
        "local function show(text)\n  print((text:gsub('.', function(c) return ('%02x'):format(c:byte()) end)))\nend\n",
    );
    for (_, literal) in &cases {
        let _ = writeln!(list, "show({literal})");
    }
    let file = folder.join("list.lua");
    fs::write(&file, list).unwrap();
    compare(&cases, &run(Command::new(lua).arg(file)));
}

#[test]
fn hocon() {
    let cases = literals(literal::hocon, |_| false);
    let (_keep, folder) = folder();
    let file = folder.join("list.conf");
    let list: Vec<&str> = cases.iter().map(|(_, literal)| literal.as_str()).collect();
    fs::write(
        &file,
        format!("list = [\n{}\n]\nkept = 1\n", list.join("\n")),
    )
    .unwrap();
    let Some(read) = java::hocon(&[file]) else {
        return;
    };
    let texts: Vec<&str> = cases.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(read[0]["list"], serde_json::json!(texts));
    assert_eq!(read[0].len(), 2);
}

#[test]
fn javascript() {
    let Some(node) = program("node", "nodejs") else {
        return;
    };
    let cases = literals(literal::script, |_| false);
    let (_keep, folder) = folder();
    let file = folder.join("list.cjs");
    let mut script = String::new();
    for (_, literal) in &cases {
        let lower = literal.to_lowercase();
        assert!(!lower.contains("</script") && !lower.contains("<!--") && !lower.contains("-->"));
        let _ = writeln!(
            script,
            "console.log(Buffer.from({literal}, 'utf8').toString('hex'));"
        );
    }
    fs::write(&file, script).unwrap();
    compare(&cases, &run(Command::new(node).arg(file)));
}

#[test]
fn shell() {
    let cases = literals(literal::shell, |text| is_unfit(text) || text.contains('\''));
    let (_keep, folder) = folder();
    let settings: String = cases
        .iter()
        .enumerate()
        .map(|(number, (_, literal))| format!("V{number}={literal}\n"))
        .collect();
    let file = folder.join("config");
    fs::write(&file, settings).unwrap();
    for shell in ["sh", "bash"] {
        let names: String = (0..cases.len())
            .map(|number| format!(" \"$V{number}\""))
            .collect();
        let said = run(Command::new(shell)
            .args(["-c", &format!(". \"$1\"; printf '%s\\0' {names}"), shell])
            .arg(&file));
        let seen: Vec<&str> = said.split_terminator('\0').collect();
        let texts: Vec<&str> = cases.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(seen, texts, "{shell}");
    }
    for (text, literal) in &cases {
        assert_eq!(
            environment_file(literal),
            *text,
            "{literal} in an EnvironmentFile"
        );
    }
}

/// systemd.exec(5), `EnvironmentFile=`: in single quotes all characters stand for themselves; a
/// value without quotes is taken as it is, but for backslashes and blanks at its ends.
fn environment_file(literal: &str) -> String {
    match literal.strip_prefix('\'') {
        Some(rest) => rest.strip_suffix('\'').unwrap().to_owned(),
        None => {
            assert!(
                !literal.contains(['"', '\'', '\\', ' ', '#', ';']),
                "{literal}"
            );
            literal.to_owned()
        }
    }
}

/// systemd.syntax(7) and systemd.service(5): words in double quotes have C escapes, then `%%` is a
/// percent sign and, in `ExecStart=`, `$$` a dollar sign; a single one of either would be replaced.
fn exec_start_word(literal: &str) -> String {
    let mut inner = String::new();
    match literal.strip_prefix('"') {
        None => inner.push_str(literal),
        Some(rest) => {
            let mut chars = rest.strip_suffix('"').unwrap().chars();
            while let Some(c) = chars.next() {
                assert_ne!(c, '"', "{literal} ends early");
                inner.push(if c == '\\' { chars.next().unwrap() } else { c });
            }
        }
    }
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if matches!(c, '%' | '$') {
            assert_eq!(chars.next(), Some(c), "{literal} has a single {c}");
        }
        text.push(c);
    }
    text
}

#[test]
fn systemd() {
    let cases = literals(literal::systemd, is_unfit);
    for (text, literal) in &cases {
        assert_eq!(exec_start_word(literal), *text, "{literal}");
        let is_bare = !literal.starts_with('"');
        assert!(
            !is_bare || !literal.contains([' ', '\'', '\\', ';', '#']),
            "{literal}"
        );
    }
    let Some(analyze) = program("systemd-analyze", "systemd") else {
        return;
    };
    let (_keep, folder) = folder();
    let words: Vec<&str> = cases.iter().map(|(_, literal)| literal.as_str()).collect();
    // Many short lines rather than one long one: a line has at most a megabyte.
    let lines: String = words
        .iter()
        .map(|word| format!("ExecStart=/bin/echo {word} end\n"))
        .collect();
    let unit = folder.join("words.service");
    fs::write(&unit, format!("[Service]\nType=oneshot\n{lines}")).unwrap();
    let output = output(
        Command::new(analyze)
            .args(["verify", "--man=no"])
            .arg(&unit),
    );
    assert!(
        output.status.success() && said(&output).trim().is_empty(),
        "{}",
        said(&output)
    );
}

#[test]
fn properties() {
    let cases = literals(literal::properties, |text| {
        has_control(text) || !text.is_ascii()
    });
    let (_keep, folder) = folder();
    let file = folder.join("list.properties");
    let text: String = cases
        .iter()
        .enumerate()
        .map(|(number, (_, literal))| format!("v{number} = {literal}\n"))
        .collect();
    fs::write(&file, text).unwrap();
    let Some(read) = java::properties(&[file]) else {
        return;
    };
    assert_eq!(read[0].len(), cases.len());
    for (number, (text, literal)) in cases.iter().enumerate() {
        assert_eq!(read[0][&format!("v{number}")], *text, "{literal}");
    }
}

/// A server that goes when the test does.
struct Serving(std::process::Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connect(port: u16) -> TcpStream {
    let start = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(10), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The body of the answer to one HTTP/1.0 request.
fn body(port: u16, path: &str) -> Vec<u8> {
    let mut stream = connect(port);
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    answer.split_off(at + 4)
}

#[test]
fn nginx() {
    let cases = literals(literal::nginx, |text| {
        has_control(text) || text.contains('$')
    });
    let Some(nginx) = Nginx::find() else { return };
    let (_keep, folder) = folder();
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut inside = format!("access_log off;\nserver {{\nlisten 127.0.0.1:{port};\n");
    for (number, (_, literal)) in cases.iter().enumerate() {
        let _ = writeln!(inside, "location = /{number} {{ return 200 {literal}; }}");
    }
    inside.push_str("}\n");
    let conf = nginx.wrapped(&inside, &folder.join("nginx"));
    run(nginx.command(&conf).arg("-t"));
    let mut command = nginx.command(&conf);
    command.args(["-g", "master_process off;"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _serving = Serving(command.spawn().unwrap());
    for (number, (text, literal)) in cases.iter().enumerate() {
        let body = body(port, &format!("/{number}"));
        assert_eq!(String::from_utf8_lossy(&body), *text, "{literal}");
    }
}

#[test]
fn caddyfile() {
    let refused = |text: &str| has_control(text) || text.contains(['\\', '{', '}']);
    let cases = literals(literal::caddyfile, refused);
    let (_keep, folder) = folder();
    let mut text = String::from("http://localhost:1 {\nroute {\n");
    for (number, (_, literal)) in cases.iter().enumerate() {
        let _ = writeln!(
            text,
            "header X-{number} {literal}\nrespond /{number} {literal} 200"
        );
    }
    text.push_str("}\n}\n");
    let file = folder.join("Caddyfile");
    fs::write(&file, text).unwrap();
    let Some(mut command) = caddy(Path::new("/nonexistent")) else {
        return;
    };
    let said = run(command
        .args(["adapt", "--adapter", "caddyfile", "--config"])
        .arg(file));
    let config: Value = serde_json::from_str(&said).unwrap();
    let (mut bodies, mut headers) = (Vec::new(), Vec::new());
    gather(&config, &mut bodies, &mut headers);
    assert_eq!(bodies.len() + headers.len(), 2 * cases.len());
    for (number, (text, literal)) in cases.iter().enumerate() {
        assert_eq!(bodies[number], *text, "{literal}");
        assert_eq!(headers[number], *text, "{literal}");
    }
}

/// Bodies of `respond` and values of `header` in their order.
fn gather(value: &Value, bodies: &mut Vec<String>, headers: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, bodies, headers)),
        Value::Object(map) => match map.get("handler").and_then(Value::as_str) {
            Some("static_response") => {
                let body = map.get("body").and_then(Value::as_str).unwrap_or_default();
                bodies.push(body.to_owned());
            }
            Some("headers") => {
                let set = &map["response"]["set"].as_object().unwrap();
                headers.push(set.values().next().unwrap()[0].as_str().unwrap().to_owned());
            }
            _ => map
                .values()
                .for_each(|inner| gather(inner, bodies, headers)),
        },
        _ => {}
    }
}
