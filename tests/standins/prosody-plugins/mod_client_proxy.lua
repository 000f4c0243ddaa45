-- Stand-in for the Jitsi plugin client_proxy, written for tests.
-- Loaded as a Component, with the option target_address (a bare JID: Jicofo's).
-- Does: hands an IQ for the component to one online session of the target and
-- the answer back to who asked. The asker's address travels as the resource of
-- the component's own (focus.DOM/asker@DOM/x), so nothing is remembered here.
-- Which sessions are online is known from presence alone: at start the component
-- asks for a subscription, and the target's roster must grant it (`from`).
-- Messages, and IQs that the target starts itself, are refused.
-- Leaves out: nothing that we know of.

local jid = require "util.jid";
local st = require "util.stanza";

if module:get_host_type() ~= "component" then
	error("client_proxy must be loaded as a component", 0);
end

local target = module:get_option_string("target_address");
if not target then
	error("client_proxy needs target_address", 0);
end

local online = {}; -- resources of the target, in order of their arrival

local function forget(resource)
	for i = #online, 1, -1 do
		if online[i] == resource then
			table.remove(online, i);
		end
	end
end

local function note_presence(stanza)
	local kind, resource = stanza.attr.type, jid.resource(stanza.attr.from);
	if kind == "error" then
		online = {};
	elseif kind == "unavailable" then
		forget(resource);
	elseif kind == nil and resource then
		forget(resource);
		online[#online + 1] = resource;
		module:log("debug", "target is online as %s", resource);
	end
end

local function refuse(stanza, condition)
	if stanza.attr.type ~= "error" and stanza.attr.type ~= "result" then
		module:send(st.error_reply(stanza, "cancel", condition));
	end
end

local function forward(stanza, from, to)
	local copy = st.clone(stanza);
	copy.attr.from, copy.attr.to = from, to;
	module:send(copy);
end

local function from_target(stanza)
	local asker = jid.prep(jid.resource(stanza.attr.to));
	if not asker then
		if stanza.name == "presence" then
			note_presence(stanza);
		else
			refuse(stanza, "bad-request");
		end
	elseif stanza.name == "iq" and (stanza.attr.type == "result" or stanza.attr.type == "error") then
		forward(stanza, module.host, asker);
	elseif stanza.name ~= "presence" then
		refuse(stanza, "feature-not-implemented");
	end
end

local function to_target(stanza)
	if stanza.name == "iq" then
		if stanza.attr.type ~= "get" and stanza.attr.type ~= "set" then
			return;
		end
		local resource = online[1];
		if not resource then
			refuse(stanza, "service-unavailable");
			return;
		end
		forward(stanza, module.host .. "/" .. stanza.attr.from, target .. "/" .. resource);
	elseif stanza.name == "message" then
		refuse(stanza, "feature-not-implemented");
	else
		refuse(stanza, "bad-request");
	end
end

local function handle(event)
	local stanza = event.stanza;
	if jid.bare(stanza.attr.from) == target then
		from_target(stanza);
	else
		to_target(stanza);
	end
	return true;
end

for _, name in ipairs { "iq", "message", "presence" } do
	for _, kind in ipairs { "host", "bare", "full" } do
		module:hook(name .. "/" .. kind, handle, -1);
	end
end

module:send(st.presence({ type = "subscribe", from = module.host, to = target }));
