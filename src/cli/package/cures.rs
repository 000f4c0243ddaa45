//! What to do about what went wrong.

use crate::cli::report::{FAILED, Failure, NOT_PERMITTED, USAGE};
use crate::host::cache::CacheError;
use crate::host::fetch::FetchError;
use crate::host::net::NetError;
use crate::host::signature::SignatureError;
use crate::package::set::ChoiceError;

impl From<&CacheError> for Failure {
    fn from(error: &CacheError) -> Self {
        let is_denied = matches!(
            error,
            CacheError::Place { why, .. } if why.kind() == std::io::ErrorKind::PermissionDenied
        );
        let failure = Self::new(
            if is_denied { NOT_PERMITTED } else { FAILED },
            error.to_string(),
        );
        match error {
            // With a number of the system it could not be entered; without, it is not trusted.
            CacheError::Place { why, .. } if is_denied && why.raw_os_error().is_none() => {
                failure.hint("make a folder that only you can write to, and name it with `--cache`")
            }
            CacheError::Place { .. } if is_denied => failure.hint("run it as root, or with `sudo`"),
            CacheError::Place { .. } => failure,
            CacheError::Missing(_) => failure.hint("`jitsi-install package fetch` downloads it"),
            CacheError::Wrong { .. } => {
                failure.hint("`jitsi-install package fetch` downloads it anew")
            }
            CacheError::Busy(_) => failure.hint("wait for it, or stop it, then run this again"),
            CacheError::Name(_) => failure.hint("give it a `file` in the catalogue"),
        }
    }
}

impl From<&NetError> for Failure {
    fn from(error: &NetError) -> Self {
        let failure = Self::new(FAILED, error.to_string());
        match error {
            NetError::Refused { status: 404 | 410, .. } => failure.hint(
                "upstream keeps no old releases for ever: `jitsi-install package outdated` says what there is now; \
                 `--from` names a mirror or a folder that still has it",
            ),
            NetError::Missing { .. } => failure.hint("look what is in that folder; the names have to be those of `jitsi-install package list --json`"),
            NetError::Refused { status: 401 | 403 | 407, .. } => {
                failure.hint("look whether a proxy stands in between (`https_proxy`), or name another place with `--from`")
            }
            NetError::Redirect { .. } => {
                failure.hint("name a place that does not lead on with `--from`")
            }
            NetError::TooLarge { .. } => {
                failure.hint("it is not what it should be; name another place with `--from`")
            }
            NetError::Broken { why, .. } if why.starts_with("no trust") => failure.hint(
                "the package ca-certificates brings the usual authorities; `SSL_CERT_FILE` names one of your own",
            ),
            NetError::Broken { .. } | NetError::Refused { .. } => failure.hint(
                "run it again: what was received is kept; without a network, `--from` names a folder with the files",
            ),
        }
    }
}

impl From<&FetchError> for Failure {
    fn from(error: &FetchError) -> Self {
        match error {
            FetchError::Cache(error) => Self::from(error),
            FetchError::Net(error) => Self::from(error),
            FetchError::Wrong { .. } | FetchError::Length { .. } => {
                Self::new(FAILED, error.to_string()).hint(
                    "nothing of it was kept; `jitsi-install package outdated` asks upstream's signed index what is right",
                )
            }
            FetchError::Full { .. } => Self::new(FAILED, error.to_string())
                .hint("make room, or name a folder elsewhere with `--cache`"),
        }
    }
}

impl From<&ChoiceError> for Failure {
    fn from(error: &ChoiceError) -> Self {
        let code = match error {
            ChoiceError::NoPiece(_) | ChoiceError::NoSet(_) => USAGE,
            _ => FAILED,
        };
        Self::new(code, error.to_string()).hint(match error {
            ChoiceError::NoPiece(_) => "`jitsi-install package list` lists them",
            ChoiceError::NoSet(_) | ChoiceError::Lacking { .. } | ChoiceError::NoGoodSet => {
                "`jitsi-install package list --all` lists every release with its set"
            }
            ChoiceError::NoRelease(_) => {
                "what is handed out with its releases has a catalogue with them: `--catalogue FILE`"
            }
            ChoiceError::NoGoodRelease(_) | ChoiceError::Hole { .. } => {
                "take a newer catalogue with `--catalogue`"
            }
        })
    }
}

impl From<&SignatureError> for Failure {
    fn from(error: &SignatureError) -> Self {
        let failure = Self::new(FAILED, error.to_string());
        match error {
            SignatureError::NoGpgv => {
                failure.hint("install the package `gpgv` (Debian) or `gnupg2` (Slackware)")
            }
            SignatureError::Net(error) => Self::from(error),
            SignatureError::Key { .. } => failure.hint(
                "`--key` names a file with upstream's key, as https://jitsi.org/downloads links to it",
            ),
            SignatureError::Untrusted { .. } => failure.hint(
                "believe nothing that this index says; ask again later, or without a mirror or proxy in between",
            ),
            SignatureError::Form(_) => {
                failure.hint("it is not upstream's index: look at what `--index` names")
            }
            SignatureError::System(_) => failure,
        }
    }
}
