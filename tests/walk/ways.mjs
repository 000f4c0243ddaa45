// The ways that people take.

import { base32 } from './people.mjs';

export const SECRET = 'seven green rivers at noon';

async function signIn(person, password, hasCode = false) {
    await person.go('/sign-in');
    await person.send({ name: person.login, password });
    if (hasCode) {
        await person.send({ code: hasCode === true ? await person.code() : hasCode });
    }
}

/** Second factor: the key as text, a code, and the codes for the day the telephone is lost. */
async function secondFactor(person) {
    await person.go('/account/second-factor');
    await again(person);
    await person.look('second-factor');
    person.seed = base32(await person.page.locator('main .mono').first().innerText());
    await person.send({ code: '000000' });
    await person.look('second-factor-wrong');
    await person.send({ code: await person.code() });
    await person.expect('no recovery codes', page => page.locator('.codes li').count());
    await person.look('recovery-codes');
    person.codes = await person.page.locator('.codes li').allInnerTexts();
}

/** When the service asks for the password once more. */
async function again(person, password = SECRET) {
    if (person.page.url().includes('/again')) {
        await person.look('again');
        const fields = { password };
        if (await person.page.locator('main [name=code]').count()) {
            fields.code = person.codes.shift();
        }
        await person.send(fields);
    }
}

export const administrate = {
    /** The first administrator: one-time link, password, second factor, the empty console. */
    async begin(ada, setup) {
        await ada.page.goto(setup);
        await ada.look('setup');
        await ada.send({ password: 'short' });
        await ada.look('setup-short');
        await ada.send({ password: SECRET });
        await signIn(ada, SECRET);
        await ada.look('account-of-staff');
        await secondFactor(ada);
        await ada.go('/admin');
        await ada.at('/admin');
        await ada.go('/admin/waiting');
        await ada.expect('nobody should wait', page => page.locator('.empty').count());
        await ada.look('waiting-nobody');
    },

    /** The console, page by page. */
    async around(ada) {
        for (const path of ['/admin', '/admin/waiting', '/admin/users', '/admin/users/new', '/admin/groups', '/admin/invites', '/admin/audit', '/admin/settings']) {
            await ada.go(path);
            await ada.at(path);
            await ada.look(path.slice(1).replaceAll('/', '-'));
        }
        await ada.go('/admin/groups');
        await ada.send({ name: 'Choir' });
        await ada.go('/admin/groups');
        await ada.look('admin-groups-one');
        await ada.press(ada.page.locator('main a[href*="/admin/groups/"]').first());
        await ada.look('admin-group');
        await ada.go('/admin/invites');
        await ada.send({ label: 'Summer school' });
        await ada.look('admin-invite-made');
        await ada.go('/admin/users/new');
        await ada.send({ login: 'focus' });
        await ada.look('admin-users-new-wrong');
        await ada.go('/admin/users');
        await ada.look('admin-users-several');
        await ada.press(ada.page.locator('main th a', { hasText: /^ann$/ }).first());
        await ada.look('admin-person');
        await ada.go('/admin/no-such-page');
        await ada.look('not-found');
        await ada.go('/admin/users?q=nobody');
        await ada.look('admin-users-none');
    }
};

/** In the console's waiting list. */
async function approve(ada) {
    await ada.go('/admin/waiting');
    await ada.look('waiting');
    await ada.press(ada.page.locator('button[name=approve]').first());
    await ada.expect('not approved', at => at.locator('.notice').count());
}

/** By the mailed link alone, as on a telephone where nobody is signed in. */
async function approveByLink(person, ada, decide) {
    const { people } = person;
    const phone = await people.arrive('ada-by-link', { network: '192.0.2.9' });
    // Programs that look at links in mails decide nothing by it.
    await phone.page.goto(decide);
    await phone.page.goto(decide);
    await phone.expect('not asked', page => page.locator('main form button').count());
    await phone.look('decide-by-link');
    await phone.send({});
    await phone.expect('still asked', async page => !await page.locator('main form').count());
    await phone.look('decided-by-link');
    await phone.page.goto(decide);
    await phone.expect('asked again', async page => !await page.locator('main form').count());
    await phone.look('decided-before');
    await phone.go('/admin/waiting');
    await phone.at('/sign-in');
    await phone.page.context().close();
    await ada.go('/admin/waiting');
    await ada.expect('somebody waits still', page => page.locator('.empty').count());
}

/** Another address: asked for, confirmed by the button in the mail to it, told to the old one. */
async function changeEmail(person) {
    const { page, people } = person;
    const [old, now] = [person.email, `${person.login}.new@example.org`];
    await person.go('/account/email');
    await again(person);
    await person.send({ email: old });
    await person.look('email-wrong');
    await person.send({ email: now });
    await person.at('/account');
    await person.look('email-asked');
    const mail = await people.mail(now, /neue adresse/i);
    const link = mail.links.find(each => each.includes('/email-change?t='));
    await page.goto(link);
    await page.goto(link);
    await person.look('email-change');
    await person.go('/account/email');
    await again(person);
    await person.expect('the address changed by a look', async at => !(await at.locator('main').innerText()).includes(now));
    await page.goto(link);
    await person.send({});
    await person.look('email-changed');
    await page.goto(link);
    await person.look('email-link-used');
    const told = await people.mail(old, /adresse wurde geändert/i);
    await page.goto(told.links.find(each => each.includes('/email-change?t=')));
    await person.look('email-back');
    await person.go('/account');
    await person.expect('not the new address', async at => (await at.locator('main').innerText()).includes(now));
    person.email = now;
}

/** The own account is deleted: a slip does nothing, and afterwards nobody can sign in. */
export async function leave(person, password) {
    const { page } = person;
    await signIn(person, password, person.codes.shift());
    await person.at('/account');
    await person.go('/account/delete');
    await again(person, password);
    await person.send({ login: 'somebody' });
    await person.look('delete-wrong');
    await person.send({ login: person.login });
    await person.look('deleted');
    await person.mail(/konto wurde gelöscht/i);
    await person.go('/account');
    await person.at('/sign-in');
    await person.send({ name: person.login, password });
    await person.expect('still there', at => at.locator('main [name=password]').count());
    await person.look('sign-in-deleted');
    await page.context().close();
}

/** From sign-up to sign-out. */
export async function member(person, ada, { byLink = false } = {}) {
    const { page, people } = person;
    await person.go('/');
    await person.at('/sign-in');
    await person.look('sign-in');
    await person.send({ name: person.login, password: 'not this one' });
    await person.look('sign-in-wrong');

    await person.press(page.locator('main a[href$="/sign-up"]'));
    await person.look('sign-up');
    await page.waitForTimeout(2200);
    const name = `${person.login[0].toUpperCase()}${person.login.slice(1)} Example`;
    const form = { login: person.login, email: person.email, display_name: name, reason: 'I sing in the choir.' };
    await person.send({ ...form, password: 'password' });
    await person.look('sign-up-mistakes');
    await page.waitForTimeout(2200);
    await person.send({ ...form, password: SECRET });
    await person.at('/sign-up/sent');
    await person.look('sign-up-sent');

    const confirm = await person.mail(/confirm/i);
    const link = confirm.links.find(each => each.includes('/confirm?t='));
    await signIn(person, SECRET);
    await person.look('told-unconfirmed');
    // To look at a page changes nothing, however often.
    await page.goto(link);
    await page.goto(link);
    await person.look('confirm');
    await person.send({});
    await person.look('confirmed');
    await page.goto(link);
    await person.look('link-used');
    await signIn(person, SECRET);
    await person.look('told-pending');

    // The mail to those who approve leads to a page that asks once more.
    const told = await ada.mail(/waiting/i);
    if (!told.text.includes(person.email) || told.subject.includes(person.login)) {
        throw new Error(`the mail to who approves: ${told.subject}\n${told.text}`);
    }
    const decide = told.links.find(each => each.includes('/decide?d='));
    await ada.page.goto(decide);
    await ada.look('decide');
    await (byLink ? approveByLink(person, ada, decide) : approve(ada));
    await person.mail(/ready/i);

    await signIn(person, SECRET);
    await person.at('/account');
    await person.look('account');
    await person.go('/account/profile');
    await person.look('profile');
    await person.send({ display_name: `${name} the Second`, language: 'de' });
    await person.expect('not in German', at => at.locator('html[lang=de]').count());
    await person.look('profile-saved');
    await person.go('/account');
    await person.look('account-german');

    await secondFactor(person);
    await person.mail(/faktor/i);
    await person.go('/account/recovery-codes');
    await again(person);
    await person.look('recovery-codes-left');
    await person.go('/account/second-factor');
    await again(person);
    await person.look('second-factor-on');
    for (const path of ['email', 'password', 'delete', 'sessions']) {
        await person.go(`/account/${path}`);
        await again(person);
        await person.at(`/account/${path}`);
        await person.look(path);
    }

    await changeEmail(person);
    await person.press(page.locator('header form button'));
    await person.at('/sign-in');
    await person.look('signed-out');
    await person.press(page.locator('button[name=language][value=fr]'));
    await person.expect('not in French', at => at.locator('html[lang=fr]').count());
    await person.look('sign-in-french');

    await person.press(page.locator('main a[href$="/forgot"]'));
    await person.look('forgot');
    await person.send({ email: person.email });
    await person.look('forgot-sent');
    const reset = await person.mail(/passwort wählen/i);
    await page.goto(reset.links.find(each => each.includes('/reset?t=')));
    await person.look('reset');
    await person.send({ password: `${SECRET}, again` });
    await person.mail(/passwort wurde geändert/i);
    // The second factor stays.
    await person.go('/sign-in');
    await person.send({ name: person.login, password: `${SECRET}, again` });
    await person.look('second-factor-asked');
    await person.send({ code: person.codes.shift() });
    await person.at('/account');
    await person.press(page.locator('header form button'));
    await person.at('/sign-in');
    if (people.count(`${person.login}@example.org`) + people.count(person.email) < 5) {
        throw new Error('mails are missing');
    }
}

/** Signing in with Tab and Enter only: every stop shows where it is, and the first leads past the header. */
export async function keyboard(person, known) {
    const { page, people } = person;
    await person.go('/sign-in');
    const focus = () => page.evaluate(() => {
        const at = document.activeElement;
        const style = getComputedStyle(at);
        const box = at.getBoundingClientRect();
        return {
            name: at.name || at.className || at.id || at.textContent.trim(),
            isShown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
            isInside: box.width > 0 && box.top >= 0 && box.bottom <= innerHeight
        };
    });
    const stops = [];
    const tab = async () => {
        await page.keyboard.press('Tab');
        await page.waitForTimeout(150);
        const at = await focus();
        stops.push(at.name);
        if (!at.isShown || !at.isInside) {
            people.problems.push(`keys: the stop at ${at.name} cannot be seen`);
        }
        return at.name;
    };
    const until = async wanted => {
        if ((await focus()).name === wanted) {
            return;
        }
        for (let steps = 0; steps < 25; steps += 1) {
            if (await tab() === wanted) {
                return;
            }
        }
        throw new Error(`no way to ${wanted} by keys: ${stops}`);
    };
    await until('skip');
    await page.keyboard.press('Enter');
    await until('name');
    if (stops.includes('brand')) {
        people.problems.push(`the way past the header does not lead past it: ${stops}`);
    }
    await page.keyboard.type(known.login);
    await until('password');
    await page.keyboard.type('seven green rivers at noon, again');
    await Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press('Enter')]);
    await until('code');
    await page.keyboard.type(known.codes.shift());
    await Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press('Enter')]);
    await person.at('/account');
    await person.look('account-by-keys');
}
