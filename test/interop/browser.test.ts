// The WebSocket of headless Chromium against the example server.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterTest } from '../lib/support';
import { launchChromium, sizes, startExampleServer, timeout } from './peers';

test(
  "the browser's own WebSocket gets every message back byte for byte",
  async () => {
    const server = await startExampleServer();
    afterTest(() => server.program.stop());
    const browser = await launchChromium();
    afterTest(() => browser.close());
    const page = await browser.newPage();
    await page.goto(server.url); // pages of other origins are refused
    const client = readFileSync(join(__dirname, 'browser_client.js'), 'utf8');
    const outcome = await page.evaluate(
      `${client}; exchange(${JSON.stringify(server.echo)}, ${JSON.stringify(sizes)})`,
    );
    const expected = sizes.flatMap((size) => [`text ${size} true`, `binary ${size} true`]);
    expect(outcome).toEqual([...expected, 'closed 1000']);
  },
  timeout,
);
