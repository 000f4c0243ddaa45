// Jitsi Meet at "meet.example.org": written by jitsi-install, overwritten by its next `apply`.
// Keys of your own belong into [meet] of the site file.
var config = (function () {
    // A tenant is the first part of /TENANT/ROOM. The web server fills it in where it can (for the
    // mobile apps, which have no address bar); everybody else finds it in the page's own address.
    var tenant = '<!--# echo var="jitsi_tenant" default="" -->';
    var plain = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
    if (!plain.test(tenant)) {
        var parts = typeof location === 'object' ? location.pathname.split('/').filter(Boolean) : [];
        tenant = parts.length > 1 && plain.test(parts[0]) ? parts[0] : '';
    }
    var subdir = tenant ? tenant + '/' : '';
    var subdomain = tenant ? tenant.split('.').join('_').toLowerCase() + '.' : '';

    // Tables are merged key by key, everything else is replaced.
    function merge(into, from) {
        Object.keys(from).forEach(function (key) {
            var both = [into[key], from[key]].every(function (value) {
                return value && typeof value === 'object' && !Array.isArray(value);
            });
            if (key !== '__proto__') {
                into[key] = both ? merge(into[key], from[key]) : from[key];
            }
        });
        return into;
    }

    var conference = "conference.meet.example.org".split('.');
    var addresses = {
        hosts: {
            domain: "meet.example.org",
            // Who comes without signing in is a guest.
            anonymousdomain: "guest.meet.example.org",
            focus: "focus.meet.example.org",
            muc: conference[0] + '.' + subdomain + conference.slice(1).join('.')
        },
        bosh: "https://meet.example.org/" + subdir + 'http-bind',
        websocket: "wss://meet.example.org/" + subdir + 'xmpp-websocket',
        websocketKeepAliveUrl: "https://meet.example.org/_unlock"
    };

    var settings = merge({
        // Nothing is asked of anybody else's server: no Gravatar, no analytics,
        disableThirdPartyRequests: true,
        // and no foreign STUN either. An empty list is needed, without one upstream's server is asked;
        // our own TURN server is announced by Prosody.
        p2p: {
            enabled: true,
            stunServers: []
        }
    }, {});

    // Last, so that nothing above can send a meeting to another server.
    Object.keys(addresses).forEach(function (key) {
        settings[key] = addresses[key];
    });
    return settings;
}());
