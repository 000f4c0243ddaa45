//! Prosody's hosts and components as they are configured on disk.
//!
//! Over 400 lines: what is asked of each of Prosody's hosts stands together.

use super::lua::{self, Section};
use super::{APPLY, Check, Probe, Question, Subject, hocon, text_of};
use crate::name::Domain;
use crate::service::prosody::site_file;
use crate::site::{Mode, ProsodyVersion, Signature};

pub(super) const ADMINS_OWN: Question = Question::new("D-03", "Jicofo owns the rooms it enters");
pub(super) const EMPTY_TOKENS: Question = Question::new(
    "D-19",
    "nobody is a host without a token or account, by configuration",
);
pub(super) const GUESTS: Question =
    Question::new("D-20", "guests wait for a host, by configuration");
pub(super) const CLOSED: Question =
    Question::new("D-21", "rooms and the brewery are closed, by configuration");
pub(super) const MODERATORS: Question =
    Question::new("D-22", "moderators come from tokens or accounts alone");
pub(super) const KEY_SERVER: Question =
    Question::new("D-24", "the keys that sign tokens can be had");
pub(super) const OWN_MODULE: Question =
    Question::new("D-54", "guests bring no token: our module is loaded");

/// The hosts' configuration as it stands, the global section first.
pub(super) struct Config {
    pub(super) sections: Vec<Section>,
}

impl Config {
    pub(super) fn read(subject: &Subject<'_>, probe: &dyn Probe) -> Result<Self, String> {
        let global = subject
            .context
            .platform
            .prosody
            .config
            .join("prosody.cfg.lua");
        let text = format!(
            "{}\n{}",
            text_of(probe, &global)?,
            text_of(probe, &site_file(subject.context))?
        );
        Ok(Self {
            sections: lua::sections(&text),
        })
    }

    fn host(&self, name: &Domain) -> Option<&Section> {
        self.sections.iter().find(|one| one.name == name.as_str())
    }

    pub(super) fn global(&self) -> &Section {
        &self.sections[0]
    }
}

pub(super) fn checks(subject: &Subject<'_>, probe: &dyn Probe) -> Vec<Check> {
    match Config::read(subject, probe) {
        Ok(config) => vec![
            admins_own(subject, &config),
            empty_tokens(subject, &config),
            guests(subject, &config),
            closed(subject, &config),
            moderators(subject, probe, &config),
            key_server(subject, probe, &config),
            own_module(subject, probe, &config),
        ],
        Err(why) => [
            ADMINS_OWN,
            EMPTY_TOKENS,
            GUESTS,
            CLOSED,
            MODERATORS,
            KEY_SERVER,
            OWN_MODULE,
        ]
        .map(|question| question.bad(why.clone(), APPLY))
        .into(),
    }
}

fn admins_own(subject: &Subject<'_>, config: &Config) -> Check {
    let context = subject.context;
    let version = context
        .site
        .prosody
        .version
        .unwrap_or(context.platform.prosody.version);
    if version == ProsodyVersion::V0_12 {
        return ADMINS_OWN.good("Prosody 0.12 does so by itself");
    }
    match config.global().one("component_admins_as_room_owners") {
        Some("true") => ADMINS_OWN.good("component_admins_as_room_owners = true"),
        _ => ADMINS_OWN.bad(
            "`component_admins_as_room_owners` is not true: Jicofo is a plain participant of rooms that others made",
            APPLY,
        ),
    }
}

fn empty_tokens(subject: &Subject<'_>, config: &Config) -> Check {
    let domain = &subject.context.site.domain;
    let Some(host) = config.host(domain) else {
        return EMPTY_TOKENS.bad(format!("there is no VirtualHost `{domain}`"), APPLY);
    };
    let mode = subject.context.site.auth.mode;
    let mut faults = Vec::new();
    if host.one("authentication") != Some(mode.as_str()) {
        faults.push(format!(
            "`authentication` of {domain} is not \"{}\"",
            mode.as_str()
        ));
    }
    if host.one("allow_empty_token") == Some("true") {
        faults.push(format!(
            "`allow_empty_token` of {domain} is true: whoever brings no token counts as a host"
        ));
    }
    EMPTY_TOKENS.faults(
        &faults,
        match mode {
            Mode::Token => format!("{domain} asks everybody for a token"),
            Mode::SqlHashed => format!("{domain} asks everybody for name and password"),
        },
        APPLY,
    )
}

fn guests(subject: &Subject<'_>, config: &Config) -> Check {
    let (hosts, site) = (&subject.context.hosts, &subject.context.site);
    let guest = config.host(&hosts.guest);
    if !site.auth.guests {
        return match guest {
            None => GUESTS.good("there are no guests on this site"),
            Some(_) => GUESTS.bad(
                format!(
                    "the site file wants no guests, and there is a VirtualHost `{}`",
                    hosts.guest
                ),
                APPLY,
            ),
        };
    }
    let mut faults = Vec::new();
    match guest.map(|guest| guest.one("authentication")) {
        Some(Some("jitsi-anonymous")) => {}
        Some(other) => faults.push(format!(
            "`authentication` of {} is \"{}\" and not \"jitsi-anonymous\": a guest with any token counts as a host",
            hosts.guest,
            other.unwrap_or_default()
        )),
        None => faults.push(format!("there is no VirtualHost `{}`", hosts.guest)),
    }
    let conference = config.host(&hosts.conference);
    let has = |section: Option<&Section>, option: &str, value: &str| {
        section.is_some_and(|section| section.has(option, value))
    };
    for (section, name, option, value) in [
        (
            conference,
            &hosts.conference,
            "token_verification_allowlist",
            hosts.guest.as_str(),
        ),
        (
            conference,
            &hosts.conference,
            "modules_enabled",
            "muc_wait_for_host",
        ),
        (
            config.host(&site.domain),
            &site.domain,
            "modules_enabled",
            "persistent_lobby",
        ),
        (
            config.host(&site.domain),
            &site.domain,
            "lobby_muc",
            hosts.lobby.as_str(),
        ),
    ] {
        let is_of_tokens = option == "token_verification_allowlist";
        let is_spared = is_of_tokens && site.auth.mode != Mode::Token;
        if !is_spared && !has(section, option, value) {
            faults.push(format!("`{option}` of {name} lacks \"{value}\""));
        }
    }
    GUESTS.faults(
        &faults,
        format!(
            "{} is jitsi-anonymous; its people wait for a host",
            hosts.guest
        ),
        APPLY,
    )
}

fn closed(subject: &Subject<'_>, config: &Config) -> Check {
    let hosts = &subject.context.hosts;
    let mut faults = Vec::new();
    for name in [
        &hosts.conference,
        &hosts.breakout,
        &hosts.lobby,
        &hosts.internal,
    ] {
        match config
            .host(name)
            .map(|host| host.one("restrict_room_creation"))
        {
            Some(Some("true")) => {}
            Some(_) => faults.push(format!(
                "anybody can make rooms at {name}: `restrict_room_creation` is not true"
            )),
            None => faults.push(format!("there is no Component `{name}`")),
        }
    }
    if let Some(internal) = config.host(&hosts.internal) {
        let listed = internal.all("muc_filter_whitelist");
        if !internal.has("modules_enabled", "muc_filter_access") {
            faults.push(format!(
                "anybody can walk into the brewery: {} lacks `muc_filter_access`",
                hosts.internal
            ));
        } else if listed != [hosts.auth.to_string()] {
            faults.push(format!(
                "`muc_filter_whitelist` of {} is not {} alone",
                hosts.internal, hosts.auth
            ));
        }
    }
    CLOSED.faults(
        &faults,
        "only Jicofo makes rooms, and the brewery is for service accounts",
        APPLY,
    )
}

fn moderators(subject: &Subject<'_>, probe: &dyn Probe, config: &Config) -> Check {
    let context = subject.context;
    let path = context.config_dir("jicofo").join("jicofo.conf");
    let jicofo = match text_of(probe, &path) {
        Ok(text) => hocon::values(&text),
        Err(why) => return MODERATORS.bad(why, APPLY),
    };
    let mut faults = Vec::new();
    for (key, why) in [
        (
            "jicofo.authentication.enabled",
            "a token for one room opens all",
        ),
        (
            "jicofo.conference.enable-auto-owner",
            "whoever enters first is moderator",
        ),
    ] {
        if jicofo.get(key).map(String::as_str) != Some("false") {
            faults.push(format!("`{key}` in `{path}` is not false: {why}"));
        }
    }
    let conference = &context.hosts.conference;
    let (module, why) = match context.site.auth.mode {
        Mode::Token => ("token_affiliation", "the token's claim is not heard"),
        Mode::SqlHashed => ("muc_wait_for_host", "nobody becomes one by signing in"),
    };
    if !config
        .host(conference)
        .is_some_and(|host| host.has("modules_enabled", module))
    {
        faults.push(format!("{conference} lacks `{module}`: {why}"));
    }
    MODERATORS.faults(
        &faults,
        "neither Jicofo nor the first who enters makes any",
        APPLY,
    )
}

fn key_server(subject: &Subject<'_>, probe: &dyn Probe, config: &Config) -> Check {
    let site = subject.context.site;
    if site.auth.mode != Mode::Token {
        return KEY_SERVER.skipped("rooms are not opened by tokens on this site");
    }
    let Signature::Rs256 { keys_url, .. } = &site.auth.token.signature else {
        return KEY_SERVER.skipped("tokens are signed with a shared secret on this site");
    };
    let host = config.host(&site.domain);
    let mut faults = Vec::new();
    for option in ["asap_key_server", "cache_keys_url"] {
        match host.and_then(|host| host.one(option)) {
            None => faults.push(format!(
                "{} lacks `{option}`: with one address alone a client with an unknown key id hangs",
                site.domain
            )),
            Some(url) if !is_safe(url) => faults.push(format!(
                "`{option}` is neither https nor on this machine: whoever sits between hands out keys"
            )),
            Some(_) => {}
        }
    }
    if !faults.is_empty() {
        return KEY_SERVER.bad(faults.join("; "), APPLY);
    }
    let cure = "look at the server of the keys; `keys_url` and `key_server` under `[auth.token]` in the site file name it";
    if !probe.is_running() {
        return KEY_SERVER.good(format!("`{keys_url}`, which was not asked"));
    }
    match probe.fetch(keys_url) {
        None => KEY_SERVER.skipped("`curl`, which would ask for the keys, is not on this machine"),
        Some(Err(why)) => KEY_SERVER.bad(format!("`{keys_url}`: {why}"), cure),
        Some(Ok(text)) => match keys(&text) {
            Ok(count) => KEY_SERVER.good(format!("`{keys_url}` has {count} keys")),
            Err(why) => KEY_SERVER.bad(format!("`{keys_url}`: {why}"), cure),
        },
    }
}

fn is_safe(url: &str) -> bool {
    let local = ["127.0.0.1", "[::1]", "localhost"];
    url.starts_with("https://")
        || local.iter().any(|host| {
            let rest = url
                .strip_prefix("http://")
                .and_then(|url| url.strip_prefix(host));
            rest.is_some_and(|rest| rest.starts_with(['/', ':']))
        })
}

/// How many keys there are, all of the one kind that Jitsi's plugin reads: a JWKS (RFC 7517), or an
/// object of PEM texts by key id.
fn keys(text: &str) -> Result<usize, String> {
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let Some(keys) = json.get("keys").and_then(serde_json::Value::as_array) else {
        let pems = json.as_object().map_or(0, |all| {
            let pem = |one: &&serde_json::Value| {
                one.as_str()
                    .is_some_and(|text| text.starts_with("-----BEGIN"))
            };
            all.values().filter(pem).count()
        });
        return match pems {
            0 => Err("there are no keys in it".to_owned()),
            count => Ok(count),
        };
    };
    if keys.is_empty() {
        return Err("there are no keys in it".to_owned());
    }
    match keys.iter().find(|key| key["kty"] != "RSA") {
        Some(_) => Err("there is a key in it that is not RSA".to_owned()),
        None => Ok(keys.len()),
    }
}

fn own_module(subject: &Subject<'_>, probe: &dyn Probe, config: &Config) -> Check {
    let context = subject.context;
    if !context.site.auth.guests {
        return OWN_MODULE.skipped("there are no guests on this site");
    }
    let place = &context.platform.prosody;
    let mut faults = Vec::new();
    let guest = &context.hosts.guest;
    if !config
        .host(guest)
        .is_some_and(|host| host.has("modules_enabled", "guests_bring_no_token"))
    {
        faults.push(format!("{guest} does not load `guests_bring_no_token`"));
    }
    let own = place.own_plugins.as_str().to_owned();
    if !config.global().all("plugin_paths").contains(&own) {
        faults.push(format!("`plugin_paths` lacks `{own}`"));
    }
    if !probe
        .names(&place.own_plugins)
        .iter()
        .any(|name| name == "mod_guests_bring_no_token.lua")
    {
        faults.push(format!("`{own}` lacks `mod_guests_bring_no_token.lua`"));
    }
    let plugins = context
        .site
        .prosody
        .plugins
        .as_ref()
        .unwrap_or(&place.plugins);
    if probe.is_running()
        && !probe
            .names(plugins)
            .iter()
            .any(|name| name == "mod_auth_token.lua")
    {
        faults.push(format!("Jitsi's plugins are not in `{plugins}`"));
    }
    OWN_MODULE.faults(
        &faults,
        format!("`{own}/mod_guests_bring_no_token.lua`"),
        APPLY,
    )
}
