//! TLS: whom the system trusts, and nobody else.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::proving::said;
use crate::server::{Server, answer, part};
use crate::stage::{Piece, Stage, bytes};

/// An authority's certificate, and a server with one of its certificates for this name.
pub fn authority(name: &str) -> (String, Arc<rustls::ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (issuer.pem(), Arc::new(config))
}

#[test]
fn an_authority_of_ones_own() {
    let file = bytes(3_000_000, 70);
    let (pem, config) = authority("127.0.0.1");
    let sent = file.clone();
    let server = Server::start_tls(config, move |request, wire, _| {
        part(request, wire, &sent, "\"one\"")
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    std::fs::write(stage.path("authority.pem"), pem).unwrap();
    // Nobody trusts it, and that is not tried again.
    let text = stage.refuses("no trust in it");
    assert!(text.contains("SSL_CERT_FILE"), "{text}");
    assert!(!text.contains("trying again"), "{text}");
    assert_eq!(stage.names(), [""; 0]);
    assert_eq!(server.log().len(), 0);
    let mut command = stage.command(&["fetch"]);
    let output = command
        .env("SSL_CERT_FILE", stage.path("authority.pem"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    stage.holds("a.bin", &file);
}

#[test]
fn another_name() {
    let file = bytes(1_000, 71);
    let (pem, config) = authority("files.example.org");
    let sent = file.clone();
    let server = Server::start_tls(config, move |request, wire, _| {
        part(request, wire, &sent, "\"one\"")
    });
    let stage = Stage::one(server.url("a.bin"), &file);
    std::fs::write(stage.path("authority.pem"), pem).unwrap();
    let mut command = stage.command(&["fetch"]);
    let output = command
        .env("SSL_CERT_FILE", stage.path("authority.pem"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("no trust in it"),
        "{}",
        said(&output)
    );
    assert_eq!(stage.names(), [""; 0]);
}

#[test]
fn never_from_https_to_http() {
    let file = bytes(1_000, 72);
    let open = Server::files(&[("a.bin", &file)]);
    let to = open.url("a.bin");
    let (pem, config) = authority("127.0.0.1");
    let server = Server::start_tls(config, move |_, wire, _| {
        answer(wire, "302 Found", &[("Location", &to)], b"")
    });
    // Also not with http before.
    let to = server.url("a.bin");
    let before =
        Server::start(move |_, wire, _| answer(wire, "302 Found", &[("Location", &to)], b""));
    let stage = Stage::one(server.url("a.bin"), &file);
    std::fs::write(stage.path("authority.pem"), pem).unwrap();
    for url in [server.url("a.bin"), before.url("a.bin")] {
        stage.catalogue(&[Piece::of("piece", url, &file)]);
        let mut command = stage.command(&["fetch"]);
        let output = command
            .env("SSL_CERT_FILE", stage.path("authority.pem"))
            .output()
            .unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("leads from https to `http://"), "{text}");
        assert_eq!(stage.names(), [""; 0]);
    }
    assert_eq!((server.log().len(), open.log().len()), (2, 0));
}
