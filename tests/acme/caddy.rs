//! Caddy, which has its certificate issued by itself and tells nobody: the hourly look finds it.

use std::fs;
use std::process::Command;

use super::authority::{Authority, PROGRAMS};
use super::cases::are_here;
use super::lego::left;
use super::place::{DOMAIN, Place, done, fingerprint_of};

/// The administrator's own template: ours, and another authority than the public one.
fn own_template(place: &Place, authority: &Authority) {
    let text = include_str!("../../templates/caddy/Caddyfile.caddyfile");
    let storage = "\tstorage file_system << web.issues_into >>\n";
    assert_eq!(text.matches(storage).count(), 1);
    let more = format!(
        "{storage}\tacme_ca {}\n\tacme_ca_root {}\n",
        authority.url,
        authority.trust.display()
    );
    let folder = place.tree("etc/jitsi-install/templates/caddy");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("Caddyfile.caddyfile");
    fs::write(file, text.replace(storage, &more)).unwrap();
}

/// Starts it; gives what its unit does to reload it.
fn start(place: &mut Place) -> Command {
    let site = place.here("etc/caddy/Caddyfile");
    let [run, mut reload] = ["run", "reload"].map(|verb| {
        let mut command = place.command("caddy");
        command
            .arg(verb)
            .args(["--adapter", "caddyfile", "--config"]);
        command.arg(&site);
        command
    });
    place.start("caddy", run);
    place.listens("caddy", place.https);
    reload.arg("--force");
    reload
}

#[test]
fn caddy_shows_what_others_have_issued() {
    if !are_here(&["openssl", "caddy", "prosody"]) {
        return;
    }
    let mut place = Place::new("lego", "caddy");
    place.start_prosody();
    let mut reload = start(&mut place);
    place.everybody_shows(&place.laid_out());
    let new = fingerprint_of(&left(&place));
    let said = place.renew();
    assert!(said.contains("caddy: renewed (2 files)"), "{said}");
    assert_eq!(place.laid_out(), new);
    done(&mut reload);
    place.reload_prosody();
    place.everybody_shows(&new);
    assert!(place.runs("caddy") && place.runs("prosody"), "as started");
}

#[test]
fn caddys_own_certificate_is_found() {
    if !are_here(&PROGRAMS) || !are_here(&["caddy", "prosody"]) {
        return;
    }
    let mut place = Place::new("caddy", "caddy");
    let authority = Authority::start(&mut place);
    own_template(&place, &authority);
    place.give();
    done(&mut place.ours("apply --yes --quiet"));
    let own = place.laid_out();
    place.start_prosody();

    let mut reload = start(&mut place);
    let first = issued_after(&place, &own);
    let said = place.renew();
    assert!(said.contains("prosody: renewed"), "{said}");
    assert_eq!(place.laid_out(), first);
    place.reload_prosody();
    place.everybody_shows(&first);

    // Its next one: it has no other way to be told that the first is too old.
    fs::remove_dir_all(storage(&place)).unwrap();
    done(&mut reload);
    let second = issued_after(&place, &first);
    let said = place.renew();
    assert!(said.contains("prosody: renewed"), "{said}");
    assert_eq!(place.laid_out(), second);
    place.reload_prosody();
    place.everybody_shows(&second);
    assert!(place.runs("caddy") && place.runs("prosody"), "as started");
}

/// The folder in which Caddy keeps the site's certificate.
fn storage(place: &Place) -> std::path::PathBuf {
    let all = place.tree("var/lib/caddy/.local/share/caddy/certificates");
    let authorities = fs::read_dir(&all).into_iter().flatten();
    let authority = authorities.flatten().next();
    authority.map_or(all.clone(), |one| one.path().join(DOMAIN))
}

/// Waits until it shows another one than this, and keeps the same.
#[track_caller]
fn issued_after(place: &Place, old: &str) -> String {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let kept = fs::read_to_string(storage(place).join(format!("{DOMAIN}.crt")));
        let kept = kept.map_or(String::new(), |chain| fingerprint_of(&chain));
        let shown = place.shown(place.https, &[]);
        if shown == kept && shown != old {
            return shown;
        }
        assert!(
            std::time::Instant::now() < until,
            "it keeps {kept} and shows {shown}: {}",
            place.log("caddy")
        );
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
