// The example page in headless Chromium: what a visitor sees, and the browser's own WebSocket against our server.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumPath, root, sizes, startExampleServer, timeout } from './peers';

const switches = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];
const quiet = ['--disable-background-networking', '--disable-component-update'];

let server: Awaited<ReturnType<typeof startExampleServer>>;
let browser: Browser;

beforeAll(async () => {
  const executablePath = chromiumPath();
  server = await startExampleServer();
  browser = await chromium.launch({ executablePath, args: [...switches, ...quiet] });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await server?.program.stop();
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
    await first.waitForFunction(() => Number(document.getElementById('rate')?.textContent) > 0);
    await first.waitForFunction(() => Number(document.getElementById('rtt')?.textContent) > 0);
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
    const outcome = await page.evaluate(async (lengths) => {
      const socket = new WebSocket('/echo'.replace(/^/, location.origin.replace('http', 'ws')));
      socket.binaryType = 'arraybuffer';
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
      });
      const echo = (message: string | Uint8Array<ArrayBuffer>) =>
        new Promise<string | ArrayBuffer>((resolve, reject) => {
          socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => resolve(event.data);
          socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
          socket.send(message);
        });
      const results: string[] = [];
      for (const size of lengths) {
        const text = 'aé€😀'.repeat(Math.floor(size / 10)) + 'x'.repeat(size % 10);
        results.push(`text ${size} ${(await echo(text)) === text}`);
        const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
        const reply = new Uint8Array((await echo(bytes)) as ArrayBuffer);
        const same = reply.length === size && reply.every((byte, index) => byte === bytes[index]);
        results.push(`binary ${size} ${same}`);
      }
      const closed = new Promise<number>((resolve) => (socket.onclose = (event) => resolve(event.code)));
      socket.close(1000);
      results.push(`closed ${await closed}`);
      return results;
    }, sizes);
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

    const again = await startExampleServer([new URL(own.url).port]);
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
