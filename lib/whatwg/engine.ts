/**
 * The connection under an object of the standard: a socket of the `ws`-like class, with its handshake, limits and
 * transports, that tells its owner what the standard calls feedback from the protocol.
 */
import { signalOption } from '../checks.js';
import { byteLength } from '../data.js';
import type { ClientOptions } from '../options.js';
import { ReadyState } from '../ready-state.js';
import { WebSocket } from '../websocket.js';
import { hasBadPort } from './url.js';

/** How a connection ended. */
export interface Ending {
  /** The connection was failed, or was full: there is an error to report. */
  hasFailed: boolean;
  code: number;
  reason: string;
  wasClean: boolean;
}

const abnormalClosure = 1006;

// For every message: a constant of another module would be looked up at each use.
const { Open } = ReadyState;

/** What would break the standard otherwise. */
const fixed = {
  skipUTF8Validation: false,
  textType: 'string',
  delivery: 'copy',
  messageStream: false,
  backpressure: 'close',
  finishRequest: undefined,
  followRedirects: false,
} as const;

export class EngineSocket<Owner> extends WebSocket {
  readonly owner: Owner;
  /** The connection has to be failed, or is flagged as full. */
  hasFailed = false;
  /** Bytes that there was no room for. */
  #refused = 0;

  /**
   * Starts the handshake. Nothing is told to the owner before this has returned.
   * @throws TypeError or RangeError for an invalid option, and what Node's `http` throws for them.
   */
  constructor(owner: Owner, url: URL, protocols: string[], options: ClientOptions) {
    const settings: ClientOptions = { ...options, ...fixed };
    signalOption(options.signal);
    if (hasBadPort(url)) settings.signal = AbortSignal.abort();
    super(url.href, protocols, settings);
    this.owner = owner;
    this.on('error', noteFailure);
  }

  /** Our Close frame was sent, or the peer's has come. */
  get hasStartedClosing(): boolean {
    const connection = this._connection;
    return connection !== undefined && (connection.closeSent || connection.closeReceived);
  }

  /** What 'close' means. After a failure the peer's Close frame does not count (RFC 6455, 7.1.7). */
  ending(code: number, reason: Buffer): Ending {
    if (this._connection === undefined) this.hasFailed = true;
    if (this.hasFailed) return { hasFailed: true, code: abnormalClosure, reason: '', wasClean: false };
    return { hasFailed: false, code, reason: reason.toString(), wasClean: this._wasClean };
  }

  /** Payload bytes passed to `send` and not yet handed to the kernel, or never. */
  override get bufferedAmount(): number {
    return super.bufferedAmount + this.#refused;
  }

  /** Sends a message, and fails the connection when there is no room for it; see `WebSocket.send`. */
  override send(data: string | ArrayBuffer | Uint8Array | Blob): boolean {
    const connection = this._connection;
    const before = connection?.readyState;
    // Strings and bytes need none of the conversions of the other class.
    const hasRoom =
      connection === undefined || data instanceof Blob
        ? super.send(data)
        : connection.send(data, typeof data !== 'string', undefined);
    return hasRoom || this.#wait(data, before);
  }

  /** A message waits, or there was no room for it, and then its sending has closed the connection. */
  #wait(data: string | ArrayBuffer | Uint8Array | Blob, before: ReadyState | undefined): false {
    if (before === Open && this._connection?.readyState !== Open) {
      this.hasFailed = true;
      this.#refused += data instanceof Blob ? data.size : byteLength(data);
    }
    return false;
  }
}

function noteFailure(this: EngineSocket<unknown>): void {
  this.hasFailed = true;
}
