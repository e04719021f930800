// The WebSocket of headless Chromium against the example server.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { chromiumPath, chromiumSwitches, sizes, startExampleServer, timeout } from './peers';

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

test(
  "the browser's own WebSocket gets every message back byte for byte",
  async () => {
    const page = await browser.newPage();
    await page.goto(server.url); // pages of other origins are refused
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
