//! lego, which names the certificate in its hook's environment.

use std::fs;
use std::path::Path;

use super::authority::{Authority, PROGRAMS};
use super::cases::are_here;
use super::place::{DOMAIN, Place, done, fingerprint_of};

/// Leaves a certificate as lego does, made here; gives the chain.
pub(crate) fn left(place: &Place) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![DOMAIN.to_owned()]).unwrap();
    let chain = params.self_signed(&key).unwrap().pem();
    let home = place.tree("root/.lego/certificates");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join(format!("{DOMAIN}.crt")), &chain).unwrap();
    fs::write(home.join(format!("{DOMAIN}.key")), key.serialize_pem()).unwrap();
    place.give();
    chain
}

#[test]
fn lego_calls_the_hook_that_it_is_given() {
    if !are_here(&PROGRAMS) || !are_here(&["lego", "nginx", "prosody"]) {
        return;
    }
    let mut place = Place::new("lego", "nginx");
    place.start_prosody();
    place.start_nginx();
    let authority = Authority::start(&mut place);
    let own = place.laid_out();
    place.everybody_shows(&own);

    let hook = format!(
        "{} renew --quiet",
        place.path("bin/jitsi-install").display()
    );
    let lego = |home: &Path, arguments: &[&str]| {
        let mut command = place.command("lego");
        command.arg("--path").arg(home);
        command.args(["--server", &authority.url, "--accept-tos"]);
        command.args(["--email", "admin@meet.test", "--domains", DOMAIN]);
        command.arg("--http").arg("--http.webroot");
        command.arg(place.tree("var/lib/jitsi-meet/acme"));
        command.args(arguments).arg(&hook);
        command.env("LEGO_CA_CERTIFICATES", &authority.trust);
        done(&mut command);
        let chain = home.join("certificates/meet.test.crt");
        fingerprint_of(&fs::read_to_string(chain).unwrap())
    };
    let home = place.tree("root/.lego");
    fs::create_dir_all(&home).unwrap();
    place.give();
    let first = lego(&home, &["run", "--run-hook"]);
    assert_eq!(place.laid_out(), first, "the hook has handed it over");
    assert_ne!(first, own);
    place.reload_nginx();
    place.reload_prosody();
    place.everybody_shows(&first);

    // Where nobody looks: the hook's environment alone names it. pebble's certificates last for years.
    let elsewhere = place.path("home/lego");
    fs::rename(&home, &elsewhere).unwrap();
    let renew = [
        "renew",
        "--days",
        "9999",
        "--no-random-sleep",
        "--renew-hook",
    ];
    let second = lego(&elsewhere, &renew);
    assert_ne!(second, first);
    assert_eq!(place.laid_out(), second);
    let said = place.renew();
    assert!(said.contains("nothing to do"), "{said}");
    place.reload_nginx();
    place.reload_prosody();
    place.everybody_shows(&second);
    assert!(place.runs("nginx") && place.runs("prosody"), "as started");
}
