-- Stand-in for the Jitsi plugin auth_jitsi-anonymous, written for tests.
-- Does: SASL ANONYMOUS with a random user name, and forgets whatever token the
-- client put in the URL, so that no other plugin takes a guest for a host.
-- Leaves out: session resumption (previd).

local new_sasl = require "util.sasl".new;
local new_id = require "util.uuid".generate;

module:depends("jitsi_session");

local TOKEN_FIELDS = {
	"auth_token", "jitsi_meet_room", "jitsi_meet_domain", "jitsi_meet_str_tenant", "jitsi_meet_context_user",
	"jitsi_meet_context_group", "jitsi_meet_context_features", "jitsi_meet_context_room",
};

local function handler_for(session)
	local handler = new_sasl(module.host, { anonymous = function() return true; end });
	function handler:process()
		for _, field in ipairs(TOKEN_FIELDS) do
			session[field] = nil;
		end
		self.username = new_id();
		return "success";
	end
	function handler:clean_clone() -- luacheck: ignore 212/self
		return handler_for(session);
	end
	return handler;
end

local provider = {};

function provider.get_sasl_handler(session)
	return handler_for(session);
end

function provider.test_password()
	return nil, "this host knows no passwords";
end

function provider.set_password()
	return nil, "this host knows no passwords";
end

function provider.user_exists()
	return nil;
end

function provider.create_user()
	return nil, "this host keeps no accounts";
end

function provider.delete_user()
	return nil, "this host keeps no accounts";
end

module:provides("auth", provider);
