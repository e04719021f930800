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

/** So many header fields Node keeps of a request; what stood behind them is lost. */
const maxFields = 1000;

/**
 * What is wrong with an upgrade request. It may come from any host: header fields may be missing, or not be strings.
 */
export function checkRequest(request: IncomingMessage): Refusal | undefined {
  const {
    upgrade,
    'sec-websocket-key': key,
    'sec-websocket-version': version,
  } = ((request as Partial<IncomingMessage>).headers ?? {}) as Partial<Record<string, unknown>>;
  if (request.method !== 'GET') {
    return { status: 405, message: 'Invalid HTTP method', headers: { Allow: 'GET' } };
  }
  if (hasTooManyFields(request)) return { status: 400, message: 'Too many header fields' };
  if (!listContains(upgrade, 'websocket')) return { status: 400, message: 'Invalid Upgrade header' };
  if (typeof key !== 'string' || !validKey.test(key)) {
    return { status: 400, message: 'Missing or invalid Sec-WebSocket-Key header' };
  }
  if (version === undefined) return { status: 400, message: 'Missing Sec-WebSocket-Version header' };
  if (version !== '13' && version !== 13) {
    return { status: 426, message: 'Unsupported Sec-WebSocket-Version header', headers: upgradeRequired };
  }
  return undefined;
}

/** Whether the host may have lost fields. */
function hasTooManyFields({ rawHeaders }: Partial<IncomingMessage>): boolean {
  return Array.isArray(rawHeaders) && rawHeaders.length >= 2 * maxFields;
}

/** What every handshake has. Node has seen that Connection is right, and nothing depends on Host. */
const commonFields = Object.entries({
  Host: 'localhost',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
}).flat();

const negotiatedFields = ['sec-websocket-protocol', 'sec-websocket-extensions'] as const;

/**
 * The header fields of a request that `checkRequest` found right, names and values in turn, for the component: from
 * `request.headers`, which the program may have changed, or made itself. (Node joins fields that come twice, which makes a
 * key or a version invalid.)
 */
export function handshakeFields(headers: IncomingHttpHeaders): string[] {
  const fields = commonFields.concat('Sec-WebSocket-Key', headers['sec-websocket-key'] as string);
  for (const name of negotiatedFields) {
    const value = headers[name];
    if (typeof value === 'string') fields.push(name, value);
  }
  return fields;
}

const noProtocols = new Set<string>();

/** The subprotocols that a request offers; undefined when the header field is malformed. */
export function offeredProtocols(request: IncomingMessage): Set<string> | undefined {
  const field: unknown = request.headers['sec-websocket-protocol'];
  if (field === undefined) return noProtocols;
  if (typeof field !== 'string') return undefined;
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
    case 'E_FAIL':
    case 'E_OUTOFMEMORY':
      return internalError;
    default: // also a TypeError, for header fields that are no pairs of strings
      return { status: 400, message: 'Invalid WebSocket handshake' };
  }
}

/** The lines of a response's head, without the empty one at its end: for the 'headers' event. */
export function linesOf(head: string): string[] {
  return head.slice(0, -4).split('\r\n');
}

/** As in Node's `http`: what is left out would end the line, or the head, or become that when it is sent as Latin-1. */
const validLine = /^[\t\x20-\x7e\x80-\xff]+$/;

/**
 * The head of a response.
 * @throws TypeError when a line is empty, or holds a control character such as CR, LF and NUL, or one beyond Latin-1.
 */
export function headOf(lines: string[]): string {
  for (const line of lines) {
    if (typeof line !== 'string' || !validLine.test(line)) {
      throw new TypeError(
        `A header line must be a string without CR, LF and NUL, of other Latin-1 characters, not ${JSON.stringify(line)}`,
      );
    }
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Sends an HTTP error and ends the connection.
 * @throws RangeError for another status than 200 to 599, TypeError for header fields as in `headOf`: what is sent then is
 * 500 alone.
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

function listContains(field: unknown, element: string): boolean {
  if (typeof field !== 'string') return false;
  return field === element || field.split(',').some((part) => part.trim().toLowerCase() === element);
}
