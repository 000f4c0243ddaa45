//! `md5sums`: what dpkg compares files with. It protects against a damaged disk, nothing else;
//! against people there is the SHA-256 of the whole package.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use md5::{Digest, Md5};

use super::parts::{Parts, conffiles};
use crate::name::excerpt;
use crate::package::{Content, Node, PackageError, PackagePath, Tree};

/// MD5 in hexadecimal.
pub(super) fn md5<S: Read + Seek>(content: &Content, spool: &mut S) -> io::Result<String> {
    let mut state = Md5::new();
    let mut reader = content.open(spool)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            got => state.update(&buffer[..got]),
        }
    }
    Ok(state
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// The list of a tree, without the files that are the administrator's.
pub(super) fn list<S: Read + Seek>(
    tree: &Tree,
    config: &[PackagePath],
    spool: &mut S,
) -> io::Result<String> {
    let mut text = String::new();
    for (path, node) in tree.iter() {
        if let Node::File { content, .. } = node
            && !config.contains(path)
        {
            text.push_str(&format!("{}  {path}\n", md5(content, spool)?));
        }
    }
    Ok(text)
}

/// Where the list and the files differ. A package without a list has no faults here.
pub(super) fn faults<S: Read + Seek>(
    parts: &Parts,
    spool: &mut S,
) -> Result<Vec<String>, PackageError> {
    let Some(list) = parts.beside("md5sums") else {
        return Ok(Vec::new());
    };
    let (mut faults, mut told) = (Vec::new(), BTreeMap::new());
    for line in String::from_utf8_lossy(list).lines() {
        let sum = line.split_once("  ").and_then(|(sum, path)| {
            let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
            let is_sum = sum.len() == 32 && sum.chars().all(is_digit);
            Some((sum, PackagePath::parse(path).ok()?)).filter(|_| is_sum)
        });
        match sum {
            None => faults.push(format!("md5sums: `{}` is no line of it", excerpt(line))),
            Some((sum, path)) => {
                if told.insert(path.clone(), sum.to_owned()).is_some() {
                    faults.push(format!("md5sums: `{path}` is there twice"));
                }
            }
        }
    }
    let config: Vec<PackagePath> = conffiles(parts).into_iter().flatten().collect();
    for (path, node) in parts.tree.iter() {
        if let Node::File { content, .. } = node {
            match told.remove(path) {
                Some(sum) if md5(content, spool)? == sum => {}
                Some(_) => faults.push(format!("`{path}` is not what md5sums says")),
                None if config.contains(path) => {}
                None => faults.push(format!("`{path}` is not in md5sums")),
            }
        }
    }
    let missing = told
        .keys()
        .map(|path| format!("md5sums: `{path}` is no file of the package"));
    faults.extend(missing);
    Ok(faults)
}
