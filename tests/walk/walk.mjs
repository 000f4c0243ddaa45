// Walks through the account service as people do, and looks at every page that is passed.
//
//   node walk.mjs '{ "url": "https://localhost:8443/accounts", "mails": "FOLDER", "pictures": "FOLDER",
//                    "setup": "LINK OF THE FIRST ADMINISTRATOR" }'
//
// Output: { pages: [ … ], problems: [ … ] }. Each page is looked at on a phone and on a desk, light
// and dark: axe-core (WCAG 2.2, A and AA), nothing wider than the window, and a picture. Requests
// to other hosts, errors in the console and refused styles or scripts are problems, too.

import { chromium } from 'playwright-core';
import { mkdirSync } from 'node:fs';
import { People } from './people.mjs';
import { SECRET, administrate, keyboard, leave, member } from './ways.mjs';

const input = JSON.parse(process.argv[2]);
mkdirSync(input.pictures, { recursive: true });
const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--ignore-certificate-errors'
    ]
});
const people = new People(browser, input);
try {
    const ada = await people.arrive('ada', { network: '192.0.2.1' });
    await administrate.begin(ada, input.setup);
    // With JavaScript, and every page looked at in four ways.
    const ann = await people.arrive('ann', { network: '192.0.2.2' });
    await member(ann, ada, { byLink: true });
    await administrate.around(ada);
    // Wholly without JavaScript, on a phone.
    const ben = await people.arrive('ben', { network: '192.0.2.3', script: false });
    await member(ben, ada);
    // With nothing but keys.
    const carla = await people.arrive('carla', { network: '192.0.2.4' });
    await keyboard(carla, ben);
    await leave(ann, `${SECRET}, again`);
    await people.mails();
} catch (error) {
    people.problems.push(`the walk ended early: ${error.stack}`);
    await people.last();
} finally {
    await browser.close();
}
process.stdout.write(`${JSON.stringify({ pages: people.pages, problems: people.problems })}\n`);
