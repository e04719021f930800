// The keys that a client masks with: the option generateMask, and mask: false. What counts are the bytes on the wire.
import { execFileSync } from 'node:child_process';
import type { WebSocket, ClientOptions } from '../../lib';
import {
  acceptText,
  client,
  closed,
  closePayload,
  frame,
  onceWithoutError,
  pair,
  rawServer,
  root,
  textOf,
  until,
  type RawPeer,
} from './support';

/** A client, and the raw server that reads its bytes. */
async function connectRaw(options: ClientOptions): Promise<{ socket: WebSocket; peer: RawPeer }> {
  let peer: RawPeer | undefined;
  const url = await rawServer(async (connected) => {
    connected.write(acceptText(await connected.takeHead()));
    peer = connected;
  });
  const socket = client(url, undefined, options);
  await onceWithoutError(socket, 'open');
  await until(() => peer !== undefined);
  return { socket, peer: peer! };
}

/** The next masked frame of at most 125 bytes: its first byte and key in hexadecimal digits, and its payload unmasked. */
async function nextFrame(peer: RawPeer): Promise<[string, string, string]> {
  const head = await peer.take(6);
  expect(head[1] & 0x80).toBe(0x80);
  const key = head.subarray(2);
  const payload = await peer.take(head[1] & 0x7f);
  return [head.toString('hex', 0, 1), key.toString('hex'), payload.map((byte, at) => byte ^ key[at % 4]).toString()];
}

/** A generateMask that counts its calls in the keys. */
function counting(): { generateMask: (key: Buffer) => void; calls: () => number } {
  let calls = 0;
  return { generateMask: (key) => key.writeUInt32BE(++calls), calls: () => calls };
}

describe('generateMask', () => {
  test('fills the key of everything that the program sends', async () => {
    const { generateMask } = counting();
    const { socket, peer } = await connectRaw({ generateMask });
    socket.send('text');
    expect(await nextFrame(peer)).toEqual(['81', '00000001', 'text']);
    socket.send(Buffer.from('part'), { fin: false });
    socket.send(new Blob(['and a Blob']));
    expect(await nextFrame(peer)).toEqual(['02', '00000002', 'part']);
    expect(await nextFrame(peer)).toEqual(['80', '00000003', 'and a Blob']);
    await socket.sendAsync('promised');
    expect(await nextFrame(peer)).toEqual(['81', '00000004', 'promised']);
    socket.ping('ping');
    expect(await nextFrame(peer)).toEqual(['89', '00000005', 'ping']);
    socket.pong('pong', true);
    expect(await nextFrame(peer)).toEqual(['8a', '00000006', 'pong']);
    socket.close(1000, 'bye');
    expect(await nextFrame(peer)).toEqual(['88', '00000007', closePayload(1000, 'bye').toString()]);
  });

  test('gets a Buffer of four zeros', async () => {
    const keys: Buffer[] = [];
    const { socket, peer } = await connectRaw({ generateMask: (key) => keys.push(Buffer.from(key)) && key.fill(255) });
    socket.send('a');
    socket.send('b');
    await nextFrame(peer);
    expect(await nextFrame(peer)).toEqual(['81', 'ffffffff', 'b']);
    expect(keys).toEqual([Buffer.alloc(4), Buffer.alloc(4)]);
  });

  test('masks a large message', async () => {
    const { socket, peer } = await connectRaw({ generateMask: (key) => key.write('key!') });
    socket.send(Buffer.alloc(70_000, 'key!'));
    const bytes = await peer.take(14 + 70_000);
    expect(bytes.toString('hex', 0, 14)).toBe(`82ff0000000000011170${Buffer.from('key!').toString('hex')}`);
    expect(bytes.subarray(14).every((byte) => byte === 0)).toBe(true);
  });

  test('fills the keys of answers to pings and to a Close frame', async () => {
    const { socket, peer } = await connectRaw(counting());
    const pinged = onceWithoutError(socket, 'ping');
    peer.write(frame(9, 'are you there', { mask: false }));
    expect(await nextFrame(peer)).toEqual(['8a', '00000001', 'are you there']);
    expect(textOf((await pinged)[0])).toBe('are you there');
    peer.write(frame(8, closePayload(1001), { mask: false }));
    expect(await nextFrame(peer)).toEqual(['88', '00000002', closePayload(1001).toString()]);
    peer.socket.end();
    expect((await closed(socket)).code).toBe(1001);
  });

  test('with autoPong: false, pings are answered by hand alone', async () => {
    const { socket, peer } = await connectRaw({ ...counting(), autoPong: false });
    socket.on('ping', (data) => socket.pong(`by hand: ${textOf(data)}`));
    peer.write(frame(9, 'a', { mask: false }));
    expect(await nextFrame(peer)).toEqual(['8a', '00000001', 'by hand: a']);
  });

  test('fills the keys of keep-alive pings', async () => {
    const { peer } = await connectRaw({ ...counting(), pingInterval: 10 });
    expect((await nextFrame(peer)).slice(0, 2)).toEqual(['89', '00000001']);
  });

  test('is not asked for the Close frame that tells a server what it did wrong', async () => {
    const { generateMask, calls } = counting();
    const { socket, peer } = await connectRaw({ generateMask });
    const failed = onceWithoutError(socket, 'error');
    peer.write(frame(3, '', { mask: false }));
    const [first, , payload] = await nextFrame(peer);
    expect([first, payload.slice(0, 2)]).toEqual(['88', closePayload(1002).toString()]);
    await failed;
    expect(calls()).toBe(0);
  });

  test('what it throws, the function that sends throws, and nothing is sent', async () => {
    let fails = true;
    const called: unknown[] = [];
    const generateMask = (key: Buffer): void => {
      if (fails) throw new Error('no key');
      key.fill(1);
    };
    const { socket, peer } = await connectRaw({ generateMask });
    expect(() => socket.send('a', (error) => called.push(error))).toThrow('no key');
    expect(() => socket.ping('b', undefined, (error) => called.push(error))).toThrow('no key');
    expect(() => socket.pong('c')).toThrow('no key');
    expect(() => socket.close(1000)).toThrow('no key');
    await expect(socket.sendAsync('d')).rejects.toThrow('no key');
    expect([socket.readyState, socket.bufferedAmount]).toEqual([socket.OPEN, 0]);
    fails = false;
    await new Promise((resolve) => socket.send('e', resolve));
    expect(await nextFrame(peer)).toEqual(['81', '01010101', 'e']);
    expect(called).toEqual([]);
  });

  test('what it throws for a Blob, the callback gets; without one it is an uncaught exception', () => {
    const script = `
      const { WebSocket, WebSocketServer } = require('./dist/cjs.cjs');
      const server = new WebSocketServer({ port: 0 }, () => {
        const generateMask = () => { throw new Error('no key'); };
        const socket = new WebSocket('ws://localhost:' + server.address().port, { generateMask });
        process.on('uncaughtException', (error) => {
          console.log('uncaught: ' + error.message, socket.readyState);
          socket.terminate();
          server.close();
        });
        socket.on('open', () => {
          socket.send(new Blob(['a']), (error) => console.log('callback: ' + error.message));
          socket.send('b');
        });
      });`;
    const output = execFileSync(process.execPath, ['-e', script], { cwd: root, timeout: 20_000 }).toString();
    expect(output).toBe('callback: no key\nuncaught: no key 1\n');
  });

  test('is not asked on a server', async () => {
    const { generateMask, calls } = counting();
    const { client: socket, peer } = await pair({ generateMask } as object);
    const message = onceWithoutError(socket, 'message');
    peer.send('not masked');
    expect(textOf((await message)[0])).toBe('not masked');
    expect(calls()).toBe(0);
  });
});

describe('mask: false', () => {
  test('a client masks with a key of zeros, and does not ask generateMask', async () => {
    const { generateMask, calls } = counting();
    const { socket, peer } = await connectRaw({ generateMask });
    socket.send('text', { mask: false });
    expect(await nextFrame(peer)).toEqual(['81', '00000000', 'text']);
    socket.send(new Blob(['Blob']), { mask: false });
    socket.ping(new Blob(['ping of a Blob']), false);
    const frames = [await nextFrame(peer), await nextFrame(peer)];
    expect(frames).toContainEqual(['82', '00000000', 'Blob']);
    expect(frames).toContainEqual(['89', '00000000', 'ping of a Blob']);
    await socket.sendAsync('promised', { mask: false });
    expect(await nextFrame(peer)).toEqual(['81', '00000000', 'promised']);
    socket.ping('ping', false);
    expect(await nextFrame(peer)).toEqual(['89', '00000000', 'ping']);
    socket.pong('pong', false);
    expect(await nextFrame(peer)).toEqual(['8a', '00000000', 'pong']);
    expect(calls()).toBe(0);
  });

  test('other frames keep their random keys', async () => {
    const { socket, peer } = await connectRaw({});
    socket.send('a', { mask: false });
    socket.send('b', { mask: true });
    socket.send('c', {});
    expect(await nextFrame(peer)).toEqual(['81', '00000000', 'a']);
    const [[, first, b], [, second, c]] = [await nextFrame(peer), await nextFrame(peer)];
    expect([b, c]).toEqual(['b', 'c']);
    expect(new Set([first, second, '00000000']).size).toBe(3);
  });
});
