//! Asking web servers for files: https with the system's authorities, http, and `file://`.
//!
//! It follows redirects itself, so that none leads from https to http. Names are looked up as
//! everywhere in this room, by [`names`](super::names). Proxies are those of the environment
//! (`https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`).

mod local;
mod resolver;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{HeaderMap, Response, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, ProxyProtocol};

use crate::name::excerpt;
use resolver::Names;

/// Redirects that are followed.
const MOST_REDIRECTS: usize = 8;

/// How long a connection may take to come about, TLS and all.
const CONNECT: Duration = Duration::from_secs(15);

/// What is read from a connection at once.
const BUFFER: usize = 256 << 10;

/// Why something could not be had.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// No address, no connection, no trust, or it broke; `is_passing` when another try may help.
    #[error("`{url}`: {why}")]
    Broken {
        /// What was asked for.
        url: String,
        /// What happened.
        why: String,
        /// May another try help?
        is_passing: bool,
    },
    /// The server says no.
    #[error("`{url}`: the server answers {status}")]
    Refused {
        /// What was asked for.
        url: String,
        /// HTTP's number.
        status: u16,
        /// Seconds after which it wants to be asked again.
        after: Option<u64>,
    },
    /// There is no such file on this machine.
    #[error("`{url}`: there is no such file")]
    Missing {
        /// What was asked for.
        url: String,
    },
    /// It leads where nobody may follow.
    #[error("`{url}`: {why}")]
    Redirect {
        /// What was asked for.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// It is larger than anything of its kind.
    #[error("`{url}` has more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// What is allowed.
        limit: u64,
    },
}

impl NetError {
    /// May another try help?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Broken { is_passing, .. } => *is_passing,
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Missing { .. } | Self::Redirect { .. } | Self::TooLarge { .. } => false,
        }
    }
}

/// The way out.
pub struct Net {
    agent: Agent,
    stall: Duration,
}

/// What of a file is wanted.
#[derive(Debug, Default)]
pub struct Wish<'a> {
    /// From this byte on.
    pub from: u64,
    /// Only when it is still the same: an `ETag` or a `Last-Modified`.
    pub same: Option<&'a str>,
}

/// An answer that has begun.
pub struct Answer {
    /// Where its first byte stands in the whole.
    pub from: u64,
    /// How long the whole is, when the server says so.
    pub total: Option<u64>,
    /// By what the server knows this state of the file.
    pub state: Option<String>,
    /// Its bytes.
    pub body: Box<dyn Read + Send>,
}

impl Net {
    /// Gets ready; `stall` is how long a server may send nothing.
    ///
    /// # Errors
    /// When the environment names a proxy that cannot be used.
    pub fn new(stall: Duration) -> Result<Self, NetError> {
        let found = rustls_native_certs::load_native_certs();
        let authorities: Vec<Certificate<'static>> = found
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(authorities))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("jitsi-install/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT.min(stall)))
            .timeout_send_request(Some(stall))
            .timeout_recv_response(Some(stall))
            .timeout_per_read(Some(stall))
            .input_buffer_size(BUFFER)
            .build();
        if let Some(proxy) = config.proxy()
            && !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
        {
            return Err(NetError::Broken {
                url: format!("{}:{}", proxy.host(), proxy.port()),
                why: "the environment names it as proxy, and only HTTP proxies can be used"
                    .to_owned(),
                is_passing: false,
            });
        }
        Ok(Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), Names),
            stall,
        })
    }

    /// Asks for a file; redirects are followed.
    ///
    /// # Errors
    /// What the server, or the way to it, said.
    pub fn open(&self, url: &str, wish: &Wish<'_>) -> Result<Answer, NetError> {
        if let Some(path) = local::path(url) {
            return local::open(&path, url);
        }
        let mut at: Uri = url.parse().map_err(|_| broken(url, "it is no address"))?;
        for _ in 0..=MOST_REDIRECTS {
            if !matches!(at.scheme_str(), Some("http" | "https")) {
                return Err(broken(url, "it begins neither with https:// nor http://"));
            }
            let mut request = self.agent.get(&at);
            if wish.from > 0 {
                request = request.header(header::RANGE, format!("bytes={}-", wish.from));
                if let Some(same) = wish.same {
                    request = request.header(header::IF_RANGE, same);
                }
            }
            let response = request.call().map_err(|error| self.said(url, &error))?;
            if response.status().is_redirection() {
                at = follow(url, &at, response.headers())?;
                continue;
            }
            return answer(url, wish, response);
        }
        Err(NetError::Redirect {
            url: url.to_owned(),
            why: format!("it leads on more than {MOST_REDIRECTS} times"),
        })
    }

    /// A small file as a whole.
    ///
    /// # Errors
    /// What the server, or the way to it, said; or when it is larger than `limit`.
    pub fn get(&self, url: &str, limit: u64) -> Result<Vec<u8>, NetError> {
        let answer = self.open(url, &Wish::default())?;
        let mut bytes = Vec::new();
        answer
            .body
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.cut(url, &error))?;
        if bytes.len() as u64 > limit {
            return Err(NetError::TooLarge {
                url: url.to_owned(),
                limit,
            });
        }
        Ok(bytes)
    }

    /// What is said of a connection that broke within an answer.
    pub(super) fn cut(&self, url: &str, error: &io::Error) -> NetError {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        let why = match (inner, error.kind()) {
            (Some(ureq::Error::Timeout(_)), _) | (_, io::ErrorKind::TimedOut) => self.silent(),
            (_, io::ErrorKind::UnexpectedEof) => "the connection ended within the file".to_owned(),
            _ => format!("the connection broke: {error}"),
        };
        NetError::Broken {
            url: url.to_owned(),
            why,
            is_passing: true,
        }
    }

    fn silent(&self) -> String {
        format!("nothing came for {} s", self.stall.as_secs())
    }

    fn said(&self, url: &str, error: &ureq::Error) -> NetError {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof,
        };
        let (why, is_passing) = match error {
            ureq::Error::Timeout(ureq::Timeout::Connect) => (
                format!(
                    "no connection within {} s",
                    CONNECT.min(self.stall).as_secs()
                ),
                true,
            ),
            ureq::Error::Timeout(_) => (self.silent(), true),
            ureq::Error::HostNotFound => ("the resolver has no address for it".to_owned(), false),
            ureq::Error::Io(error) => match tls(error) {
                Some(error) => (format!("no trust in it: {error}"), false),
                None => (
                    error.to_string(),
                    matches!(
                        error.kind(),
                        ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof | TimedOut
                    ),
                ),
            },
            ureq::Error::Rustls(error) => (format!("no trust in it: {error}"), false),
            other => (other.to_string(), false),
        };
        NetError::Broken {
            url: url.to_owned(),
            why,
            is_passing,
        }
    }
}

fn tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn broken(url: &str, why: &str) -> NetError {
    NetError::Broken {
        url: url.to_owned(),
        why: why.to_owned(),
        is_passing: false,
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Where a redirect leads; relative addresses as RFC 3986, 5.2 has them, without `..`.
fn follow(url: &str, at: &Uri, headers: &HeaderMap) -> Result<Uri, NetError> {
    let refuse = |why: String| NetError::Redirect {
        url: url.to_owned(),
        why,
    };
    let to = text(headers, header::LOCATION)
        .ok_or_else(|| refuse("it leads on and does not say where".to_owned()))?;
    let to = to.split('#').next().unwrap_or_default();
    let scheme = at.scheme_str().unwrap_or("https");
    let host = at.authority().map_or_else(String::new, ToString::to_string);
    let folder = at.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = if to.contains("://") {
        to.to_owned()
    } else if to.starts_with("//") {
        format!("{scheme}:{to}")
    } else if to.starts_with('/') {
        format!("{scheme}://{host}{to}")
    } else {
        format!("{scheme}://{host}{folder}/{to}")
    };
    let next: Uri = whole.parse().map_err(|_| {
        refuse(format!(
            "it leads to `{}`, which is no address",
            excerpt(to)
        ))
    })?;
    if scheme == "https" && next.scheme_str() != Some("https") {
        return Err(refuse(format!(
            "it leads from https to `{}`, where everybody can read and change it",
            excerpt(&whole)
        )));
    }
    Ok(next)
}

fn answer(url: &str, wish: &Wish<'_>, response: Response<Body>) -> Result<Answer, NetError> {
    let headers = response.headers();
    let length: Option<u64> =
        text(headers, header::CONTENT_LENGTH).and_then(|text| text.trim().parse().ok());
    let (from, total) = match response.status().as_u16() {
        200 => (0, length),
        206 if wish.from > 0 => {
            let range = text(headers, header::CONTENT_RANGE).and_then(range);
            let (from, total) = range
                .ok_or_else(|| broken(url, "the server sends a part and does not say which"))?;
            (from, total)
        }
        status => {
            let after = text(headers, header::RETRY_AFTER);
            return Err(NetError::Refused {
                url: url.to_owned(),
                status,
                after: after.and_then(|text| text.trim().parse().ok()),
            });
        }
    };
    // A weak tag does not vouch for bytes.
    let tag = text(headers, header::ETAG).filter(|tag| !tag.starts_with("W/"));
    let state = tag.or_else(|| text(headers, header::LAST_MODIFIED));
    Ok(Answer {
        from,
        total,
        state: state.map(str::to_owned),
        body: Box::new(response.into_body().into_reader()),
    })
}

/// `bytes 100-199/200`: where it begins, and how long the whole is.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, to) = span.split_once('-')?;
    let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
    let total: Option<u64> = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    (from <= to && total.is_none_or(|total| to < total)).then_some((from, total))
}

#[cfg(test)]
mod tests;
