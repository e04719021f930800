/**
 * An open connection: the messages that go out and come in, the closing handshake (RFC 6455, 7), and the end. It emits
 * the events of the `WebSocket` that owns it. Bytes are the transport's business, frames the driver's.
 * The connection is in the driver's table from its construction to its last event; afterwards it only remembers.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import process from 'node:process';
import type { Duplex } from 'node:stream';
import { keepContext } from './async-context.js';
import { abnormalClosure, byteLength, internalError, noStatus, toMessageData, tryAgainLater } from './data.js';
import type { ControlPayload } from './data.js';
import { driver, register, unregister, type DriverEvents } from './dispatch.js';
import { emitClose, emitError, emitMessage } from './emit.js';
import { backpressureError, faultError, notOpenError, notSentError } from './errors.js';
import { HeldMessages } from './held-messages.js';
import { answerPing, maskKey } from './mask-key.js';
import { MessageStreams } from './message-stream.js';
import type { MessageWriter } from './message-writer.js';
import { borrowedSource, callbackShift, drained, noRoom, SendFlag, type Held } from './native.js';
import type { BinaryType, ResolvedSettings, SendCallback, SendOptions } from './options.js';
import type { Message } from './prepared-message.js';
import { ReadyState } from './ready-state.js';
import { SendCallbacks } from './send-callbacks.js';
import type { SendQueue } from './send-queue.js';
import { attach, type Transport } from './transport.js';
import type { WaitingMessages } from './waiting-messages.js';
import type { WebSocket } from './websocket.js';

const emptyReason = Buffer.alloc(0);
// For every message: a constant of another module would be looked up at each use.
const { Binary, Fin, Compress, OwnKey } = SendFlag;
const { Open } = ReadyState;

/** A connection whose handshake is done. */
export class Connection implements DriverEvents {
  readyState: ReadyState = Open;
  binaryType: BinaryType;
  isPaused = false;
  /** Our Close frame was queued. */
  closeSent = false;
  /** The peer's Close frame was received. */
  closeReceived = false;
  readonly transport: Transport;
  /** Messages that came while paused; never empty. */
  held: HeldMessages | undefined;
  /** What stands behind a message that takes a while to send. */
  queue: SendQueue | undefined;
  /** Messages of `sendAsync` that wait for room. */
  waiting: WaitingMessages | undefined;
  /** Messages as streams, with the option `messageStream`. */
  readonly streams: MessageStreams | undefined;

  #closeStatus = abnormalClosure;
  #closeReason = emptyReason;
  #closeTimer: NodeJS.Timeout | undefined;
  /** terminate() was called: nothing is delivered any more but the end. */
  #isCut = false;
  /** The transport is gone; only held messages and 'close' are still to come. */
  isEnded = false;
  #errorEmitted = false;
  #callbacks: SendCallbacks | undefined;
  /** A send returned false, and 'drain' has not come yet. */
  #needsDrain = false;
  /** Bytes that will never be sent. */
  #unsent = 0;
  /** The type of the fragmented message that is being sent. */
  #fragmentIsBinary: boolean | undefined;

  /**
   * Starts the connection whose handshake was done on `stream`, which is taken over; `id` is the driver's number of it.
   * @param preamble is written before the first frame
   * @param head was read from the stream already
   */
  constructor(
    readonly socket: WebSocket,
    readonly id: number,
    stream: Duplex,
    preamble: string,
    head: Buffer,
    readonly settings: ResolvedSettings,
  ) {
    this.binaryType = socket.binaryType;
    if (settings.asyncContext && socket._isServer) keepContext(socket);
    if (settings.messageStream) this.streams = new MessageStreams(this);
    register(this);
    this.transport = attach(id, stream, preamble, head, settings);
  }

  /** Payload bytes that were accepted and not yet handed to the kernel, or never will be. */
  get bufferedAmount(): number {
    return this.#unsent + (this.queue?.bytes ?? 0) + (this.isEnded ? 0 : driver.bufferedAmount(this.id));
  }

  // ---- Sending ------------------------------------------------------------------------------------------------------

  /** Whether a broadcast may put a whole message behind what was sent last, to which messages of `sendAsync` make way. */
  takesBroadcast(): boolean {
    if (this.readyState !== Open || this.waiting?.makeWay() === false) return false;
    return this.queue === undefined ? this.#fragmentIsBinary === undefined : !this.queue.endsInFragment;
  }

  /** The last part of a message that was begun with `fin: false` is still to come. */
  get endsInFragment(): boolean {
    return this.#fragmentIsBinary !== undefined || this.waiting?.endsInFragment === true;
  }

  /** Queues a message. False: it was refused, or more than the high-water mark waits, and 'drain' will come. */
  send(payload: Message, isBinary: boolean, options: SendOptions | undefined, callback?: SendCallback): boolean {
    if (this.readyState !== Open) return this.refuse(payload, callback);
    let held: Held = noRoom;
    if (this.queue !== undefined) held = this.queue.send(payload, isBinary, options, callback);
    else if (this.waiting === undefined || this.waiting.makeWay()) {
      held = this.transmit(payload, isBinary, options, callback);
    }
    return held === undefined || this.#heldOrRefused(held, payload, callback);
  }

  #heldOrRefused(held: number, payload: Message, callback: SendCallback | undefined): false {
    if (held < 0 && held !== noRoom) return this.refuse(payload, callback);
    this.#needsDrain = true;
    if (held === noRoom) this.overflow(callback);
    return false;
  }

  /** A writer's message will never be complete. When it has begun, nothing can follow it but a Close frame. */
  dropWriter(writer: MessageWriter): void {
    if (!writer.hasBegun) {
      this.queue?.removeWriter(writer);
    } else if (!this.closeSent) {
      this.#startClosing();
      this.#sendClose(internalError, 'A message was broken off');
    }
  }

  /** Queues a ping or a pong of at most 125 bytes. */
  sendControl(isPong: boolean, payload: ControlPayload, callback?: SendCallback, mask?: unknown): void {
    if (this.readyState !== Open) {
      this.refuse(payload, callback);
      return;
    }
    if (this.queue?.takeControl(isPong, payload, callback, mask)) return;
    const key = maskKey(this.settings, mask);
    const number = this.remember(callback);
    const held = driver.sendControl(this.id, isPong, payload as string | Uint8Array, number, key);
    if (held === undefined || held >= 0) return;
    this.#callbacks?.take(number);
    if (held === noRoom) this.overflow(callback);
    else this.refuse(payload, callback);
  }

  /** Hands a message to the driver. When the result is negative, the callback was forgotten. */
  transmit(payload: Message, isBinary: boolean, options: SendOptions | undefined, callback?: SendCallback): Held {
    let flags: number = Fin | Compress;
    if (options !== undefined) {
      if (options.binary !== undefined) isBinary = options.binary;
      if (options.compress === false) flags -= Compress;
      if (options.fin === false) flags -= Fin;
    }
    if (this.#fragmentIsBinary !== undefined) isBinary = this.#fragmentIsBinary; // the first part decides
    if (isBinary) flags |= Binary;
    const key = maskKey(this.settings, options?.mask);
    if (key !== undefined) flags |= OwnKey;
    if (callback !== undefined) flags |= this.#sendCallbacks.next << callbackShift;
    const held = driver.send(this.id, payload, flags, key);
    if (held !== undefined && held < 0) return held;
    if (callback !== undefined) this.#sendCallbacks.add(callback);
    this.#fragmentIsBinary = (flags & Fin) === 0 ? isBinary : undefined;
    return held;
  }

  get #sendCallbacks(): SendCallbacks {
    return (this.#callbacks ??= new SendCallbacks(this.settings));
  }

  /** The number of a callback; 0 without one. */
  remember(callback: SendCallback | undefined): number {
    return callback === undefined ? 0 : this.#sendCallbacks.add(callback);
  }

  /** What cannot be sent counts as buffered for ever (WHATWG) and is told to its callback. */
  refuse(payload: Message, callback: SendCallback | undefined): false {
    this.#unsent += byteLength(payload);
    this.#fragmentIsBinary = undefined; // nothing can follow
    if (callback !== undefined) {
      process.nextTick(callback, this.readyState === Open ? notSentError() : notOpenError(this.readyState));
    }
    return false;
  }

  /** Too much waits: the message is dropped, and with the policy 'close' it was the last one. */
  overflow(callback: SendCallback | undefined): void {
    if (callback !== undefined) process.nextTick(callback, backpressureError(this.settings.maxBackpressure));
    if (this.settings.backpressure === 'close') this.close(tryAgainLater, 'The peer is too slow');
  }

  /** No message is accepted any more. */
  #stopSending(): void {
    this.readyState = ReadyState.Closing;
    if (this.queue !== undefined) this.abandon(this.queue);
    this.waiting?.abort();
  }

  onSent(number: number, ok: boolean): void {
    if (ok) this.waiting?.admit();
    else if (this.readyState === Open) this.#stopSending();
    if (number === drained) {
      this.queue?.mayGoOn();
      this.mayDrain();
      return;
    }
    const callback = this.#callbacks?.take(number);
    if (ok) callback?.();
    else callback?.(notSentError());
  }

  /** Emits 'drain' when it is due: not when the driver will tell again, because so much has been sent since. */
  mayDrain(): void {
    if (!this.#needsDrain || this.queue || driver.bufferedAmount(this.id) > this.settings.highWaterMark) return;
    this.#needsDrain = false;
    if (this.readyState === Open) this.socket.emit('drain');
  }

  /** Gives up what stands behind a message that takes a while. */
  abandon(queue: SendQueue): void {
    this.#unsent += queue.abort();
  }

  // ---- Receiving ----------------------------------------------------------------------------------------------------

  onText(text: string): void {
    if (this.#isCut) return;
    if (this.isPaused || this.held !== undefined) this.#hold(text, false, true);
    else emitMessage(this.socket, text, false);
  }

  onMessage(data: Buffer, isBinary: boolean, source: number): void {
    if (this.#isCut) return;
    const isOwn = source !== 0 && source !== borrowedSource;
    if (!this.isPaused && this.held === undefined) this.deliver(data, isBinary, isOwn);
    else this.#hold(source === borrowedSource ? Buffer.from(data) : data, isBinary, isOwn);
  }

  deliver(data: Buffer | string, isBinary: boolean, isOwn: boolean): void {
    emitMessage(this.socket, isBinary ? toMessageData(data as Buffer, this.binaryType, isOwn) : data, isBinary);
  }

  #hold(data: Buffer | string, isBinary: boolean, isOwn: boolean): void {
    (this.held ??= new HeldMessages(this)).push(data, isBinary, isOwn);
  }

  onFragment(data: Buffer, flags: number): void {
    if (!this.#isCut) this.streams?.add(data, flags);
  }

  onPing(data: Buffer): void {
    if (this.#isCut) return;
    if (this.settings.generateMask !== undefined) answerPing(this.id, data, this.settings);
    this.socket.emit('ping', data);
  }

  onPong(data: Buffer): void {
    if (!this.#isCut) this.socket.emit('pong', data);
  }

  /** No 'message' until `resume` or the end. While messages are held, the last pause of the transport is in force. */
  pause(): void {
    if (this.isPaused || this.isEnded || this.readyState === ReadyState.Closed) return;
    // A pause in force is not made anew, because each reads some bytes ahead.
    if (!this.closeReceived && this.held === undefined && !this.isStopped) this.transport.setPaused(true);
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (this.held === undefined && !this.isStopped) this.transport.setPaused(false);
    (this.streams ?? this.held)?.releaseSoon();
  }

  /** Nothing is read now: the program paused the socket, or reads a message's stream more slowly than it comes. */
  get isStopped(): boolean {
    return this.isPaused || this.streams?.isFull === true;
  }

  /** Emits 'close' when the transport is gone. */
  endIfDue(): void {
    if (this.isEnded && this.readyState !== ReadyState.Closed) this.#emitClose();
  }

  // ---- Closing ------------------------------------------------------------------------------------------------------

  /** Starts the closing handshake; ends a pause, because the peer's Close frame lies behind what it sent before. */
  close(status: number | undefined, reason: string | Uint8Array): void {
    if (this.readyState !== Open) return;
    if (this.queue?.close(status, reason)) {
      this.#startCloseTimer();
    } else {
      this.#sendClose(status ?? 0, reason);
      this.#startClosing();
    }
    this.resume();
  }

  #sendClose(status: number, reason: string | Uint8Array): void {
    driver.sendClose(this.id, status, reason, maskKey(this.settings));
    this.closeSent = true;
  }

  /** Ends the connection at once, without a Close frame. Messages that wait are not delivered. */
  terminate(): void {
    if (this.readyState === ReadyState.Closed || this.#isCut) return;
    this.#stopSending();
    this.#isCut = true;
    this.held = undefined;
    this.streams?.drop();
    if (!this.isEnded) this.#destroyTransport();
  }

  onCloseFrame(status: number, reason: Buffer): void {
    if (this.#isCut) return;
    this.closeReceived = true;
    this.#closeStatus = status;
    this.#closeReason = reason.length === 0 ? emptyReason : Buffer.from(reason); // not to keep the batch
    this.#startClosing();
    this.#endReceiving(undefined);
    if (!this.closeSent) this.#sendClose(status === noStatus ? 0 : status, reason);
  }

  onFault(sentence: string, status: number): void {
    if (this.#isCut) return;
    if (!this.closeSent) driver.sendClose(this.id, status, ''); // without a mask of the program, which could throw
    this.closeSent = true;
    driver.shutdown(this.id);
    this.#startClosing();
    const error = faultError(sentence, status);
    this.#endReceiving(error);
    this.#emitError(error);
  }

  /** No data follows; only the end of the stream is still to be read. */
  #endReceiving(error: Error | undefined): void {
    this.streams?.noMoreFollow(error);
    this.transport.setPaused(false);
  }

  /** What the program wants to send cannot be had: ends the connection without a Close frame, behind what was sent. */
  breakOff(error: Error): void {
    driver.shutdown(this.id);
    this.#startClosing();
    process.nextTick(() => this.#emitError(error)); // behind the callbacks
  }

  onEnd(): void {
    if (this.readyState === Open) this.#stopSending();
    this.transport.ended?.();
  }

  onShutdown(): void {
    this.onEnd();
    this.transport.end();
  }

  onClosed(): void {
    this.#unsent += driver.bufferedAmount(this.id);
    this.isEnded = true;
    this.isPaused = false;
    this.#stopSending();
    clearTimeout(this.#closeTimer);
    unregister(this);
    this.transport.closed();
    const received = this.streams ?? this.held;
    if (received !== undefined) received.releaseSoon();
    else this.#emitClose();
  }

  #startClosing(): void {
    this.#stopSending();
    this.#startCloseTimer();
  }

  #startCloseTimer(): void {
    this.#closeTimer ??= setTimeout(() => this.#destroyTransport(), this.settings.closeTimeout);
  }

  #destroyTransport(): void {
    driver.flush(); // what was sent before goes out as far as the kernel takes it
    this.transport.destroy();
  }

  #emitError(error: Error): void {
    if (this.#errorEmitted) return;
    this.#errorEmitted = true;
    emitError(this.socket, error);
  }

  #emitClose(): void {
    this.readyState = ReadyState.Closed;
    emitClose(this.socket, this.#closeStatus, this.#closeReason);
  }
}
