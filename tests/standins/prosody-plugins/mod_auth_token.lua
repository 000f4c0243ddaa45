-- Stand-in for the Jitsi plugin auth_token, written for tests.
-- Does: SASL ANONYMOUS on a host where the client must have brought a JSON Web
-- Token in the URL (see mod_jitsi_session). Checks algorithm, signature, exp,
-- nbf, iss, aud, and that room and sub are there; then binds the claims to the
-- session for mod_token_verification and mod_token_affiliation. Options:
-- app_id, app_secret, asap_accepted_issuers, asap_accepted_audiences,
-- asap_require_room_claim, allow_empty_token.
-- Leaves out: RSA keys (asap_key_server, cache_keys_url), session resumption,
-- the ban and pre/post authentication events.

local json = require "util.json";
local hashes = require "util.hashes";
local base64 = require "util.encodings".base64;
local new_sasl = require "util.sasl".new;
local new_id = require "util.uuid".generate;

local app_id = module:get_option_string("app_id");
local app_secret = module:get_option_string("app_secret");
local allow_empty = module:get_option_boolean("allow_empty_token", false);

-- Without its key the host offers no log-in at all, as with the real plugin.
if not app_id then
	module:log("error", "app_id is not set, nobody can log in");
	return;
end
if not app_secret then
	module:log("error", "app_secret is not set, nobody can log in (the stand-in knows HS256 only)");
	return;
end

local issuers = module:get_option_array("asap_accepted_issuers", { app_id });
local audiences = module:get_option_array("asap_accepted_audiences", { "*" });
local room_required = module:get_option_boolean("asap_require_room_claim", true);

if allow_empty then
	module:log("warn", "empty tokens are allowed");
end

module:depends("jitsi_session");

local function from_base64url(text)
	local padded = text:gsub("-", "+"):gsub("_", "/") .. string.rep("=", -#text % 4);
	return base64.decode(padded);
end

local function decode_object(segment)
	local text = from_base64url(segment);
	local object = text and json.decode(text);
	return type(object) == "table" and object or nil;
end

local function accepted(value, list)
	for _, wanted in ipairs(list) do
		if wanted == "*" or wanted == value then
			return true;
		end
	end
	return false;
end

-- `aud` may be one audience or a list of them.
local function accepted_audience(aud)
	if type(aud) ~= "table" then
		return accepted(aud, audiences);
	end
	for _, one in ipairs(aud) do
		if accepted(one, audiences) then
			return true;
		end
	end
	return false;
end

-- Returns the claims, or nil and the sentence that the client gets to see.
local function check(token, now)
	local parts = {};
	for part in token:gmatch("[^.]+") do
		parts[#parts + 1] = part;
	end
	if #parts ~= 3 then
		return nil, "Invalid token";
	end

	local header = decode_object(parts[1]);
	if not header then
		return nil, "Invalid header";
	end
	local claims = decode_object(parts[2]);
	if not claims then
		return nil, "Invalid body";
	end
	if header.typ ~= "JWT" then
		return nil, "Invalid typ";
	end
	-- Compared before any key is used: neither `none` nor another MAC gets in.
	if header.alg ~= "HS256" then
		return nil, "Invalid or incorrect alg";
	end

	local given = from_base64url(parts[3]);
	local wanted = hashes.hmac_sha256(app_secret, parts[1] .. "." .. parts[2]);
	if not given or #given ~= #wanted or not hashes.equals(given, wanted) then
		return nil, "Invalid signature";
	end

	for _, name in ipairs { "exp", "nbf" } do
		if claims[name] ~= nil and type(claims[name]) ~= "number" then
			return nil, name .. " must be number";
		end
	end
	if claims.exp and now >= claims.exp then
		local life = type(claims.iat) == "number" and (", valid for:%.1f sec"):format(claims.exp - claims.iat) or "";
		return nil, ("Not acceptable by exp (%.1f sec since expired%s)"):format(now - claims.exp, life);
	end
	if claims.nbf and now < claims.nbf then
		return nil, "Not acceptable by nbf";
	end

	if claims.iss == nil then
		return nil, "'iss' claim is missing";
	elseif not accepted(claims.iss, issuers) then
		return nil, "invalid 'iss' claim";
	end
	if claims.aud == nil then
		return nil, "'aud' claim is missing";
	elseif not accepted_audience(claims.aud) then
		return nil, "invalid 'aud' claim";
	end

	if room_required and claims.room == nil then
		return nil, "room claim is missing";
	end
	if claims.sub == nil then
		return nil, "sub claim is missing";
	end
	return claims;
end

local function bind(session, claims)
	session.jitsi_meet_room = claims.room;
	session.jitsi_meet_domain = claims.sub;
	local context = claims.context;
	if type(context) == "table" then
		session.jitsi_meet_context_user = context.user;
		session.jitsi_meet_context_group = context.group;
		session.jitsi_meet_context_features = context.features;
		session.jitsi_meet_context_room = context.room;
		session.jitsi_meet_str_tenant = context.tenant;
	elseif claims.user_id then
		session.jitsi_meet_context_user = { id = claims.user_id };
	end
end

local function refuse(session, text)
	-- Only the reason is written down: a log is no place for a token.
	module:log("warn", "token refused: %s", text);
	session.auth_token = nil;
	return "failure", "not-allowed", text;
end

local function process(handler, session)
	local token = session.auth_token;
	if token == nil then
		if not allow_empty then
			return refuse(session, "token required");
		end
	else
		local claims, problem = check(token, os.time());
		if not claims then
			return refuse(session, problem);
		end
		bind(session, claims);
	end
	handler.username = new_id();
	return "success";
end

-- The handler of this session only is taught to look at the token. Registering
-- the mechanism anew would change ANONYMOUS for every host of this Prosody.
local function handler_for(session)
	local handler = new_sasl(module.host, { anonymous = function() return true; end });
	function handler:process()
		return process(self, session);
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
