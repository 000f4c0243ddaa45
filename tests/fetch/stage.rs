//! A tree with a catalogue, and the program on it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::proving::said;

/// Where the cache is in a tree.
pub const CACHE: &str = "var/cache/jitsi-install/sources";

pub struct Stage {
    folder: tempfile::TempDir,
    /// Where the files of the catalogue really lie: it knows https only.
    from: RefCell<Option<String>>,
}

/// What the catalogue says of a file.
pub struct Piece<'a> {
    pub name: &'a str,
    pub url: String,
    pub sha256: String,
    pub size: Option<usize>,
}

impl<'a> Piece<'a> {
    /// One that is told the truth about.
    pub fn of(name: &'a str, url: String, bytes: &[u8]) -> Self {
        Self {
            name,
            url,
            sha256: sha256(bytes),
            size: Some(bytes.len()),
        }
    }

    pub fn without_size(mut self) -> Self {
        self.size = None;
        self
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    jitsi_install::host::cache::sha256(&mut &*bytes).unwrap()
}

/// Bytes without a pattern, always the same.
pub fn bytes(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Where upstream's index is, and who signs it.
pub struct Upstream {
    pub index: String,
    pub key: String,
    pub fingerprint: String,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            index: "https://upstream.invalid/stable/".to_owned(),
            key: "https://upstream.invalid/key".to_owned(),
            fingerprint: "0".repeat(40),
        }
    }
}

impl Stage {
    pub fn new(pieces: &[Piece<'_>]) -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
            from: RefCell::default(),
        };
        std::fs::create_dir(stage.path("root")).unwrap();
        stage.catalogue(pieces);
        stage
    }

    /// A stage with one file in its catalogue.
    pub fn one(url: String, bytes: &[u8]) -> Self {
        Self::new(&[Piece::of("piece", url, bytes)])
    }

    pub fn catalogue(&self, pieces: &[Piece<'_>]) {
        self.catalogue_of(&Upstream::default(), pieces);
    }

    pub fn catalogue_of(&self, upstream: &Upstream, pieces: &[Piece<'_>]) {
        let mut text = format!(
            "schema = 1\n[upstream]\nindex = \"{}\"\nkey = \"{}\"\nfingerprint = \"{}\"\nmetapackage = \"jitsi-meet\"\n",
            upstream.index, upstream.key, upstream.fingerprint
        );
        self.from.take();
        for piece in pieces {
            let (base, name) = piece.url.rsplit_once('/').unwrap();
            let mut url = piece.url.clone();
            if !url.starts_with("https://") {
                let known = self.from.replace(Some(base.to_owned()));
                assert!(known.is_none_or(|known| known == base), "one place for all");
                url = format!("https://upstream.invalid/{name}");
            }
            let size = piece
                .size
                .map_or_else(String::new, |size| format!(", size = {size}"));
            text.push_str(&format!(
                "[[piece]]\nname = \"{}\"\nsummary = \"s\"\ndescription = \"d\"\nlicence = \"MIT\"\ncopyright = \"c\"\n\
                 homepage = \"https://example.org/\"\nstyle = \"archive\"\nplace = [{{ from = \"a\", to = \"usr/share/a\" }}]\n[[piece.release]]\nversion = \"1.0\"\ntime = 1780000000\n\
                 source = [{{ url = \"{}\", sha256 = \"{}\", record = \"computed\"{size} }}]\n",
                piece.name, url, piece.sha256
            ));
        }
        std::fs::write(self.path("catalogue.toml"), text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn cache(&self) -> PathBuf {
        self.path("root").join(CACHE)
    }

    /// What is in the cache, by name.
    pub fn names(&self) -> Vec<String> {
        names(&self.cache())
    }

    /// Is this file, and nothing else, in the cache?
    pub fn holds(&self, name: &str, bytes: &[u8]) {
        assert_eq!(self.names(), [name]);
        assert!(std::fs::read(self.cache().join(name)).unwrap() == bytes);
    }

    /// The program, which knows nothing of this machine's proxies.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jitsi-install"));
        command
            .args(["--root"])
            .arg(self.path("root"))
            .arg("package")
            .arg(args[0])
            .arg("--catalogue")
            .arg(self.path("catalogue.toml"))
            .args(&args[1..])
            .stdin(Stdio::null());
        if let Some(from) = &*self.from.borrow()
            && args[0] == "fetch"
            && !args.contains(&"--from")
        {
            command.env("JITSI_INSTALL_FROM", from);
        }
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Fetches, giving up soon.
    pub fn fetch(&self) -> Output {
        self.run(&["fetch", "--stall-timeout", "1"])
    }

    /// A fetch that must succeed.
    pub fn fetches(&self) -> String {
        let output = self.fetch();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    /// A fetch that must fail, with these words among what it says.
    pub fn refuses(&self, words: &str) -> String {
        let output = self.fetch();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
        assert!(text.contains("hint: "), "{text}");
        text
    }

    pub fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
