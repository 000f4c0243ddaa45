//! Judges from PyPI, in a folder of their own that `./check` makes: the schemas of CycloneDX, and those of
//! GitHub's and GitLab's pipelines.

use std::path::PathBuf;

use super::{cases, root};

/// A program there; where it is missing, says so, and fails if `CHECK_STRICT=1`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = root().join("target/python/bin").join(name);
    if path.is_file() {
        return Some(path);
    }
    cases::skip(&format!(
        "{name} is not in target/python (python3 -m venv target/python && \
         target/python/bin/pip install -r tests/packaging/requirements.txt)"
    ));
    None
}
