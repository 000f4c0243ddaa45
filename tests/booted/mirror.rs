//! Where this machine gets its own Debian packages: the containers' are taken from there too, so
//! that no address stands in these sources.

use std::fs;
use std::path::Path;

/// One source of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    address: String,
    suites: Vec<String>,
    components: Vec<String>,
}

/// The machine's mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// Of the releases.
    pub(crate) main: String,
    /// Of their security updates, if the machine has one.
    security: Option<String>,
}

impl Mirror {
    /// As the machine's sources name it.
    pub(crate) fn of_this_machine() -> Result<Self, String> {
        let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let codename = system
            .lines()
            .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
        let codename = codename.ok_or("this machine has no release name")?;
        let sources = read(Path::new("/etc/apt"));
        let of = |suite: &str| {
            let holds = |source: &&Source| {
                source.suites.iter().any(|one| one == suite)
                    && source.components.iter().any(|one| one == "main")
            };
            sources.iter().find(holds).map(|one| one.address.clone())
        };
        let main = of(codename);
        Ok(Self {
            main: main.ok_or_else(|| format!("no source of apt's has `{codename} main`"))?,
            security: of(&format!("{codename}-security")),
        })
    }

    /// Lines for a `sources.list` of a release.
    pub(crate) fn lines(&self, release: &str) -> String {
        let mut lines = format!("deb {} {release} main\n", self.main);
        if let Some(security) = &self.security {
            lines.push_str(&format!("deb {security} {release}-security main\n"));
        }
        lines
    }
}

fn read(apt: &Path) -> Vec<Source> {
    let mut files = vec![apt.join("sources.list")];
    let more = fs::read_dir(apt.join("sources.list.d"))
        .into_iter()
        .flatten();
    files.extend(more.filter_map(|entry| Some(entry.ok()?.path())));
    files.sort();
    let mut sources = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let found = match file.extension().and_then(|end| end.to_str()) {
            Some("list") => text.lines().filter_map(one_line).collect(),
            Some("sources") => paragraphs(&text),
            _ => Vec::new(),
        };
        sources.extend(found);
    }
    sources
}

/// `deb [option=value …] ADDRESS SUITE COMPONENT…`
fn one_line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => rest,
    };
    let mut words = rest.split_whitespace().map(str::to_owned);
    Some(Source {
        address: words.next()?,
        suites: vec![words.next()?],
        components: words.collect(),
    })
}

/// The newer form: paragraphs of `Field: words`.
fn paragraphs(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    for paragraph in text.split("\n\n") {
        let words = |field: &str| -> Vec<String> {
            let line = paragraph.lines().find_map(|line| line.strip_prefix(field));
            let words = line.unwrap_or_default().split_whitespace();
            words.map(str::to_owned).collect()
        };
        if !words("Types:").iter().any(|one| one == "deb") {
            continue;
        }
        for address in words("URIs:") {
            sources.push(Source {
                address,
                suites: words("Suites:"),
                components: words("Components:"),
            });
        }
    }
    sources
}

#[test]
fn sources_of_both_forms_are_read() {
    let old = one_line(
        "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main contrib",
    );
    let new = paragraphs(
        "Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm\nComponents: main contrib\n\nTypes: deb-src\nURIs: http://x.test\n",
    );
    assert_eq!(new, Vec::from_iter(old));
    assert_eq!(
        one_line("# deb http://mirror.test/debian bookworm main"),
        None
    );
}
