-- Stand-in for the Jitsi plugin muc_wait_for_host, written for tests.
-- Belongs on the conference MUC; needs mod_persistent_lobby and
-- mod_muc_lobby_rooms on the main host and `lobby.` + muc_mapper_domain_base.
-- Does: as long as no host has come, switches the lobby on for a room that
-- somebody else wants to enter; the first host switches it off again. A host is
-- who carries an accepted token or an account of the main host. Unless
-- wait_for_host_disable_auto_owners is set, hosts become owners.
-- Leaves out: moderated rooms and the audit log.

local jid = require "util.jid";
local standin = module:require "standin";

local base, prefix, muc = standin.muc_names();
if not base then
	module:log("warn", "no muc_mapper_domain_base set, waiting for hosts is off");
	return;
end

local function is_host(session, occupant)
	return session.auth_token ~= nil
		or (session.username ~= nil and jid.host(occupant.bare_jid) == base);
end

local function host_inside(room)
	for _, occupant in room:each_occupant() do
		if jid.host(occupant.bare_jid) == base then
			return true;
		end
	end
	return false;
end

-- Where those in the lobby are told to go: the address as clients write it.
local function outer_address(room)
	local node = jid.node(room.jid);
	local tenant, name = standin.split_tenant(node);
	if not tenant or jid.host(room.jid) ~= muc then
		return room.jid;
	end
	return jid.join(name, prefix .. "." .. tenant .. "." .. base);
end

module:hook("muc-occupant-pre-join", function(event)
	local room, occupant, session = event.room, event.occupant, event.origin;
	if standin.is_admin(occupant.bare_jid) or standin.is_healthcheck_room(room.jid) or room.has_host then
		return;
	end
	if host_inside(room) then
		-- Remembered while the room lives, so that guests still get in after
		-- the host has left.
		room.has_host = true;
		return;
	end

	if is_host(session, occupant) then
		room:set_members_only(false);
		room:set_persistent(false);
		-- A newcomer to a members-only room was given no role at first.
		occupant.role = room:get_default_role(room:get_affiliation(occupant.bare_jid)) or "participant";
		module:log("info", "host %s arrived in %s", occupant.bare_jid, room.jid);
		prosody.events.fire_event("destroy-lobby-room", {
			room = room, newjid = outer_address(room), message = "The host is here.",
		});
	elseif not room:get_members_only() then
		module:log("info", "%s waits for its host", room.jid);
		prosody.events.fire_event("create-persistent-lobby-room", {
			room = room, reason = "waiting-for-host", skip_display_name_check = true,
		});
	end
end);

if not module:get_option_boolean("wait_for_host_disable_auto_owners", false) then
	module:hook("muc-occupant-joined", function(event)
		if is_host(event.origin, event.occupant) then
			event.room:set_affiliation(true, event.occupant.bare_jid, "owner");
		end
	end, 2);
end
