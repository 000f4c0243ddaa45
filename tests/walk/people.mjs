// People with a browser each, what is noted while they walk, and the mails that they get.

import axe from 'axe-core';
import { readdirSync, readFileSync } from 'node:fs';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';

const WAYS = [
    { name: 'phone-light', colorScheme: 'light', width: 390, height: 844 },
    { name: 'phone-dark', colorScheme: 'dark', width: 390, height: 844, isJudged: true },
    { name: 'desk-light', colorScheme: 'light', width: 1280, height: 800, isJudged: true },
    { name: 'desk-dark', colorScheme: 'dark', width: 1280, height: 800 }
];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export class People {
    constructor(browser, input) {
        Object.assign(this, { browser, input, pages: [], problems: [], all: [], read: new Set(), seen: [] });
    }

    /** Somebody comes, from a network of their own, so that nobody is slowed down by another. */
    async arrive(login, { network, script = true }) {
        const context = await this.browser.newContext({
            ignoreHTTPSErrors: true,
            javaScriptEnabled: script,
            locale: 'en-GB',
            viewport: { width: 390, height: 844 },
            extraHTTPHeaders: { 'x-test-network': network }
        });
        const page = await context.newPage();
        page.setDefaultTimeout(20000);
        const host = new URL(this.input.url).host;
        context.on('request', request => {
            const url = new URL(request.url());
            if (url.host !== host && url.protocol !== 'data:') {
                this.problems.push(`${login}: a request to ${url.host}`);
            }
        });
        page.on('pageerror', error => this.problems.push(`${login}: ${error}`));
        page.on('console', message => {
            // A refused form is an answer with 422, which Chromium reports as an error.
            const isRefusal = / status of 4\d\d /.test(message.text());
            if (['error', 'warning'].includes(message.type()) && !isRefusal) {
                this.problems.push(`${login}: ${message.text()} (${page.url()})`);
            }
        });
        const person = new Person(this, login, page, script);
        this.all.push(person);
        return person;
    }

    /** The mail to an address whose subject fits; waits for it. Each is given once. */
    async mail(address, subject) {
        for (let tries = 0; tries < 150; tries += 1) {
            for (const name of readdirSync(this.input.mails).filter(file => file.endsWith('.eml'))) {
                const mail = this.read.has(name) ? null : parse(readFileSync(join(this.input.mails, name), 'utf8'));
                if (mail && mail.to.includes(address) && subject.test(mail.subject)) {
                    this.read.add(name);
                    this.seen.push(mail);
                    return mail;
                }
            }
            await new Promise(done => setTimeout(done, 200));
        }
        throw new Error(`no mail to ${address} about ${subject}`);
    }

    /** How many mails to an address there are. */
    count(address) {
        return readdirSync(this.input.mails)
            .filter(file => file.endsWith('.eml'))
            .filter(file => parse(readFileSync(join(this.input.mails, file), 'utf8')).to.includes(address)).length;
    }

    /** Looks at the HTML of the mails that were read. */
    async mails() {
        const context = await this.browser.newContext({ javaScriptEnabled: true });
        context.on('request', request => this.problems.push(`a mail asks for ${request.url()}`));
        const page = await context.newPage();
        const names = new Set();
        for (const mail of this.seen) {
            const name = `mail-${mail.subject.replace(/[^\p{L}]+/gu, '-').toLowerCase().slice(0, 40)}`;
            if (names.has(name)) {
                continue;
            }
            names.add(name);
            await page.setContent(mail.html);
            await this.look(page, name, true, RULES);
        }
    }

    /** A picture in each way; axe in two, which have both sizes and both schemes. */
    async look(page, name, hasScript = true, rules = [...RULES, 'best-practice']) {
        this.pages.push(name);
        for (const way of hasScript ? WAYS : WAYS.slice(0, 1)) {
            await page.setViewportSize({ width: way.width, height: way.height });
            await page.emulateMedia({ colorScheme: way.colorScheme, reducedMotion: 'reduce' });
            await page.screenshot({ path: join(this.input.pictures, `${name}-${way.name}.png`), fullPage: true });
            const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            if (wider > 0) {
                this.problems.push(`${name}, ${way.name}: ${wider} pixels wider than the window`);
            }
            if (hasScript && way.isJudged) {
                await page.evaluate(axe.source);
                const found = await page.evaluate(values => globalThis.axe.run(document, {
                    runOnly: { type: 'tag', values }, resultTypes: ['violations']
                }), rules);
                for (const { id, nodes } of found.violations) {
                    const places = nodes.slice(0, 3).map(node => `${node.target.join(' ')}: ${node.any[0]?.message ?? node.failureSummary}`);
                    this.problems.push(`${name}, ${way.name}: ${id}: ${places.join('; ')}`);
                }
            }
        }
        await page.setViewportSize({ width: 390, height: 844 });
    }

    /** Where everybody stood when something went wrong. */
    async last() {
        for (const person of this.all) {
            const path = join(this.input.pictures, `last-${person.login}.png`);
            await person.page.screenshot({ path, fullPage: true }).catch(() => {});
            const text = await person.page.locator('main').innerText({ timeout: 1000 }).catch(() => '');
            this.problems.push(`${person.login} is at ${person.page.url()}: ${text.slice(0, 300)}`);
        }
    }
}

export class Person {
    constructor(people, login, page, hasScript) {
        Object.assign(this, { people, login, page, hasScript, email: `${login}@example.org`, used: 0 });
    }

    go(path) {
        return this.page.goto(`${this.people.input.url}${path}`);
    }

    /** Fills fields by their names and sends the form that holds the last of them. */
    async send(fields, button = 'button[type=submit]:not([name])') {
        let last;
        for (const [name, value] of Object.entries(fields)) {
            last = this.page.locator(`main form [name="${name}"]:not([type=hidden])`).first();
            const kind = await last.evaluate(field => field.tagName);
            await (kind === 'SELECT' ? last.selectOption(value) : last.fill(value));
        }
        const form = last ? last.locator('xpath=ancestor::form[1]') : this.page.locator('main form').first();
        await this.press(form.locator(button).first());
    }

    /** Presses a button or a link, and waits for the page that follows. */
    async press(what) {
        const arrived = this.page.waitForEvent('domcontentloaded');
        arrived.catch(() => {});
        await what.click({ timeout: 10000 });
        await arrived;
    }

    look(name) {
        return this.people.look(this.page, this.hasScript ? name : `plain-${name}`, this.hasScript);
    }

    mail(subject) {
        return this.people.mail(this.email, subject);
    }

    /** Whether the page is what it should be; if not, the walk ends here. */
    async expect(what, check) {
        if (!await check(this.page)) {
            const text = await this.page.locator('main').innerText();
            throw new Error(`${this.login}: ${what}; instead, at ${this.page.url()}: ${text.slice(0, 400)}`);
        }
    }

    async at(path) {
        await this.expect(`not at ${path}`, page => new URL(page.url()).pathname.endsWith(path));
    }

    /** A code of the second factor (RFC 6238), never the same one twice. */
    async code() {
        let step = Math.floor(Date.now() / 30000);
        while (step <= this.used) {
            await new Promise(done => setTimeout(done, 500));
            step = Math.floor(Date.now() / 30000);
        }
        this.used = step;
        const counter = Buffer.alloc(8);
        counter.writeBigUInt64BE(BigInt(step));
        const hash = createHmac('sha1', this.seed).update(counter).digest();
        const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
        return String(number % 1000000).padStart(6, '0');
    }
}

export function base32(text) {
    let bits = '';
    for (const letter of text.replace(/[^A-Z2-7]/g, '')) {
        bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0');
    }
    return Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)));
}

/** Just enough of MIME for what the service writes. */
function parse(source) {
    const [head, body] = halves(source);
    const headers = read(head);
    const mail = { to: headers.to ?? '', subject: words(headers.subject ?? ''), headers, text: '', html: '' };
    const boundary = /boundary="?([^";]+)"?/.exec(headers['content-type'] ?? '')?.[1];
    for (const part of boundary ? body.split(`--${boundary}`).slice(1, -1) : [source]) {
        const [top, rest] = halves(part.replace(/^\r?\n/, ''));
        const own = read(top);
        const text = decode(rest, own['content-transfer-encoding'] ?? '');
        mail[/text\/html/.test(own['content-type'] ?? '') ? 'html' : 'text'] = text;
    }
    mail.links = [...mail.text.matchAll(/https:\/\/\S+/g)].map(found => found[0]);
    return mail;
}

function halves(text) {
    const place = /\r?\n\r?\n/.exec(text);
    return place ? [text.slice(0, place.index), text.slice(place.index + place[0].length)] : [text, ''];
}

function read(head) {
    const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
    return Object.fromEntries(lines.map(line => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
}

function decode(text, how) {
    if (/base64/i.test(how)) {
        return Buffer.from(text, 'base64').toString('utf8');
    }
    if (!/quoted-printable/i.test(how)) {
        return text;
    }
    const bytes = text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Encoded words of a header (RFC 2047). */
function words(text) {
    return text.replace(/\?=\s+=\?/g, '?==?').replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind, word) =>
        kind.toLowerCase() === 'b'
            ? Buffer.from(word, 'base64').toString('utf8')
            : decode(word.replaceAll('_', ' '), 'quoted-printable'));
}
