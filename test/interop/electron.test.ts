// examples/electron without Electron: its main process in Node with a stand-in for the module 'electron', its preload
// script and its page in headless Chromium.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { WebSocket as WsClient } from 'ws';
import { launchChromium, root, timeout } from './peers';

const folder = join(root, 'examples', 'electron');

interface Answer {
  kind: 'window' | 'answer';
  file: string;
  webPreferences: Record<string, unknown>;
  value?: string;
  error?: string;
}

async function nextAnswer(main: ChildProcess): Promise<Answer> {
  const ended = once(main, 'exit').then(([code]) => {
    throw new Error(`the main process ended with ${code as number}`);
  });
  ended.catch(() => {}); // later it ends as it should
  const [answer] = (await Promise.race([once(main, 'message'), ended])) as [Answer];
  return answer;
}

/** What `ipcRenderer.invoke` does, from a page with this address. */
function invoke(main: ChildProcess, channel: string, url: string): Promise<Answer> {
  const answer = nextAnswer(main);
  main.send({ kind: 'invoke', channel, url });
  return answer;
}

/** As Electron runs a preload script: before the page, with the two objects of the module that it may have. */
async function preload(page: Page, main: ChildProcess, file: string): Promise<void> {
  await page.exposeFunction('invokeInMain', async (channel: string) => {
    const { value, error } = await invoke(main, channel, page.url());
    if (error !== undefined) throw new Error(error);
    return value;
  });
  const electron = `{
    contextBridge: { exposeInMainWorld: (name, api) => { window[name] = api; } },
    ipcRenderer: { invoke: (channel) => window.invokeInMain(channel) },
  }`;
  const script = readFileSync(file, 'utf8');
  await page.addInitScript(`((require) => {${script}\n})((name) => name === 'electron' && ${electron});`);
}

test(
  'the page talks to the client in the main process, and the program ends when its windows are closed',
  async () => {
    const hooks = join(__dirname, 'electron_hooks.mjs');
    const main = fork(join(folder, 'main.mjs'), {
      execArgv: ['--import', pathToFileURL(hooks).href],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let output = '';
    for (const stream of [main.stdout!, main.stderr!]) stream.on('data', (text) => (output += String(text)));
    const ended = once(main, 'exit');
    const browser = await launchChromium();
    try {
      const { file, webPreferences } = await nextAnswer(main);
      expect(webPreferences).toEqual({
        ...{ sandbox: true, contextIsolation: true, nodeIntegration: false },
        preload: join(folder, 'preload.cjs'),
      });

      const page = await browser.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      await preload(page, main, webPreferences.preload as string);
      await page.goto(pathToFileURL(file).href);
      await page.waitForSelector('#state[data-state="connected"]');
      await page.fill('#text', 'Is <b>anybody</b> there?');
      await page.click('button');
      await page.waitForSelector('li:not(.own) >> text=I got "Is <b>anybody</b> there?"');
      expect(await page.textContent('li.own')).toBe('Is <b>anybody</b> there?');
      expect(await page.textContent('#transport')).toBe(process.platform === 'win32' ? 'stream' : 'native');
      expect(await page.textContent('#from')).toBe(`Node.js ${process.versions.node}`);
      await page.screenshot({ path: join(root, 'build', 'example-electron.png') });

      // Others find neither the address nor the server.
      const stranger = await invoke(main, 'server-url', 'https://example.com/');
      expect(stranger).toEqual({ kind: 'answer', error: 'This is for the page of the program.' });
      const { value } = await invoke(main, 'server-url', page.url());
      const guess = new WsClient(new URL('/', value).href);
      const [, response] = (await once(guess, 'unexpected-response')) as [unknown, IncomingMessage];
      response.resume();
      expect(response.statusCode).toBe(404);

      main.send({ kind: 'close' });
      await page.waitForSelector('#state[data-state="closed"] >> text=Closed with 1001');
      expect(await ended).toEqual([0, null]);
      expect(errors).toEqual([]);
      expect(output).toBe('');
    } finally {
      await browser.close();
      main.kill('SIGKILL');
    }
  },
  timeout,
);
