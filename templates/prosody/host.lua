-- The conference hosts of this site, written by jitsi-install.
-- Rooms are opened by signed tokens<% if guests %>; guests wait until somebody with one is there<% endif %>.

muc_mapper_domain_base = << domain >>
unlimited_jids = { << "focus@" ~ hosts.auth >>, << "jvb@" ~ hosts.auth >> }
smacks_max_unacked_stanzas = 5
smacks_hibernation_time = 60
smacks_max_old_sessions = 1

VirtualHost << domain >>
  authentication = "token"
  app_id = << token.app_id >>
<%- if token.algorithm == "HS256" %>
  app_secret = << token.secret >>
<%- else %>
  signature_algorithm = << token.algorithm >>
  asap_key_server = << token.key_server >>  -- both addresses are needed: with one alone an
  cache_keys_url = << token.keys_url >>  -- unknown key id leaves the client hanging
<%- endif %>
  asap_accepted_issuers = { << token.app_id >> }
  asap_accepted_audiences = { << token.audience >> }
  allow_empty_token = false
  ssl = { key = << prosody.certs ~ "/" ~ domain ~ ".key" >>; certificate = << prosody.certs ~ "/" ~ domain ~ ".crt" >> }
  modules_enabled = {
    "bosh"; "websocket"; "smacks"; "ping"; "external_services"; "features_identity";
    "conference_duration"; "muc_lobby_rooms"; "muc_breakout_rooms";
<%- if guests %>
    "persistent_lobby";
<%- endif %>
  }
  c2s_require_encryption = false  -- clients come by BOSH and websocket through the web server's TLS
  lobby_muc = << hosts.lobby >>
  breakout_rooms_muc = << hosts.breakout >>
  main_muc = << hosts.conference >>
  admins = { << "focus@" ~ hosts.auth >> }
<% if guests %>
-- People without a token. `jitsi-anonymous` and not Prosody's `anonymous`: it forgets whatever
-- token a guest sends, which would otherwise pass for a host's; where a release of it does not,
-- our own module does.
VirtualHost << hosts.guest >>
  authentication = "jitsi-anonymous"
  modules_enabled = { "smacks"; "guests_bring_no_token" }
  c2s_require_encryption = false
  main_muc = << hosts.conference >>
  lobby_muc = << hosts.lobby >>
  breakout_rooms_muc = << hosts.breakout >>
<% endif %>
Component << hosts.conference >> "muc"
  restrict_room_creation = true  -- only Jicofo, as admin, makes rooms
  storage = "memory"
  modules_enabled = {
    "muc_hide_all"; "muc_meeting_id"; "muc_domain_mapper"; "muc_rate_limit"; "muc_password_whitelist";
    "token_verification"; "token_affiliation";
<%- if guests %>
    "muc_wait_for_host";
<%- endif %>
  }
<%- if guests %>
  token_verification_allowlist = { << hosts.guest >> }
  wait_for_host_disable_auto_owners = true  -- moderators come from tokens only
<%- endif %>
  admins = { << "focus@" ~ hosts.auth >> }
  muc_password_whitelist = { << "focus@" ~ hosts.auth >> }
  muc_room_locking = false
  muc_room_default_public_jids = true
  muc_tombstones = false
  muc_room_allow_persistent = false

Component << hosts.breakout >> "muc"
  restrict_room_creation = true
  storage = "memory"
  modules_enabled = { "muc_hide_all"; "muc_meeting_id"; "muc_domain_mapper"; "muc_rate_limit" }
  admins = { << "focus@" ~ hosts.auth >> }
  muc_room_locking = false
  muc_room_default_public_jids = true

-- The brewery, where bridges report. Closed to everybody but Jicofo and the bridges: without the
-- filter any anonymous web client could walk in.
Component << hosts.internal >> "muc"
  restrict_room_creation = true
  storage = "memory"
  modules_enabled = { "muc_hide_all"; "ping"; "muc_filter_access" }
  muc_filter_whitelist = { << hosts.auth >> }
  admins = { << "focus@" ~ hosts.auth >>, << "jvb@" ~ hosts.auth >> }
  muc_room_locking = false
  muc_room_default_public_jids = true

-- Service accounts. The certificate is private to this machine and trusted by Jicofo's and the
-- bridge's own truststore; it is never the web site's.
VirtualHost << hosts.auth >>
  ssl = { key = << prosody.certs ~ "/" ~ hosts.auth ~ ".key" >>; certificate = << prosody.certs ~ "/" ~ hosts.auth ~ ".crt" >> }
  authentication = "internal_hashed"
  modules_enabled = { "limits_exception"; "smacks" }
  smacks_hibernation_time = 15

Component << hosts.focus >> "client_proxy"
  target_address = << "focus@" ~ hosts.auth >>

Component << hosts.speakerstats >> "speakerstats_component"
  muc_component = << hosts.conference >>

Component << hosts.endconference >> "end_conference"
  muc_component = << hosts.conference >>

Component << hosts.avmoderation >> "av_moderation_component"
  muc_component = << hosts.conference >>

Component << hosts.lobby >> "muc"
  restrict_room_creation = true
  storage = "memory"
  modules_enabled = { "muc_hide_all"; "muc_rate_limit" }
  muc_room_locking = false
  muc_room_default_public_jids = true

Component << hosts.metadata >> "room_metadata_component"
  muc_component = << hosts.conference >>
  breakout_rooms_component = << hosts.breakout >>

Component << hosts.polls >> "polls_component"
