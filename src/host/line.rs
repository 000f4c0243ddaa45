//! Connections of the doctor: each ends by itself, and TLS on them shows its certificates.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// How long a connection may last.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// A connection on which no read and no write outlasts [`PATIENCE`], counted from its beginning.
pub struct Line {
    socket: TcpStream,
    until: Instant,
}

impl Line {
    /// Connects.
    ///
    /// # Errors
    /// That nothing listens there.
    pub fn dial(address: SocketAddr) -> Result<Self, String> {
        let socket = TcpStream::connect_timeout(&address, PATIENCE)
            .map_err(|_| format!("nothing listens at {address}"))?;
        let until = Instant::now() + PATIENCE;
        Ok(Self { socket, until })
    }

    fn left(&self) -> std::io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::from(ErrorKind::TimedOut));
        }
        Ok(Some(left))
    }
}

impl Read for Line {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(into)
    }
}

impl Write for Line {
    fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(from)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.socket.flush()
    }
}

/// A line inside TLS.
pub type Secured = StreamOwned<ClientConnection, Line>;

/// Begins TLS, and gives the certificates that were shown, the server's own first.
///
/// The server has proved that it has the key to the first; whether that is the right one is not
/// judged here. Whoever would say a secret compares it first.
///
/// # Errors
/// Why there is no TLS.
pub fn secure(mut line: Line, name: &str) -> Result<(Secured, Vec<Vec<u8>>), String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let witness = Witness(provider.signature_verification_algorithms);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(witness))
        .with_no_client_auth();
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| format!("`{name}` is no name of a server"))?;
    let mut session =
        ClientConnection::new(Arc::new(config), server).map_err(|error| error.to_string())?;
    while session.is_handshaking() {
        session
            .complete_io(&mut line)
            .map_err(|error| format!("no TLS: {error}"))?;
    }
    let shown = session.peer_certificates().unwrap_or_default();
    let shown = shown.iter().map(|one| one.as_ref().to_vec()).collect();
    Ok((StreamOwned::new(session, line), shown))
}

/// Lets every certificate pass whose key the server has.
#[derive(Debug)]
struct Witness(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_says_nothing_is_left() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = server.local_addr().expect("an address");
        let begun = Instant::now();
        let line = Line::dial(address).expect("it listens");
        let why = secure(line, "meet.example.org").map(drop);
        assert!(why.is_err_and(|why| why.starts_with("no TLS: ")));
        assert!(begun.elapsed() < PATIENCE * 2);
        drop(server);
        let why = Line::dial(address).map(drop);
        assert_eq!(why, Err(format!("nothing listens at {address}")));
    }
}
