/**
 * What sockets have beyond `ws`: promises, iteration, disposal and latency. `WebSocket` inherits it; what it does with a
 * connection is in connection.ts, message-queue.ts and keep-alive.ts.
 */
import { asyncDispose } from './async-dispose.js';
import { signalOption } from './checks.js';
import { withQueueFor } from './send-queue.js';
import type { Connection } from './connection.js';
import { byteLength } from './data.js';
import { abortError, notOpenError, notReceivedError } from './errors.js';
import type { WebSocketEvents } from './events.js';
import { MessageIterator } from './iterate.js';
import { KeptConnection } from './keep-alive.js';
import { cancelMessages, messagesOf } from './message-queue.js';
import { MessageWriter, type MessageWriterOptions } from './message-writer.js';
import type { ReceivedMessage, ReceiveOptions, SendAsyncOptions, SendCallback, SendData } from './options.js';
import { kindOf, MessageKind, toMessage, type PreparedMessage } from './prepared-message.js';
import { ReadyState } from './ready-state.js';
import { TypedEmitter } from './typed-emitter.js';
import { giveUp, sendAsync } from './waiting-messages.js';
import type { WebSocket } from './websocket.js';

/** The methods and properties of a `WebSocket` that `ws` does not have. */
export abstract class Additions extends TypedEmitter<WebSocketEvents> {
  /** CONNECTING, OPEN, CLOSING or CLOSED. */
  abstract readonly readyState: ReadyState;
  /** @internal */
  abstract readonly _connection: Connection | undefined;
  /** @internal */
  abstract _refuse(bytes: number, cb: SendCallback | undefined): false;
  abstract close(): void;

  /**
   * Milliseconds from the last ping of `pingInterval` that was answered to its pong. Undefined before the first one, and
   * without `pingInterval`.
   */
  get latency(): number | undefined {
    return this._connection instanceof KeptConnection ? this._connection.latency : undefined;
  }

  /**
   * Sends a message, as a promise: it is fulfilled when the data was handed to the kernel.
   *
   * With `backpressure: 'wait'` a message is kept while more than `highWaterMark` waits, behind those that were kept
   * before; only then `data` counts as buffered, and until then it must not be changed. Await the promise, because
   * nothing limits how much is kept. `close`, the end of the connection and an abort of `signal` give up what is kept.
   * What `send` gets meanwhile makes what is kept buffered at once, as far as `maxBackpressure` leaves room.
   *
   * @throws (rejects) WebSocketError: `WS_ERR_BACKPRESSURE`, with the policies 'close' and 'drop', when
   * `maxBackpressure` leaves no room; `WS_ERR_CONNECTION_CLOSED` when the connection ended first. AbortError when
   * `signal` was aborted before the message was accepted. Error when it is not open; TypeError for other data.
   */
  sendAsync(data: SendData | PreparedMessage, options?: SendAsyncOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.readyState === ReadyState.Connecting) throw notOpenError(ReadyState.Connecting);
      const payload = toMessage(data);
      const signal = signalOption(options?.signal);
      if (signal?.aborted) throw abortError(signal);
      const onAbort = (): void => {
        if (this._connection && giveUp(this._connection, settle)) settle(abortError(signal as AbortSignal));
      };
      const settle = (error?: Error): void => {
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const connection = this._connection;
      const isBinary = kindOf(payload) !== MessageKind.Text;
      if (connection === undefined) this._refuse(byteLength(payload), settle);
      else withQueueFor(payload, connection, () => sendAsync(connection, payload, isBinary, options, settle));
      signal?.addEventListener('abort', onAbort);
    });
  }

  /**
   * Makes a writer for one message that is sent while it is written, so that it need not be in memory as a whole:
   * `await pipeline(createReadStream('film.mp4'), socket.createMessageWriter())`.
   *
   * The message has its place behind those that were sent before. What is sent later waits until the writer has ended,
   * within `maxBackpressure`; pings and pongs do not. A socket that is closed gives a writer that is destroyed.
   *
   * @throws Error while CONNECTING, and while the last part of a message that `send` began is to come; TypeError or
   * RangeError for an invalid option.
   */
  createMessageWriter(options: MessageWriterOptions = {}): MessageWriter {
    if (this.readyState === ReadyState.Connecting) throw notOpenError(ReadyState.Connecting);
    const connection = this._connection;
    const isOpen = connection?.readyState === ReadyState.Open;
    if (isOpen && (connection.queue?.endsInFragment ?? connection.endsInFragment)) {
      throw new Error('A message is under way: send its last part first (fin: true)');
    }
    return new MessageWriter(connection, options);
  }

  /**
   * The next message, as a promise.
   *
   * From the first call on, messages that nobody waits for are kept, and the socket is paused while there are 16 or 64 KiB
   * of them: take them all, iterate, or close. Several calls, and iterations, get one message each in the order in which
   * they asked. 'message' listeners get all messages as well. A `signal` ends the waiting and loses no message.
   *
   * @throws (rejects) the socket's error when that closed it; WebSocketError `WS_ERR_CONNECTION_CLOSED` when it was closed
   * otherwise; AbortError; TypeError for another signal; Error with the
   * option `messageStream`.
   */
  async receive(options: ReceiveOptions = {}): Promise<ReceivedMessage> {
    const message = await messagesOf(this as unknown as WebSocket).take(signalOption(options.signal));
    if (message === undefined) throw notReceivedError();
    return message;
  }

  /**
   * `for await (const { data, isBinary } of socket)`: the messages that arrive from now on and those that `receive` left,
   * until the connection is closed. The loop throws the socket's error, when that closed it. While 16 messages or 64 KiB
   * wait for the loop, the socket is paused.
   *
   * Leaving the loop early (`break`, `return`, an exception) drops what waits and closes the connection, as it destroys a
   * stream of Node's; `receive` takes single messages without that. Loops at the same time share the messages: each
   * message goes to one of them, and leaving one ends all.
   *
   * @throws Error with the option `messageStream`.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedMessage> {
    return new MessageIterator(this as unknown as WebSocket);
  }

  /**
   * Closes the connection and waits for 'close', for `await using`; errors meanwhile are not thrown. Messages that nobody
   * has taken with `receive` or `for await` are dropped.
   */
  [asyncDispose](): Promise<void> {
    return new Promise((resolve) => {
      this.on('error', () => {});
      this.once('close', () => resolve());
      cancelMessages(this as unknown as WebSocket);
      this.close();
      // Closed already, or made with null and never opened.
      if (this.readyState === ReadyState.Closed || this.readyState === ReadyState.Connecting) resolve();
    });
  }
}
