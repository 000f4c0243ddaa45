-- Stand-in for the Jitsi plugin muc_domain_mapper, written for tests.
-- Does: tenants. What a client sends to daily@conference.acme.DOM goes to
-- [acme]daily@conference.DOM, and what comes back is named the first way again.
-- Leaves out: questions to conference.acme.DOM itself, without a room.

local jid = require "util.jid";
local st = require "util.stanza";
local filters = require "util.filters";
local standin = module:require "standin";

local base, prefix, muc = standin.muc_names();
if not base then
	module:log("warn", "no muc_mapper_domain_base set, no tenants");
	return;
end

local function inner(address)
	local node, host, resource = jid.split(address);
	if not node or host:sub(1, #prefix + 1) ~= prefix .. "." or host:sub(-#base - 1) ~= "." .. base then
		return nil;
	end
	local tenant = host:sub(#prefix + 2, -#base - 2);
	if tenant == "" or tenant:find(".", 1, true) then
		return nil;
	end
	return jid.join("[" .. tenant .. "]" .. node, muc, resource);
end

local function outer(address)
	local node, host, resource = jid.split(address);
	if not node or host ~= muc then
		return nil;
	end
	local tenant, name = standin.split_tenant(node);
	return tenant and jid.join(name, prefix .. "." .. tenant .. "." .. base, resource);
end

local function on_way_in(event)
	local to = event.stanza.attr.to;
	local mapped = to and inner(to);
	if mapped then
		event.stanza.attr.to = mapped;
	end
end

local function on_way_out(stanza)
	local from = st.is_stanza(stanza) and stanza.attr.from;
	local mapped = from and outer(from);
	if not mapped then
		return stanza;
	end
	local copy = st.clone(stanza);
	copy.attr.from = mapped;
	return copy;
end

local hooked = {};
local function watch_host(host)
	if hooked[host] then
		return;
	end
	hooked[host] = true;
	local context = module:context(host);
	for _, name in ipairs { "iq", "message", "presence" } do
		for _, kind in ipairs { "host", "bare", "full" } do
			context:hook("pre-" .. name .. "/" .. kind, on_way_in);
		end
	end
end

local function watch_session(session)
	filters.add_filter(session, "stanzas/out", on_way_out);
end

function module.load()
	-- Loaded on several MUCs, wanted once.
	if prosody.standin_domain_mapper then
		return;
	end
	prosody.standin_domain_mapper = module.host;
	module:hook_global("host-activated", watch_host);
	for host in pairs(prosody.hosts) do
		watch_host(host);
	end
	filters.add_filter_hook(watch_session);
end

function module.unload()
	if prosody.standin_domain_mapper == module.host then
		prosody.standin_domain_mapper = nil;
		filters.remove_filter_hook(watch_session);
	end
end
