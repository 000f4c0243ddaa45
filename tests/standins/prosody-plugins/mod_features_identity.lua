-- Stand-in for the Jitsi plugin features_identity, written for tests.
-- Belongs on the main host.
-- Does: adds an identity to the host's disco#info for each component that asks
-- for it with the event `jitsi-add-identity`.
-- Leaves out: nothing that we know of.

module:hook("jitsi-add-identity", function(event)
	module:add_identity("component", event.name, event.host);
end);
