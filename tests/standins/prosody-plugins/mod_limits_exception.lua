-- Stand-in for the Jitsi plugin limits_exception, written for tests.
-- Belongs on the host of the service accounts.
-- Does: lifts the rate limit of a session whose account stands in
-- unlimited_jids once it has logged in.
-- Leaves out: the larger stanza size (unlimited_size).

local unlimited = module:get_option_inherited_set("unlimited_jids", {});

module:hook("authentication-success", function(event)
	local session = event.session;
	if unlimited:contains(session.username .. "@" .. session.host) then
		if session.conn and session.conn.setlimit then
			session.conn:setlimit(0);
		else
			session.throttle = nil;
		end
	end
end);
