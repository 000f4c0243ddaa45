//! certbot, which answers challenges through the site's own folder and calls the hook that is laid
//! out for it.

use super::authority::{Authority, PROGRAMS};
use super::cases::are_here;
use super::place::{DOMAIN, Place, done, fingerprint_of};

const HOOK: &str = "etc/letsencrypt/renewal-hooks/deploy/jitsi-install";
const CHAIN: &str = "etc/letsencrypt/live/meet.test/fullchain.pem";

#[test]
fn certbot_calls_its_hook() {
    if !are_here(&PROGRAMS) || !are_here(&["certbot", "nginx", "prosody"]) {
        return;
    }
    let mut place = Place::new("certbot", "nginx");
    place.redirect(HOOK);
    place.start_prosody();
    place.start_nginx();
    let authority = Authority::start(&mut place);
    let own = place.laid_out();
    place.everybody_shows(&own);

    let certbot = |arguments: &[&str]| {
        let mut command = place.command("certbot");
        command.args(arguments).arg("-n");
        for (option, folder) in [
            ("--config-dir", "tree/etc/letsencrypt"),
            ("--work-dir", "home/work"),
            ("--logs-dir", "home/logs"),
        ] {
            command.arg(option).arg(place.path(folder));
        }
        command.env("REQUESTS_CA_BUNDLE", &authority.trust);
        done(&mut command)
    };
    let webroot = place.tree("var/lib/jitsi-meet/acme");
    certbot(&[
        "certonly",
        "--agree-tos",
        "--register-unsafely-without-email",
        "--server",
        &authority.url,
        "--webroot",
        "--webroot-path",
        &webroot.to_string_lossy(),
        "-d",
        DOMAIN,
    ]);
    let first = fingerprint_of(&place.read(CHAIN));
    // What follows a first issuance without a hook's call is the daily look.
    if place.laid_out() != first {
        let said = place.renew();
        assert!(said.contains("nginx: renewed"), "{said}");
    }
    assert_eq!(place.laid_out(), first);
    assert_ne!(first, own);
    place.reload_nginx();
    place.reload_prosody();
    place.everybody_shows(&first);

    certbot(&["renew", "--force-renewal", "--no-random-sleep-on-renew"]);
    let second = fingerprint_of(&place.read(CHAIN));
    assert_ne!(second, first);
    assert_eq!(place.laid_out(), second, "the hook has handed it over");
    let said = place.renew();
    assert!(said.contains("nothing to do"), "{said}");
    place.reload_nginx();
    place.reload_prosody();
    place.everybody_shows(&second);
    assert!(place.runs("nginx") && place.runs("prosody"), "as started");
}
