-- Stand-in for the Jitsi plugin jitsi_session, written for tests.
-- Does: reads `room`, `prefix` and `token` from the URL of a BOSH or websocket
-- request (the token also from `Authorization: Bearer`) into the session, where
-- the other plugins look for them. Nothing is verified here.
-- Leaves out: previd and customusername (session resumption), regions.

module:set_global();

local formdecode = require "util.http".formdecode;

local function read_request(event)
	local session, request = event.session, event.request;
	local token;

	local header = request.headers.authorization;
	if header then
		-- As the real plugin: seven characters are cut whatever the scheme is.
		token = header:sub(8);
	end

	local query = request.url and request.url.query;
	if query then
		local fields = formdecode(query);
		if type(fields) == "table" then
			token = fields.token or token;
			session.jitsi_web_query_room = fields.room;
			session.jitsi_web_query_prefix = fields.prefix or "";
		end
	end

	session.auth_token = token;
end

module:hook_global("bosh-session", read_request, 1);
module:hook_global("websocket-session", read_request, 1);
