// What the tests of the WHATWG classes share: sockets that end with their test, and their events as promises and as text.
import { type CloseEvent, WebSocket, WebSocketStream } from '../../lib/whatwg';
import type { WebSocketInit, WebSocketStreamOptions } from '../../lib/whatwg';
import { afterTest } from '../lib/support';

/** A socket, closed after the test. */
export function make(url: string, second?: string | string[] | WebSocketInit): WebSocket {
  const socket = second === undefined ? new WebSocket(url) : new WebSocket(url, second);
  afterTest(async () => {
    if (socket.readyState === WebSocket.CLOSED) return;
    socket.close();
    await next(socket, 'close');
  });
  return socket;
}

/** An open socket. */
export async function open(url: string, second?: string | string[] | WebSocketInit): Promise<WebSocket> {
  const socket = make(url, second);
  await next(socket, 'open');
  return socket;
}

/** The next event of a type. */
export function next<E extends Event = Event>(socket: WebSocket, type: string): Promise<E> {
  return new Promise((resolve) => socket.addEventListener(type, (event) => resolve(event as E), { once: true }));
}

/** How the connection ends, when the last task is over. */
export async function ending(socket: WebSocket): Promise<[code: number, reason: string, wasClean: boolean]> {
  const { code, reason, wasClean } = await next<CloseEvent>(socket, 'close');
  await new Promise(setImmediate);
  return [code, reason, wasClean];
}

/** Every event with the state that it is fired in, and `task end` where the promises of its task have run. */
export function record(socket: WebSocket): string[] {
  const seen: string[] = [];
  for (const type of ['open', 'message', 'error', 'close']) {
    socket.addEventListener(type, (event) => {
      const { data } = event as MessageEvent;
      seen.push(`${type}${typeof data === 'string' ? ` ${data}` : ''} in ${socket.readyState}`);
      void Promise.resolve()
        .then(() => {})
        .then(() => seen.push('microtasks'));
    });
  }
  return seen;
}

/** What `record` tells of a connection that was failed before it opened. */
export const failed = ['error in 3', 'microtasks', 'close in 3', 'microtasks'];

/** A stream, closed after the test. */
export function makeStream(url: string, options?: WebSocketStreamOptions): WebSocketStream {
  const stream = new WebSocketStream(url, options);
  afterTest(async () => {
    stream.close();
    await stream.closed.catch(() => {});
  });
  return stream;
}

/** The streams of an open connection. */
export async function openStream(url: string, options?: WebSocketStreamOptions) {
  const stream = makeStream(url, options);
  const { readable, writable } = await stream.opened;
  return { stream, reader: readable.getReader(), writer: writable.getWriter(), readable, writable };
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('The promise was fulfilled');
}

/** The name of the DOMException that a call throws. */
export function thrownName(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return error instanceof DOMException ? error.name : `no DOMException: ${String(error)}`;
  }
  return 'nothing';
}
