//! pebble, a small ACME authority made for tests, and a name server for which every name is loopback.

use std::fs;
use std::path::PathBuf;

use jitsi_install::host::process;

use super::place::Place;

/// What it is made of.
pub(crate) const PROGRAMS: [&str; 3] = ["pebble", "pebble-challtestsrv", "openssl"];

/// A running authority.
pub(crate) struct Authority {
    /// Its directory.
    pub(crate) url: String,
    /// The certificate of its own web server, which clients must trust.
    pub(crate) trust: PathBuf,
}

impl Authority {
    /// Starts one that looks for answers to its challenges at the ports of this site.
    pub(crate) fn start(place: &mut Place) -> Self {
        let [port, management, dns, control] = process::free_ports().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let (trust, secret) = (place.path("pebble.crt"), place.path("pebble.key"));
        fs::write(&trust, certificate.pem()).unwrap();
        fs::write(&secret, key.serialize_pem()).unwrap();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": trust,
            "privateKey": secret,
            "httpPort": place.http,
            "tlsPort": place.https,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        fs::write(place.path("pebble.json"), config.to_string()).unwrap();
        place.give();
        let mut names = place.command("pebble-challtestsrv");
        names.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        names.args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]);
        names.args(["-dns01", &format!("127.0.0.1:{dns}")]);
        names.args(["-management", &format!("127.0.0.1:{control}")]);
        place.start("names", names);
        place.listens("names", control);
        let mut pebble = place.command("pebble");
        pebble.args(["-dnsserver", &format!("127.0.0.1:{dns}"), "-config"]);
        pebble.arg(place.path("pebble.json"));
        pebble.env("PEBBLE_VA_NOSLEEP", "1");
        pebble.env("PEBBLE_WFE_NONCEREJECT", "0");
        place.start("pebble", pebble);
        place.listens("pebble", port);
        Self {
            url: format!("https://127.0.0.1:{port}/dir"),
            trust,
        }
    }
}
