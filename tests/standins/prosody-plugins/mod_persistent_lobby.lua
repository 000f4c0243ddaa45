-- Stand-in for the Jitsi plugin persistent_lobby, written for tests.
-- Belongs on the main host (options main_muc and lobby_muc).
-- Does: on `create-persistent-lobby-room` opens a lobby and keeps the main room
-- alive although nobody may be in it; when the last one has left both, the main
-- room is destroyed.
-- Leaves out: the event by which other plugins ask whether a room may go.

local standin = module:require "standin";

local main_muc = module:get_option_string("main_muc");
local lobby_muc = module:get_option_string("lobby_muc");
if not main_muc or not lobby_muc then
	module:log("error", "main_muc and lobby_muc must be set");
	return;
end

module:hook_global("create-persistent-lobby-room", function(event)
	prosody.events.fire_event("create-lobby-room", event);
	event.room._data.persist_lobby = true;
	event.room:set_persistent(true);
end);

local function destroy_if_deserted(room)
	if not room or room.destroying or not room._data.persist_lobby or room:has_occupant() then
		return;
	end
	local lobby = room._data.lobbyroom and standin.room(room._data.lobbyroom);
	if lobby and lobby:has_occupant() then
		return;
	end
	room:set_persistent(false);
	room:destroy(nil, "nobody is left");
end

standin.when_host(main_muc, function(context)
	context:hook("muc-occupant-left", function(event)
		destroy_if_deserted(event.room);
	end);
end);

standin.when_host(lobby_muc, function(context)
	context:hook("muc-occupant-left", function(event)
		if event.room.main_room_jid and not event.room:has_occupant() then
			destroy_if_deserted(standin.room(event.room.main_room_jid));
		end
	end);
end);
