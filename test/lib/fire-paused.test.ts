// A paused socket: it notices the end of the connection, and its peer is held back all the same.
import { WebSocket } from '../../lib';
import { afterTest, closed, delay, pair, record, textOf, until } from './support';

describe('a paused socket notices', () => {
  const ends: [string, (peer: WebSocket) => void, number][] = [
    ['a Close frame, which it answers', (peer) => peer.close(1000), 1000],
    ['that the peer is gone', (peer) => peer.terminate(), 1006],
    ['that the stream was destroyed', (peer) => peer._socket!.destroy(), 1006],
  ];
  test.each(ends)('%s', async (_name, end, code) => {
    const { client, peer } = await pair();
    const seen = record(client, 'message', 'close');
    client.pause();
    end(peer);
    expect((await closed(client)).code).toBe(code);
    expect(seen).toEqual([`close: ${code}`]);
  });

  test.each(ends)('%s, behind messages, which come first', async (_name, end, code) => {
    const { client, peer } = await pair();
    const seen = record(client, 'message', 'close');
    client.pause();
    peer.send('1');
    peer.send('2', () => end(peer));
    expect((await closed(client)).code).toBe(code);
    expect(seen).toEqual(['message: 1', 'message: 2', `close: ${code}`]);
  });

  test('the pongs of its pings', async () => {
    const { client } = await pair();
    const pongs = record(client, 'pong');
    client.pause();
    client.ping('still there?');
    await until(() => pongs.length === 1);
  });
});

describe('the peer of a paused socket is held back', () => {
  const settings = { maxBackpressure: 0 };

  /** Waits until nothing is sent any more; returns what waits then. */
  async function heldBack(peer: WebSocket): Promise<number> {
    let last = -1;
    while (peer.bufferedAmount !== last) {
      last = peer.bufferedAmount;
      await delay(60);
    }
    return last;
  }

  test('in the middle of a message', async () => {
    const { client, peer } = await pair(settings, settings);
    client.pause();
    peer.send(Buffer.alloc(50 << 20));
    expect(await heldBack(peer)).toBeGreaterThan(20 << 20);
    const received = new Promise<Buffer>((resolve) => client.on('message', (data) => resolve(data as Buffer)));
    client.resume();
    expect((await received).length).toBe(50 << 20);
  });

  test('between messages, also when the program pauses for each of them', async () => {
    const { client, peer } = await pair(settings, settings);
    const message = Buffer.alloc(10_000, 'x');
    const total = 3000;
    for (let i = 0; i < total; i++) peer.send(message);
    let count = 0;
    let most = 0;
    client.on('message', () => {
      count++;
      client.pause();
      // What was accepted here and waits: it must not grow with each pause.
      most = Math.max(most, total * message.length - peer.bufferedAmount - count * message.length);
      setImmediate(() => client.resume());
    });
    await until(() => count >= 200, '200 messages');
    // The kernel's buffers of both sides, 64 KiB, and what one read brings.
    expect(most).toBeLessThan(16 << 20);
    expect(await heldBackWhilePaused(client, peer)).toBeGreaterThan(5 << 20);
    await until(() => count === total, 'all messages');
  });

  async function heldBackWhilePaused(client: WebSocket, peer: WebSocket): Promise<number> {
    const resume = client.resume.bind(client);
    client.resume = () => {};
    const held = await heldBack(peer);
    client.resume = resume;
    client.resume();
    return held;
  }

  test('and nothing comes twice, or in another order', async () => {
    const { client, peer } = await pair();
    afterTest(() => client.terminate());
    const got: string[] = [];
    client.on('message', (data) => {
      got.push(textOf(data));
      if (got.length % 7 !== 0) return;
      client.pause();
      setTimeout(() => client.resume(), 1);
    });
    const sent = Array.from({ length: 500 }, (_, i) => String(i).repeat(50));
    for (const text of sent) peer.send(text);
    peer.close(1000);
    await closed(client);
    expect(got).toEqual(sent);
  });
});
