-- Stand-in for the Jitsi plugin muc_breakout_rooms, written for tests.
-- Belongs on the main host (options main_muc and breakout_rooms_muc).
-- Does: announces the identity `breakout_rooms`.
-- Leaves out: breakout rooms.

local breakout_muc = module:get_option_string("breakout_rooms_muc");
if not module:get_option_string("main_muc") or not breakout_muc then
	module:log("error", "main_muc and breakout_rooms_muc must be set");
	return;
end

module:depends("jitsi_session");
module:add_identity("component", "breakout_rooms", breakout_muc);
