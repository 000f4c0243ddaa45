// Opens a page of a running site as a person would, and says what it shows.
//
//   node page.mjs '{ "url": "https://meet.test:8443/Room#jwt=…", "resolve": "MAP meet.test 127.0.0.1",
//                    "pictures": "FOLDER/NAME", "seconds": 15 }'
//
// Output: { title, address, verdict, steps: [ { state, text } ], problems: [ … ] }, all texts of the
// stand-in page (tests/standins/meet); `address` is that of the address bar in the end, `problems`
// what the console reported as errors. Two pictures: FOLDER/NAME-phone.png and -desktop.png.

import { chromium } from 'playwright-core';

const input = JSON.parse(process.argv[2]);
const seconds = input.seconds ?? 15;
const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', `--host-resolver-rules=${input.resolve}`
    ]
});
try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    const problems = [];
    page.on('pageerror', error => problems.push(String(error)));
    page.on('console', message => message.type() === 'error' && problems.push(message.text()));
    await page.goto(input.url, { timeout: seconds * 1000 });
    await page.waitForFunction(() => document.getElementById('verdict')?.textContent, null, { timeout: seconds * 1000 })
        .catch(() => problems.push('no verdict in time'));
    const shown = await page.evaluate(() => ({
        title: document.title,
        address: location.href,
        verdict: document.getElementById('verdict')?.textContent,
        steps: [...document.querySelectorAll('#steps li')].map(line => ({ state: line.className, text: line.textContent }))
    }));
    if (input.pictures) {
        await page.screenshot({ path: `${input.pictures}-desktop.png`, fullPage: true });
        await page.setViewportSize({ width: 390, height: 844 });
        await page.screenshot({ path: `${input.pictures}-phone.png`, fullPage: true });
    }
    process.stdout.write(`${JSON.stringify({ ...shown, problems })}\n`);
} finally {
    await browser.close();
}
