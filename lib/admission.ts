/**
 * Which clients a server admits by `allowedOrigins`, `maxConnections` and `maxConnectionsPerAddress`, before the program
 * sees them.
 */
import type { IncomingMessage } from 'node:http';
import { count } from './checks.js';
import { describe } from './describe.js';
import type { ServerOptions } from './server-options.js';
import type { Refusal } from './server-handshake.js';
import type { WebSocket } from './websocket.js';

export class Admission {
  readonly #origins: ReadonlySet<string> | undefined;
  /** 0: no limit. */
  readonly #max: number;
  readonly #maxPerAddress: number;
  /** With a limit for each address: that of every socket, and how many there are of each. */
  readonly #addresses = new Map<WebSocket, string>();
  readonly #counts = new Map<string, number>();

  /** @throws TypeError or RangeError for an invalid option. */
  constructor(options: ServerOptions) {
    this.#origins = checkOrigins(options.allowedOrigins ?? undefined);
    this.#max = count('maxConnections', options.maxConnections ?? 0);
    this.#maxPerAddress = count('maxConnectionsPerAddress', options.maxConnectionsPerAddress ?? 0);
  }

  /** Refuses the web pages of other origins. Programs that are no browsers send no origin, and could send any. */
  checkOrigin({ headers: { origin } }: IncomingMessage): Refusal | undefined {
    if (this.#origins === undefined || origin === undefined || this.#origins.has(origin)) return undefined;
    return { status: 403, message: 'Origin not allowed' };
  }

  /** Refuses what is one too many. @param open how many sockets the server has */
  checkLimits(request: IncomingMessage, open: number): Refusal | undefined {
    if (this.#max > 0 && open >= this.#max) return { status: 503, message: 'Too many connections' };
    if (this.#maxPerAddress > 0 && (this.#counts.get(addressOf(request)) ?? 0) >= this.#maxPerAddress) {
      return { status: 429, message: 'Too many connections from this address' };
    }
    return undefined;
  }

  /** The socket exists, until it is `left`. @param address of its peer; must be asked for before the socket is taken over */
  joined(socket: WebSocket, address: string): void {
    if (this.#maxPerAddress === 0) return;
    this.#addresses.set(socket, address);
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
  }

  left(socket: WebSocket): void {
    const address = this.#addresses.get(socket);
    if (address === undefined) return;
    this.#addresses.delete(socket);
    const others = (this.#counts.get(address) ?? 0) - 1;
    if (others > 0) this.#counts.set(address, others);
    else this.#counts.delete(address);
  }

  /** The address to join with; not asked for without a limit, because that costs a system call. */
  addressOf(request: IncomingMessage): string {
    return this.#maxPerAddress === 0 ? '' : addressOf(request);
  }
}

/** All clients of a Unix socket have the same address. */
function addressOf(request: IncomingMessage): string {
  return (request as Partial<IncomingMessage>).socket?.remoteAddress ?? '';
}

function checkOrigins(origins: unknown): ReadonlySet<string> | undefined {
  if (origins === undefined) return undefined;
  if (!Array.isArray(origins)) {
    throw new TypeError(`The option "allowedOrigins" must be an array of strings, not ${describe(origins)}`);
  }
  for (const origin of origins as unknown[]) {
    if (typeof origin !== 'string' || !isOrigin(origin)) {
      throw new TypeError(
        `The option "allowedOrigins" must hold origins as browsers send them, ` +
          `for example "https://example.com" or "http://localhost:8080", not ${describe(origin)}`,
      );
    }
  }
  return new Set(origins as string[]);
}

/** Whether a browser could send it (RFC 6454, 6.2): anything else would silently never match. */
function isOrigin(text: string): boolean {
  if (text === 'null') return true;
  if (!URL.canParse(text)) return false;
  const { origin, protocol, host } = new URL(text);
  return text === (origin === 'null' ? `${protocol}//${host}` : origin); // of schemes such as chrome-extension:
}
