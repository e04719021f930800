/** The address of a client: which URLs there are, and how a request reaches them. */

/** Where a client connects to. */
export interface Target {
  /** The URL with a WebSocket scheme. */
  href: string;
  /** TLS or not. */
  isSecure: boolean;
  host: string;
  port: number;
  /** Host and port as the URL has them; empty for a Unix socket. */
  authority: string;
  /** Path and query, for the request line. */
  path: string;
  /** The Unix socket of a ws+unix: or wss+unix: URL. */
  socketPath: string | undefined;
  /** `user:password` of the URL. */
  auth: string | undefined;
}

/** Schemes: TLS or not, and a Unix socket or not. HTTP's schemes stand for WebSocket's. */
const schemes = new Map([
  ['ws:', { name: 'ws:', isSecure: false, isUnix: false }],
  ['wss:', { name: 'wss:', isSecure: true, isUnix: false }],
  ['http:', { name: 'ws:', isSecure: false, isUnix: false }],
  ['https:', { name: 'wss:', isSecure: true, isUnix: false }],
  ['ws+unix:', { name: 'ws+unix:', isSecure: false, isUnix: true }],
  ['wss+unix:', { name: 'wss+unix:', isSecure: true, isUnix: true }],
]);

/**
 * Reads an address.
 * @throws SyntaxError when it is no URL, holds a CR, LF or NUL, has another scheme or a fragment, or names no Unix socket.
 */
export function parseAddress(address: string | URL): Target {
  const url = parse(address);
  const scheme = schemes.get(url.protocol);
  if (scheme === undefined) {
    throw new SyntaxError(
      `The URL's protocol must be one of ${[...schemes.keys()].map((name) => `"${name}"`).join(', ')}, not "${url.protocol}"`,
    );
  }
  if (url.hash !== '') throw new SyntaxError('The URL contains a fragment identifier');
  const { isSecure, isUnix } = scheme;
  const target: Target = {
    href: scheme.name + url.href.slice(url.protocol.length),
    isSecure,
    host: url.hostname.replace(/^\[|\]$/g, ''), // an IPv6 address
    authority: url.host,
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    socketPath: undefined,
    auth: url.username === '' && url.password === '' ? undefined : `${decode(url.username)}:${decode(url.password)}`,
  };
  return isUnix ? unixTarget(target, url) : target;
}

function parse(address: string | URL): URL {
  if (address instanceof URL) return address;
  // The URL parser would leave them out or encode them.
  if (/[\r\n\0]/.test(address)) throw new SyntaxError('The URL contains a CR, LF or NUL character');
  try {
    return new URL(address);
  } catch {
    throw new SyntaxError(`Invalid URL: ${address}`);
  }
}

/** ws+unix:/path/of/socket:/path/of/request */
function unixTarget(target: Target, url: URL): Target {
  if (url.pathname === '') throw new SyntaxError("The URL's pathname is empty");
  const colon = target.path.indexOf(':');
  const socketPath = colon === -1 ? target.path : target.path.slice(0, colon);
  return {
    ...target,
    host: 'localhost',
    authority: '',
    socketPath,
    path: colon === -1 ? '/' : target.path.slice(colon + 1),
  };
}

/** Percent-decodes; what is no valid UTF-8 stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
