/**
 * The events of a `WebSocket`: what EventEmitter listeners get, the event objects that `addEventListener` and the `on…`
 * properties hand to their listeners, and the wrapping of such listeners as EventEmitter listeners. Names and meanings:
 * WHATWG WebSockets and DOM, as far as `ws` has them.
 */
import type { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { MessageStream } from './message-stream.js';
import type { WebSocket } from './websocket.js';
import type { MessageData, RawData } from './options.js';

/** The events of a `WebSocket` and what their listeners get. */
export interface WebSocketEvents {
  /** The opening handshake is done (clients). */
  open: [];
  /**
   * A message. A text message is what `textType` says (default: a Buffer of UTF-8), a binary one what `binaryType` says.
   * The type is that of `ws`; with `textType: 'string'` a listener may declare its parameter as a string.
   */
  message: [data: RawData, isBinary: boolean];
  /**
   * A message begins to arrive, with the option `messageStream`. The next one waits until this one was read to its end or
   * destroyed. Without a listener, messages are discarded.
   */
  messageStream: [stream: MessageStream];
  /** The connection is gone; 1005: the Close frame had no status, 1006: there was no Close frame. */
  close: [code: number, reason: Buffer];
  /** The handshake failed, or the peer broke the protocol or a limit; 'close' follows. */
  error: [error: Error];
  /** A ping; it has been answered already unless `autoPong` is off. */
  ping: [data: Buffer];
  /** A pong, asked for or not. */
  pong: [data: Buffer];
  /** After `send` returned false: nothing is buffered any more. */
  drain: [];
  /** The server's 101 response (clients). */
  upgrade: [response: IncomingMessage];
  /**
   * A redirect is followed (clients with `followRedirects`): the new URL, and the request to it before it is sent. It
   * holds everything that the first one held: a listener has to remove what the new place must not learn.
   */
  redirect: [url: string, request: ClientRequest];
  /** Another response (clients). With a listener, ending the request is the listener's business. */
  'unexpected-response': [request: ClientRequest, response: IncomingMessage];
}

/** What every event object has. */
export class Event {
  /** The name of the event. */
  readonly type: string;
  /** The socket that it happened on. */
  readonly target: WebSocket;

  constructor(type: string, target: WebSocket) {
    this.type = type;
    this.target = target;
  }
}

/** A message was received. */
export class MessageEvent extends Event {
  /** A string for a text message, else what `binaryType` says. */
  readonly data: MessageData;

  constructor(target: WebSocket, data: MessageData) {
    super('message', target);
    this.data = data;
  }
}

/** The connection is closed. */
export class CloseEvent extends Event {
  /** The status of the peer's Close frame; 1005: the frame had none, 1006: there was no frame. */
  readonly code: number;
  /** The reason of the peer's Close frame. */
  readonly reason: string;
  /** Whether both sides sent a Close frame. */
  readonly wasClean: boolean;

  constructor(target: WebSocket, code: number, reason: string, wasClean: boolean) {
    super('close', target);
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}

/** Something failed; a CloseEvent follows. */
export class ErrorEvent extends Event {
  /** What the 'error' event of the EventEmitter has. */
  readonly error: Error;
  /** Its message. */
  readonly message: string;

  constructor(target: WebSocket, error: Error) {
    super('error', target);
    this.error = error;
    this.message = error.message;
  }
}

/** The event object for each event that has one. */
export interface WebSocketEventMap {
  /** The opening handshake is done. */
  open: Event;
  /** A message was received. */
  message: MessageEvent;
  /** The connection is closed. */
  close: CloseEvent;
  /** Something failed. */
  error: ErrorEvent;
}

/** An object that listens. */
export interface EventListenerObject<E extends Event> {
  /** Called with the event. */
  handleEvent(event: E): void;
}

/** A function, or an object with a `handleEvent` method. */
export type EventListener<E extends Event> = ((this: WebSocket, event: E) => void) | EventListenerObject<E>;

/** Options of `addEventListener`. */
export interface EventListenerOptions {
  /** Remove the listener when it is called. Default: false. */
  once?: boolean;
}

type EventName = keyof WebSocketEventMap;

/** Makes the event object from the arguments of the EventEmitter event. */
const makers: { [N in EventName]: (target: WebSocket, first: unknown, second: unknown) => WebSocketEventMap[N] } = {
  open: (target) => new Event('open', target),
  message: (target, data, isBinary) =>
    new MessageEvent(target, isBinary ? (data as MessageData) : (data as Buffer | string).toString()),
  close: (target, code, reason) =>
    new CloseEvent(target, code as number, (reason as Buffer).toString(), target._wasClean),
  error: (target, error) => new ErrorEvent(target, error as Error),
};

type Wrapper = ((this: WebSocket, ...args: unknown[]) => void) & {
  /** The listener that was passed in. */
  handler: unknown;
  /** Set by an `on…` property. */
  isAttribute: boolean;
};

function hasEventObject(name: string): name is EventName {
  return Object.hasOwn(makers, name);
}

function wrappers(emitter: EventEmitter, name: string): Wrapper[] {
  return (emitter.listeners(name) as Partial<Wrapper>[]).filter((f): f is Wrapper => f.isAttribute !== undefined);
}

function add(socket: WebSocket, name: EventName, handler: unknown, isAttribute: boolean, once: boolean): void {
  const make = makers[name];
  function wrapper(this: WebSocket, first: unknown, second: unknown): void {
    const event = make(this, first, second);
    if (typeof handler === 'function') {
      (handler as (this: WebSocket, event: Event) => void).call(this, event);
    } else {
      (handler as { handleEvent(event: Event): void }).handleEvent(event);
    }
  }
  const listener = Object.assign(wrapper, { handler, isAttribute });
  (socket as EventEmitter)[once ? 'once' : 'on'](name, listener);
}

/** Adds a listener once; names without an event object are ignored, as in `ws`. */
export function addListener(socket: WebSocket, name: string, handler: unknown, options?: EventListenerOptions): void {
  const callable =
    typeof handler === 'function' || typeof (handler as { handleEvent?: unknown } | null)?.handleEvent === 'function';
  if (!hasEventObject(name) || handler === null || handler === undefined) return;
  if (!callable) throw new TypeError('The listener must be a function or an object with a handleEvent method');
  if (wrappers(socket, name).some((w) => w.handler === handler && !w.isAttribute)) return;
  add(socket, name, handler, false, options?.once === true);
}

/** Removes a listener that `addListener` added. */
export function removeListener(socket: WebSocket, name: string, handler: unknown): void {
  const found = wrappers(socket, name).find((w) => w.handler === handler && !w.isAttribute);
  if (found) (socket as EventEmitter).removeListener(name, found);
}

/** Gives a prototype the properties `onopen`, `onmessage`, `onclose` and `onerror`: what is no function removes the listener. */
export function defineAttributes(prototype: object): void {
  for (const name of Object.keys(makers) as EventName[]) {
    Object.defineProperty(prototype, `on${name}`, {
      enumerable: true,
      configurable: true,
      get(this: WebSocket): unknown {
        return wrappers(this, name).find((w) => w.isAttribute)?.handler ?? null;
      },
      set(this: WebSocket, handler: unknown) {
        const old = wrappers(this, name).find((w) => w.isAttribute);
        if (old) (this as EventEmitter).removeListener(name, old);
        if (typeof handler === 'function') add(this, name, handler, true, false);
      },
    });
  }
}
