// A real browser joins rooms of a running site, through that site's own origin.
//
//   node join.mjs CASES.json        (or the JSON itself as the argument)
//
//   { "origin": "https://meet.test:8443",
//     "resolve": "MAP meet.test 127.0.0.1",          how the browser finds the name
//     "hosts": { "domain": …, "muc": …, "focus": …, "anonymousdomain": … },
//                                                    left out: those of the served config.js
//     "credentials": { "username": …, "password": … },   for a site behind HTTP Basic
//     "cases": [ { "label": …, "transport": "ws" or "bosh", "room": …,
//                  "token": …,                       a JWT, or nothing
//                  "id": …, "password": …,           an XMPP account, or nothing
//                  "role": "moderator",              wait until the role is this one
//                  "anonymous": false,               do not use the anonymousdomain
//                  "seconds": 15 } ] }               how long to wait for each step
//
// Output, one JSON object a line: first {page, hosts, bosh, websocket, version}, as the site serves
// them, then for each case {label, connected, failure, joined, role, ms}. `failure` holds the
// library's name for it and the server's text; `role` is "moderator", or "none" for a participant,
// half a second after the join if no role was waited for: rights come after the join.
// Exit 1: the page itself could not be used.
//
// The library is @lyno/lib-jitsi-meet, code of December 2021: its built file holds all that it
// needs but jQuery. package.json therefore puts jQuery in the place of every dependency it names,
// two of which are on no registry; nothing loads them. VERBOSE=1 shows the browser's console.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const MODULES = new URL('./node_modules/', import.meta.url);
const JQUERY = fileURLToPath(new URL('jquery/dist/jquery.min.js', MODULES));
const LIBRARY = fileURLToPath(new URL('@lyno/lib-jitsi-meet/lib-jitsi-meet.min.js', MODULES));

function say(line) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function readInput(argument) {
    if (!argument) {
        throw new Error('usage: node join.mjs CASES.json');
    }
    return JSON.parse(argument.trim().startsWith('{') ? argument : await readFile(argument, 'utf8'));
}

function launch(resolve) {
    return chromium.launch({
        executablePath: CHROMIUM,
        args: [
            '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
            ...(resolve ? [`--host-resolver-rules=${resolve}`] : [])
        ]
    });
}

// A page of the site's origin, in a browser profile of its own, with config.js and the library.
// The document is config.js itself: whatever headers the site sends are in force.
async function openPage(browser, input) {
    const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        httpCredentials: input.credentials
    });
    const page = await context.newPage();
    if (process.env.VERBOSE) {
        page.on('console', message => console.error('[console]', message.text().slice(0, 300)));
        page.on('requestfailed', r => console.error('[failed]', r.url(), r.failure()?.errorText));
    }
    const response = await page.goto(`${input.origin}/config.js`, { timeout: 15000 });
    if (!response?.ok()) {
        throw new Error(`${input.origin}/config.js: HTTP ${response?.status()}`);
    }
    await page.addScriptTag({ url: '/config.js' });
    await page.addScriptTag({ path: JQUERY });
    await page.evaluate(() => { window.jquery = window.jQuery; });
    await page.addScriptTag({ path: LIBRARY });
    return { context, page, status: response.status() };
}

// What the site tells its own pages. Runs in the page.
function describe() {
    /* global config, JitsiMeetJS */
    const served = typeof config === 'undefined' ? {} : config;
    return {
        hosts: served.hosts ?? null,
        bosh: served.bosh ?? null,
        websocket: served.websocket ?? null,
        version: JitsiMeetJS.version
    };
}

function serviceUrl(origin, { transport, room }) {
    const query = `?room=${encodeURIComponent(room)}`;
    return transport === 'bosh'
        ? `${origin}/http-bind${query}`
        : `${origin.replace(/^http/, 'ws')}/xmpp-websocket${query}`;
}

// Connects and joins. Runs in the page.
async function attempt({ hosts, url, token, id, password, room, role, seconds }) {
    const started = performance.now();
    const result = { connected: false, failure: null, joined: false, role: null, ms: null };
    const words = (...parts) => parts.filter(Boolean).map(String).join(': ');
    // settles with nothing on success, with the words of the failure otherwise
    const step = begin => new Promise(settle => {
        setTimeout(() => settle('timeout'), seconds * 1000);
        begin(settle);
    });

    JitsiMeetJS.setLogLevel(JitsiMeetJS.logLevels.ERROR);
    JitsiMeetJS.init({ disableAudioLevels: true });
    const { connection: on, conference: of } = JitsiMeetJS.events;
    const connection = new JitsiMeetJS.JitsiConnection(null, token ?? null, {
        hosts, serviceUrl: url, deploymentInfo: {}, enableWebsocketResume: true
    });

    result.failure = await step(settle => {
        connection.addEventListener(on.CONNECTION_ESTABLISHED, () => settle(null));
        connection.addEventListener(on.CONNECTION_FAILED, (...why) => settle(words(...why.slice(0, 2))));
        connection.connect(id ? { id, password } : {});
    });
    result.connected = result.failure === null;
    result.ms = Math.round(performance.now() - started);

    if (result.connected) {
        const conference = connection.initJitsiConference(room, { openBridgeChannel: false });
        result.failure = await step(settle => {
            conference.on(of.CONFERENCE_JOINED, () => settle(null));
            conference.on(of.CONFERENCE_FAILED, (...why) => settle(words(...why)));
            conference.join();
        });
        result.joined = result.failure === null;
        result.ms = Math.round(performance.now() - started);
        if (result.joined) {
            const until = performance.now() + (role ? seconds * 1000 : 500);
            while (conference.getRole() !== role && performance.now() < until) {
                await new Promise(wake => setTimeout(wake, 50));
            }
            result.role = conference.getRole();
        }
    }
    // leaving is not what is tested, and after a failure there may be nothing to leave
    await Promise.resolve(connection.disconnect()).catch(() => {});
    return result;
}

async function runCase(browser, input, one) {
    let opened;
    try {
        opened = await openPage(browser, input);
        const served = await opened.page.evaluate(describe);
        const { anonymousdomain, ...rest } = input.hosts ?? served.hosts ?? {};
        const hosts = one.anonymous === false || !anonymousdomain ? rest : { ...rest, anonymousdomain };
        const { token, id, password, room, role, seconds = 15 } = one;
        const url = serviceUrl(input.origin, one);
        return await opened.page.evaluate(attempt, {
            hosts, url, token, id, password, room, role, seconds
        });
    } catch (error) {
        return { connected: false, failure: String(error), joined: false, role: null, ms: null };
    } finally {
        await opened?.context.close();
    }
}

const input = await readInput(process.argv[2]);
const browser = await launch(input.resolve);
try {
    const { context, page, status } = await openPage(browser, input);
    say({ page: status, ...await page.evaluate(describe) });
    await context.close();
    for (const one of input.cases) {
        say({ label: one.label, ...await runCase(browser, input, one) });
    }
} catch (error) {
    console.error(String(error));
    process.exitCode = 1;
} finally {
    await browser.close();
}
