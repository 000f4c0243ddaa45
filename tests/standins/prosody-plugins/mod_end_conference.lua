-- Stand-in for the Jitsi plugin end_conference, written for tests.
-- Loaded as a Component (option muc_component).
-- Does: announces the identity `end_conference`; a moderator's message with an
-- <end_conference/> destroys the room that he named in his URL and is in.
-- Leaves out: nothing that we know of.

local standin = module:require "standin";

if not module:get_option_string("muc_component") then
	module:log("error", "muc_component must be set");
	return;
end

module:depends("jitsi_session");

module:hook("message/host", function(event)
	local session, stanza = event.origin, event.stanza;
	if stanza.attr.type == "error" or not stanza:get_child("end_conference") then
		return nil;
	end
	local room = standin.room_of_session(session);
	local occupant = room and room:get_occupant_by_real_jid(stanza.attr.from);
	if occupant and occupant.role == "moderator" then
		room:destroy(nil, "A moderator has ended the meeting.");
	end
	return true;
end);

standin.announce("end_conference");
