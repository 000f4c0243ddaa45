//! `keystore trust`: certificates to a truststore that Java really trusts.

use std::path::PathBuf;
use std::process::ExitCode;

use zeroize::Zeroizing;

use super::{AccessArgs, FormatArg, Written};
use crate::cli::report::{Failure, Report};
use crate::host;
use crate::host::stand::Access;
use crate::keystore::{
    Alias, Format, build_jks_truststore, build_truststore, certificates, describe,
    jks_truststore_holds, truststore_holds,
};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Certificates in PEM, one or more in a file
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    cert: Vec<PathBuf>,
    /// The truststore to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// The form of the truststore
    #[arg(long, default_value = "pkcs12")]
    format: FormatArg,
    /// Name of the entry; several get -1, -2 and so on after it
    #[arg(long, default_value = "trusted")]
    alias: String,
    #[command(flatten)]
    access: AccessArgs,
}

pub(super) fn run(args: &Args, report: &mut Report) -> Result<ExitCode, Failure> {
    let sources: Vec<&PathBuf> = args.cert.iter().chain([&args.password_file]).collect();
    super::keep_apart(&args.out, &sources)?;
    let now = host::now();
    let mut found: Vec<Vec<u8>> = Vec::new();
    for path in &args.cert {
        let place = format!("`{}`", path.display());
        for der in
            certificates(&super::read(path)?).map_err(|error| super::refused(&place, &error))?
        {
            let info = describe(&der).map_err(|error| super::refused(&place, &error))?;
            if !info.validity.contains(now) {
                let title = info.title();
                report.warning(&format!("{place}: `{title}` is not valid at this time"));
            }
            if !found.contains(&der) {
                found.push(der);
            }
        }
    }
    let alias = |place: usize| match found.len() {
        1 => args.alias.clone(),
        _ => format!("{}-{}", args.alias, place + 1),
    };
    let trusted = found
        .iter()
        .enumerate()
        .map(|(place, der)| Ok((Alias::parse(&alias(place))?, der.clone())))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| super::refused("`--alias`", &error))?;
    let password = super::password(&args.password_file)?;

    let format = Format::from(args.format);
    let asked = Access {
        mode: args.access.mode,
        owner: args.access.owner,
    };
    let default = Access {
        mode: Some(0o644),
        owner: None,
    };
    let written = super::put(
        &args.out,
        |bytes| match format {
            Format::Pkcs12 => truststore_holds(bytes, &trusted, &password),
            Format::Jks => jks_truststore_holds(bytes, &trusted, &password),
        },
        || {
            match format {
                Format::Pkcs12 => build_truststore(&trusted, &password),
                Format::Jks => build_jks_truststore(&trusted, &password, now),
            }
            .map(Zeroizing::new)
            .map_err(|error| super::refused("`--cert`", &error))
        },
        &asked,
        &default,
    )?;
    let aliases: Vec<&str> = trusted.iter().map(|(alias, _)| alias.as_str()).collect();
    if report.is_json() {
        report.json(&serde_json::json!({
            "out": args.out.display().to_string(),
            "written": matches!(written, Written::Wrote),
            "format": format.to_string(),
            "aliases": aliases,
        }));
    } else {
        report.note(&format!(
            "{} `{}`: {format}, trusts {}",
            written.words(),
            args.out.display(),
            aliases.join(", ")
        ));
    }
    Ok(ExitCode::SUCCESS)
}
