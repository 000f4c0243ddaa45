//! A mail server: one connection, kept while there is mail, encrypted as the settings ask.
//!
//! A server that refuses TLS, a password or a greeting says nothing about a mail, so that is tried
//! again; what it says about an address or a text with 5xx is final (RFC 5321, 4.2.1).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use super::Trouble;
use super::letter::Letter;
use crate::desk::names;
use crate::render::reasons;
use crate::secret::Secret;

/// For the way to the server, TLS and password.
const GREETING: Duration = Duration::from_secs(30);
/// For one mail.
const SENDING: Duration = Duration::from_mins(1);

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::desk) enum Tls {
    /// STARTTLS, or nothing is sent.
    Required,
    /// From the first byte.
    Implicit,
    /// Not at all.
    None,
}

/// A server, and the way in.
#[derive(Debug, Clone)]
pub(in crate::desk) struct Server {
    pub(in crate::desk) host: String,
    pub(in crate::desk) port: u16,
    pub(in crate::desk) tls: Tls,
    pub(in crate::desk) ca_file: Option<PathBuf>,
    pub(in crate::desk) login: Option<(String, Secret<String>)>,
    pub(in crate::desk) hello: String,
}

/// A connection that was greeted.
pub(super) struct Line(AsyncSmtpConnection);

impl Server {
    /// Opens a connection on which mails may be sent.
    pub(super) async fn open(&self) -> Result<Line, Trouble> {
        match timeout(GREETING, self.greet()).await {
            Ok(greeted) => greeted.map_err(|why| Trouble::Away(format!("`{}`: {why}", self.host))),
            Err(_) => Err(Trouble::Away(format!("`{}` does not answer", self.host))),
        }
    }

    async fn greet(&self) -> Result<Line, String> {
        let addresses = names::addresses(&self.host).await?;
        let addresses: Vec<SocketAddr> = addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, self.port))
            .collect();
        let hello = ClientId::Domain(self.hello.clone());
        let encryption = match self.tls {
            Tls::None => None,
            Tls::Required | Tls::Implicit => Some(self.encryption()?),
        };
        let at_once = encryption.clone().filter(|_| self.tls == Tls::Implicit);
        let connected = AsyncSmtpConnection::connect_tokio1(
            &addresses[..],
            Some(GREETING),
            &hello,
            at_once,
            None,
        );
        let mut line = connected.await.map_err(|error| said(&error))?;
        if let (Tls::Required, Some(encryption)) = (self.tls, encryption) {
            if !line.can_starttls() {
                line.abort().await;
                return Err("it offers no STARTTLS, and `mail.tls` is \"required\"".into());
            }
            line.starttls(encryption, &hello)
                .await
                .map_err(|error| said(&error))?;
        }
        if let Some((user, password)) = &self.login {
            let credentials = Credentials::new(user.clone(), password.reveal().clone());
            let accepted = line
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await;
            if let Err(error) = accepted {
                line.abort().await;
                return Err(format!(
                    "it did not take `mail.username` and its password: {}",
                    said(&error)
                ));
            }
        }
        Ok(Line(line))
    }

    fn encryption(&self) -> Result<TlsParameters, String> {
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(file) = &self.ca_file {
            let pem =
                std::fs::read(file).map_err(|error| format!("`{}`: {error}", file.display()))?;
            let authority = Certificate::from_pem(&pem)
                .map_err(|_| format!("`{}` holds no certificate in PEM", file.display()))?;
            builder = builder.add_root_certificate(authority);
        }
        builder.build().map_err(|error| said(&error))
    }
}

impl Line {
    pub(super) async fn send(&mut self, letter: &Letter) -> Result<(), Trouble> {
        match timeout(SENDING, self.dialogue(letter)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(trouble)) => {
                self.0.abort().await;
                Err(trouble)
            }
            Err(_) => {
                // Whether it has the mail is not known; what is half said must not go on.
                let _ = timeout(Duration::from_secs(1), self.0.abort()).await;
                Err(Trouble::Passing("the server does not answer".into()))
            }
        }
    }

    /// The commands of one mail (RFC 5321, 3.3). A sender who is refused is a matter of settings.
    async fn dialogue(&mut self, letter: &Letter) -> Result<(), Trouble> {
        let judged = |error: Error| {
            if error.is_permanent() {
                Trouble::Lasting(said(&error))
            } else {
                Trouble::Passing(said(&error))
            }
        };
        let from = letter.envelope.from().cloned();
        let begun = self.0.command(Mail::new(from, Vec::new())).await;
        begun.map_err(|error| {
            Trouble::Passing(format!("`mail.from` is refused: {}", said(&error)))
        })?;
        for to in letter.envelope.to() {
            let to = Rcpt::new(to.clone(), Vec::new());
            self.0.command(to).await.map_err(judged)?;
        }
        self.0.command(Data).await.map_err(judged)?;
        self.0.message(&letter.bytes).await.map_err(judged)?;
        Ok(())
    }

    pub(super) async fn close(mut self) {
        let _ = timeout(Duration::from_secs(5), self.0.quit()).await;
    }
}

/// An error with what caused it: the server's own words.
fn said(error: &Error) -> String {
    reasons(error).chars().take(300).collect()
}
