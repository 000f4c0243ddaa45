-- Stand-in for the Jitsi plugin polls_component, written for tests.
-- Loaded as a Component (the options are global).
-- Does: announces the identity `polls` on the main host.
-- Leaves out: the polls themselves.

local standin = module:require "standin";

standin.announce("polls");
