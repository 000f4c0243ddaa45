<#- The web app's configuration: served as /config.js, loaded by the mobile apps, and put inside a
    <script> of every page. Plain ES5 without `location` taken for granted: the mobile apps run it
    in a bare engine (react/features/base/lib-jitsi-meet/functions.native). Only what differs from
    upstream's defaults stands here; the administrator's keys come last, the addresses after them. -#>
// Jitsi Meet at << domain >>: written by jitsi-install, overwritten by its next `apply`.
// Keys of your own belong into [meet] of the site file.
var config = (function () {
    // A tenant is the first part of /TENANT/ROOM. The web server fills it in where it can (for the
    // mobile apps, which have no address bar); everybody else finds it in the page's own address.
<%- if web.server == "caddy" %>
    var tenant = '<!--# placeholder "http.regexp.config.1" -->';
<%- else %>
    var tenant = '<!--# echo var="jitsi_tenant" default="" -->';
<%- endif %>
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

    var conference = << hosts.conference >>.split('.');
    var addresses = {
        hosts: {
            domain: << domain >>,
<%- if guests %>
            // Who comes without <% if mode == "token" %>a token<% else %>signing in<% endif %> is a guest.
            anonymousdomain: << hosts.guest >>,
<%- endif %>
            focus: << hosts.focus >>,
            muc: conference[0] + '.' + subdomain + conference.slice(1).join('.')
        },
        bosh: << "https://" ~ web.authority ~ "/" >> + subdir + 'http-bind',
        websocket: << "wss://" ~ web.authority ~ "/" >> + subdir + 'xmpp-websocket',
        websocketKeepAliveUrl: << "https://" ~ web.authority ~ "/_unlock" >>
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
    }, << meet.extra | json >>);

    // Last, so that nothing above can send a meeting to another server.
    Object.keys(addresses).forEach(function (key) {
        settings[key] = addresses[key];
    });
    return settings;
}());
