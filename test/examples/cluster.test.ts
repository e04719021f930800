// examples/cluster.mjs: broadcasts between processes, replacing them, and their end.
import type { WebSocket as WsClient } from 'ws';
import { closed, connect, endsInOrder, nextMessage, nextText, runCommand, serve, start, type Server } from './example';

const file = 'cluster.mjs';
const two = { WORKERS: '2' };

/** A client, and the process that it is with. */
async function join(server: Server): Promise<{ socket: WsClient; pid: number }> {
  const socket = await connect(server.url);
  return { socket, pid: Number(/^You are with worker (\d+)$/.exec(await nextText(socket))?.[1]) };
}

/** Two clients of each of two processes. */
async function joinBoth(server: Server) {
  const byPid = new Map<number, WsClient[]>();
  while (byPid.size < 2 || [...byPid.values()].some((sockets) => sockets.length < 2)) {
    const { socket, pid } = await join(server);
    byPid.set(pid, [...(byPid.get(pid) ?? []), socket]);
  }
  expect(byPid.size).toBe(2);
  return { pids: [...byPid.keys()], sockets: [...byPid.values()] };
}

test('what one says reaches the others, in every process, and SIGTERM ends all of them', async () => {
  const server = await serve(file, two);
  const { sockets } = await joinBoth(server);
  const [sender, ...others] = sockets.flat();
  for (const message of ['hello', Buffer.from([0, 1, 255])]) {
    sender.send(message);
    for (const socket of others) {
      const { data, isBinary } = await nextMessage(socket);
      expect(data.equals(Buffer.from(message as string))).toBe(true);
      expect(isBinary).toBe(typeof message !== 'string');
    }
  }
  others[0].send('back');
  expect(await nextText(sender)).toBe('back'); // and nothing of its own before
  await endsInOrder(server, 'SIGTERM', sockets.flat());
});

test('a client as the header says', async () => {
  const server = await serve(file, two);
  const { status, stdout } = await runCommand(file, 'npx websocket-component', { '8080/': `${server.port}/ -n 1` });
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^You are with worker \d+\n$/) });
  await endsInOrder(server, 'SIGINT', []);
});

test('SIGHUP replaces every process, one after the other', async () => {
  const server = await serve(file, two);
  const before = await joinBoth(server);
  const codes = before.sockets.flat().map((socket) => closed(socket));
  server.program.signal('SIGHUP');
  const replaced: number[] = [];
  for (let round = 0; round < 2; round++) {
    replaced.push(Number(await server.program.waitForLine(/^worker \d+ is in place of (\d+)$/)));
    await join(server);
  }
  expect(replaced.sort()).toEqual(before.pids.sort());
  for (const one of await Promise.all(codes)) expect(one).toEqual([1001, 'This worker ends']);
  const after = await joinBoth(server);
  for (const pid of after.pids) expect(before.pids).not.toContain(pid);
  await endsInOrder(server, 'SIGTERM', after.sockets.flat());
});

test('a process that dies is replaced, and the others go on', async () => {
  const server = await serve(file, two);
  const { pids, sockets } = await joinBoth(server);
  const lost = Promise.all(sockets[0].map((socket) => closed(socket)));
  process.kill(pids[0], 'SIGKILL');
  for (const [code] of await lost) expect(code).toBe(1006);
  await server.program.waitForLine(/^worker (\d+) is new$/);
  const after = await joinBoth(server);
  expect(after.pids).toContain(pids[1]);
  expect(after.pids).not.toContain(pids[0]);
  await endsInOrder(server, 'SIGTERM', sockets[1], `worker ${pids[0]} ended with SIGKILL\n`);
});

test('a client that does not read is closed with 1013, and the others hear everything', async () => {
  const server = await serve(file, { WORKERS: '1' });
  const [sender, slow, reader] = [await join(server), await join(server), await join(server)].map((one) => one.socket);
  slow.pause();
  let heardBySlow = 0;
  slow.on('message', () => heardBySlow++);
  const end = closed(slow);
  const message = Buffer.alloc(16 * 1024);
  const [rounds, each] = [120, 8]; // 15 MiB: more than fits between two sockets
  for (let round = 0; round < rounds; round++) {
    for (let count = 0; count < each; count++) sender.send(message);
    for (let count = 0; count < each; count++) await nextMessage(reader);
  }
  slow.resume();
  expect(await end).toEqual([1013, 'The peer is too slow']);
  expect(heardBySlow).toBeGreaterThan(0);
  expect(heardBySlow).toBeLessThan(rounds * each);
  await endsInOrder(server, 'SIGTERM', [sender, reader]);
});

test('a port that is taken ends it with 1', async () => {
  const server = await serve(file, two);
  const second = start(file, [String(server.port)], two);
  expect(await second.end()).toBe(1);
  expect(second.errors).toMatch(/EADDRINUSE/);
});
