-- mod_auth_sql_hashed: people sign in with the accounts of an SQL database that another program
-- keeps. Prosody 0.12 and 13; LuaDBI with SQLite3, MySQL (and MariaDB) or PostgreSQL.
--
-- It reads one view and writes nothing:
--
--     prosody_login(username, enabled, password, scram_sha_1, scram_sha_256)
--
--   username     canonical localpart (nodeprep)
--   enabled      1, or 0: then nobody signs in
--   password     pbkdf2_sha256$ITERATIONS$SALT$BASE64 and pbkdf2_sha1$… as Django has them,
--                scram_sha_1$ITERATIONS$SALT64$STORED64$SERVER64 and scram_sha_256$…; every other
--                form is for the account service alone
--   scram_sha_*  ITERATIONS$SALT64$STORED64$SERVER64 (RFC 5802), or NULL
--
-- PLAIN is a question to the account service by HTTP on loopback, and Prosody goes on serving while
-- it waits: hashing a password takes longer than its one thread can be spared. Only when nobody
-- listens there, a password is checked in here, if that takes few iterations. SCRAM needs no
-- hashing on this side. A Django hash is the salted password of RFC 5802, so it serves SCRAM too.
--
-- Who is unknown, suspended or types a wrong password gets one and the same answer, and a salt in
-- SCRAM in any case. No password, hash or secret is written into a log; nor is the name of somebody
-- who failed, since passwords do get typed into that field.
--
-- Over 400 lines, since a module that is one file can be copied to any Prosody as it is.
--
-- Options, with their defaults:
--
--   sql_hashed_database = { driver = "SQLite3" or "MySQL" or "PostgreSQL", database = …, host = …,
--                           port = …, username = …, password_file = …, authorities = … }
--       A host that begins with a slash is a socket. `authorities`, PEM, asks for TLS, with PostgreSQL
--       only. There may be none when PLAIN is all that is offered: the service then knows everything.
--   sql_hashed_mechanisms = { "PLAIN" }        -- and "SCRAM-SHA-1", "SCRAM-SHA-256"
--   sql_hashed_service = nil                   -- "http://127.0.0.1:8481/prosody/password"
--   sql_hashed_secret_file = nil               -- what is shown there as a bearer
--   sql_hashed_timeout = 10                    -- seconds that a question may wait, and then take
--   sql_hashed_questions = 20                  -- at once; more of them wait in line
--   sql_hashed_line = 200                      -- how many may wait
--   sql_hashed_scram_iterations = 10000        -- what unknown people are shown
--   sql_hashed_own_iterations = 20000          -- the most that is checked in here; 0: nothing
--   sql_hashed_window = 600                    -- seconds after which failures are forgotten
--   sql_hashed_failures = 10                   -- of one name from one address
--   sql_hashed_failures_of_address = 100
--   sql_hashed_failures_of_name = 100          -- does not hold up who signed in from there before

local async = require "util.async";
local base64 = require "util.encodings".base64;
local cache = require "util.cache";
local hashes = require "util.hashes";
local http = require "net.http";
local jid = require "util.jid";
local json = require "util.json";
local net = require "util.net";
local new_sasl = require "util.sasl".new;
local now = require "util.time".now;
local random = require "util.random";
local saslprep = require "util.encodings".stringprep.saslprep;
local timer = require "util.timer";

local host = module.host;

-- Says of a trouble once that it is there, and once that it is over.
local troubles = {};

local function trouble(of, level, text, ...)
	if not troubles[of] then
		troubles[of] = true;
		module:log(level, text, ...);
	end
end

local function over(of, text)
	if troubles[of] then
		troubles[of] = nil;
		module:log("info", text);
	end
end

-- The first line of a file; a file that cannot be read is said, its contents never are.
local function read_secret(path)
	local file, why = io.open(path, "r");
	if not file then
		module:log("error", "The file with a secret cannot be read: %s", why);
		return nil;
	end
	local line = file:read("*l");
	file:close();
	return line and line:match("^%s*(.-)%s*$");
end

-- OPTIONS

local mechanisms = module:get_option_set("sql_hashed_mechanisms", { "PLAIN" });
local service = module:get_option_string("sql_hashed_service");
local secret_file = module:get_option_string("sql_hashed_secret_file");
local timeout = module:get_option_number("sql_hashed_timeout", 10);
local most_questions = module:get_option_number("sql_hashed_questions", 20);
local longest_line = module:get_option_number("sql_hashed_line", 200);
local shown_iterations = module:get_option_number("sql_hashed_scram_iterations", 10000);
local own_iterations = module:get_option_number("sql_hashed_own_iterations", 20000);

local secret = secret_file and read_secret(secret_file);
-- What unknown people's salts are made of: the same after a restart wherever there is a secret.
local salts = secret and hashes.hmac_sha256(secret, "salts of unknown people") or random.bytes(32);

-- THE DATABASE
--
-- LuaDBI waits in Prosody's thread, so every question is kept short by what the drivers offer, and
-- after a slow one the database is left alone for a while: it never has more than a fifth of the time.

local settings = module:get_option("sql_hashed_database") or {};
local DBI = settings.driver and require "DBI";
local query = "SELECT username, enabled, password, scram_sha_1, scram_sha_256 FROM prosody_login WHERE username = ?";
local down = "The database of accounts cannot be asked, and nobody can sign in: %s";

local database = { connection = nil, quiet_until = 0 };

-- SQLite is opened anew for each question, which takes no longer than the question: the file may have
-- been replaced, and a connection of ours would keep the account service from tidying up at its end.
-- It is opened for reading only. A file in WAL mode (bytes 18 and 19 of its header are 2) whose service
-- ended in good order has no log beside it, and cannot be read in a folder that is not ours to write in;
-- but then nobody writes to it either, and it is immutable.
local function sqlite(path)
	local readonly, uri = 0x01, 0x40; -- SQLITE_OPEN_READONLY, SQLITE_OPEN_URI (sqlite3.h)
	local file, why = io.open(path, "rb");
	if not file then
		return nil, why;
	end
	local header = file:read(20) or "";
	file:close();
	local log = io.open(path .. "-wal", "rb");
	if log then
		log:close();
	end
	local is_at_rest = header:sub(19, 20) == "\2\2" and not log;
	local escaped = path:gsub("[^%w/._-]", function (c) return ("%%%02X"):format(c:byte()); end);
	return DBI.Connect("SQLite3", "file:" .. escaped .. (is_at_rest and "?mode=ro&immutable=1" or "?mode=ro"), readonly + uri);
end

-- Either takes what the other one does not know for a mistake, which does no harm.
local limits = {
	MySQL = {
		"SET NAMES utf8mb4", "SET SESSION TRANSACTION READ ONLY",
		"SET SESSION max_statement_time = 1", "SET SESSION max_execution_time = 1000",
	};
	PostgreSQL = {};
	SQLite3 = { "PRAGMA busy_timeout = 100" };
};

-- A word of libpq's connection string (PostgreSQL manual, 34.1.1.1).
local function quoted(word)
	return "'" .. tostring(word):gsub("[\\']", "\\%0") .. "'";
end

local function open()
	local password = settings.password_file and read_secret(settings.password_file) or settings.password;
	local ok, connection, why;
	if settings.driver == "SQLite3" then
		ok, connection, why = pcall(sqlite, settings.database);
	else
		local name = settings.database;
		if settings.driver == "PostgreSQL" then
			name = "dbname=" .. quoted(name) .. " connect_timeout=2 tcp_user_timeout=2000 client_encoding=UTF8"
				.. " options='-c statement_timeout=1000 -c default_transaction_read_only=on'";
			if settings.authorities then
				name = name .. " sslmode=verify-full sslrootcert=" .. quoted(settings.authorities);
			end
		end
		ok, connection, why = pcall(DBI.Connect, settings.driver, name, settings.username, password, settings.host, settings.port);
	end
	if not ok or not connection then
		return nil, ok and why or connection;
	end
	connection:autocommit(true);
	for _, limit in ipairs(limits[settings.driver]) do
		pcall(function ()
			local statement = connection:prepare(limit);
			pcall(statement.execute, statement);
			-- LuaDBI's own `Do` leaves it open, and SQLite never closes a file that has an open statement.
			statement:close();
		end);
	end
	return connection;
end

local function rows(connection, name)
	local statement, why = connection:prepare(query);
	if not statement then
		return nil, why;
	end
	local ok;
	ok, why = statement:execute(name);
	local found;
	if ok then
		for row in statement:rows(true) do
			-- Some collations take other names for the same.
			if row.username == name then
				found = row;
			end
		end
	end
	statement:close();
	return ok, ok and found or why;
end

-- true and a row, true and nothing, or false: the database did not answer.
function database:ask(name)
	local began = now();
	if not settings.driver or began < self.quiet_until then
		return false;
	end
	local answered, row;
	-- A connection may have been closed since the last question: once more with a new one.
	for _ = 1, 2 do
		local kept = self.connection ~= nil;
		local why;
		if not kept then
			self.connection, why = open();
		end
		if self.connection then
			local ok;
			ok, answered, row = pcall(rows, self.connection, name);
			if not ok then
				answered, row = nil, answered;
			end
		else
			answered, row = nil, why;
		end
		if answered then
			break;
		end
		self:close();
		if not kept or now() - began > 0.5 then
			break;
		end
	end
	if settings.driver == "SQLite3" then
		self:close();
	end
	local took = now() - began;
	if not answered then
		self.quiet_until = now() + math.max(1, 4 * took);
		trouble("database", "error", down, tostring(row):gsub("%s+", " "));
		return false;
	end
	over("database", "The database of accounts answers again");
	if took > 0.25 then
		self.quiet_until = now() + 4 * took;
		trouble("slow", "warn", "The database of accounts took %.2f seconds to answer, in which nobody else was served", took);
	else
		troubles.slow = nil;
	end
	return true, row;
end

function database:close()
	if self.connection then
		pcall(self.connection.close, self.connection);
		self.connection = nil;
	end
end

local function is_enabled(row)
	return row ~= nil and (row.enabled == true or tonumber(row.enabled) == 1);
end

-- HASHES

local kinds = {
	sha_1 = { hash = hashes.sha1, hmac = hashes.hmac_sha1, derive = hashes.pbkdf2_hmac_sha1, length = 20 };
	sha_256 = { hash = hashes.sha256, hmac = hashes.hmac_sha256, derive = hashes.pbkdf2_hmac_sha256, length = 32 };
};

local function decode(text, length)
	local bytes = text and base64.decode(text);
	return bytes and (not length or #bytes == length) and bytes or nil;
end

-- `ITERATIONS$SALT64$STORED64$SERVER64`
local function from_scram(kind, text)
	local iterations, salt, stored, server = text:match("^(%d+)%$([^$]+)%$([^$]+)%$([^$]+)$");
	local length = kinds[kind].length;
	salt, stored, server = decode(salt), decode(stored, length), decode(server, length);
	iterations = tonumber(iterations);
	if iterations and iterations > 0 and iterations < 2^31 and salt and salt ~= "" and stored and server then
		return { kind = kind, iterations = iterations, salt = salt, stored_key = stored, server_key = server };
	end
end

-- Django's `ITERATIONS$SALT$BASE64`: the salted password of RFC 5802, and its salt is text.
local function from_django(kind, text)
	local iterations, salt, salted = text:match("^(%d+)%$([^$]+)%$([^$]+)$");
	local hash, hmac = kinds[kind].hash, kinds[kind].hmac;
	salted = decode(salted, kinds[kind].length);
	iterations = tonumber(iterations);
	if iterations and iterations > 0 and iterations < 2^31 and salted then
		return {
			kind = kind, iterations = iterations, salt = salt, is_raw = true;
			stored_key = hash(hmac(salted, "Client Key")), server_key = hmac(salted, "Server Key");
		};
	end
end

local forms = {
	pbkdf2_sha1 = { from_django, "sha_1" }, pbkdf2_sha256 = { from_django, "sha_256" };
	scram_sha_1 = { from_scram, "sha_1" }, scram_sha_256 = { from_scram, "sha_256" };
};

-- Everything in a row that can be checked here; only of one kind, if one is named.
local function credentials(row, wanted)
	local found = {};
	for kind in pairs(kinds) do
		if (not wanted or wanted == kind) and row["scram_" .. kind] then
			found[#found + 1] = from_scram(kind, row["scram_" .. kind]);
		end
	end
	local name, rest = (row.password or ""):match("^([%w_]+)%$(.*)$");
	local form = forms[name];
	if form and (not wanted or wanted == form[2]) then
		found[#found + 1] = form[1](form[2], rest);
	end
	return found;
end

-- FAILURES
--
-- Three counts, each forgotten some time after its first failure. What is counted against a name
-- alone does not hold up its owner at an address from where he signed in before, so that strangers
-- cannot lock anybody out.

local window = module:get_option_number("sql_hashed_window", 600);
local counters = {
	pair = { most = module:get_option_number("sql_hashed_failures", 10), of = cache.new(10000) };
	address = { most = module:get_option_number("sql_hashed_failures_of_address", 100), of = cache.new(10000) };
	name = { most = module:get_option_number("sql_hashed_failures_of_name", 100), of = cache.new(10000) };
};
local signed_in_from = cache.new(10000);

local function keys(name, address)
	return { pair = name .. "\0" .. address, address = address, name = name };
end

local function count(counter, key, by)
	local entry = counter.of:get(key);
	if not entry or entry.ends < now() then
		entry = { count = 0, ends = now() + window };
	end
	entry.count = math.max(0, entry.count + by);
	counter.of:set(key, entry);
	return entry.count;
end

local function may_try(name, address)
	local places = keys(name, address);
	for which, counter in pairs(counters) do
		local exempt = which == "name" and signed_in_from:get(places.pair);
		if not exempt and count(counter, places[which], 0) >= counter.most then
			trouble("failures", "warn", "Too many failed sign-ins: some are refused unheard for up to %d seconds", window);
			return false;
		end
	end
	return true;
end

local function failed(name, address, by)
	for which, key in pairs(keys(name, address)) do
		count(counters[which], key, by or 1);
	end
end

local function succeeded(name, address)
	local places = keys(name, address);
	counters.pair.of:set(places.pair, nil);
	signed_in_from:set(places.pair, true);
end

-- Where a session comes from; by BOSH and WebSocket that is what the web server says, when it is one of
-- Prosody's `trusted_proxies`. The account service is told the address, if it is one; counted is the
-- whole network of 64 bits in IPv6, since that is what one customer has.
local function origin(session)
	local text = tostring(session.ip):gsub("^::ffff:(%d+%.%d+%.%d+%.%d+)$", "%1");
	local packed = net.pton(text);
	return { address = packed and text or nil, counted = packed and #packed == 16 and packed:sub(1, 8) or text };
end

-- PLAIN, BY THE ACCOUNT SERVICE

local asking, line = 0, {};

-- Waits for a place among the questions; false when there is none in time.
local function take_place()
	if asking < most_questions then
		asking = asking + 1;
		return true;
	elseif #line >= longest_line then
		return false;
	end
	local wait, done = async.waiter();
	local place = { done = done, is_ours = false };
	line[#line + 1] = place;
	timer.add_task(timeout, function ()
		for index, other in ipairs(line) do
			if other == place then
				table.remove(line, index);
				done();
				return;
			end
		end
	end);
	wait();
	return place.is_ours;
end

local function leave_place()
	local place = table.remove(line, 1);
	if place then
		place.is_ours = true; -- he has the place now, so that `asking` stays
		place.done();
	else
		asking = asking - 1;
	end
end

-- "right", "wrong", "limited", "absent" (nobody listens) or "silent".
local function ask_service(name, password, address)
	if not take_place() then
		trouble("line", "warn", "Too many passwords wait for the account service: some sign-ins are put off");
		return "silent";
	end
	local wait, done = async.waiter();
	local verdict;
	local function finish(word)
		if not verdict then
			verdict = word;
			leave_place();
			done();
		end
	end
	local request = http.request(service, {
		method = "POST";
		headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. (secret or "") };
		body = json.encode({ username = name, password = password, address = address });
	}, function (body, code, response)
		local said = code == 200 and json.decode(body);
		if said and said.ok == true then
			finish("right");
		elseif code == 403 then
			finish("wrong");
		elseif code == 429 then
			finish("limited");
		elseif code == 0 and response and not response.state then -- `state` is set once connected
			finish("absent");
		else
			if code == 401 then
				trouble("secret", "error", "The account service does not accept our secret");
			end
			finish("silent");
		end
	end);
	local limit = timer.add_task(timeout, function ()
		if not verdict then
			finish("silent");
			http.destroy_request(request);
		end
	end);
	wait();
	timer.stop(limit);
	if verdict == "right" or verdict == "wrong" then
		troubles.line, troubles.secret, troubles.hard = nil, nil, nil;
		troubles.service = troubles.service or troubles.absent;
		troubles.absent = nil;
		over("service", "The account service answers again");
	elseif verdict == "absent" then
		trouble("absent", "warn", "The account service cannot be reached: passwords of few iterations are checked in Prosody itself, others not at all");
	elseif verdict == "silent" then
		trouble("service", "warn", "The account service did not answer a question about a password");
	end
	return verdict;
end

-- PLAIN, IN HERE

-- "right", "silent" (no database) or "unheard": wrong, or not to be told in here. Everybody who fails
-- waits until the same moment, whatever there was to compute.
local own_delay = 0.25;

-- They take their turns, with as long a pause between two as one of them took, in which everybody else
-- is served.
local own_cost, own_next = 0.01, 0;

local function sleep_until(moment)
	local wait, done = async.waiter();
	timer.add_task(math.max(0, moment - now()), function () done(); end);
	wait();
end

local function check_here(name, password, prepared)
	local turn = math.max(now(), own_next);
	if turn > now() + timeout then
		return "silent";
	end
	own_next = turn + 2 * own_cost;
	sleep_until(turn);
	local began = now();
	local answered, row = database:ask(name);
	if not answered then
		return "silent";
	end
	local easiest;
	for _, found in ipairs(is_enabled(row) and credentials(row) or {}) do
		if not easiest or found.iterations < easiest.iterations then
			easiest = found;
		end
	end
	if easiest and easiest.iterations <= own_iterations then
		local kind = kinds[easiest.kind];
		local salted = kind.derive(easiest.is_raw and password or prepared, easiest.salt, easiest.iterations);
		own_cost = now() - began;
		if hashes.equals(kind.hash(kind.hmac(salted, "Client Key")), easiest.stored_key) then
			return "right";
		end
	elseif is_enabled(row) then
		trouble("hard", "warn", "The passwords of some accounts take the account service to check, and it cannot be reached: %s",
			easiest and ("%d iterations are more than sql_hashed_own_iterations"):format(easiest.iterations) or "they are hashed in a form that Prosody does not know");
	end
	sleep_until(began + own_delay);
	return "unheard";
end

-- Longer than any password that the account service takes; such a one is not asked about.
local longest_password = 1024;

-- Name and password as they were typed; Prosody's own reading of them is `name` and `prepared`.
local function check(name, password, prepared, from)
	if not may_try(name, from.counted) then
		return "limited";
	end
	failed(name, from.counted); -- at once, so that many at the same time count
	local verdict = "absent";
	if #password > longest_password then
		verdict = "wrong";
	elseif service then
		verdict = ask_service(name, password, from.address);
	end
	if verdict == "absent" then
		verdict = check_here(name, password, prepared);
	end
	if verdict ~= "wrong" and verdict ~= "unheard" then
		failed(name, from.counted, -1);
	end
	if verdict == "right" then
		succeeded(name, from.counted);
	end
	return verdict;
end

-- MECHANISMS

local function plain_test(self, name, prepared)
	self.verdict = check(name, self.password or prepared, prepared, self.from);
	return self.verdict == "right", true;
end

-- Stored key, server key, iterations and salt, of somebody or of nobody.
local function scram(kind)
	return function (self, name)
		if not may_try(name, self.from.counted) then
			self.verdict = "limited";
			return nil;
		end
		local answered, row = database:ask(name);
		if not answered then
			self.verdict = "silent";
			return nil;
		end
		local found = row and credentials(row, kind)[1];
		local salt, iterations = hashes.hmac_sha256(salts, kind .. name):sub(1, 16), shown_iterations;
		local stored_key, server_key = random.bytes(kinds[kind].length), random.bytes(kinds[kind].length);
		if found then
			salt, iterations = found.salt, found.iterations;
			if is_enabled(row) then
				stored_key, server_key = found.stored_key, found.server_key;
			end
		end
		return stored_key, server_key, iterations, salt, true;
	end
end

local profile_keys = {
	["PLAIN"] = { "plain_test", plain_test };
	["SCRAM-SHA-1"] = { "scram_sha_1", scram("sha_1") };
	["SCRAM-SHA-256"] = { "scram_sha_256", scram("sha_256") };
};

local texts = {
	limited = "Too many failed sign-ins. Try again later.";
	silent = "Accounts cannot be checked at the moment. Try again later.";
	unheard = "Name or password is wrong, or cannot be checked at the moment.";
};

-- Prosody's handler, with what it has no word for: answers other than yes and no, and the password as
-- it was typed. What makes it stumble is malformed.
local function process(self, message)
	local is_plain = self.selected == "PLAIN";
	if is_plain then
		local parts = { tostring(message or ""):match("^([^%z]*)%z([^%z]+)%z([^%z]+)$") };
		if not parts[3] then
			return "failure", "malformed-request";
		elseif parts[1] ~= "" and jid.prep(parts[1]) ~= jid.prep(parts[2] .. "@" .. host) then
			return "failure", "invalid-authzid"; -- nobody acts for somebody else
		end
		self.password = parts[3];
	end
	local status, reply, text;
	if is_plain then
		status, reply, text = self.prosodys_process(self, message);
	else
		local ok;
		ok, status, reply, text = pcall(self.prosodys_process, self, message);
		if not ok then
			return "failure", "malformed-request";
		end
	end
	self.password = nil;
	if self.verdict == "limited" or self.verdict == "silent" then
		return "failure", "temporary-auth-failure", texts[self.verdict];
	elseif not is_plain and status == "success" then
		succeeded(self.username, self.from.counted);
	elseif not is_plain and status == "failure" and reply == "not-authorized" then
		failed(self.username, self.from.counted);
	end
	if reply == "not-authorized" then
		text = texts[self.verdict] or "Name or password is wrong.";
	end
	return status, reply, text;
end

local function new_handler(from)
	local profile = {};
	for mechanism in mechanisms do
		if profile_keys[mechanism] then
			profile[profile_keys[mechanism][1]] = profile_keys[mechanism][2];
		end
	end
	local handler = new_sasl(host, profile);
	handler.from = from;
	handler.prosodys_process = handler.process;
	handler.process = process;
	function handler:clean_clone()
		local clone = new_handler(self.from);
		clone.profile.cb, clone.userdata = self.profile.cb, self.userdata;
		return clone;
	end
	return handler;
end

-- PROSODY'S SIDE

local provider = {};

function provider.get_sasl_handler(session)
	return new_handler(origin(session or {}));
end

function provider.test_password(name, password)
	local prepared = saslprep(password);
	if prepared and check(name, password, prepared, { counted = "prosody" }) == "right" then
		return true;
	end
	return nil, "Name or password is wrong.";
end

function provider.user_exists(name)
	if not settings.driver then
		return true; -- who could not sign in does no harm by being believed in
	end
	local answered, row = database:ask(name);
	if not answered then
		return nil, "The database of accounts cannot be asked.";
	end
	return row ~= nil or nil, "There is no such account.";
end

function provider.is_enabled(name)
	if not settings.driver then
		return true;
	end
	local answered, row = database:ask(name);
	return answered and is_enabled(row);
end

local function elsewhere()
	return nil, "Accounts are kept by the account service.";
end
provider.set_password, provider.create_user, provider.delete_user = elsewhere, elsewhere, elsewhere;

function module.load()
	local has_database = limits[settings.driver] and settings.database;
	local may_do_without = not settings.driver and service and not mechanisms:contains("SCRAM-SHA-1")
		and not mechanisms:contains("SCRAM-SHA-256");
	assert(has_database or may_do_without, "sql_hashed_database needs driver (SQLite3, MySQL or PostgreSQL) and database");
	for mechanism in mechanisms do
		if not profile_keys[mechanism] then
			module:log("error", "sql_hashed_mechanisms has %q, which is none of PLAIN, SCRAM-SHA-1 and SCRAM-SHA-256", mechanism);
		end
	end
	module:provides("auth", provider);
end

function module.unload()
	database:close();
end

-- What was said once may be said again when it happens again much later.
module:add_timer(600, function ()
	troubles.failures, troubles.line, troubles.hard = nil, nil, nil;
	return 600;
end);
