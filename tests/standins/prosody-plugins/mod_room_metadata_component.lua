-- Stand-in for the Jitsi plugin room_metadata_component, written for tests.
-- Loaded as a Component (options muc_component and breakout_rooms_component).
-- Does: announces the identity `room_metadata` on the main host.
-- Leaves out: the metadata themselves.

local standin = module:require "standin";

if not module:get_option_string("muc_component") then
	module:log("error", "muc_component must be set");
	return;
end

standin.announce("room_metadata");
