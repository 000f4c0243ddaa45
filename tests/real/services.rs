//! Jicofo's and the bridge's accounts: STARTTLS with the private certificate, and the brewery.

use std::fs;

use jitsi_install::service::TRUSTSTORE_PASSWORD;

use super::cases::Cases;
use super::site::{DOMAIN, Site};
use super::xmpp::{C2s, Client, Join, Login, Wire};

/// Who may log in on the client port, and with whose trust. Gives the bridge, in its brewery.
pub(crate) fn log_in(site: &Site, cases: &mut Cases) -> Option<C2s> {
    let auth = format!("auth.{DOMAIN}");
    let dial = || C2s::new(site.c2s, &auth, Some(site.auth_trust()));
    let accounts = [("focus", &site.focus_password), ("jvb", &site.jvb_password)];
    for (user, password) in accounts {
        let logins = [
            Login::scram_sha_1(user, password),
            Login::plain(user, password),
        ];
        for login in logins {
            let mut stream = dial();
            let jid = stream.login(&login);
            let name = format!("{user} logs in with {}", login.mechanism());
            let ours = matches!(&jid, Ok(jid) if jid.starts_with(&format!("{user}@{auth}/")));
            cases.holds(&name, ours, || format!("{jid:?}"));
            let _ = stream.close();
        }
        let logins = [
            Login::scram_sha_1(user, "wrong"),
            Login::plain(user, "wrong"),
        ];
        for login in logins {
            let refusal = dial().login(&login).map_err(|refusal| refusal.condition);
            let name = format!("{user} with a wrong password, {}", login.mechanism());
            cases.same(&name, refusal, Err("not-authorized".to_owned()));
        }
    }
    no_secret_in_the_clear(site, cases);
    certificates(site, cases);

    let mut bridge = dial();
    let login = Login::scram_sha_1("jvb", &site.jvb_password);
    cases.must("the bridge logs in", bridge.login(&login))?;
    let join = bridge.join(&format!("jvbbrewery@internal.{auth}"), "bridge");
    let inside = matches!(&join, Join::Joined { statuses, .. } if statuses.contains(&201));
    cases.holds("the bridge opens its brewery", inside, || {
        format!("{join:?}")
    });
    Some(bridge)
}

fn no_secret_in_the_clear(site: &Site, cases: &mut Cases) {
    let auth = format!("auth.{DOMAIN}");
    let mut plain = C2s::new(site.c2s, &auth, None);
    cases.must("the port answers without TLS", plain.open());
    let offered = plain.mechanisms().to_vec();
    cases.same("nobody may log in before TLS", offered, Vec::new());
    let mut stranger = C2s::new(site.c2s, &auth, Some(site.auth_trust()));
    cases.must("the port answers with TLS", stranger.open());
    let anonymous = stranger.mechanisms().iter().any(|name| name == "ANONYMOUS");
    cases.same("nobody is anonymous there", anonymous, false);
}

fn certificates(site: &Site, cases: &mut Cases) {
    let auth = format!("auth.{DOMAIN}");
    let mut stream = C2s::new(site.c2s, &auth, Some(site.web_trust()));
    let refusal = stream.open().map_err(|refusal| refusal.condition);
    cases.same(
        "the web certificate is nobody's trust",
        refusal,
        Err("tls".to_owned()),
    );

    let mut stream = C2s::new(site.c2s, &auth, Some(site.auth_trust()));
    cases.must("the private certificate is", stream.open());
    let shown = stream.peer_certificate().unwrap_or_default();
    let names = x509_names(&shown);
    cases.same(
        "it is for auth. and nothing else",
        names,
        vec![auth.clone()],
    );

    let truststore = site.folder.join("etc/jitsi/truststore.p12");
    let trusted = fs::read(truststore).map_err(|error| error.to_string());
    let trusted = trusted.and_then(|bytes| {
        let store = p12_keystore::KeyStore::from_pkcs12(
            &bytes,
            TRUSTSTORE_PASSWORD,
            p12_keystore::Pkcs12ImportPolicy::Strict,
        );
        store.map_err(|error| error.to_string())
    });
    let trusted = trusted.map(|store| {
        let entries = store.entries().map(|(_, entry)| match entry {
            p12_keystore::KeyStoreEntry::Certificate(one) => one.as_der().to_vec(),
            _ => Vec::new(),
        });
        entries.collect::<Vec<_>>()
    });
    cases.same("Prosody shows what Jicofo trusts", Ok(vec![shown]), trusted);
}

fn x509_names(der: &[u8]) -> Vec<String> {
    let der = rustls::pki_types::CertificateDer::from(der.to_vec());
    let found = jitsi_install::keystore::describe(&der);
    found.map_or_else(|error| vec![error.to_string()], |found| found.names)
}

/// Nobody but the bridge came, and no room was made beside the brewery.
pub(crate) fn brewery_was_closed(bridge: &mut C2s, cases: &mut Cases) {
    for transport in ["bosh", "ws"] {
        let join = bridge.join(
            &format!("evil-{transport}@internal.auth.{DOMAIN}"),
            "bridge",
        );
        let fresh = matches!(&join, Join::Joined { statuses, .. } if statuses.contains(&201));
        cases.holds("nobody has made a room at the bridges'", fresh, || {
            format!("{join:?}")
        });
    }
    let inbox = &bridge.session().inbox;
    let strangers: Vec<&str> = inbox
        .iter()
        .filter_map(|stanza| stanza.attribute("from"))
        .filter(|from| {
            from.starts_with("jvbbrewery@") && !from.ends_with("/bridge") && from.contains('/')
        })
        .collect();
    cases.same("nobody else came to the brewery", strangers, Vec::new());
}
