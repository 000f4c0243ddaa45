//! lego, which names the certificate in its hook's environment.

use super::authority::{Authority, PROGRAMS};
use super::cases::are_here;
use super::place::{DOMAIN, Place, done, fingerprint_of};

const CHAIN: &str = "root/.lego/certificates/meet.test.crt";

#[test]
fn lego_calls_the_hook_that_it_is_given() {
    if !are_here(&PROGRAMS) || !are_here(&["lego", "nginx", "prosody"]) {
        return;
    }
    let mut place = Place::new("lego", "nginx", |_| {});
    place.start_prosody();
    place.start_nginx();
    let authority = Authority::start(&mut place);
    let own = place.laid_out();
    place.everybody_shows(&own);

    // It splits the hook at blanks and runs it without a shell, as its users have it run ours.
    let hook = format!(
        "{} renew --quiet",
        place.path("bin/jitsi-install").display()
    );
    let lego = |arguments: &[&str]| {
        let mut command = place.command("lego");
        command.arg("--path").arg(place.tree("root/.lego"));
        command.args(["--server", &authority.url, "--accept-tos"]);
        command.args(["--email", "admin@meet.test", "--domains", DOMAIN]);
        command.args(["--dns.resolvers", "127.0.0.1:1"]);
        command.arg("--http").arg("--http.webroot");
        command.arg(place.tree("var/lib/jitsi-meet/acme"));
        command.args(arguments).arg(&hook);
        command.env("LEGO_CA_CERTIFICATES", &authority.trust);
        done(&mut command)
    };
    std::fs::create_dir_all(place.tree("root")).unwrap();
    place.give();
    lego(&["run", "--run-hook"]);
    let first = fingerprint_of(&place.read(CHAIN));
    assert_eq!(place.laid_out(), first, "the hook has handed it over");
    assert_ne!(first, own);
    place.reload_nginx();
    place.reload_prosody();
    place.everybody_shows(&first);

    // pebble's certificates last for years
    lego(&[
        "renew",
        "--days",
        "9999",
        "--no-random-sleep",
        "--renew-hook",
    ]);
    let second = fingerprint_of(&place.read(CHAIN));
    assert_ne!(second, first);
    assert_eq!(place.laid_out(), second);
    place.reload_nginx();
    place.reload_prosody();
    place.everybody_shows(&second);
    assert!(place.runs("nginx") && place.runs("prosody"), "as started");
}
