//! Where to connect, and the connection: TCP, or TLS that trusts just the certificates given.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    StreamOwned,
};

/// No read and no write waits longer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A site to talk to: the address is what is dialled, the names are what is asked for.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub addr: SocketAddr,
    /// The name to verify (and to send as SNI), and whom to trust.
    pub tls: Option<(String, Arc<ClientConfig>)>,
    /// What HTTP requests say in `Host`, with the port where it is not the usual one.
    pub host_header: String,
}

impl Endpoint {
    pub fn plain(addr: SocketAddr, host: &str) -> Self {
        Endpoint {
            addr,
            tls: None,
            host_header: host.to_owned(),
        }
    }

    /// `host_header` is `name:port`, as a browser would say for a port other than 443.
    pub fn tls(addr: SocketAddr, name: &str, config: Arc<ClientConfig>) -> Self {
        let host_header = match addr.port() {
            443 => name.to_owned(),
            port => format!("{name}:{port}"),
        };
        Endpoint {
            addr,
            tls: Some((name.to_owned(), config)),
            host_header,
        }
    }

    /// Errors: those of the socket, and `InvalidData` when the TLS handshake fails.
    pub fn connect(&self) -> io::Result<Line> {
        let socket = dial(self.addr)?;
        match &self.tls {
            None => Ok(Line::Plain(socket)),
            Some((name, config)) => start_tls(socket, name, Arc::clone(config)),
        }
    }
}

/// Connects; reads and writes of the socket are bounded by [`PATIENCE`].
pub fn dial(addr: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect_timeout(&addr, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// Completes the handshake, so that a certificate that is refused shows here and not later.
pub fn start_tls(mut socket: TcpStream, name: &str, config: Arc<ClientConfig>) -> io::Result<Line> {
    let name = ServerName::try_from(name.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let mut session = ClientConnection::new(config, name)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    Ok(Line::Tls(Box::new(StreamOwned::new(session, socket))))
}

/// A connection, with or without TLS.
#[derive(Debug)]
pub enum Line {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Line {
    /// The next read gives up at `until`, with `WouldBlock` or `TimedOut`.
    pub fn read_until(&self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        // a timeout of zero would mean "for ever"
        let left = left.clamp(Duration::from_millis(1), PATIENCE);
        self.socket().set_read_timeout(Some(left))
    }

    /// The certificate that the server showed, as DER; `None` without TLS.
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        match self {
            Line::Plain(_) => None,
            Line::Tls(stream) => {
                let shown = stream.conn.peer_certificates()?.first()?;
                Some(shown.to_vec())
            }
        }
    }

    /// `h2`, `http/1.1` or nothing, as agreed by ALPN.
    pub fn agreed_protocol(&self) -> Option<String> {
        match self {
            Line::Plain(_) => None,
            Line::Tls(stream) => {
                let agreed = stream.conn.alpn_protocol()?;
                Some(String::from_utf8_lossy(agreed).into_owned())
            }
        }
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Line::Plain(socket) => socket,
            Line::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Line {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Line::Plain(socket) => socket.read(into),
            Line::Tls(stream) => stream.read(into),
        }
    }
}

impl Write for Line {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Line::Plain(socket) => socket.write(from),
            Line::Tls(stream) => stream.write(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Line::Plain(socket) => socket.flush(),
            Line::Tls(stream) => stream.flush(),
        }
    }
}

/// True when a read ended because its time was up.
pub fn timed_out(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// A configuration that trusts the certificates in these PEM texts and nothing else.
///
/// Authorities are trusted for what they signed. A server that shows one of the certificates
/// itself is trusted too, even if it is marked as an authority, as a self-signed one mostly is:
/// OpenSSL and Java do the same, rustls alone would say `CaUsedAsEndEntity`. The name is verified
/// in both cases, the dates only in the first.
pub fn trusting(pems: &[&str]) -> Result<Arc<ClientConfig>, String> {
    let mut known = Vec::new();
    let mut roots = RootCertStore::empty();
    for pem in pems {
        for found in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = found.map_err(|error| format!("certificate not read: {error}"))?;
            let added = roots.add(certificate.clone());
            added.map_err(|error| format!("certificate not taken: {error}"))?;
            known.push(certificate);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let signed = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| format!("nothing to trust: {error}"))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("no TLS versions: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Known { known, signed }))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct Known {
    known: Vec<CertificateDer<'static>>,
    signed: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.known.iter().any(|known| known == shown) {
            let certificate = ParsedCertificate::try_from(shown)?;
            rustls::client::verify_server_name(&certificate, name)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.signed
            .verify_server_cert(shown, chain, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}
