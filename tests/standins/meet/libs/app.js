/* The stand-in's application: walks the way of a Jitsi Meet client into a room as far as it goes.
 * XMPP over WebSocket (RFC 7395), SASL ANONYMOUS (the token is in the address), resource binding
 * (RFC 6120 7), the request to the conference focus, and the join (XEP-0045 7.2). */
'use strict';

(function () {
    var NS = {
        framing: 'urn:ietf:params:xml:ns:xmpp-framing',
        sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
        bind: 'urn:ietf:params:xml:ns:xmpp-bind',
        stanzas: 'urn:ietf:params:xml:ns:xmpp-stanzas',
        client: 'jabber:client',
        focus: 'http://jitsi.org/protocol/focus',
        muc: 'http://jabber.org/protocol/muc',
        user: 'http://jabber.org/protocol/muc#user'
    };
    var PATIENCE = 15000;
    var SPOKEN = { todo: 'to do', doing: 'trying', done: 'done', failed: 'failed', waiting: 'waiting' };

    function id(name) {
        return document.getElementById(name);
    }

    // What the address says ------------------------------------------------------------------

    function lastPart() {
        var part = location.pathname.split('/').pop();
        try {
            return decodeURIComponent(part);
        } catch (e) {
            return part;
        }
    }

    /** `#jwt="…"`, `#jwt=…` or `?jwt=…`; taken out of the address bar and of the history. */
    function takeToken() {
        var found = '';
        function without(text) {
            return text.slice(1).split('&').filter(function (pair) {
                if (pair.slice(0, 4) !== 'jwt=') {
                    return pair;
                }
                found = found || decodeURIComponent(pair.slice(4)).replace(/^"|"$/g, '');
                return false;
            }).join('&');
        }
        var hash = without(location.hash);
        var search = without(location.search);
        if (found) {
            history.replaceState(null, '', location.pathname + (search && '?' + search) + (hash && '#' + hash));
        }
        return found;
    }

    // What the page shows --------------------------------------------------------------------

    function Step(name) {
        this.line = document.createElement('li');
        this.state = document.createElement('span');
        this.state.className = 'spoken';
        this.detail = document.createElement('p');
        this.detail.hidden = true;
        this.line.append(name, this.state, this.detail);
        id('steps').append(this.line);
        this.set('todo');
    }

    Step.prototype.set = function (state, detail) {
        this.line.className = state;
        this.state.textContent = ': ' + SPOKEN[state];
        if (detail !== undefined) {
            this.detail.textContent = detail;
            this.detail.hidden = !detail;
        }
    };

    function verdict(text) {
        id('verdict').textContent = text;
    }

    // XML, built and read by the browser -----------------------------------------------------

    function element(namespace, name, attributes, children) {
        var node = document.implementation.createDocument(namespace, name).documentElement;
        Object.keys(attributes || {}).forEach(function (key) {
            node.setAttribute(key, attributes[key]);
        });
        (children || []).forEach(function (child) {
            node.append(typeof child === 'string' ? child : node.ownerDocument.importNode(child, true));
        });
        return node;
    }

    function child(node, namespace, name) {
        return node.getElementsByTagNameNS(namespace, name)[0];
    }

    /** The condition of an error and what the server says about it. */
    function complaint(node, namespace) {
        var condition = '';
        var text = '';
        Array.prototype.forEach.call(node.getElementsByTagNameNS(namespace, '*'), function (part) {
            if (part.localName === 'text') {
                text = part.textContent;
            } else {
                condition = condition || part.localName;
            }
        });
        return { condition: condition, text: text || condition || 'no reason given' };
    }

    // The way ---------------------------------------------------------------------------------

    function walk(room, token) {
        var steps = {
            site: new Step('Site reached'),
            config: new Step('Configuration read'),
            socket: new Step('WebSocket open'),
            login: new Step(token ? 'Token accepted' : 'Admitted as a guest'),
            bind: new Step('Address bound'),
            room: new Step('Room')
        };
        var current = steps.site;
        var over = false;

        function next(done, detail, following) {
            done.set('done', detail);
            current = following;
            following.set('doing');
        }

        function stop(state, detail, sentence) {
            if (!over) {
                over = true;
                current.set(state, detail);
                verdict(sentence);
            }
        }

        next(steps.site, location.origin, steps.config);
        var config = window.config;
        if (!config || !config.hosts || !config.websocket) {
            stop('failed', 'config.js is missing in this page, or does not name the server', 'The page was put together wrongly.');
            return;
        }
        var guest = !token && config.hosts.anonymousdomain;
        var domain = guest || config.hosts.domain;
        next(steps.config, 'domain ' + config.hosts.domain + (guest ? ', guests at ' + guest : ''), steps.socket);

        // As the real one writes room names: normalised, lower case, percent-encoded.
        var node = encodeURIComponent(room.normalize('NFKC').toLowerCase()).toLowerCase();
        var address = node + '@' + config.hosts.muc;
        var query = '?room=' + node + (token ? '&token=' + encodeURIComponent(token) : '');
        var socket;
        try {
            socket = new WebSocket(config.websocket + query, 'xmpp');
        } catch (e) {
            stop('failed', String(e.message || e), 'No way to the server.');
            return;
        }

        function send(node) {
            socket.send(new XMLSerializer().serializeToString(node));
        }

        function open() {
            send(element(NS.framing, 'open', { to: domain, version: '1.0' }));
        }

        function iq(name, to, type, payload) {
            var attributes = { id: name, type: type };
            if (to) {
                attributes.to = to;
            }
            send(element(NS.client, 'iq', attributes, [payload]));
        }

        function join() {
            send(element(NS.client, 'presence', { to: address + '/' + Math.random().toString(16).slice(2, 10) }, [
                element(NS.muc, 'x')
            ]));
        }

        var admitted = false;
        var focus = '';

        function onFeatures(stanza) {
            if (admitted) {
                iq('bind', null, 'set', element(NS.bind, 'bind'));
                return;
            }
            var offered = Array.prototype.map.call(stanza.getElementsByTagNameNS(NS.sasl, 'mechanism'), function (m) {
                return m.textContent;
            });
            if (offered.indexOf('ANONYMOUS') < 0) {
                stop('failed', 'the server offers ' + (offered.join(', ') || 'no way to log in') + ', not ANONYMOUS',
                    'Log-in is not set up for ' + domain + '.');
                return;
            }
            send(element(NS.sasl, 'auth', { mechanism: 'ANONYMOUS' }));
        }

        function onIq(stanza) {
            var fine = stanza.getAttribute('type') === 'result';
            switch (stanza.getAttribute('id')) {
            case 'bind':
                if (!fine) {
                    stop('failed', complaint(stanza, NS.stanzas).text, 'The server gave no address.');
                    return;
                }
                next(steps.bind, child(stanza, NS.bind, 'jid').textContent, steps.room);
                iq('focus', config.hosts.focus || 'focus.' + config.hosts.domain, 'set',
                    element(NS.focus, 'conference', { room: address, 'machine-uid': 'stand-in' }));
                break;
            case 'focus':
                focus = fine ? 'ready' : complaint(stanza, NS.stanzas).text;
                join();
                break;
            default:
                if (/^(get|set)$/.test(stanza.getAttribute('type'))) {
                    send(element(NS.client, 'iq', {
                        id: stanza.getAttribute('id'), type: 'error', to: stanza.getAttribute('from') || domain
                    }, [element(NS.client, 'error', { type: 'cancel' }, [element(NS.stanzas, 'service-unavailable')])]));
                }
            }
        }

        function onPresence(stanza) {
            if ((stanza.getAttribute('from') || '').split('/')[0] !== address) {
                return;
            }
            if (stanza.getAttribute('type') === 'error') {
                var refusal = complaint(stanza, NS.stanzas);
                if (refusal.condition === 'registration-required') {
                    stop('waiting', 'waiting: the meeting has a lobby or its host is not there yet (' + refusal.text + ')',
                        'The way is open as far as the lobby.');
                } else if (focus !== 'ready' && /^(not-allowed|item-not-found)$/.test(refusal.condition)) {
                    stop('waiting', 'waiting: no conference focus (Jicofo) is running here (the server says: ' + refusal.text + ')',
                        'The way is open as far as the room; only Jicofo may open that.');
                } else {
                    stop('failed', 'refused: ' + refusal.text, 'The room stays closed.');
                }
                return;
            }
            var own = Array.prototype.some.call(stanza.getElementsByTagNameNS(NS.user, 'status'), function (status) {
                return status.getAttribute('code') === '110';
            });
            if (own) {
                var item = child(stanza, NS.user, 'item');
                var role = item ? item.getAttribute('role') : '';
                stop('done', 'joined ' + address + (role ? ' as ' + role : ''), 'The whole way is open.');
            }
        }

        socket.onopen = function () {
            next(steps.socket, config.websocket, steps.login);
            open();
        };
        socket.onmessage = function (event) {
            var stanza = new DOMParser().parseFromString(event.data, 'text/xml').documentElement;
            switch (stanza.localName) {
            case 'features':
                onFeatures(stanza);
                break;
            case 'success':
                admitted = true;
                next(steps.login, domain, steps.bind);
                open();
                break;
            case 'failure':
                stop('failed', 'the server says: ' + complaint(stanza, NS.sasl).text,
                    token ? 'The token was refused.' : 'Nobody is admitted without a token.');
                break;
            case 'iq':
                onIq(stanza);
                break;
            case 'presence':
                onPresence(stanza);
                break;
            }
        };
        socket.onclose = function (event) {
            stop('failed', 'the connection was closed' + (event.code ? ' (code ' + event.code + ')' : ''), 'The way ends here.');
        };
        setTimeout(function () {
            stop('failed', 'no answer within ' + PATIENCE / 1000 + ' seconds', 'The way ends here.');
        }, PATIENCE);
        addEventListener('pagehide', function () {
            socket.close();
        });
    }

    var name = (window.interfaceConfig || {}).APP_NAME;
    var room = lastPart();
    var token = takeToken();
    id('site').textContent = [name, location.host].filter(Boolean).join(' · ');
    if (room) {
        id('room').textContent = room;
        document.title = room + ' | ' + (name || 'Meeting');
        id('progress').hidden = false;
        walk(room, token);
    } else {
        id('enter').hidden = false;
        id('enter').onsubmit = function (event) {
            event.preventDefault();
            location.assign(location.pathname + encodeURIComponent(id('name').value.trim()));
        };
    }
}());
