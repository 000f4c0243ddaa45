-- Stand-in for the Jitsi plugin token_affiliation, written for tests.
-- Belongs on the conference MUC.
-- Does: makes the bearer of a token owner if context.user says `moderator`
-- (true or "true") or an `affiliation` of owner, moderator or teacher, and
-- member otherwise. While the lobby is on, people whom nobody admitted and who
-- bring no room password are left to the lobby.
-- Leaves out: the option token_affiliation_log_level.

local standin = module:require "standin";

local OWNER_WORDS = { owner = true, moderator = true, teacher = true };

local function wanted_affiliation(session)
	if not session.auth_token then
		return nil;
	end
	local user = session.jitsi_meet_context_user;
	if type(user) == "table"
		and (user.moderator == true or user.moderator == "true" or OWNER_WORDS[user.affiliation]) then
		return "owner";
	end
	return "member";
end

local function stopped_by_lobby(room, occupant, stanza)
	if not room:get_members_only() then
		return false;
	end
	local known = room:get_affiliation(occupant.bare_jid);
	if known and known ~= "none" then
		return false;
	end
	local x = stanza:get_child("x", standin.MUC_NS);
	local password = x and x:get_child_text("password", standin.MUC_NS);
	return not (password and password == room:get_password());
end

-- After mod_muc_wait_for_host (0), which may just have lifted the lobby, and
-- before the lobby (-4) and Prosody's own members-only rule (-5).
module:hook("muc-occupant-pre-join", function(event)
	local room, occupant, session = event.room, event.occupant, event.origin;
	if standin.is_healthcheck_room(room.jid) or standin.is_admin(occupant.bare_jid)
		or stopped_by_lobby(room, occupant, event.stanza) then
		return;
	end
	local affiliation = wanted_affiliation(session);
	if not affiliation then
		return;
	end
	room:set_affiliation(true, occupant.bare_jid, affiliation);
	if affiliation == "owner" then
		occupant.role = "moderator";
	end
end, -3.5);
