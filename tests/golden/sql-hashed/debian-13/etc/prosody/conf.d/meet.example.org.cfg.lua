-- The conference hosts of this site, written by jitsi-install.
-- Rooms are opened by people with an account; guests wait until one of them is there.

muc_mapper_domain_base = "meet.example.org"
unlimited_jids = { "focus@auth.meet.example.org", "jvb@auth.meet.example.org" }
smacks_max_unacked_stanzas = 5
smacks_hibernation_time = 60
smacks_max_old_sessions = 1

VirtualHost "meet.example.org"
  authentication = "sql_hashed"  -- our own module; its first lines tell all options
  sql_hashed_mechanisms = { "PLAIN"; "SCRAM-SHA-256"; }
  sql_hashed_service = "http://127.0.0.1:8481/prosody/password"  -- asked about every password that is sent
  sql_hashed_secret_file = "/etc/prosody/accounts.key"
  sql_hashed_scram_iterations = 10000
  sql_hashed_database = {
    driver = "PostgreSQL"; database = "jitsi_accounts";
    host = "127.0.0.1";
    username = "jitsi_accounts_reader"; password_file = "/etc/prosody/accounts.password";
  }
  ssl = { key = "/etc/prosody/certs/meet.example.org.key"; certificate = "/etc/prosody/certs/meet.example.org.crt" }
  modules_enabled = {
    "bosh"; "websocket"; "smacks"; "ping"; "external_services"; "features_identity";
    "conference_duration"; "muc_lobby_rooms"; "muc_breakout_rooms";
    "persistent_lobby";
  }
  c2s_require_encryption = false  -- clients come by BOSH and websocket through the web server's TLS
  lobby_muc = "lobby.meet.example.org"
  breakout_rooms_muc = "breakout.meet.example.org"
  main_muc = "conference.meet.example.org"
  admins = { "focus@auth.meet.example.org" }

-- People without an account. `jitsi-anonymous` and not Prosody's `anonymous`: it forgets whatever
-- token a guest sends, which would otherwise pass for a host's; where a release of it does not,
-- our own module does.
VirtualHost "guest.meet.example.org"
  authentication = "jitsi-anonymous"
  modules_enabled = { "smacks"; "guests_bring_no_token" }
  c2s_require_encryption = false
  main_muc = "conference.meet.example.org"
  lobby_muc = "lobby.meet.example.org"
  breakout_rooms_muc = "breakout.meet.example.org"

Component "conference.meet.example.org" "muc"
  restrict_room_creation = true  -- only Jicofo, as admin, makes rooms
  storage = "memory"
  modules_enabled = {
    "muc_hide_all"; "muc_meeting_id"; "muc_domain_mapper"; "muc_rate_limit"; "muc_password_whitelist";
    "muc_wait_for_host";
  }
  wait_for_host_disable_auto_owners = false  -- whoever has an account is a moderator
  admins = { "focus@auth.meet.example.org" }
  muc_password_whitelist = { "focus@auth.meet.example.org" }
  muc_room_locking = false
  muc_room_default_public_jids = true
  muc_tombstones = false
  muc_room_allow_persistent = false

Component "breakout.meet.example.org" "muc"
  restrict_room_creation = true
  storage = "memory"
  modules_enabled = { "muc_hide_all"; "muc_meeting_id"; "muc_domain_mapper"; "muc_rate_limit" }
  admins = { "focus@auth.meet.example.org" }
  muc_room_locking = false
  muc_room_default_public_jids = true

-- The brewery, where bridges report. Closed to everybody but Jicofo and the bridges: without the
-- filter any anonymous web client could walk in.
Component "internal.auth.meet.example.org" "muc"
  restrict_room_creation = true
  storage = "memory"
  modules_enabled = { "muc_hide_all"; "ping"; "muc_filter_access" }
  muc_filter_whitelist = { "auth.meet.example.org" }
  admins = { "focus@auth.meet.example.org", "jvb@auth.meet.example.org" }
  muc_room_locking = false
  muc_room_default_public_jids = true

-- Service accounts. The certificate is private to this machine and trusted by Jicofo's and the
-- bridge's own truststore; it is never the web site's.
VirtualHost "auth.meet.example.org"
  ssl = { key = "/etc/prosody/certs/auth.meet.example.org.key"; certificate = "/etc/prosody/certs/auth.meet.example.org.crt" }
  authentication = "internal_hashed"
  modules_enabled = { "limits_exception"; "smacks" }
  smacks_hibernation_time = 15

Component "focus.meet.example.org" "client_proxy"
  target_address = "focus@auth.meet.example.org"

Component "speakerstats.meet.example.org" "speakerstats_component"
  muc_component = "conference.meet.example.org"

Component "endconference.meet.example.org" "end_conference"
  muc_component = "conference.meet.example.org"

Component "avmoderation.meet.example.org" "av_moderation_component"
  muc_component = "conference.meet.example.org"

Component "lobby.meet.example.org" "muc"
  restrict_room_creation = true
  storage = "memory"
  modules_enabled = { "muc_hide_all"; "muc_rate_limit" }
  muc_room_locking = false
  muc_room_default_public_jids = true

Component "metadata.meet.example.org" "room_metadata_component"
  muc_component = "conference.meet.example.org"
  breakout_rooms_component = "breakout.meet.example.org"

Component "polls.meet.example.org" "polls_component"
