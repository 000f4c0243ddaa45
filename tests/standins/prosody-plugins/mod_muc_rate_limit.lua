-- Stand-in for the Jitsi plugin muc_rate_limit, written for tests.
-- Does: loads, and reads muc_rate_joins and muc_rate_leaves, so that a wrong
-- type in the configuration is still noticed.
-- Leaves out: all limiting; a test that joins often is not slowed down.

module:get_option_number("muc_rate_joins", 3);
module:get_option_number("muc_rate_leaves", 5);
