// permessage-deflate of headless Chromium and of our server. The page sends every message back.
import type { Browser, Page } from 'playwright-core';
import { exchangeTimeout, exchangeWithClient, nameOf, settings } from './compression';
import { launchChromium } from './peers';

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
  page = await browser.newPage();
}, 60_000);
afterAll(() => browser.close());

const echo = `(url) => {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => socket.send(data);
}`;

test.each(settings().map((setting) => [nameOf(setting), setting] as const))(
  'with %s',
  async (_name, setting) => {
    const answer = await exchangeWithClient(setting, (url) => page.evaluate(`(${echo})(${JSON.stringify(url)})`));
    expect(answer).toContain(`server_max_window_bits=${setting.server}; client_max_window_bits=${setting.client}`);
    expect(answer.includes('no_context_takeover')).toBe(!setting.takeover);
  },
  exchangeTimeout,
);
