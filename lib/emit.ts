/**
 * Hands what happens to the listeners of a socket, and before them to the subscribers of the diagnostics channels.
 *
 * A message goes to its listener without the way through `emit` where that makes no difference: one listener, and nobody
 * replaced `emit` or asked to capture rejections.
 */
import { EventEmitter } from 'node:events';
import { closes, errors, handshakes, messages } from './diagnostics.js';
import type { MessageData } from './options.js';
import type { WebSocket } from './websocket.js';

const { emit } = EventEmitter.prototype as { emit: unknown };

interface Emitting {
  /** Where an EventEmitter keeps its listeners: for one listener the function itself. */
  readonly _events: { readonly message?: unknown };
}

/** Somebody subscribed to messages. */
let publishes = false;

/** Emits 'message'. */
export function emitMessage(socket: WebSocket, data: MessageData, isBinary: boolean): void {
  if (publishes) messages.publish({ socket, data, isBinary });
  const listener = (socket as unknown as Emitting)._events.message;
  if (typeof listener === 'function' && socket.emit === emit && !EventEmitter.captureRejections) {
    (listener as (data: MessageData, isBinary: boolean) => void).call(socket, data, isBinary);
  } else {
    socket.emit('message', data, isBinary);
  }
}

/** Before messages are emitted, once for all that have arrived: looks whether anybody subscribed to them. */
export function watchMessages(): void {
  publishes = messages.hasSubscribers;
}

/** Emits 'open'. */
export function emitOpen(socket: WebSocket): void {
  if (handshakes.hasSubscribers && !socket._isServer) {
    handshakes.publish({ server: undefined, request: undefined, socket, status: 101 });
  }
  socket.emit('open');
}

/** Emits 'error'. */
export function emitError(socket: WebSocket, error: Error): void {
  if (errors.hasSubscribers) errors.publish({ socket, error });
  socket.emit('error', error);
}

/** Emits 'close'. */
export function emitClose(socket: WebSocket, code: number, reason: Buffer): void {
  if (closes.hasSubscribers) closes.publish({ socket, code, reason });
  socket.emit('close', code, reason);
}
