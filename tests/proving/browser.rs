//! JavaScript by node: what `config.js` defines, in a browser and in a mobile app.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{program, root, said};

/// What the scripts define when the page's address has this path; `None` is an engine without one.
pub fn scripts(cases: &[(Vec<PathBuf>, Option<&str>)]) -> Option<Vec<Value>> {
    let mut child = Command::new(program("node", "nodejs")?)
        .arg(root().join("tests/proving/run_scripts.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let orders: String = cases
        .iter()
        .map(|(files, path)| format!("{}\n", json!({ "files": files, "path": path })))
        .collect();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || stdin.write_all(orders.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let fed = feeder.join().unwrap();
    assert!(output.status.success() && fed.is_ok(), "{}", said(&output));
    let read: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read.len(), cases.len());
    Some(read)
}
