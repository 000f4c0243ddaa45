-- Stand-in for the Jitsi plugin muc_filter_access, written for tests.
-- Belongs on the internal MUC of the bridges.
-- Does: drops, without an answer, every presence from a domain that does not
-- stand in muc_filter_whitelist. Without that option the module does nothing.
-- Leaves out: nothing that we know of.

local jid = require "util.jid";

local whitelist = module:get_option_set("muc_filter_whitelist");
if not whitelist then
	module:log("warn", "no muc_filter_whitelist set, nothing is filtered");
	return;
end

local function filter(event)
	local from = event.stanza.attr.from;
	if from and whitelist:contains(jid.host(from)) then
		return nil;
	end
	module:log("warn", "presence of %s dropped", from);
	return true;
end

for _, kind in ipairs { "host", "bare", "full" } do
	module:hook("presence/" .. kind, filter, 2000);
end
