//! `keystore verify`: would Java open it, and serve TLS with it?

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::report::{FAILED, Failure, Report, USAGE};
use crate::host::{self, stand};
use crate::keystore::{Finding, Grade, Wanted, verify};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The keystore
    file: PathBuf,
    /// A file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// The host that clients ask for
    #[arg(long)]
    domain: Option<String>,
    /// The chain in PEM that should be in it
    #[arg(long, value_name = "FULLCHAIN", requires = "key")]
    cert: Option<PathBuf>,
    /// The private key in PEM that should be in it
    #[arg(long, value_name = "KEY", requires = "cert")]
    key: Option<PathBuf>,
    /// A file whose first line is the pass phrase of that key
    #[arg(long, value_name = "FILE", requires = "key")]
    key_password_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    if let Some(domain) = &args.domain {
        crate::name::Domain::parse(domain).map_err(|why| {
            let domain = crate::name::excerpt(domain);
            Failure::new(USAGE, format!("`--domain` `{domain}` {why}"))
        })?;
    }
    let bytes = super::read(&args.file)?;
    let word = super::first_line(&args.password_file)?;
    let pair = match (&args.cert, &args.key) {
        (Some(cert), Some(key)) => Some(super::build::pair(
            cert,
            key,
            args.key_password_file.as_deref(),
        )?),
        _ => None,
    };
    let wanted = Wanted {
        domain: args.domain.as_deref(),
        pair: pair.as_ref(),
    };
    let mut findings = verify(&bytes, &word, &wanted, host::now());
    let has_key = findings.iter().any(|finding| finding.about == "key");
    if has_key && stand::mode(&args.file).is_ok_and(|mode| mode & 0o007 != 0) {
        findings.push(Finding {
            about: "mode",
            grade: Grade::Warn,
            what: "everybody on this machine may read the file".to_owned(),
            cure: Some("take that away: `chmod o= FILE`"),
        });
    }
    let accepted = findings.iter().all(|finding| finding.grade != Grade::Bad);
    if report.is_json() {
        report.json(&serde_json::json!({
            "file": args.file.display().to_string(),
            "accepted": accepted,
            "findings": findings,
        }));
    } else {
        let paint = report.paint();
        let mut text = String::new();
        for finding in &findings {
            let sign = match finding.grade {
                Grade::Ok => paint.paint(32, "ok  "),
                Grade::Warn => paint.paint(33, "warn"),
                Grade::Bad => paint.paint(31, "bad "),
            };
            text.push_str(&format!(
                "{sign}  {:<10}  {}\n",
                finding.about, finding.what
            ));
            if let Some(cure) = finding.cure {
                text.push_str(&format!("      {:<10}  hint: {cure}\n", ""));
            }
        }
        text.push_str(if accepted {
            "Java can serve TLS with it\n"
        } else {
            "Java cannot serve TLS with it, or should not\n"
        });
        report.data(&text);
    }
    Ok(if accepted {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}
