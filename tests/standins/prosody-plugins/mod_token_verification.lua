-- Stand-in for the Jitsi plugin token_verification, written for tests.
-- Belongs on the conference MUC.
-- Does: lets a joiner in only if the room and the sub that mod_auth_token bound
-- to his session fit the room. Admins and whoever stands in
-- token_verification_allowlist (domains or bare JIDs) are not asked. Options of
-- the MUC's parent host: allow_empty_token, enable_domain_verification,
-- asap_require_room_claim; global: muc_mapper_domain_base and its friends.
-- Leaves out: token_verification_require_token_for_moderation, and the checks
-- for visitors.

local jid = require "util.jid";
local st = require "util.stanza";
local standin = module:require "standin";

-- The token host is the MUC's name without its first label, which must be
-- alphanumeric: the same rule as the real plugin's.
local parent = module.host:match("^%w+%.(%w.+)$");
if not parent then
	module:log("error", "cannot find the token host of %s", module.host);
	return;
end

local parent_host = module:context(parent);
local allow_empty = parent_host:get_option_boolean("allow_empty_token", false);
local check_domain = parent_host:get_option_boolean("enable_domain_verification", true);
local room_required = parent_host:get_option_boolean("asap_require_room_claim", true);
local base, prefix, muc = standin.muc_names();

local allowlist = module:get_option_set("token_verification_allowlist", {});

local UNMATCHED = "Room name cannot be matched to the one from token.";
local MISMATCH = "Room and token mismatched";

-- Room name that the token grants, seen from the room that is asked for; nil if
-- the token grants none that could be compared.
local function granted_name(session, name)
	local room = session.jitsi_meet_room;
	if type(room) ~= "string" then
		return nil;
	end
	if room == "*" then
		return name;
	end
	local rule = session.jitsi_meet_context_room;
	if type(rule) == "table" and (rule.regex == true or rule.regex == "true") then
		-- A broken pattern of the issuer must not become a traceback here.
		local ok, found = pcall(string.match, name, room);
		return ok and found or nil;
	end
	return room:lower();
end

-- nil if the session may enter the room `address`, or the reason why not.
local function refusal(session, address)
	local node = jid.node(address);
	if not node then
		return "No room in the address";
	end
	if not muc or not standin.room(jid.join(node, muc)) then
		return "Room does not exist";
	end
	if allow_empty and session.auth_token == nil then
		return nil;
	end

	local tenant, name = standin.split_tenant(node);
	local granted = granted_name(session, name);
	if not check_domain then
		return session.jitsi_meet_room and granted ~= name and MISMATCH or nil;
	end
	if not granted then
		return room_required and UNMATCHED or nil;
	end
	if granted ~= name then
		return MISMATCH;
	end

	-- At the root URL `sub` names the site, below a tenant the tenant.
	local sub = type(session.jitsi_meet_domain) == "string" and session.jitsi_meet_domain:lower() or nil;
	if sub == "*" then
		return jid.host(address) ~= muc and MISMATCH or nil;
	elseif tenant then
		return (sub ~= tenant or jid.host(address) ~= muc) and MISMATCH or nil;
	end
	return (not sub or prefix .. "." .. sub ~= jid.host(address)) and MISMATCH or nil;
end

local function excused(from)
	return standin.is_admin(from)
		or allowlist:contains(jid.host(from))
		or allowlist:contains(jid.bare(from));
end

local function gate(event)
	local session, stanza = event.origin, event.stanza;
	if excused(stanza.attr.from) then
		return nil;
	end
	local reason = refusal(session, stanza.attr.to);
	if not reason then
		return nil;
	end
	-- As Jitsi's own does: the token stands in the line, and the log has to be written without it.
	module:log("error", "%s may not enter %s with token %s: %s", stanza.attr.from, stanza.attr.to,
		tostring(session.auth_token), reason);
	session.send(st.error_reply(stanza, "cancel", "not-allowed", reason));
	return true;
end

if not base then
	module:log("warn", "no muc_mapper_domain_base set: every token will be refused");
end

-- Before everything else that looks at a joiner, above all before
-- mod_muc_wait_for_host: a token for another room opens nothing.
module:hook("muc-room-pre-create", gate, 99);
module:hook("muc-occupant-pre-join", gate, 99);
