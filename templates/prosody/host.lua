-- The conference hosts of this site, written by jitsi-install.
<%- if mode == "token" %>
-- Rooms are opened by signed tokens<% if guests %>; guests wait until somebody with one is there<% endif %>.
<%- else %>
-- Rooms are opened by people with an account<% if guests %>; guests wait until one of them is there<% endif %>.
<%- endif %>

muc_mapper_domain_base = << domain >>
unlimited_jids = { << "focus@" ~ hosts.auth >>, << "jvb@" ~ hosts.auth >> }
smacks_max_unacked_stanzas = 5
smacks_hibernation_time = 60
smacks_max_old_sessions = 1

VirtualHost << domain >>
<%- if mode == "token" %>
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
<%- else %>
  authentication = "sql_hashed"  -- our own module; its first lines tell all options
  sql_hashed_mechanisms = {<% for mechanism in sql_hashed.mechanisms %> << mechanism >>;<% endfor %> }
  sql_hashed_service = << sql_hashed.service >>  -- asked about every password that is sent
  sql_hashed_secret_file = << sql_hashed.secret_file >>
  sql_hashed_scram_iterations = << sql_hashed.scram_iterations >>
<%- if sql_hashed.driver %>
  sql_hashed_database = {
    driver = << sql_hashed.driver >>; database = << sql_hashed.database >>;
<%- if sql_hashed.host %>
    host = << sql_hashed.host >>;<% if sql_hashed.port %> port = << sql_hashed.port >>;<% endif %>
    username = << sql_hashed.username >>; password_file = << sql_hashed.password_file >>;
<%- endif %>
<%- if sql_hashed.authorities %>
    authorities = << sql_hashed.authorities >>;  -- TLS, and who vouches for the server
<%- endif %>
  }
<%- endif %>
<%- endif %>
  ssl = { key = << prosody.certs ~ "/" ~ domain ~ ".key" >>; certificate = << prosody.certs ~ "/" ~ domain ~ ".crt" >> }
  modules_enabled = {
    "bosh"; "websocket"; "smacks"; "ping"; "external_services"; "features_identity";
    "conference_duration"; "muc_lobby_rooms"; "muc_breakout_rooms";
<%- if guests or mode == "sql_hashed" %>
    "persistent_lobby";
<%- endif %>
  }
  c2s_require_encryption = false  -- clients come by BOSH and websocket through the web server's TLS
  lobby_muc = << hosts.lobby >>
  breakout_rooms_muc = << hosts.breakout >>
  main_muc = << hosts.conference >>
  admins = { << "focus@" ~ hosts.auth >> }
<% if guests %>
-- <% if mode == "token" %>People without a token<% else %>People without an account<% endif %>. `jitsi-anonymous` and not Prosody's `anonymous`: it forgets whatever
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
<%- if mode == "token" %>
    "token_verification"; "token_affiliation";
<%- endif %>
<%- if guests or mode == "sql_hashed" %>
    "muc_wait_for_host";
<%- endif %>
  }
<%- if mode == "sql_hashed" %>
  wait_for_host_disable_auto_owners = false  -- whoever has an account is a moderator
<%- elif guests %>
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
