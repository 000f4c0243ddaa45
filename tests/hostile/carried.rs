//! Hostile sites on disk, and what each reader finds in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jitsi_install::host::secrets;
use jitsi_install::layout::layout;
use jitsi_install::name::{AbsPath, Owner};
use jitsi_install::platform::Release;
use jitsi_install::resource::{Content, Resource};
use jitsi_install::service::Facts;
use jitsi_install::site::Site;
use serde_json::{Value, json};

use crate::proving::servers::{Nginx, caddy_objection};
use crate::proving::{browser, java, program, root, run, small_pages};

/// A hostile site on disk.
pub struct Written {
    site: Site,
    chosen: BTreeMap<String, String>,
    base: PathBuf,
    files: Vec<PathBuf>,
}

impl Written {
    fn one(&self, ending: &str) -> PathBuf {
        let mut found = self
            .files
            .iter()
            .filter(|path| path.to_string_lossy().ends_with(ending));
        let file = found
            .next()
            .unwrap_or_else(|| panic!("no {ending}"))
            .clone();
        assert!(found.next().is_none(), "two files end with {ending}");
        file
    }
}

/// Lays a site out below a folder and writes what is rendered.
pub fn write(
    site: Site,
    chosen: BTreeMap<String, String>,
    base: PathBuf,
    number: usize,
    kept: &secrets::Kept,
) -> Written {
    let place = AbsPath::parse(&base.to_string_lossy()).unwrap();
    let platform = Release::ALL[number % 4]
        .platform()
        .below(&place, &Owner::root());
    let facts = Facts {
        pages: small_pages(),
        versions: std::collections::BTreeMap::new(),
        ..Facts::default()
    };
    let layout = layout(&site, &platform, &kept.secrets, &facts)
        .unwrap_or_else(|error| panic!("{error}\n{chosen:?}"));
    let mut files = Vec::new();
    for item in &layout.items {
        match &item.resource {
            Resource::Dir(dir) => {
                use std::os::unix::fs::PermissionsExt;
                let _ = fs::create_dir_all(dir.path.as_str());
                if dir.ours || dir.path.as_str().starts_with(place.as_str()) {
                    // Validators without rights open the logs that a site names.
                    fs::set_permissions(dir.path.as_str(), fs::Permissions::from_mode(0o777))
                        .unwrap();
                }
            }
            Resource::File(file) => {
                if let Content::Bytes(bytes) = &file.content {
                    fs::create_dir_all(file.path.parent().unwrap().as_str()).unwrap();
                    fs::write(file.path.as_str(), bytes).unwrap();
                    files.push(PathBuf::from(file.path.as_str()));
                }
            }
            _ => {}
        }
    }
    Written {
        site,
        chosen,
        base,
        files,
    }
}

/// The account service's own reader takes every file, and finds in it what the site file said.
pub fn accounts(written: &[Written]) {
    for site in written.iter().filter(|site| site.site.accounts.is_some()) {
        let file = site.one("/etc/jitsi-accounts/accounts.toml");
        let text = fs::read_to_string(&file).unwrap();
        let settings = jitsi_install::account::settings::Settings::parse(&text)
            .unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
        let same = |key: &str, found: &str| {
            if let Some(chosen) = site.chosen.get(key) {
                assert_eq!(found.trim(), chosen.trim(), "{key}");
            }
        };
        same("accounts.site_name", &settings.site_name);
        same("accounts.smtp.from", &settings.mail.from);
    }
}

pub fn lua(written: &[Written]) {
    let Some(lua) = program("lua5.4", "lua5.4") else {
        return;
    };
    let said = run(std::process::Command::new(lua)
        .arg(root().join("tests/proving/prosody_config.lua"))
        .args(written.iter().map(|site| site.one("/prosody.cfg.lua"))));
    for (site, line) in written.iter().zip(said.lines()) {
        let config: Value = serde_json::from_str(line).unwrap();
        let host = &config[site.site.domain.as_str()];
        let of = |key: &str| json!(site.chosen[key]);
        let url = |key: &str| json!(site.chosen[key].trim_end_matches('/'));
        assert_eq!(host["app_id"], of("auth.token.app_id"));
        assert_eq!(
            host["asap_accepted_issuers"],
            json!([of("auth.token.app_id")])
        );
        assert_eq!(
            host["asap_accepted_audiences"],
            json!([of("auth.token.audience")])
        );
        assert_eq!(host["asap_key_server"], url("auth.token.key_server"));
        assert_eq!(host["cache_keys_url"], url("auth.token.keys_url"));
        assert_eq!(config["*"]["plugin_paths"][1], url("prosody.plugins"));
        assert_eq!(
            config.as_object().unwrap().len(),
            14,
            "another host: {line}"
        );
    }
}

pub fn hocon(written: &[Written]) {
    let files: Vec<PathBuf> = written
        .iter()
        .flat_map(|site| [site.one("/jicofo.conf"), site.one("/jvb.conf")])
        .collect();
    let Some(read) = java::hocon(&files) else {
        return;
    };
    for (site, leaves) in written.iter().zip(read.chunks(2)) {
        assert_eq!(
            leaves[0]["jicofo.xmpp.client.xmpp-domain"],
            json!(site.site.domain)
        );
        assert_eq!(leaves[0].len(), 15, "{:?}", leaves[0]);
        if let Some(server) = site.chosen.get("videobridge.stun") {
            assert_eq!(
                leaves[1]["ice4j.harvest.mapping.stun.addresses"],
                json!([server])
            );
        }
    }
}

pub fn scripts(written: &[Written]) {
    let cases: Vec<(Vec<PathBuf>, Option<&str>)> = written
        .iter()
        .map(|site| {
            (
                vec![site.one("org-config.js"), site.one("-interface_config.js")],
                Some("/Room"),
            )
        })
        .collect();
    let Some(seen) = browser::scripts(&cases) else {
        return;
    };
    for (site, world) in written.iter().zip(&seen) {
        let interface = &world["interfaceConfig"];
        assert_eq!(interface["APP_NAME"], json!(site.chosen["meet.app_name"]));
        if let Some(mail) = site.chosen.get("admin_email") {
            assert_eq!(interface["SUPPORT_URL"], json!(format!("mailto:{mail}")));
        }
        assert_eq!(world["config"]["hosts"]["domain"], json!(site.site.domain));
        assert_eq!(
            world["names"],
            json!(["config", "interfaceConfig", "location"])
        );
        for file in [site.one("org-config.js"), site.one("-interface_config.js")] {
            let text = fs::read_to_string(file).unwrap().to_lowercase();
            assert!(!text.contains("</script") && !text.contains("<!--# include"));
            assert!(text.matches("<!--").count() <= 1);
        }
    }
}

/// The scripts inside a page: what stands between the tags runs and says the same.
pub fn pages(written: &[Written]) {
    let mut cases = Vec::new();
    for site in written {
        let page = fs::read_to_string(site.one("/pages/index.html")).unwrap();
        let lower = page.to_lowercase();
        assert_eq!(
            (
                lower.matches("<script").count(),
                lower.matches("</script").count()
            ),
            (2, 2)
        );
        assert!(!page.contains("<!--"), "a comment is left open for HTML");
        let files: Vec<PathBuf> = page
            .split("<script>")
            .skip(1)
            .enumerate()
            .map(|(number, part)| {
                let file = site.base.join(format!("{number}.js"));
                fs::write(&file, part.split("</script>").next().unwrap()).unwrap();
                file
            })
            .collect();
        cases.push((files, Some("/Room")));
    }
    let Some(seen) = browser::scripts(&cases) else {
        return;
    };
    for (site, world) in written.iter().zip(&seen) {
        assert_eq!(
            world["interfaceConfig"]["APP_NAME"],
            json!(site.chosen["meet.app_name"])
        );
        assert_eq!(world["config"]["hosts"]["domain"], json!(site.site.domain));
    }
}

/// The web servers read those sites in which something of theirs differs.
pub fn servers(written: &[Written], most: usize, web: usize) {
    if let Some(nginx) = Nginx::find() {
        for site in &written[..web] {
            let file = site.one(&format!("/{}.conf", site.site.domain));
            let objection = nginx.objection(&file, &site.base.join("proof"));
            assert_eq!(objection, None, "{:?}", site.chosen);
        }
    }
    for site in &written[most..most + web] {
        let objection = caddy_objection(&site.one("/Caddyfile"), Path::new(&site.base));
        assert_eq!(objection, None, "{:?}", site.chosen);
    }
}
