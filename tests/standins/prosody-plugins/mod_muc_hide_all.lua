-- Stand-in for the Jitsi plugin muc_hide_all, written for tests.
-- Does: hides every new room from the room list, and tells nobody but its
-- occupants about a room (disco#info is refused with `forbidden`).
-- Leaves out: nothing that we know of.

local jid = require "util.jid";
local st = require "util.stanza";
local standin = module:require "standin";

module:hook("muc-room-pre-create", function(event)
	event.room:set_hidden(true);
end, -1);

local function hide(event)
	local origin, stanza = event.origin, event.stanza;
	local room = standin.room(jid.bare(stanza.attr.to));
	if room and not room:get_occupant_by_real_jid(stanza.attr.from) then
		origin.send(st.error_reply(stanza, "auth", "forbidden"));
		return true;
	end
	return nil; -- an unknown room is Prosody's to answer
end

for _, kind in ipairs { "bare", "host" } do
	module:hook("iq-get/" .. kind .. "/http://jabber.org/protocol/disco#info:query", hide, 1);
end
