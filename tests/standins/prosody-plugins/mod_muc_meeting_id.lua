-- Stand-in for the Jitsi plugin muc_meeting_id, written for tests.
-- Does: gives each new room an id of its own and shows it in disco#info and in
-- the room's configuration form.
-- Leaves out: holding joiners back until Jicofo is in the room, regions,
-- transcriptions, and the removal of display names from messages.

local new_id = require "util.uuid".generate;
local standin = module:require "standin";

local function field(room)
	return {
		name = "muc#roominfo_meetingId", type = "text-single",
		label = "Meeting id", value = room._data.meetingId or "",
	};
end

module:hook("muc-room-created", function(event)
	if not standin.is_healthcheck_room(event.room.jid) then
		event.room._data.meetingId = new_id();
	end
end);

module:hook("muc-disco#info", function(event)
	table.insert(event.form, field(event.room));
end);

module:hook("muc-config-form", function(event)
	table.insert(event.form, field(event.room));
end, 87);
