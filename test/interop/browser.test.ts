// The example page in headless Chromium: what a visitor sees, and the browser's own WebSocket against our server.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumPath, chromiumSwitches, root, sizes, startExampleServer, timeout } from './peers';

let server: Awaited<ReturnType<typeof startExampleServer>>;
let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumSwitches });
  server = await startExampleServer();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await server.program.stop();
});

/** Opens the page and waits until it says that it is connected. `errors` gathers what the browser complains about. */
async function openPage(url: string, errors: string[] = []): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 860 } });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForSelector('#connection[data-state="connected"]');
  return page;
}

const numberIn = async (page: Page, selector: string) => Number((await page.textContent(selector))?.replace(',', ''));

test(
  'the page connects, measures, and passes chat messages from one window to another',
  async () => {
    const errors: string[] = [];
    const [first, second] = [await openPage(server.url, errors), await openPage(server.url, errors)];
    await first.fill('#name', 'Heron');
    await first.fill('#text', 'Is <b>anybody</b> there?');
    await first.click('#send');
    await second.waitForSelector('#messages li:not(.mine) >> text=Is <b>anybody</b> there?');
    await second.fill('#name', 'Kestrel');
    await second.fill('#text', 'Loud and clear.');
    await second.press('#text', 'Enter');
    await first.waitForSelector('#messages li:not(.mine) >> text=Loud and clear.');
    await first.waitForSelector('#messages li.mine >> text=Is <b>anybody</b> there?');
    await second.close();

    await first.bringToFront();
    await first.waitForFunction("Number(document.getElementById('rate').textContent) > 0");
    await first.waitForFunction("Number(document.getElementById('rtt').textContent) > 0");
    expect(await numberIn(first, '#rate')).toBeGreaterThan(0);
    expect(await numberIn(first, '#rtt')).toBeGreaterThan(0);
    expect(await numberIn(first, '#total')).toBeGreaterThan(0);
    await first.waitForTimeout(3000);
    expect(await first.getAttribute('#rate-chart .line', 'd')).toMatch(/^M.*L/);

    mkdirSync(join(root, 'build'), { recursive: true });
    await first.screenshot({ path: join(root, 'build', 'example-page.png') });
    expect(errors).toEqual([]);
    await first.close();
  },
  timeout,
);

test(
  "the browser's own WebSocket gets every message back byte for byte",
  async () => {
    const page = await openPage(server.url);
    const client = readFileSync(join(__dirname, 'browser_client.js'), 'utf8');
    const outcome = await page.evaluate(
      `${client}; exchange(${JSON.stringify(server.echo)}, ${JSON.stringify(sizes)})`,
    );
    const expected = sizes.flatMap((size) => [`text ${size} true`, `binary ${size} true`]);
    expect(outcome).toEqual([...expected, 'closed 1000']);
    await page.close();
  },
  timeout,
);

test(
  'the page says that the server went away with 1001, and comes back with the server',
  async () => {
    const own = await startExampleServer();
    const page = await openPage(own.url);
    own.program.signal('SIGINT');
    await page.waitForSelector('#connection[data-state="disconnected"]');
    await page.waitForSelector('#messages >> text=The server went away (1001).');
    expect(await own.program.end()).toBe(0);

    const again = await startExampleServer(Number(new URL(own.url).port));
    try {
      await page.waitForSelector('#connection[data-state="connected"]', { timeout: 20_000 });
      await page.waitForSelector('#messages >> text=Connected again.');
    } finally {
      await page.close();
      await again.program.stop();
    }
  },
  timeout,
);
