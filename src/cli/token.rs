//! `token mint` and `token inspect`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::Global;
use super::report::{BAD_SITE, FAILED, Failure, Report, USAGE};
use super::scene::{self, Places};
use crate::host::{self, Machine, facts, secrets, stand};
use crate::secret::Secret;
use crate::site::{Mode, Signature, Site};
use crate::token::{Expectation, Signer, TokenError, Verifier, Wish, inspect, link, mint};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Make a token, or a ready meeting link
    Mint(MintArgs),
    /// Take a token apart and say whether the site accepts it
    Inspect(InspectArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct MintArgs {
    /// The room; `*` for every room
    #[arg(long)]
    room: String,
    /// The person's name, shown to others
    #[arg(long)]
    name: Option<String>,
    /// The person's e-mail address, shown to others
    #[arg(long)]
    email: Option<String>,
    /// Address of the person's picture
    #[arg(long, value_name = "URL")]
    avatar: Option<String>,
    /// A stable id of the person
    #[arg(long)]
    id: Option<String>,
    /// May they moderate?
    #[arg(long)]
    moderator: bool,
    /// How long it lasts, as in 90s, 30m, 8h, 2d (at most 30d)
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = life)]
    life: i64,
    /// Print a link that opens the room, with the token in its fragment
    #[arg(long)]
    link: bool,
    /// The private key in PEM, for a site whose algorithm is RS256
    #[arg(long, value_name = "FILE", requires = "key_id")]
    key: Option<PathBuf>,
    /// The id (`kid`) under which the key server knows that key
    #[arg(long, value_name = "KID", requires = "key")]
    key_id: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct InspectArgs {
    /// The token, or `-` to read it (or a link with it) from standard input
    token: String,
    /// The room that it should open
    #[arg(long)]
    room: Option<String>,
    /// The public key in PEM, for a site whose algorithm is RS256
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

fn life(text: &str) -> Result<i64, String> {
    let wrong = || "write a number and s, m, h or d, as in 30m".to_owned();
    let place = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: i64 = text[..place].parse().map_err(|_| wrong())?;
    let unit = match &text[place..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).ok_or_else(wrong)
}

pub(super) fn run(global: &Global, verb: &Verb, report: &mut Report) -> Result<ExitCode, Failure> {
    let site = scene::read_site(global)?;
    match verb {
        Verb::Mint(args) => mint_token(global, &site, args, report),
        Verb::Inspect(args) => inspect_token(global, &site, args, report),
    }
}

/// The HS256 secret: the shared one, or the one that an apply has made.
fn secret(
    global: &Global,
    site: &Site,
    file: Option<&crate::name::AbsPath>,
) -> Result<Secret<String>, Failure> {
    let root = global.root.clone().unwrap_or_else(|| PathBuf::from("/"));
    let machine = Machine::open(&root).map_err(|error| Failure::io(&root, &error))?;
    if let Some(file) = file {
        return facts::shared_secret(machine.root(), file)
            .map_err(|error| Failure::new(BAD_SITE, error.what).hint(error.hint));
    }
    let path = Places::system().secrets();
    let kept = secrets::load(machine.root(), &path, &site.domain, host::now())
        .map_err(|error| Failure::new(FAILED, error.to_string()))?;
    if machine.root().read(&path).is_err() {
        return Err(Failure::new(
            FAILED,
            format!(
                "there are no secrets in `{path}` of `{}` yet, or you may not read them",
                root.display()
            ),
        )
        .hint(
            "run `jitsi-install apply` first, or name the tree with `--root`; secrets are for root",
        ));
    }
    Ok(kept.secrets.token_secret.clone())
}

/// Refused where rooms are opened by people who sign in.
fn wants_tokens(site: &Site) -> Result<(), Failure> {
    match site.auth.mode {
        Mode::Token => Ok(()),
        Mode::SqlHashed => Err(Failure::new(
            USAGE,
            "rooms of this site are opened by people who sign in, not by tokens",
        )
        .hint("`mode` under `[auth]` in the site file says so")),
    }
}

fn mint_token(
    global: &Global,
    site: &Site,
    args: &MintArgs,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    wants_tokens(site)?;
    let signer = match (&site.auth.token.signature, &args.key, &args.key_id) {
        (Signature::Hs256 { secret_file }, None, _) => {
            Signer::Hs256(secret(global, site, secret_file.as_ref())?)
        }
        (Signature::Rs256 { .. }, Some(key), Some(key_id)) => {
            let text = stand::read(key).map_err(|error| Failure::io(key, &error))?;
            let private_key = Secret::new(String::from_utf8_lossy(&text).into_owned());
            Signer::Rs256 {
                private_key,
                key_id: key_id.clone(),
            }
        }
        (Signature::Hs256 { .. }, Some(_), _) => {
            return Err(
                Failure::new(USAGE, "this site signs with HS256, which has no key file")
                    .hint("leave out `--key`"),
            );
        }
        (Signature::Rs256 { .. }, ..) => {
            return Err(Failure::new(USAGE, "this site signs with RS256")
                .hint("give `--key FILE` and `--key-id KID`"));
        }
    };
    let wish = Wish {
        issuer: site.auth.token.app_id.clone(),
        audience: site.auth.token.audience.clone(),
        subject: site.domain.to_string(),
        room: args.room.clone(),
        name: args.name.clone(),
        email: args.email.clone(),
        avatar: args.avatar.clone(),
        id: args.id.clone(),
        moderator: args.moderator,
        life: args.life,
    };
    let now = host::now();
    let token = mint(&wish, &signer, now).map_err(|error| {
        let failure = Failure::new(
            if matches!(error, TokenError::Key(_)) {
                FAILED
            } else {
                USAGE
            },
            error.to_string(),
        );
        match error {
            TokenError::Key(_) => {
                failure.hint("an RSA private key in PEM is expected: `openssl genrsa 2048`")
            }
            TokenError::Life => failure.hint("as in `--for 8h`"),
            TokenError::Room { .. } | TokenError::Text(_) => failure,
        }
    })?;
    if args.link && args.room == "*" {
        return Err(
            Failure::new(USAGE, "a link opens one room, and `*` is all of them")
                .hint("name a room"),
        );
    }
    let link = (args.room != "*").then(|| {
        let room = crate::token::room_name(&args.room).unwrap_or_default();
        link(&authority(site), &room, &token)
    });
    if report.is_json() {
        report.json(&serde_json::json!({ "token": token, "link": link, "exp": now + args.life }));
    } else {
        report.data(link.as_deref().filter(|_| args.link).unwrap_or(&token));
    }
    Ok(ExitCode::SUCCESS)
}

/// The site's name, with its port when that is not HTTPS's own.
pub(super) fn authority(site: &Site) -> String {
    match site.web.https_port {
        443 => site.domain.to_string(),
        port => format!("{}:{port}", site.domain),
    }
}

fn inspect_token(
    global: &Global,
    site: &Site,
    args: &InspectArgs,
    report: &mut Report,
) -> Result<ExitCode, Failure> {
    let mut text = args.token.clone();
    if text == "-" {
        text = std::io::read_to_string(std::io::stdin())
            .map_err(|error| Failure::new(FAILED, error.to_string()))?;
    }
    // A pasted link will do too: the token is what follows `jwt=`, perhaps in quotes.
    let text = text.trim().rsplit("jwt=").next().unwrap_or_default();
    let text = text
        .trim_matches('"')
        .trim_start_matches("%22")
        .trim_end_matches("%22");
    wants_tokens(site)?;
    let verifier = match (&site.auth.token.signature, &args.key) {
        (Signature::Hs256 { secret_file }, None) => {
            Verifier::Hs256(secret(global, site, secret_file.as_ref())?)
        }
        (Signature::Rs256 { .. }, Some(key)) => {
            let pem = stand::read(key).map_err(|error| Failure::io(key, &error))?;
            Verifier::Rs256(String::from_utf8_lossy(&pem).into_owned())
        }
        (Signature::Hs256 { .. }, Some(_)) => {
            return Err(
                Failure::new(USAGE, "this site signs with HS256, which has no key file")
                    .hint("leave out `--key`"),
            );
        }
        (Signature::Rs256 { .. }, None) => {
            return Err(Failure::new(USAGE, "this site signs with RS256")
                .hint("give the public key: `--key FILE`"));
        }
    };
    let expected = Expectation {
        issuer: site.auth.token.app_id.clone(),
        audience: site.auth.token.audience.clone(),
        subject: site.domain.to_string(),
        room: args.room.clone(),
    };
    let found = inspect(text, &verifier, &expected, host::now());
    if report.is_json() {
        report.json(&found);
    } else {
        let paint = report.paint();
        let mut lines = String::new();
        for finding in &found.findings {
            let sign = if finding.ok {
                paint.paint(32, "ok ")
            } else {
                paint.paint(31, "bad")
            };
            lines.push_str(&format!(
                "{sign}  {:<12}  {}\n",
                finding.about, finding.what
            ));
        }
        lines.push_str(if found.accepted {
            "the site accepts it\n"
        } else {
            "the site refuses it\n"
        });
        report.data(&lines);
    }
    Ok(if found.accepted {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}
