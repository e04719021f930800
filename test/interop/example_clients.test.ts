// The client of ws against the example server: its /echo and /chat.
import { once } from 'node:events';
import { WebSocket as WsClient } from 'ws';
import { bytesOf, exchangeAll, nextMessage, startExampleServer, timeout } from './peers';

let server: Awaited<ReturnType<typeof startExampleServer>>;

beforeAll(async () => {
  server = await startExampleServer();
});
afterAll(() => server.program.stop());

test(
  'the ws client gets every message back byte for byte',
  async () => {
    await exchangeAll(new WsClient(server.echo, { maxPayload: 32 * 1024 * 1024 }));
  },
  timeout,
);

test('a chat message reaches every client, its sender included', async () => {
  const clients = [new WsClient(server.chat), new WsClient(server.chat), new WsClient(server.chat)];
  await Promise.all(clients.map((client) => once(client, 'open')));
  const received = clients.map(nextMessage);
  clients[0].send('hello');
  for (const message of await Promise.all(received)) {
    expect(message).toEqual({ data: Buffer.from('hello'), isBinary: false });
  }
  clients.forEach((client) => client.terminate());
});

test('a message above 64 MiB closes that echo connection with 1009 and no other', async () => {
  const [large, other] = [new WsClient(server.echo), new WsClient(server.echo)];
  await Promise.all([once(large, 'open'), once(other, 'open')]);
  const closed = once(large, 'close');
  large.on('error', () => {}); // the server may stop reading in the middle: EPIPE or ECONNRESET
  large.send(Buffer.alloc(64 * 1024 * 1024 + 1));
  expect((await closed)[0]).toBe(1009);
  const reply = nextMessage(other);
  other.send('still here');
  expect((await reply).data.toString()).toBe('still here');
  other.terminate();
}, 60_000);

test('a client that sends and does not read is not read from, until it reads', async () => {
  const count = 100;
  const client = new WsClient(server.echo);
  await once(client, 'open');
  const before = server.program.residentMiB();
  client.pause();
  for (let i = 0; i < count; i += 1) client.send(bytesOf(1024 * 1024));
  const wait = () => new Promise((resolve) => setTimeout(resolve, 500));
  for (let last = -1; last !== client.bufferedAmount; await wait()) last = client.bufferedAmount;
  expect(client.bufferedAmount).toBeGreaterThan((count / 2) * 1024 * 1024);
  expect(server.program.residentMiB() - before).toBeLessThan(32);

  let received = 0;
  const all = new Promise<void>((resolve) => {
    client.on('message', () => {
      received += 1;
      if (received === count) resolve();
    });
  });
  client.resume();
  await all;
  client.terminate();
}, 60_000);

test('a chat client that does not read is dropped, and the others go on', async () => {
  const [silent, talker] = [new WsClient(server.chat), new WsClient(server.chat)];
  await Promise.all([once(silent, 'open'), once(talker, 'open')]);
  silent.pause();
  silent.on('error', () => {});
  const text = 'x'.repeat(16 * 1024);
  let echoes = 0;
  talker.on('message', () => (echoes += 1));
  for (let i = 0; i < 1000; i += 1) {
    talker.send(text);
    await once(talker, 'message');
  }
  expect(echoes).toBe(1000);
  const closed = once(silent, 'close');
  silent.resume();
  expect((await closed)[0]).toBe(1006);
  talker.terminate();
}, 60_000);
