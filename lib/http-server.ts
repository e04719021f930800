/** The HTTP server of a `WebSocketServer` with `port`: its only answer to plain requests is that they should upgrade. */
import { createServer, STATUS_CODES, type Server } from 'node:http';
import { milliseconds } from './checks.js';
import { defaultHandshakeTimeout, type ServerOptions } from './server-options.js';
import { upgradeRequired } from './server-handshake.js';

/**
 * Makes the server; it does not listen yet.
 * @throws TypeError or RangeError for an invalid `handshakeTimeout`.
 */
export function createHttpServer(options: ServerOptions): Server {
  const timeout = milliseconds('handshakeTimeout', options.handshakeTimeout ?? defaultHandshakeTimeout);
  return createServer(
    {
      headersTimeout: timeout,
      requestTimeout: timeout,
      // How often Node looks for late requests: they are cut so much later at most.
      connectionsCheckingInterval: timeout === 0 ? undefined : Math.min(500, Math.max(50, Math.ceil(timeout / 4))),
    },
    (_request, response) => {
      const body = STATUS_CODES[426] ?? '';
      response.writeHead(426, {
        ...upgradeRequired,
        Connection: 'Upgrade',
        'Content-Length': body.length,
        'Content-Type': 'text/plain; charset=utf-8',
      });
      response.end(body);
    },
  );
}
