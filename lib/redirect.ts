/**
 * Redirects of a client's opening handshake (`followRedirects`): where they lead, how many are followed, and what the
 * new place must not learn. The rules are those of curl and `ws`.
 */
import type { IncomingMessage } from 'node:http';
import { parseAddress, type Target } from './url.js';

/** What is kept from another host, and from the same one without the TLS that the first request had. */
const credentials: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie']);
/** A Host header field of the caller's names the first host. */
const credentialsAndHost: ReadonlySet<string> = new Set([...credentials, 'host']);
const nothing: ReadonlySet<string> = new Set();

/** Where a response sends the client; undefined when it is no redirect. */
export function locationOf(response: IncomingMessage): string | undefined {
  const status = response.statusCode ?? 0;
  return status >= 300 && status < 400 ? response.headers.location : undefined;
}

/** The redirects of one handshake. */
export class Redirects {
  readonly #first: Target;
  readonly #max: number;
  #count = 0;

  /** @param first the target of the first request */
  constructor(first: Target, max: number) {
    this.#first = first;
    this.#max = max;
  }

  /**
   * The next target. A relative location on a Unix socket stays on that socket.
   * @throws Error when there were too many; SyntaxError as `parseAddress`.
   */
  next(location: string, from: Target): Target {
    if (++this.#count > this.#max) throw new Error('Maximum redirects exceeded');
    if (from.socketPath !== undefined && !URL.canParse(location)) {
      const { pathname, search } = resolve(location, `ws://localhost${from.path}`);
      return parseAddress(`${from.isSecure ? 'wss' : 'ws'}+unix:${from.socketPath}:${pathname}${search}`);
    }
    return parseAddress(resolve(location, from.href));
  }

  /** Header fields of the caller's, in lower case, that the target must not get. When there are any, no `auth` either. */
  withheldFrom(target: Target): ReadonlySet<string> {
    const { authority, socketPath, isSecure } = this.#first;
    if (target.authority !== authority || target.socketPath !== socketPath) return credentialsAndHost;
    return isSecure && !target.isSecure ? credentials : nothing;
  }
}

function resolve(location: string, base: string): URL {
  try {
    return new URL(location, base);
  } catch {
    throw new SyntaxError(`Invalid URL: ${location}`);
  }
}
