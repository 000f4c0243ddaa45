-- Stand-in for the Jitsi plugin muc_lobby_rooms, written for tests.
-- Belongs on the main host (options main_muc, lobby_muc, muc_lobby_whitelist).
-- Does: gives a members-only room a waiting room of the same name on the lobby
-- MUC, answers a stranger's join with 407 and the waiting room's address (406
-- if he brought no display name and one is asked for), and removes the waiting
-- room with its main room or on `destroy-lobby-room`. Announces the identity
-- `lobbyrooms`.
-- Leaves out: the messages to moderators about who knocks, and the filter that
-- hides those who wait from each other.

local jid = require "util.jid";
local st = require "util.stanza";
local standin = module:require "standin";

local main_muc = module:get_option_string("main_muc");
local lobby_muc = module:get_option_string("lobby_muc");
if not main_muc or not lobby_muc then
	module:log("error", "main_muc and lobby_muc must be set");
	return;
end

local JITMEET_NS, MUC_NS = standin.JITMEET_NS, standin.MUC_NS;
local NICK_NS = "http://jabber.org/protocol/nick";

local whitelist = module:get_option_set("muc_lobby_whitelist", {});

module:depends("jitsi_session");
module:add_identity("component", "lobbyrooms", lobby_muc);

local function open_lobby(room)
	local service = standin.muc_of(lobby_muc);
	local address = jid.join(jid.node(room.jid), lobby_muc);
	if not service or service.get_room_from_jid(address) then
		return;
	end
	local lobby = service.create_room(address);
	if not lobby then
		return;
	end
	lobby:set_persistent(true);
	lobby.main_room_jid = room.jid;
	room._data.lobbyroom = lobby.jid;
end

local function close_lobby(room, newjid, message)
	local address = room._data.lobbyroom;
	room._data.lobbyroom = nil;
	room._data.lobby_extra_reason = nil;
	room._data.lobby_skip_display_name_check = nil;
	local lobby = address and standin.room(address);
	if lobby then
		lobby:set_persistent(false);
		lobby:destroy(newjid, message or "The lobby is closed.");
	end
end

-- Status 104: the rules of the room have changed, look again.
local function tell_of_change(room)
	room:broadcast_message(st.message({ type = "groupchat", from = room.jid })
		:tag("x", { xmlns = MUC_NS .. "#user" }):tag("status", { code = "104" }));
end

module:hook_global("create-lobby-room", function(event)
	local room = event.room;
	-- Members-only would throw out those who are inside already.
	for _, occupant in room:each_occupant() do
		local affiliation = room:get_affiliation(occupant.bare_jid);
		if not affiliation or affiliation == "none" then
			room:set_affiliation(true, occupant.bare_jid, "member");
		end
	end
	room:set_members_only(true);
	room._data.lobby_extra_reason = event.reason;
	room._data.lobby_skip_display_name_check = event.skip_display_name_check;
	tell_of_change(room);
	open_lobby(room);
end);

module:hook_global("destroy-lobby-room", function(event)
	close_lobby(event.room, event.newjid, event.message);
	tell_of_change(event.room);
end);

local function refuse(event, kind, condition, code, extend)
	local reply = st.error_reply(event.stanza, kind, condition);
	reply.tags[1].attr.code = code;
	extend(reply);
	event.origin.send(reply:tag("x", { xmlns = MUC_NS }));
	return true;
end

local function ask_for_name(reply)
	reply:tag("displayname-required", { xmlns = JITMEET_NS, lobby = "true" }):up():up();
end

local function knock(event)
	local room, stanza, occupant = event.room, event.stanza, event.occupant;
	if standin.is_healthcheck_room(room.jid) or not room:get_members_only()
		or jid.resource(occupant.nick) == "focus" then
		return nil;
	end
	local join = stanza:get_child("x", MUC_NS);
	if not join then
		return nil;
	end

	local from = stanza.attr.from;
	local affiliation = room:get_affiliation(from);
	local stranger = not affiliation or affiliation == "none";
	local password = join:get_child_text("password", MUC_NS);
	local knows_password = password and password == room:get_password();
	if whitelist:contains(jid.host(from)) or whitelist:contains(jid.bare(from)) or knows_password then
		if stranger or affiliation == "member" then
			occupant.role = "participant";
			room:set_affiliation(true, jid.bare(from), "member");
		end
		return nil;
	end
	if affiliation == "member" and room:get_password() and not password then
		-- Whoever was let in from the lobby is not asked for the password too.
		join:tag("password", { xmlns = MUC_NS }):text(room:get_password()):up();
	end

	if not room._data.lobby_skip_display_name_check and (stanza:get_child_text("nick", NICK_NS) or "") == "" then
		return refuse(event, "modify", "not-acceptable", "406", ask_for_name);
	end
	if stranger and room._data.lobbyroom then
		return refuse(event, "auth", "registration-required", "407", function(reply)
			local reason, address = room._data.lobby_extra_reason, room._data.lobbyroom;
			if reason then
				reply:tag(reason, { xmlns = JITMEET_NS }):up();
			end
			reply:tag("lobbyroom", { xmlns = JITMEET_NS }):text(address):up():up();
			reply:tag("lobbyroom"):text(address):up(); -- where old clients look
		end);
	end
	return nil;
end

standin.when_host(main_muc, function(context)
	-- Just before Prosody's own members-only rule, which has priority -5.
	context:hook("muc-occupant-pre-join", knock, -4);

	-- A moderator switches the lobby on and off as the room's members-only rule.
	context:hook("muc-config-submitted", function(event)
		if jid.node(event.actor) == "focus" then
			return;
		end
		if event.fields["muc#roomconfig_membersonly"] then
			open_lobby(event.room);
			event.status_codes["104"] = true;
		elseif event.room._data.lobbyroom then
			close_lobby(event.room);
		end
	end);

	context:hook("muc-disco#info", function(event)
		local room = event.room;
		if room._data.lobbyroom and room:get_members_only() then
			table.insert(event.form, { name = "muc#roominfo_lobbyroom", label = "Address of the lobby", value = "" });
			event.formdata["muc#roominfo_lobbyroom"] = room._data.lobbyroom;
		end
	end);

	context:hook("muc-room-destroyed", function(event)
		close_lobby(event.room);
	end, 1);
end);
