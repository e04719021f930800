/**
 * The HTTP side of a server's opening handshake (RFC 6455, 4.2): what a request must be, in words for the client that
 * is refused, and the responses. The component has the last word on the WebSocket header fields.
 */
import { STATUS_CODES, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HResultError } from './native.js';

/** Why a request is refused. */
export interface Refusal {
  /** The HTTP status. */
  status: number;
  /** The body, and the message of the 'wsClientError'. */
  message: string;
  headers?: OutgoingHttpHeaders;
}

/** The only version of the protocol (RFC 6455, 4.4), with what tells a client so. */
export const upgradeRequired = { 'Sec-WebSocket-Version': '13', Upgrade: 'websocket' };

/** For an exception of the program. */
export const internalError: Refusal = { status: 500, message: 'Internal Server Error' };

const validKey = /^[+/0-9A-Za-z]{22}==$/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What is wrong with an upgrade request. Header fields may be missing: Node cuts them off at its own limit. */
export function checkRequest(request: IncomingMessage): Refusal | undefined {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = request.headers;
  if (request.method !== 'GET') {
    return { status: 405, message: 'Invalid HTTP method', headers: { Allow: 'GET' } };
  }
  if (!listContains(upgrade, 'websocket')) return { status: 400, message: 'Invalid Upgrade header' };
  if (key === undefined || !validKey.test(key)) {
    return { status: 400, message: 'Missing or invalid Sec-WebSocket-Key header' };
  }
  if (version === undefined) return { status: 400, message: 'Missing Sec-WebSocket-Version header' };
  if (String(version) !== '13') {
    return { status: 426, message: 'Unsupported Sec-WebSocket-Version header', headers: upgradeRequired };
  }
  return undefined;
}

/** The fields of every handshake. Node has seen that Connection is right, and nothing depends on Host. */
const commonFields = [
  'Host',
  'localhost',
  'Connection',
  'Upgrade',
  'Upgrade',
  'websocket',
  'Sec-WebSocket-Version',
  '13',
];

/**
 * The header fields of a request that `checkRequest` found right, names and values in turn, for the component: from
 * `request.headers`, which the program may have changed, or made itself.
 */
export function handshakeFields(headers: IncomingHttpHeaders): string[] {
  const fields = [...commonFields, 'Sec-WebSocket-Key', headers['sec-websocket-key'] as string];
  for (const name of ['sec-websocket-protocol', 'sec-websocket-extensions'] as const) {
    const value = headers[name];
    if (value !== undefined) fields.push(name, value);
  }
  return fields;
}

const noProtocols = new Set<string>();

/** The subprotocols that a request offers; undefined when the header field is malformed. */
export function offeredProtocols(request: IncomingMessage): Set<string> | undefined {
  const field = request.headers['sec-websocket-protocol'];
  if (field === undefined) return noProtocols;
  const protocols = field.split(',').map((protocol) => protocol.trim());
  const offered = new Set(protocols);
  return offered.size === protocols.length && protocols.every((p) => token.test(p)) ? offered : undefined;
}

/** For a refusal of the component, where `checkRequest` found nothing. */
export function refusalOf(error: HResultError): Refusal {
  switch (error.code) {
    case 'E_PROTOCOL_VERSION_NOT_SUPPORTED':
      return { status: 426, message: 'Unsupported Sec-WebSocket-Version header', headers: upgradeRequired };
    case 'E_SUBPROTOCOL_NOT_SUPPORTED':
    case 'E_UNSUPPORTED_SUBPROTOCOL':
      return { status: 400, message: 'None of the offered subprotocols is supported' };
    case 'E_INVALID_PROTOCOL_FORMAT':
      return { status: 400, message: 'Invalid WebSocket handshake' };
    default:
      return internalError;
  }
}

/** The lines of a response's head, without the empty one at its end: for the 'headers' event. */
export function linesOf(head: string): string[] {
  return head.slice(0, -4).split('\r\n');
}

/**
 * The head of a response.
 * @throws TypeError when a line holds a CR, LF or NUL, which would let it add further lines.
 */
export function headOf(lines: string[]): string {
  for (const line of lines) {
    if (typeof line !== 'string' || /[\r\n\0]/.test(line)) {
      throw new TypeError(`A header line must be a string without CR, LF and NUL, not ${JSON.stringify(line)}`);
    }
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Sends an HTTP error and ends the connection.
 * @throws RangeError for another status than 200 to 599, TypeError for header fields with a CR, LF or NUL: what is sent
 * then is 500 alone.
 */
export function refuse(stream: Duplex, refusal: Refusal): void {
  try {
    end(stream, responseOf(refusal));
  } catch (error) {
    end(stream, responseOf(internalError));
    throw error;
  }
}

function end(stream: Duplex, response: Buffer): void {
  stream.on('error', destroyStream);
  stream.once('finish', destroyStream);
  stream.end(response);
}

function responseOf({ status, message, headers = {} }: Refusal): Buffer {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`The status of a refusal must be a whole number from 200 to 599, not ${status}`);
  }
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const fields: OutgoingHttpHeaders = {
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(message),
  };
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`];
  for (const [name, value] of Object.entries(fields)) {
    if (!given.has(name.toLowerCase())) lines.push(`${name}: ${String(value)}`);
  }
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value ?? []].flat()) lines.push(`${name}: ${one}`);
  }
  return Buffer.concat([Buffer.from(headOf(lines), 'latin1'), Buffer.from(message)]);
}

/** A listener of streams that carry no WebSocket connection. */
export function destroyStream(this: Duplex): void {
  this.destroy();
}

function listContains(field: string | undefined, element: string): boolean {
  if (field === undefined) return false;
  return field === element || field.split(',').some((part) => part.trim().toLowerCase() === element);
}
