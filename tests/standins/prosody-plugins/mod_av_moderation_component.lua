-- Stand-in for the Jitsi plugin av_moderation_component, written for tests.
-- Loaded as a Component (option muc_component).
-- Does: announces the identity `av_moderation` on the main host.
-- Leaves out: the moderation of microphones and cameras.

local standin = module:require "standin";

if not module:get_option_string("muc_component") then
	module:log("error", "muc_component must be set");
	return;
end

standin.announce("av_moderation");
