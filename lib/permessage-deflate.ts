/** The option `perMessageDeflate`: what it means for the driver, which negotiates and compresses (RFC 7692). */
import type { ZlibOptions } from 'node:zlib';
import { count } from './checks.js';
import { describe } from './describe.js';
import { driver } from './dispatch.js';
import type { DeflateSettings } from './native.js';

/** The name by which `extensions` shows it. */
const permessageDeflate = 'permessage-deflate';

/**
 * What permessage-deflate may cost, in a word:
 *
 * - 'off': nothing is compressed, and the extension is not negotiated. The same as `false`.
 * - 'shared': each message is compressed by itself, in both directions. An idle connection holds no context: all of a
 *   thread share the few that wait in a pool, 4 for sending and 4 for receiving, 1.2 MiB. Messages below 1024 bytes stay
 *   as they are (`threshold`). A broadcast is compressed once. The same as `serverNoContextTakeover` and
 *   `clientNoContextTakeover`.
 * - 'dedicated': a message may refer to those before it (context takeover), unless the other side does not want that, so
 *   that small messages which resemble each other shrink much more. A context takes 260 KiB for sending and 40 KiB for
 *   receiving; the 128 connections of a thread that used theirs last hold them, 38 MiB at most, and each of the others
 *   up to 32 KiB of what it received last. A broadcast is compressed for each socket. The same as `true`.
 */
export type DeflatePreset = 'off' | 'shared' | 'dedicated';

/** Options of permessage-deflate, with the names and defaults of `ws`. */
export interface PerMessageDeflateOptions {
  /**
   * The server compresses each message by itself, which needs less memory and compresses less. Server: `true` uses it,
   * `false` declines a client that asks for it. Client: `true` asks for it. Default: as the other side wishes.
   */
  serverNoContextTakeover?: boolean;
  /**
   * The client compresses each message by itself. Server: `true` asks for it. Client: `true` uses it, `false` fails a
   * handshake whose server asks for it. Default: as the other side wishes.
   */
  clientNoContextTakeover?: boolean;
  /**
   * The window of what the server compresses: 8 to 15, for 256 bytes to 32 KiB. Server: the most that it uses; `false`
   * declines a client that limits it. Client: asks for no more. Default: as the other side wishes, at most 15.
   */
  serverMaxWindowBits?: number | false;
  /**
   * The window of what the client compresses, 8 to 15. Server: asks for no more, and declines a client that cannot be
   * asked; Client: the most that it uses; `false`: the server may not ask for less than 15. Default: as the other side wishes.
   */
  clientMaxWindowBits?: number | boolean;
  /** How messages are compressed: `level`, `memLevel` and `strategy` count. Default: zlib's. */
  zlibDeflateOptions?: ZlibOptions;
  /**
   * Has no effect. The window is the one that was negotiated (`ws` replaces `windowBits` too), and there are no chunks whose
   * size could be chosen (`chunkSize`): messages are inflated into the memory that they are delivered from. The limit is
   * `maxPayload`; `maxOutputLength` is not for streams, and has no effect in `ws`. A `dictionary` is not part of RFC 7692.
   * Default: none.
   */
  zlibInflateOptions?: ZlibOptions;
  /** Without context takeover, messages of fewer bytes are not compressed. Default: 1024. */
  threshold?: number;
  /**
   * So many large messages (128 KiB and more) are compressed at a time, on libuv's thread pool, for all sockets of this thread;
   * of several values the largest counts. 0 and Infinity: no limit. Smaller messages are compressed at once, and inflating
   * happens on the thread of the socket: both do not go through a queue. Default: 10.
   */
  concurrencyLimit?: number;
}

const defaultThreshold = 1024;

const presets: Record<DeflatePreset, PerMessageDeflateOptions | undefined> = {
  off: undefined,
  shared: { serverNoContextTakeover: true, clientNoContextTakeover: true },
  dedicated: {},
};

/** What a connection, its handshake done, negotiated: as `WebSocket.extensions` has it. */
export function extensionsOf(id: number, deflate: DeflateSettings | undefined): string {
  return deflate !== undefined && driver.compresses(id) ? permessageDeflate : '';
}

/**
 * Checks the option and puts it into the driver's form; undefined: the extension is not negotiated.
 * @throws TypeError or RangeError for an invalid option.
 */
export function resolveDeflate(option: unknown): DeflateSettings | undefined {
  const options = optionsOf(option);
  if (options === undefined) return undefined;
  const { level, memLevel, strategy } = options.zlibDeflateOptions ?? {};
  return {
    serverNoContextTakeover: flag('serverNoContextTakeover', options.serverNoContextTakeover),
    clientNoContextTakeover: flag('clientNoContextTakeover', options.clientNoContextTakeover),
    serverMaxWindowBits: windowBits('serverMaxWindowBits', options.serverMaxWindowBits),
    clientMaxWindowBits: windowBits('clientMaxWindowBits', options.clientMaxWindowBits),
    threshold: count(name('threshold'), options.threshold ?? defaultThreshold, 2 ** 32 - 1),
    level: zlibNumber('level', level, -1, 9),
    memLevel: zlibNumber('memLevel', memLevel, 1, 9),
    strategy: zlibNumber('strategy', strategy, 0, 4),
    concurrencyLimit: concurrency(options.concurrencyLimit),
  };
}

function optionsOf(option: unknown): PerMessageDeflateOptions | undefined {
  if (typeof option === 'boolean') return presets[option ? 'dedicated' : 'off'];
  if (typeof option === 'object' || option === undefined) return option ?? undefined;
  if (option === 'off' || option === 'shared' || option === 'dedicated') return presets[option];
  throw new TypeError(
    `The option "perMessageDeflate" must be a boolean, 'off', 'shared', 'dedicated' or an object, not ${describe(option)}`,
  );
}

function name(option: string): string {
  return `perMessageDeflate.${option}`;
}

function flag(option: string, value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  throw new TypeError(`The option "${name(option)}" must be a boolean, not ${describe(value)}`);
}

function windowBits(option: string, value: unknown): number | boolean | undefined {
  if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined;
  return inRange(name(option), value, 8, 15);
}

function concurrency(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const most = 2 ** 32 - 1;
  return value === Infinity ? most : inRange(name('concurrencyLimit'), value, 0, most) || most;
}

function zlibNumber(option: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  return inRange(name(`zlibDeflateOptions.${option}`), value, least, most);
}

function inRange(option: string, value: unknown, least: number, most: number): number {
  if (typeof value !== 'number') {
    throw new TypeError(`The option "${option}" must be a number, not ${describe(value)}`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`The option "${option}" must be a whole number from ${least} to ${most}, not ${value}`);
  }
  return value;
}
