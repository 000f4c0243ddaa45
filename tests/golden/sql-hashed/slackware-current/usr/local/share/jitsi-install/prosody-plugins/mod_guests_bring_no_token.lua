-- mod_guests_bring_no_token: on a host for people without a token, forget whatever token a client
-- sent all the same.
--
-- Jitsi's plugins read a token from the URL of every session, whichever host it is for, and
-- muc_wait_for_host takes a session that has one for a host: the waiting room would open to anybody
-- who adds `?token=x`. Some releases of jitsi-anonymous clear it themselves, others do not. This
-- runs after the log-in and before the address is bound, so that nothing which looks at who joins
-- a room ever sees it. Prosody 0.12 and 13.

local fields = {
	"auth_token",
	"jitsi_meet_room",
	"jitsi_meet_domain",
	"jitsi_meet_str_tenant",
	"jitsi_meet_context_user",
	"jitsi_meet_context_group",
	"jitsi_meet_context_features",
	"jitsi_meet_context_room",
};

module:hook("authentication-success", function (event)
	for _, field in ipairs(fields) do
		event.session[field] = nil;
	end
end, 1000);
