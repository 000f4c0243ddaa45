-- Stand-in for the Jitsi plugin muc_password_whitelist, written for tests.
-- Does: whoever stands in muc_password_whitelist (domains or bare JIDs) enters
-- a room with a password as if he knew it.
-- Leaves out: reading the option anew when the configuration is reloaded.

local jid = require "util.jid";
local standin = module:require "standin";

local MUC_NS = standin.MUC_NS;
local whitelist = module:get_option_set("muc_password_whitelist", {});

-- After the lobby (-4) and members-only (-5), before the password check (-20).
module:hook("muc-occupant-pre-join", function(event)
	local room, stanza = event.room, event.stanza;
	local from = stanza.attr.from;
	if not room:get_password() or not (whitelist:contains(jid.bare(from)) or whitelist:contains(jid.host(from))) then
		return;
	end
	local x = stanza:get_child("x", MUC_NS);
	if not x then
		return;
	end
	x:remove_children("password", MUC_NS);
	x:tag("password", { xmlns = MUC_NS }):text(room:get_password()):up();
end, -7);
