// The example page in headless Chromium: what a visitor sees and does.
//
// With SCREENSHOTS=docs/images it makes the pictures of the documents, which takes a minute; else they go to build/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, root, startExampleServer, timeout } from './peers';

let server: Awaited<ReturnType<typeof startExampleServer>>;
let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
  server = await startExampleServer();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await server.program.stop();
});

interface Look {
  width?: number;
  colorScheme?: 'light' | 'dark';
  url?: string;
}

/** Opens the page and waits until it says that it is connected. `complaints` are what the browser did not like. */
async function openPage({ width = 1400, colorScheme = 'light', url = server.url }: Look = {}) {
  const page = await browser.newPage({ viewport: { width, height: 1000 }, colorScheme });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(url);
  await page.waitForSelector('#connection[data-state="connected"]');
  return { page, complaints };
}

/** Chooses a value of the load, as a visitor does. */
const choose = (page: Page, name: string, value: number) => page.check(`#load input[name=${name}][value="${value}"]`);

/** Waits until a condition in the page's own words holds. The page's policy forbids Playwright's way, which is eval. */
async function until(page: Page, condition: string): Promise<void> {
  while (!(await page.evaluate(condition))) await page.waitForTimeout(50);
}

const textOf = (page: Page, selector: string) => page.locator(selector).textContent();
const lineOf = (page: Page, chart: string) => page.locator(`${chart} .line.series-0`).getAttribute('d');
const background = (page: Page) => page.evaluate('getComputedStyle(document.body).backgroundColor');

const light = 'rgb(243, 245, 249)';
const dark = 'rgb(12, 17, 32)';

test(
  'plots what the server does while it does it, and lists its connections',
  async () => {
    const { page, complaints } = await openPage();
    await choose(page, 'connections', 4);
    await choose(page, 'size', 1024);
    await choose(page, 'rate', 1000);
    await until(page, `document.querySelectorAll('#rows [data-path="/echo"]').length === 4`);
    await until(page, `document.getElementById('open').textContent === '4 of 4'`);

    for (const chart of ['#messages-chart', '#bytes-chart', '#latency-chart']) {
      await until(page, `/^M.*L/.test(document.querySelector('${chart} .line').getAttribute('d'))`);
      const before = await lineOf(page, chart);
      await until(page, `document.querySelector('${chart} .line.series-0').getAttribute('d') !== '${before}'`);
      const label = await page.locator(`${chart} svg`).getAttribute('aria-label');
      expect(label).toMatch(/, last minute: .* [\d.,]*[1-9].*, highest .*; .* [\d.,]*[1-9].*, highest .*\.$/);
      expect(await page.locator(`${chart} .empty`).isVisible()).toBe(false);
    }
    expect(await textOf(page, '#p50')).toMatch(/^[\d.,]+ ms$/);
    expect(await textOf(page, '#messages-received')).toMatch(/^[1-9][\d,]*\/s$/);
    expect(await textOf(page, '#bytes-sent')).toMatch(/^[\d.]+ [kM]B\/s$/);

    // The figures of one connection grow, and its address stays.
    const cells = () =>
      page.locator('#rows tr:has([data-path="/echo"])').first().locator('.address, .messages').allTextContents();
    const [address, received, sent] = await cells();
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    await until(
      page,
      `[...document.querySelectorAll('#rows tr')].some((row) => row.textContent.includes('${address}') &&
      row.querySelector('.received .messages').textContent !== '${received}' &&
      row.querySelector('.sent .messages').textContent !== '${sent}')`,
    );
    expect(await textOf(page, '#accepted')).toMatch(/^[1-9]/);
    expect(await textOf(page, '#program')).toMatch(/^version \d.* · Node\.js v\d/);

    await page.click('#load-button');
    await until(page, `document.querySelectorAll('#rows [data-path="/echo"]').length === 0`);
    await until(page, `document.getElementById('open').textContent === '0 of 0'`);
    expect(await textOf(page, '#closed-note')).toContain('4×1000');
    expect(complaints).toEqual([]);
    await page.close();
  },
  timeout,
);

test(
  'passes chat messages from one window to another, as text',
  async () => {
    const [first, second] = [await openPage(), await openPage()];
    await first.page.fill('#name', 'Heron');
    await first.page.fill('#text', 'Is <b>anybody</b> there?');
    await first.page.click('#send');
    await second.page.waitForSelector('#messages li:not(.mine) >> text=Is <b>anybody</b> there?');
    await second.page.fill('#name', 'Kestrel');
    await second.page.fill('#text', 'Loud and clear.');
    await second.page.press('#text', 'Enter');
    await first.page.waitForSelector('#messages li:not(.mine) >> text=Loud and clear.');
    await first.page.waitForSelector('#messages li.mine >> text=Is <b>anybody</b> there?');
    expect([...first.complaints, ...second.complaints]).toEqual([]);
    await first.page.close();
    await second.page.close();
  },
  timeout,
);

test(
  'is light or dark as the system or as the visitor wants, and remembers that',
  async () => {
    const { page } = await openPage();
    expect(await background(page)).toBe(light);
    await page.getByRole('button', { name: 'Switch to dark colours' }).click();
    expect(await background(page)).toBe(dark);
    await page.reload();
    expect(await background(page)).toBe(dark);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.getByRole('button', { name: 'Switch to light colours' }).click();
    expect(await background(page)).toBe(light);
    await page.reload();
    expect(await background(page)).toBe(light);
    await page.getByRole('button', { name: 'Switch to dark colours' }).click(); // as the system: nothing to remember
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await background(page)).toBe(light);
    await page.close();
  },
  timeout,
);

test(
  'is used with the keyboard alone',
  async () => {
    const { page } = await openPage();
    await until(page, `/^M.*L/.test(document.querySelector('#latency-chart .line').getAttribute('d'))`);
    await page.focus('#latency-chart');
    await page.keyboard.press('ArrowLeft');
    expect(await textOf(page, '.latency .tip')).toMatch(/^\d\d:\d\d:\d\d · p50 [\d.]+ ms · p99 [\d.]+ ms$/);
    await page.keyboard.press('Tab');
    expect(await page.locator('.latency .tip').isVisible()).toBe(false);
    await page.keyboard.press('ArrowRight'); // the rates are a group of radio buttons
    expect(await page.isChecked('#load input[name=rate][value="1000"]')).toBe(true);

    await page.focus('#connections th button[data-order=sent]');
    await page.keyboard.press('Enter');
    expect(await page.getAttribute('#connections th:has([data-order=sent])', 'aria-sort')).toBe('descending');
    await page.keyboard.press('Enter');
    expect(await page.getAttribute('#connections th:has([data-order=sent])', 'aria-sort')).toBe('ascending');
    await page.close();
  },
  timeout,
);

test(
  'says that the server went away with 1001, and comes back with the server',
  async () => {
    const own = await startExampleServer();
    const { page } = await openPage({ url: own.url });
    await page.waitForSelector('#rows tr');
    expect(await page.locator('#gone').isVisible()).toBe(false);
    own.program.signal('SIGINT');
    await page.waitForSelector('#connection[data-state="disconnected"]');
    await page.waitForSelector('#messages >> text=The server went away (1001).');
    await page.waitForSelector('#gone >> text=The server does not answer.');
    await page.waitForSelector('#no-connections');
    expect(await page.isDisabled('#send')).toBe(true);
    expect(await own.program.end()).toBe(0);

    const again = await startExampleServer(Number(new URL(own.url).port));
    try {
      await page.click('#retry');
      await page.waitForSelector('#connection[data-state="connected"]', { timeout: 20_000 });
      await page.waitForSelector('#messages >> text=Connected again.');
      await page.waitForSelector('#rows tr');
      expect(await page.locator('#gone').isVisible()).toBe(false);
    } finally {
      await page.close();
      await again.program.stop();
    }
  },
  timeout,
);

const pictures = process.env.SCREENSHOTS;

test(
  'fits windows from 360 to 1400 pixels',
  async () => {
    const folder = join(root, pictures ?? 'build');
    mkdirSync(folder, { recursive: true });
    const { page } = await openPage();
    await page.fill('#name', 'Heron');
    if (pictures !== undefined) await showOff(page);
    await page.waitForSelector('#rows tr');
    for (const width of [360, 720, 1024, 1400]) {
      await page.setViewportSize({ width, height: 1000 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await takePicture(page, join(folder, `example-page-${colorScheme}.webp`));
    }
    await page.close();
  },
  timeout,
);

/** Of the whole page, as WebP: a third of the size of a PNG. */
async function takePicture(page: Page, file: string): Promise<void> {
  const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
  await page.setViewportSize({ width: 1400, height });
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 90 });
  writeFileSync(file, data, 'base64');
}

/** A minute with something to see. */
async function showOff(page: Page): Promise<void> {
  const { page: other } = await openPage();
  await other.click('#load-button');
  await other.fill('#name', 'Kestrel');
  const say = async (who: Page, text: string) => {
    await who.fill('#text', text);
    await who.press('#text', 'Enter');
    await who.waitForTimeout(500);
  };
  const load = async (name: string, value: number, seconds: number) => {
    await choose(page, name, value);
    await page.waitForTimeout(seconds * 1000);
  };
  await load('connections', 4, 0);
  await load('rate', 1000, 14);
  await say(page, 'Is anybody there?');
  await say(other, 'Loud and clear.');
  await load('connections', 16, 0);
  await load('rate', 10_000, 9);
  await load('rate', 1000, 8);
  await say(page, 'Now messages of 1 KiB.');
  await load('size', 1024, 12);
  await load('rate', 10_000, 7);
  await load('rate', 1000, 11);
  await other.close();
}
