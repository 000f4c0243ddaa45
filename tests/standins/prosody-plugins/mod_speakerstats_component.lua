-- Stand-in for the Jitsi plugin speakerstats_component, written for tests.
-- Loaded as a Component (option muc_component).
-- Does: announces the identity `speakerstats` on the main host.
-- Leaves out: the statistics themselves.

local standin = module:require "standin";

if not module:get_option_string("muc_component") then
	module:log("error", "muc_component must be set");
	return;
end

standin.announce("speakerstats");
