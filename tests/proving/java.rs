//! Java's readers: the HOCON library of Jicofo and the bridge, keystores, properties files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{output, program, root, said, skip};

/// The HOCON library; fetched by Maven when it is not in `target/java` yet.
fn hocon_library() -> Option<PathBuf> {
    let jar = root().join("target/java/config.jar");
    if jar.is_file() {
        return Some(jar);
    }
    let maven = program("mvn", "maven")?;
    for offline in [true, false] {
        let mut command = Command::new(&maven);
        command.args(["-q", "-B"]);
        if offline {
            command.arg("-o");
        }
        command.arg("-f").arg(root().join("tests/java/pom.xml"));
        output(command.arg("generate-resources"));
        if jar.is_file() {
            return Some(jar);
        }
    }
    skip("Maven could not fetch com.typesafe:config");
    None
}

/// Runs one of `tests/java/*.java`.
fn java(source: &str, class_path: Option<&Path>) -> Option<Command> {
    let mut command = Command::new(program("java", "openjdk-17-jdk-headless")?);
    command.args(["-Xshare:auto", "-XX:TieredStopAtLevel=1"]);
    if let Some(jar) = class_path {
        command.arg("-cp").arg(jar);
    }
    command.arg(root().join("tests/java").join(source));
    Some(command)
}

/// What Jicofo or the bridge would read: for each file its leaves, path to JSON value.
pub fn hocon(files: &[PathBuf]) -> Option<Vec<BTreeMap<String, serde_json::Value>>> {
    let jar = hocon_library()?;
    let mut command = java("HoconProof.java", Some(&jar))?;
    // With one file alone the proof prints no name.
    let twice = files.len() == 1;
    let output = output(command.args(files).args(twice.then_some(&files[0])));
    assert!(output.status.success(), "{}", said(&output));
    let mut read: Vec<BTreeMap<_, _>> = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if line.starts_with("# ") {
            read.push(BTreeMap::new());
        } else if let Some((key, json)) = line.split_once(" = ") {
            let value = serde_json::from_str(json).unwrap_or_else(|e| panic!("{line}: {e}"));
            read.last_mut().unwrap().insert(key.to_owned(), value);
        }
    }
    read.truncate(files.len());
    assert_eq!(read.len(), files.len());
    Some(read)
}

/// Runs proofs of `KeystoreProof.java`, each one line of words parted by tabs.
pub fn keystores(folder: &Path, proofs: &[String]) -> Option<()> {
    let list = folder.join("proofs.txt");
    std::fs::write(&list, proofs.join("\n")).unwrap();
    let mut command = java("KeystoreProof.java", None)?;
    let output = output(command.arg("batch").arg(&list));
    assert!(output.status.success(), "{}", said(&output));
    let good = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        good.lines().filter(|line| line.starts_with("OK ")).count(),
        proofs.len()
    );
    Some(())
}

/// What `java.util.Properties` reads from a file.
pub fn properties(files: &[PathBuf]) -> Option<Vec<BTreeMap<String, String>>> {
    let mut command = java("PropertiesProof.java", None)?;
    let output = output(command.args(files));
    assert!(output.status.success(), "{}", said(&output));
    let text = |hex: &str| {
        let bytes: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        String::from_utf8(bytes).unwrap()
    };
    let mut read: Vec<BTreeMap<_, _>> = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        match line.split_once(' ') {
            None => read.push(BTreeMap::new()),
            Some((key, value)) => {
                read.last_mut().unwrap().insert(text(key), text(value));
            }
        }
    }
    Some(read)
}
