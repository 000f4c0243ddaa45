-- Stand-in for the Jitsi plugin auth_jitsi-anonymous, written for tests.
-- Does: SASL ANONYMOUS with a random user name. As some releases of Jitsi's, it leaves the token that
-- a client put in the URL where it is: our configuration has to close that by itself.
-- Leaves out: session resumption (previd).

local new_sasl = require "util.sasl".new;
local new_id = require "util.uuid".generate;

module:depends("jitsi_session");

local function handler_for()
	local handler = new_sasl(module.host, { anonymous = function() return true; end });
	function handler:process()
		self.username = new_id();
		return "success";
	end
	function handler:clean_clone() -- luacheck: ignore 212/self
		return handler_for();
	end
	return handler;
end

local provider = {};

function provider.get_sasl_handler()
	return handler_for();
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
