// Order and once-ness: what a socket emits while its handlers do what they like and its peer ends in every way. The tables
// are in fire-handlers.mjs and fire-faults.mjs; a program of its own runs their cells, because handlers throw.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer, type WebSocket } from '../../lib';
import { afterTest, client, closed, expectedTransport, root, until } from './support';

interface Seen {
  role: 'server' | 'client';
  /** What the socket emitted, what became of its sends, and what the program and the peer did, in order. */
  events: string[];
  /** How often the callback of each send was called. */
  callbacks: Record<string, number>;
  isReached: boolean;
  /** The rules that hold for every cell and were broken (fire-rules.mjs). */
  broken: string[];
}

interface SeenHandler extends Seen {
  place: string;
  action: string;
  ending: string;
  arrival: string;
}

interface SeenFault extends Seen {
  state: string;
  fault: string;
}

/** Runs a table against an implementation. */
function run<T extends Seen>(table: 'handlers' | 'reference' | 'faults', module = join(root, 'dist/index.js')): T[] {
  const { stdout, stderr } = spawnSync(process.execPath, [join(__dirname, 'fire-program.mjs'), module, table], {
    env: { ...process.env, WEBSOCKET_COMPONENT_TRANSPORT: expectedTransport },
    encoding: 'utf8',
    timeout: 240_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (stdout === '') throw new Error(`The program of the fire tests ended: ${stderr}`);
  const { results, strange } = JSON.parse(stdout) as { results: T[]; strange: string[] };
  expect(strange).toEqual([]); // exceptions that nobody threw on purpose
  return results;
}

function explain(cell: Seen, broken: string[]): string[] {
  const name = Object.values(cell).filter((value) => typeof value === 'string');
  return broken.map((rule) => `${name.join(', ')}: ${rule}: ${cell.events.join(' | ')}`);
}

const isEvent = (text: string): boolean => /^(open|message|ping|pong|error|close)\b/.test(text);
const messages = ['message m1', 'message m2', 'message m3'];

describe('whatever a handler does, and however the peer ends', () => {
  let cells: SeenHandler[];
  beforeAll(() => {
    cells = run('handlers');
  }, 250_000);

  /** The program has no socket yet, or ends it without the messages that are still to come. */
  const hasNoSocketIn = ({ place }: SeenHandler): boolean => ['verifyClient', 'headers', 'upgrade'].includes(place);
  const cuts = (cell: SeenHandler): boolean =>
    /terminate|remove all|the stream/.test(cell.action) || (hasNoSocketIn(cell) && /throw|close/.test(cell.action)); // refused, or given up
  const isCut = ({ action, place }: SeenHandler): boolean =>
    action.includes('terminate') && !['verifyClient', 'headers', 'upgrade'].includes(place);
  const hasSocket = ({ role, callbacks }: SeenHandler): boolean => role === 'client' || 'first' in callbacks;

  function check(broken: (cell: SeenHandler) => string[]): void {
    const all = cells.flatMap((cell) => explain(cell, broken(cell)));
    expect(all.slice(0, 20)).toEqual([]);
  }

  test('there are thousands of cases, and each of them happens', () => {
    expect(cells.length).toBeGreaterThan(5000);
    check(({ isReached }) => (isReached ? [] : ['not reached']));
  });

  test("'close' comes once and last, 'error' at most once before it, and every callback of a send once", () => {
    check(({ broken }) => broken);
  });

  test('messages that came before the end are delivered in order before it, unless the socket is cut', () => {
    check((cell) => {
      const got = cell.events.filter((text) => text.startsWith('message '));
      const isOrdered = got.every((text, i) => text === messages[i]);
      const isComplete = got.length === messages.length || cuts(cell) || !hasSocket(cell);
      return isOrdered && isComplete ? [] : [`messages: ${got.join()}`];
    });
  });

  test('a fault of the peer is an error, unless the socket is cut', () => {
    check((cell) => {
      if (!cell.ending.includes('fault') || cuts(cell) || !hasSocket(cell)) return [];
      return cell.events.includes('error WS_ERR_INVALID_OPCODE') ? [] : ['no error'];
    });
  });

  test("after terminate only 'close' follows", () => {
    check((cell) => {
      if (!isCut(cell)) return [];
      const later = cell.events.slice(cell.events.indexOf('ACTED')).filter(isEvent);
      return later.every((text) => text.startsWith('close ')) ? [] : [`then ${later.join()}`];
    });
  });

  test('after pause no message follows before resume, or the end of the connection', () => {
    check((cell) => {
      if (!cell.action.startsWith('pause') || cell.action.includes('resume') || hasNoSocketIn(cell)) return [];
      const until = cell.events.indexOf('RESUME');
      const paused = cell.events.slice(cell.events.indexOf('ACTED'), until === -1 ? undefined : until);
      const isEnd = paused.some((text) => text.startsWith('close '));
      return paused.some((text) => text.startsWith('message ')) && !isEnd ? ['a message while paused'] : [];
    });
  });

  test('an exception is reported once, and loses nothing', () => {
    check(({ action, events }) => {
      const times = events.filter((text) => text === 'uncaught').length;
      return times === (action.includes('throw') ? 1 : 0) ? [] : [`reported ${times} times`];
    });
  });
});

describe('as in ws', () => {
  test('the events come in the same order', () => {
    const ours = run<SeenHandler>('reference');
    const theirs = run<SeenHandler>('reference', 'ws');
    expect(ours.length).toBeGreaterThan(400);
    const order = ({ role, place, action, ending, events }: SeenHandler): string =>
      `${role}, ${place}, ${action}, ${ending}: ${events.filter(isEvent).join()}`;
    expect(ours.map(order)).toEqual(theirs.map(order));
  }, 120_000);
});

describe('whatever the peer does, in every state of the connection', () => {
  let cells: SeenFault[];
  beforeAll(() => {
    cells = run('faults');
  }, 250_000);

  function check(broken: (cell: SeenFault) => string[]): void {
    expect(cells.flatMap((cell) => explain(cell, broken(cell))).slice(0, 20)).toEqual([]);
  }
  const isOpen = ({ state }: SeenFault): boolean => !state.includes('the handshake');

  test("'close' comes once and last, 'error' at most once before it, and every callback of a send once", () => {
    expect(cells.length).toBeGreaterThan(300);
    check(({ broken }) => broken);
  });

  test('a client whose handshake fails gets one error', () => {
    check((cell) => {
      if (isOpen(cell) || cell.role === 'server') return [];
      return cell.events.some((text) => text.startsWith('error ')) ? [] : ['no error'];
    });
  });

  test('messages that came before are delivered, parts of messages are not', () => {
    check(({ state, events }) => {
      const expected =
        { 'after messages': messages.slice(0, 2) }[state] ??
        (/messages?\b.*(?:another)|and its messages|paused/.test(state) ? messages.slice(0, 1) : []);
      const got = events.filter((text) => text.startsWith('message '));
      return got.join() === expected.join() ? [] : [`messages: ${got.join()}`];
    });
  });

  test('a reset is no error, and what the peer did wrong before it is one', () => {
    check((cell) => {
      if (!isOpen(cell)) return [];
      const { state, fault, events } = cell;
      const errors = events.filter((text) => text.startsWith('error '));
      // Behind its Close frame nothing is looked at; in a frame, bytes of any kind are its payload.
      const isSilent = state === 'after its Close frame';
      const isInside = /^in |another/.test(state);
      const isFault = /fault|garbage/.test(fault) && !fault.startsWith('Close frame');
      if (state === 'after a fault' || (isFault && !isSilent && !isInside))
        return errors.length === 1 ? [] : ['no error'];
      return isInside || errors.length === 0 ? [] : errors;
    });
  });

  test('a peer that half-closes gets everything that waits to be sent; after a reset the callbacks get an error', () => {
    check(({ state, fault, events }) => {
      if (state !== 'with a long send queue') return [];
      const failed = events.filter((text) => /^sent .* failed$/.test(text)).length;
      if (fault === 'half-close') return failed === 0 ? [] : [`${failed} messages were not sent`];
      return fault !== 'reset' || failed > 0 ? [] : ['nothing failed'];
    });
  });
});

test("a connection that begins where another ends does not hide its 'close'", async () => {
  const http = createServer().listen(0, '127.0.0.1');
  afterTest(() => http.close());
  await once(http, 'listening');
  const server = new WebSocketServer({ noServer: true });
  const sockets: WebSocket[] = [];
  const accepts: (() => void)[] = [];
  http.on('upgrade', (request, stream, head) =>
    accepts.push(() => server.handleUpgrade(request, stream, head, (socket) => sockets.push(socket))),
  );
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const clients = [client(url), client(url)];
  for (const socket of clients) socket.on('error', () => {});
  await until(() => accepts.length === 2);
  accepts[0]();
  const end = closed(sockets[0]);
  sockets[0].terminate();
  accepts[1]();
  expect(await end).toEqual({ code: 1006, reason: '' });
  sockets[1].terminate();
  await closed(sockets[1]);
});
