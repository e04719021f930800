/**
 * Hands a message to the listeners of a socket. It is `emit('message', …)` without the way through `emit` where that
 * makes no difference: one listener, and nobody replaced `emit` or asked to capture rejections.
 */
import { EventEmitter } from 'node:events';
import type { MessageData } from './options.js';
import type { WebSocket } from './websocket.js';

const { emit } = EventEmitter.prototype as { emit: unknown };

interface Emitting {
  /** Where an EventEmitter keeps its listeners: for one listener the function itself. */
  readonly _events: { readonly message?: unknown };
}

/** Emits 'message'. */
export function emitMessage(socket: WebSocket, data: MessageData, isBinary: boolean): void {
  const listener = (socket as unknown as Emitting)._events.message;
  if (typeof listener === 'function' && socket.emit === emit && !EventEmitter.captureRejections) {
    (listener as (data: MessageData, isBinary: boolean) => void).call(socket, data, isBinary);
  } else {
    socket.emit('message', data, isBinary);
  }
}
