//! Stand-ins that `try` uses where Jitsi's own pieces are not on the machine. They are the tests'
//! own, say what they are in their first lines, and make no claim for the real ones. A test says
//! that these lists are complete.

macro_rules! files {
    ($folder:literal: $($file:literal),* $(,)?) => {
        &[$(($file, include_bytes!(concat!("../../tests/standins/", $folder, "/", $file)).as_slice())),*]
    };
}

/// Prosody plugins of the same names and options as Jitsi's.
pub(super) const PROSODY_PLUGINS: &[(&str, &[u8])] = files![
    "prosody-plugins":
    "mod_auth_jitsi-anonymous.lua",
    "mod_auth_token.lua",
    "mod_av_moderation_component.lua",
    "mod_client_proxy.lua",
    "mod_conference_duration.lua",
    "mod_end_conference.lua",
    "mod_features_identity.lua",
    "mod_jitsi_session.lua",
    "mod_limits_exception.lua",
    "mod_muc_breakout_rooms.lua",
    "mod_muc_domain_mapper.lua",
    "mod_muc_filter_access.lua",
    "mod_muc_hide_all.lua",
    "mod_muc_lobby_rooms.lua",
    "mod_muc_meeting_id.lua",
    "mod_muc_password_whitelist.lua",
    "mod_muc_rate_limit.lua",
    "mod_muc_wait_for_host.lua",
    "mod_persistent_lobby.lua",
    "mod_polls_component.lua",
    "mod_room_metadata_component.lua",
    "mod_speakerstats_component.lua",
    "mod_token_affiliation.lua",
    "mod_token_verification.lua",
    "standin.lib.lua",
];

/// A page with the same includes as Jitsi Meet's, which shows how far signalling works.
pub(super) const MEET: &[(&str, &[u8])] = files![
    "meet":
    ".well-known/assetlinks.json",
    "base.html",
    "body.html",
    "css/all.css",
    "fonts.html",
    "head.html",
    "images/favicon.svg",
    "images/watermark.svg",
    "index.html",
    "lang/main.json",
    "libs/app.js",
    "libs/external_api.min.js",
    "libs/x.wasm",
    "manifest.json",
    "plugin.head.html",
    "pwa-worker.js",
    "sounds/x.wav",
    "static/404.html",
    "static/close.html",
    "title.html",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    fn listed(folder: &Path, prefix: &str) -> BTreeSet<String> {
        #[expect(clippy::disallowed_methods, reason = "a test looks at its own sources")]
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .flat_map(|entry| {
                let entry = entry.unwrap();
                let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
                if entry.path().is_dir() {
                    listed(&entry.path(), &format!("{name}/"))
                } else {
                    BTreeSet::from([name])
                }
            })
            .collect()
    }

    #[test]
    fn every_file_is_on_board() {
        let standins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/standins");
        for (folder, files) in [
            ("prosody-plugins", super::PROSODY_PLUGINS),
            ("meet", super::MEET),
        ] {
            let ours: BTreeSet<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(ours, listed(&standins.join(folder), ""), "{folder}");
        }
    }
}
