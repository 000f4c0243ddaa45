-- Prosody's global settings, written by jitsi-install. Changes made here show up as drift in
-- `jitsi-install plan`; lasting ones belong into a template of your own.

admins = { }
plugin_paths = { "/usr/local/share/jitsi-install/prosody-plugins", "/usr/share/jitsi-meet/prosody-plugins" }  -- ours, then Jitsi's
data_path = "/var/lib/prosody"
certificates = "/etc/prosody/certs"
pidfile = "/var/lib/prosody/prosody.pid"

-- What a conference server needs and nothing more: no server-to-server links, no registration.
modules_enabled = {
  "roster"; "saslauth"; "tls"; "disco"; "private"; "limits"; "version"; "ping";
  "admin_shell";  -- the socket in data_path that `prosodyctl shell` talks to
  "posix";        -- pid file and signals; built in from Prosody 13 on
}
modules_disabled = { "s2s"; "register"; "offline" }
allow_registration = false
authentication = "internal_hashed"
storage = { smacks_h = "memory" }

-- Loopback only: the web server and, on this machine, Jicofo and the bridge are the clients.
interfaces = { "127.0.0.1" }
c2s_ports = { 5222 }
c2s_interfaces = { "127.0.0.1" }
s2s_ports = { }
http_ports = { 5280 }
http_interfaces = { "127.0.0.1" }
https_ports = { }
http_default_host = "meet.example.org"
trusted_proxies = { "127.0.0.1", "::1" }
consider_bosh_secure = true
consider_websocket_secure = true

limits = { c2s = { rate = "10kb/s" } }
network_backend = "epoll"
network_settings = { tcp_backlog = 511 }
gc = { mode = "incremental"; threshold = 400; speed = 250; step_size = 13 }

-- Jitsi's token_verification writes a refused token into the log; whoever reads the log could use it.
local function without_tokens(line)
  return (line:gsub("eyJ[%w_%-]+%.[%w_%-]+%.[%w_%-]+", "(token)"))
end
log = {
  {
    to = "file"; filename = "/var/log/prosody/prosody.log";
    levels = { min = "info" }; filter = without_tokens;
  };
  {
    to = "file"; filename = "/var/log/prosody/prosody.err";
    levels = { min = "error" }; filter = without_tokens;
  };
}

Include "/etc/prosody/conf.d/meet.example.org.cfg.lua"
