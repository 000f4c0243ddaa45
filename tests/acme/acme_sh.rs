//! acme.sh's folder as it leaves it, and its deploy hook, sourced and called by a stand-in.

use std::fs;
use std::process::Command;

use super::cases::are_here;
use super::place::{DOMAIN, Place, done, fingerprint_of, text};

const HOOK: &str = "root/.acme.sh/deploy/jitsi_install.sh";

/// Stands in for acme.sh, which is in no distribution: its `_deploy` sources the hook and calls it
/// with the certificate's name, key, certificate, issuers and full chain (acme.sh 3.1.4).
const CALLER: &str = r#"
_err() { printf '%s\n' "$*" >&2; return 1; }
. "$LE_CONFIG_HOME/deploy/jitsi_install.sh"
d="$LE_CONFIG_HOME/$1_ecc"
if ! jitsi_install_deploy "$1" "$d/$1.key" "$d/$1.cer" "$d/ca.cer" "$d/fullchain.cer" "$d/$1.pfx"; then
  _err "Error deploying for domain: $1"
  exit 1
fi
"#;

/// Issues as acme.sh does, and leaves what it leaves; gives the fingerprint. A chain that came
/// over HTTP may end its lines with CR LF, and its last one with nothing.
fn issue(place: &Place, line_end: &str) -> String {
    let home = place.tree("root/.acme.sh").join(format!("{DOMAIN}_ecc"));
    fs::create_dir_all(&home).unwrap();
    let openssl = |line: &str| {
        let mut command = Command::new("openssl");
        command.args(line.split(' ')).current_dir(&home);
        done(&mut command)
    };
    // EC PARAMETERS, then EC PRIVATE KEY in the form of SEC1
    openssl(&format!(
        "ecparam -name prime256v1 -genkey -out {DOMAIN}.key"
    ));
    let extensions = format!("subjectAltName=DNS:{DOMAIN}\n");
    fs::write(home.join("extensions"), extensions).unwrap();
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=Issuer -days 90 -keyout ca.key -out ca.cer",
    );
    openssl(&format!(
        "req -new -key {DOMAIN}.key -subj /CN={DOMAIN} -out {DOMAIN}.csr"
    ));
    openssl(&format!(
        "x509 -req -in {DOMAIN}.csr -CA ca.cer -CAkey ca.key -CAcreateserial -days 90 -extfile extensions -out {DOMAIN}.cer"
    ));
    let read = |name: &str| fs::read_to_string(home.join(name)).unwrap();
    let chain = read(&format!("{DOMAIN}.cer")) + &read("ca.cer");
    let key = read(&format!("{DOMAIN}.key"));
    assert!(key.contains("BEGIN EC PARAMETERS") && key.contains("BEGIN EC PRIVATE KEY"));
    let left = chain.trim_end().replace('\n', line_end);
    fs::write(home.join("fullchain.cer"), left).unwrap();
    let notes = format!("Le_Domain='{DOMAIN}'\nLe_Alt='no'\nLe_Keylength='ec-256'\n");
    fs::write(home.join(format!("{DOMAIN}.conf")), notes).unwrap();
    for file in ["ca.key", "ca.srl", "extensions"] {
        let _ = fs::remove_file(home.join(file));
    }
    place.give();
    fingerprint_of(&chain)
}

#[test]
fn acme_sh_deploys() {
    if !are_here(&["openssl", "nginx", "prosody"]) {
        return;
    }
    let mut place = Place::new("acme.sh", "nginx");
    place.redirect(HOOK);
    place.start_prosody();
    place.start_nginx();
    let own = place.laid_out();
    place.everybody_shows(&own);
    let deploy = || {
        let mut command = place.command("sh");
        command.args(["-c", CALLER, "acme.sh", DOMAIN]);
        command.env("LE_CONFIG_HOME", place.tree("root/.acme.sh"));
        command.output().unwrap()
    };
    let mut last = own;
    for line_end in ["\n", "\r\n"] {
        let issued = issue(&place, line_end);
        let said = deploy();
        assert!(said.status.success(), "{}", text(&said));
        assert_eq!(place.laid_out(), issued);
        assert_ne!(issued, last);
        place.reload_nginx();
        place.reload_prosody();
        place.everybody_shows(&issued);
        last = issued;
    }
    // What goes wrong reaches acme.sh in its own manner, and nothing is changed.
    fs::write(
        place.tree(&format!("root/.acme.sh/{DOMAIN}_ecc/fullchain.cer")),
        "",
    )
    .unwrap();
    let said = deploy();
    let words = "jitsi-install could not hand the certificate to everybody";
    assert!(text(&said).contains(words), "{}", text(&said));
    assert_eq!(said.status.code(), Some(1));
    assert_eq!(place.laid_out(), last);
    assert!(place.runs("nginx") && place.runs("prosody"), "as started");
}
