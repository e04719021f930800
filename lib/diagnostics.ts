/**
 * The channels of `node:diagnostics_channel` that tell monitoring tools what happens on every socket of the thread, without
 * a listener on each. Described in docs/diagnostics.md. A channel that nobody subscribed to costs one look at it: for each
 * handshake, error and close, and for messages once for each batch.
 */
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { MessageData } from './options.js';
import type { WebSocketServer } from './server.js';
import type { WebSocket } from './websocket.js';

/** An opening handshake ended, but not by an error of a client's, which is a `DiagnosticsError`. */
export interface DiagnosticsHandshake {
  /** The server that was asked. Undefined on clients. */
  readonly server: WebSocketServer | undefined;
  /** What it was asked. Undefined on clients. */
  readonly request: IncomingMessage | undefined;
  /** The new socket, open. Undefined when the request was refused. */
  readonly socket: WebSocket | undefined;
  /** The HTTP status of the response: 101, or that of the refusal. */
  readonly status: number;
}

/** A message was received. */
export interface DiagnosticsMessage {
  /** The socket that received it. */
  readonly socket: WebSocket;
  /** The same object that 'message' listeners get; with `delivery: 'borrow'` valid only until the subscriber returns. */
  readonly data: MessageData;
  /** Whether it is a binary message. */
  readonly isBinary: boolean;
}

/** A connection is gone, or a client's handshake failed. */
export interface DiagnosticsClose {
  /** The socket that was closed. */
  readonly socket: WebSocket;
  /** As the 'close' event: 1005 when the Close frame had no status, 1006 when there was none. */
  readonly code: number;
  /** UTF-8, at most 123 bytes. */
  readonly reason: Buffer;
}

/** A connection or a client's handshake failed. */
export interface DiagnosticsError {
  /** The socket that failed. */
  readonly socket: WebSocket;
  /** What the 'error' event has. */
  readonly error: Error;
}

/** What subscribers get, by the name of the channel. */
export interface DiagnosticsChannels {
  /** An opening handshake ended. */
  'websocket-component:handshake': DiagnosticsHandshake;
  /** A message was received. */
  'websocket-component:message': DiagnosticsMessage;
  /** A connection is gone. */
  'websocket-component:close': DiagnosticsClose;
  /** Something failed. */
  'websocket-component:error': DiagnosticsError;
}

/** A channel that takes one type of message. */
interface TypedChannel<T> {
  readonly hasSubscribers: boolean;
  publish(message: T): void;
}

function open<N extends keyof DiagnosticsChannels>(name: N): TypedChannel<DiagnosticsChannels[N]> {
  return channel(name);
}

export const handshakes = open('websocket-component:handshake');
export const messages = open('websocket-component:message');
export const closes = open('websocket-component:close');
export const errors = open('websocket-component:error');
