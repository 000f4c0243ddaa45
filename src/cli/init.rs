//! `init DOMAIN`: a commented site file.

use std::process::ExitCode;

use clap::ValueEnum;

use super::report::{FAILED, Failure, Report, USAGE};
use super::{Global, scene};
use crate::host::stand;
use crate::name::{AbsPath, Domain, Email};
use crate::site::{WebServer, Wishes, blank};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The public name, as in meet.example.org
    domain: String,
    /// Whom people may write to
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Which web server
    #[arg(long, value_name = "SERVER", default_value = "nginx")]
    web: Web,
    /// The home of acme.sh, when certificates come from it
    #[arg(long, value_name = "DIR")]
    acme_home: Option<String>,
    /// Let only people with a token or an account in
    #[arg(long)]
    no_guests: bool,
    /// With the account service, where people sign up
    #[arg(long)]
    accounts: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Web {
    /// nginx
    Nginx,
    /// Caddy
    Caddy,
}

pub(super) fn run(global: &Global, args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let word = |what: &str, text: &str, why: crate::name::NameError| {
        Failure::new(
            USAGE,
            format!("{what} `{}` {why}", crate::name::excerpt(text)),
        )
    };
    let wishes = Wishes {
        domain: Domain::parse(&args.domain).map_err(|why| {
            word("the domain", &args.domain, why)
                .hint("as in `jitsi-install init meet.example.org`")
        })?,
        admin_email: args
            .email
            .as_deref()
            .map(|text| Email::parse(text).map_err(|why| word("the address", text, why)))
            .transpose()?,
        web: match args.web {
            Web::Nginx => WebServer::Nginx,
            Web::Caddy => WebServer::Caddy,
        },
        acme_home: args
            .acme_home
            .as_deref()
            .map(|text| AbsPath::parse(text).map_err(|why| word("the folder", text, why)))
            .transpose()?,
        guests: !args.no_guests,
        accounts: args.accounts,
    };
    let path = scene::site_path(global);
    stand::create(&path, blank(&wishes).as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(
            FAILED,
            format!("`{}` is already there and was not touched", path.display()),
        )
        .hint("edit it, or name another file with `--site`"),
        _ => Failure::io(&path, &error),
    })?;
    if report.is_json() {
        report.json(&serde_json::json!({ "site": path.display().to_string() }));
    } else {
        report.note(&format!("wrote `{}`", path.display()));
        report.note(&format!(
            "next: `jitsi-install check --site {}`",
            path.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}
