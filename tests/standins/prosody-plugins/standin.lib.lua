-- Shared room of the stand-in plugins in this directory, which replace Jitsi's
-- Prosody plugins in tests. Ours alone: Jitsi has no file of this name.
-- `module` here is the module that asked with module:require "standin".
--
-- Only what at least two stand-ins need lives here, and only Prosody's own
-- libraries are used. The util.* names resolve on Prosody 0.12 and on 13.

local jid = require "util.jid";

local lib = {};

-- XML namespace of Jitsi's own elements.
lib.JITMEET_NS = "http://jitsi.org/jitmeet";
lib.MUC_NS = "http://jabber.org/protocol/muc";

local admins = module:get_option_inherited_set("admins", {}) / jid.prep;

-- Admins are read from the option and not asked of Prosody, whose call for it
-- is another one in 13 than in 0.12.
function lib.is_admin(address)
	return admins:contains(jid.bare(address));
end

-- Jicofo's own probe rooms are left alone by every plugin.
function lib.is_healthcheck_room(room_jid)
	return room_jid:sub(1, 21) == "__jicofo-health-check";
end

-- Runs `callback(context, host)` for a host, now or once it is up.
function lib.when_host(name, callback)
	if prosody.hosts[name] then
		callback(module:context(name), name);
		return;
	end
	module:hook_global("host-activated", function(host)
		if host == name then
			callback(module:context(name), name);
		end
	end, -100);
end

-- The MUC service of a component, or nil while it is not up.
function lib.muc_of(host)
	local entry = host and prosody.hosts[host];
	return entry and entry.modules and entry.modules.muc;
end

function lib.room(room_jid)
	local _, host = jid.split(room_jid);
	local muc = lib.muc_of(host);
	return muc and muc.get_room_from_jid(room_jid);
end

-- Makes the main host announce this component as an identity in disco#info,
-- which is how a client finds the component (mod_features_identity listens).
function lib.announce(identity)
	local main = module:get_option_string("muc_mapper_domain_base");
	if not main then
		module:log("warn", "no muc_mapper_domain_base set, %s is not announced", module.host);
		return;
	end
	local address = module.host;
	lib.when_host(main, function(context)
		context:fire_event("jitsi-add-identity", { name = identity, host = address });
	end);
end

-- `[acme]daily@conference.DOM` is the inner form of `daily@conference.acme.DOM`.
-- Returns tenant (or nil) and room name.
function lib.split_tenant(node)
	local tenant, name = node:match("^%[([^%]]+)%](.+)$");
	return tenant, name or node;
end

-- A copy of the conference MUC's address rules: base, prefix and the real MUC.
function lib.muc_names()
	local base = module:get_option_string("muc_mapper_domain_base");
	local prefix = module:get_option_string("muc_mapper_domain_prefix", "conference");
	local muc = base and module:get_option_string("muc_mapper_domain", prefix .. "." .. base);
	return base, prefix, muc;
end

-- The room that a web client named in its URL (`?room=…&prefix=…`).
function lib.room_of_session(session)
	local _, _, muc = lib.muc_names();
	local name = session.jitsi_web_query_room;
	if not muc or not name then
		return nil;
	end
	local tenant = session.jitsi_web_query_prefix;
	if tenant and tenant ~= "" then
		name = "[" .. tenant .. "]" .. name;
	end
	return lib.room(jid.join(name, muc));
end

return lib;
