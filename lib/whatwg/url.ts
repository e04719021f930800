/** URLs and subprotocols of the WebSockets standard, and the ports that the Fetch standard blocks. */

/**
 * Gets a URL record: http and https become ws and wss; a relative URL is one of `location`, where there is one.
 * @throws "SyntaxError" DOMException when it is no URL, has another scheme, or a fragment.
 */
export function urlRecord(url: string): URL {
  const record = parse(url);
  if (record.protocol === 'http:') record.protocol = 'ws:';
  else if (record.protocol === 'https:') record.protocol = 'wss:';
  if (record.protocol !== 'ws:' && record.protocol !== 'wss:') {
    throw syntaxError(`The URL's scheme must be "ws", "wss", "http" or "https", not "${record.protocol.slice(0, -1)}"`);
  }
  // `hash` does not tell an empty fragment from none.
  if (record.href.includes('#')) throw syntaxError('The URL must not have a fragment');
  return record;
}

function parse(url: string): URL {
  try {
    return new URL(url, (globalThis as { location?: { href?: string } }).location?.href);
  } catch {
    throw syntaxError(`The URL is invalid: ${url}`);
  }
}

/** RFC 6455, 4.1: a token of RFC 2616. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** @throws "SyntaxError" DOMException when a subprotocol is invalid or comes twice. Case counts. */
export function requireProtocols(protocols: readonly string[]): void {
  const seen = new Set<string>();
  for (const protocol of protocols) {
    if (!token.test(protocol)) throw syntaxError(`The subprotocol "${protocol}" is invalid: it must be a token`);
    if (seen.has(protocol)) throw syntaxError(`The subprotocol "${protocol}" comes twice`);
    seen.add(protocol);
  }
}

function syntaxError(message: string): DOMException {
  return new DOMException(message, 'SyntaxError');
}

/** Fetch, "bad port". */
const badPorts = new Set(
  [
    [0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109],
    [110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531],
    [532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060],
    [5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080],
  ].flat(),
);

/** Whether the connection must fail because another protocol lives on the port. */
export function hasBadPort(url: URL): boolean {
  return url.port !== '' && badPorts.has(Number(url.port));
}
