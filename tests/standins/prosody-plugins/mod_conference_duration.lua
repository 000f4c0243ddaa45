-- Stand-in for the Jitsi plugin conference_duration, written for tests.
-- Belongs on the main host (option main_muc).
-- Does: announces the identity `conference_duration` and shows in a room's
-- disco#info since when (milliseconds) it has held two people or more.
-- Leaves out: nothing that we know of.

local standin = module:require "standin";

local main_muc = module:get_option_string("main_muc");
if not main_muc then
	module:log("error", "main_muc must be set");
	return;
end

local function has_company(room)
	local count = 0;
	for _ in room:each_occupant() do
		count = count + 1;
	end
	return count > 1;
end

standin.when_host(main_muc, function(context)
	context:hook("muc-occupant-joined", function(event)
		local room = event.room;
		if not room.created_timestamp and has_company(room) then
			room.created_timestamp = ("%d000"):format(os.time());
		end
	end, -1);
	context:hook("muc-disco#info", function(event)
		table.insert(event.form, {
			name = "muc#roominfo_created_timestamp", type = "text-single",
			label = "Start of the meeting", value = event.room.created_timestamp or "",
		});
	end);
end);

module:add_identity("component", "conference_duration", "conferenceduration." .. module.host);
