// permessage-deflate against other implementations, in both roles.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import { exchangeTimeout, exchangeWithClient, exchangeWithServer, nameOf, type Setting, settings } from './compression';
import { aiohttp, libwebsockets, tornado, websockets } from './echo_programs';
import { describeWith, type Program } from './peers';

const cases = (list: Setting[]) => list.map((setting) => [nameOf(setting), setting] as const);

/** What our server answers to an offer that limits nothing. */
function answerOf({ server, client, takeover }: Setting): string {
  const contexts = takeover ? '' : 'server_no_context_takeover; client_no_context_takeover; ';
  return `permessage-deflate; ${contexts}server_max_window_bits=${server}; client_max_window_bits=${client}`;
}

/** Checks that another server agreed to what our client asked of it. */
function expectAgreed(answer: string, { server, takeover }: Setting): void {
  expect(answer).toMatch(/^permessage-deflate\b/);
  expect(answer.includes('server_no_context_takeover')).toBe(!takeover);
  if (server !== 15) expect(answer).toContain(`server_max_window_bits=${server}`);
}

describe('ws', () => {
  const echo = (socket: WsClient) => socket.on('message', (data, binary) => socket.send(data, { binary }));
  let server: WsServer;
  let url: string;

  beforeAll(async () => {
    server = new WsServer({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 } });
    server.on('connection', echo);
    await once(server, 'listening');
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => server.close());

  test.each(cases(settings()))(
    'as a server, %s',
    async (_name, setting) => expectAgreed(await exchangeWithServer(url, setting), setting),
    exchangeTimeout,
  );

  test.each(cases(settings()))(
    'as a client, %s',
    async (_name, setting) => {
      const connect = (to: string) => echo(new WsClient(to, { perMessageDeflate: { threshold: 0 } }));
      expect(await exchangeWithClient(setting, connect)).toBe(answerOf(setting));
    },
    exchangeTimeout,
  );
});

// zlib does not compress with a window of 8 bits without a wrapper, and the others pass its refusal on. They inflate it.
const asServer = settings(9, 8);
const asClient = settings(8, 9);
const keptContexts = (list: Setting[]) => list.filter(({ takeover }) => takeover);

for (const { program, serves, connects } of [
  { program: websockets, serves: asServer, connects: asClient },
  { program: aiohttp, serves: asServer, connects: asClient },
  // It overlooks parameters without a value, so it cannot agree to go without context takeover.
  { program: tornado, serves: keptContexts(asServer), connects: keptContexts(asClient) },
  // Its server answers without the window that was asked of it. Its client, when the server keeps no context, takes no
  // message any more after one that came as it is.
  {
    program: libwebsockets,
    serves: asServer.filter(({ server }) => server === 15),
    connects: keptContexts(asClient),
  },
]) {
  describeWith(program.name, program.missing, () => {
    let server: Program;
    let client: Program;
    let url: string;

    beforeAll(async () => {
      server = program.start('server', ['--compress']);
      client = program.start('client', ['--compress']);
      url = `ws://127.0.0.1:${await server.waitForLine(/^port (\d+)$/)}/`;
    }, exchangeTimeout);
    afterAll(async () => {
      await server.stop();
      await client.stop();
      expect([server, client].map(({ errors }) => errors)).toEqual(['', '']);
    });

    test.each(cases(serves))(
      'as a server, %s',
      async (_name, setting) => expectAgreed(await exchangeWithServer(url, setting), setting),
      exchangeTimeout,
    );

    test.each(cases(connects))(
      'as a client, %s',
      async (_name, setting) => {
        expect(await exchangeWithClient(setting, (to) => client.writeLine(to))).toBe(answerOf(setting));
      },
      exchangeTimeout,
    );
  });
}
