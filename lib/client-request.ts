/**
 * The HTTP request of a client's opening handshake: the caller's options, then what makes it a handshake, and the
 * connection that carries it.
 */
import { request as httpRequest, type ClientRequest, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as netConnect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls';
import type { HeaderList } from './native.js';
import type { ClientOptions } from './options.js';
import type { Target } from './url.js';

/**
 * Makes the request; nothing is sent before it is ended.
 *
 * @param auth `user:password`; an Authorization header field of the caller's comes first
 * @param fields the header fields of the handshake; they replace the caller's
 * @param withheld names in lower case of header fields of the caller's that this target must not get
 * @throws what Node's `http` throws for invalid options and header fields.
 */
export function makeRequest(
  target: Target,
  options: ClientOptions,
  auth: string | undefined,
  fields: HeaderList,
  withheld: ReadonlySet<string>,
): ClientRequest {
  const request = target.isSecure ? httpsRequest : httpRequest;
  return request({
    ...(options as RequestOptions),
    method: 'GET',
    headers: headersOf(options, fields, withheld),
    auth,
    host: target.host,
    hostname: undefined,
    port: target.port,
    path: target.path,
    socketPath: target.socketPath,
    protocol: undefined,
    timeout: undefined,
    signal: undefined, // is seen to by the handshake, for all of its requests
    defaultPort: target.isSecure ? 443 : 80,
    // Naming one keeps the default agent, with its pool of sockets, out of it.
    createConnection:
      (options.createConnection as RequestOptions['createConnection']) ??
      ((o) => connect(target, o as ConnectionOptions)),
  });
}

function headersOf(options: ClientOptions, fields: HeaderList, withheld: ReadonlySet<string>): OutgoingHttpHeaders {
  const replaced = new Set(fields.map((field) => field.toLowerCase()));
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    const known = name.toLowerCase();
    if (!replaced.has(known) && !withheld.has(known)) headers[name] = value;
  }
  if (options.origin) headers.Origin = options.origin;
  for (let i = 0; i < fields.length; i += 2) {
    headers[fields[i]] = fields[i + 1];
  }
  return headers;
}

/** Node's request passes its own options, in which `path` is the path of the URL. */
function connect(target: Target, options: ConnectionOptions): Socket {
  const path = target.socketPath;
  if (!target.isSecure) return netConnect({ ...options, path } as NetConnectOpts);
  const servername = options.servername ?? (isIP(target.host) ? '' : target.host);
  return tlsConnect({ ...options, path, servername });
}
