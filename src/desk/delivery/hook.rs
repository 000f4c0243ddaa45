//! Webhooks: a JSON object by POST, signed when there is a key. Redirects are not followed, and
//! nothing of the answer but its status is read.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::Trouble;
use crate::desk::names;
use crate::secret::Secret;

/// For the whole of one call.
const PATIENCE: Duration = Duration::from_secs(15);
/// Largest object that is sent.
const MOST: usize = 64 * 1024;

/// Where webhooks go.
#[derive(Debug, Clone)]
pub(in crate::desk) struct Hook {
    pub(in crate::desk) url: String,
    pub(in crate::desk) key: Option<Secret<String>>,
}

impl Hook {
    /// Sends an object; `id` lets the receiver see that it has it already.
    pub(super) async fn send(&self, id: &str, body: String) -> Result<(), Trouble> {
        if body.len() > MOST {
            return Err(Trouble::Lasting(format!("it has more than {MOST} bytes")));
        }
        let uri: Uri = self
            .url
            .parse()
            .map_err(|_| Trouble::Lasting("`notify.webhook` is no address".into()))?;
        let found = names::addresses(uri.host().unwrap_or_default())
            .await
            .map_err(Trouble::Passing)?;
        let (hook, id) = (self.clone(), id.to_owned());
        let sent = tokio::task::spawn_blocking(move || hook.call(&id, &body, found));
        sent.await
            .unwrap_or_else(|error| Err(Trouble::Passing(error.to_string())))
    }

    fn call(&self, id: &str, body: &str, found: Vec<IpAddr>) -> Result<(), Trouble> {
        let mut request = agent(&self.url, found)
            .post(&self.url)
            .header("content-type", "application/json")
            .header("x-jitsi-accounts-delivery", id);
        if let Some(key) = &self.key {
            request = request.header("x-jitsi-accounts-signature", signature(key, body));
        }
        let answer = request
            .send(body)
            .map_err(|error| Trouble::Passing(error.to_string()))?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status @ (408 | 425 | 429 | 500..) => {
                Err(Trouble::Passing(format!("it answered {status}")))
            }
            status => Err(Trouble::Lasting(format!("it answered {status}"))),
        }
    }
}

/// `sha256=` and the HMAC of the body in hexadecimal digits.
fn signature(key: &Secret<String>, body: &str) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256=".to_owned();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()) {
        mac.update(body.as_bytes());
        for byte in mac.finalize().into_bytes() {
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}

fn agent(url: &str, found: Vec<IpAddr>) -> Agent {
    let mut config = Agent::config_builder()
        .user_agent(concat!("jitsi-accounts/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(PATIENCE));
    if url.starts_with("https:") {
        let authorities: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        config = config.tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::from(authorities))
                .unversioned_rustls_crypto_provider(provider)
                .build(),
        );
    }
    Agent::with_parts(config.build(), DefaultConnector::default(), Known(found))
}

/// Addresses that were looked up before.
#[derive(Debug)]
struct Known(Vec<IpAddr>);

impl Resolver for Known {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let usual = if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = uri.port_u16().unwrap_or(usual);
        let mut addresses = self.empty();
        for address in self.0.iter().take(16) {
            addresses.push(SocketAddr::new(*address, port));
        }
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn signed_as_receivers_check_it() {
        let key = Secret::new("Jefe".to_owned());
        assert_eq!(
            signature(&key, "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
