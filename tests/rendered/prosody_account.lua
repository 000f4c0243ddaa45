-- Is FILE an account record of Prosody's internal_hashed for the password on standard input? Asked
-- of Prosody's own SCRAM, so it needs Prosody's modules.
--
--   lua5.4 prosody_account.lua FILE < PASSWORD

package.path = "/usr/lib/prosody/?.lua;" .. package.path
package.cpath = "/usr/lib/prosody/?.so;" .. package.cpath

local scram = require "util.sasl.scram"
local hex = require "util.hex"

local record = assert(loadfile(arg[1], "t", {}))()
local password = io.read("a")
local derive = scram.getAuthenticationDatabaseSHA1
local good, stored, server = derive(password, record.salt, record.iteration_count)
local encode = hex.encode or hex.to
assert(good, stored)
assert(encode(stored) == record.stored_key, "stored_key")
assert(encode(server) == record.server_key, "server_key")
assert(record.password == nil, "the password itself is in the file")
print("OK")
