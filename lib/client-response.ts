/** What was wrong with a server's response to the opening handshake, in the words of `ws`. */
import type { IncomingMessage } from 'node:http';
import type { HResultError } from './native.js';

/** The error for a 101 response that the component refused. */
export function responseError(
  response: IncomingMessage,
  offered: string[],
  offersDeflate: boolean,
  refusal: HResultError,
): Error {
  const protocol = response.headers['sec-websocket-protocol'];
  switch (refusal.code) {
    case 'E_SUBPROTOCOL_NOT_SUPPORTED':
    case 'E_UNSUPPORTED_SUBPROTOCOL':
      if (protocol === undefined) return new Error('Server sent no subprotocol');
      if (offered.length === 0) return new Error('Server sent a subprotocol but none was requested');
      return new Error('Server sent an invalid subprotocol');
    case 'E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED':
    case 'E_UNSUPPORTED_EXTENSION':
      if (offersDeflate) return new Error('Invalid Sec-WebSocket-Extensions header');
      return new Error('Server sent a Sec-WebSocket-Extensions header but no extension was requested');
    case 'E_INVALID_PROTOCOL_FORMAT':
      return upgradeError(response.headers) ?? new Error('Invalid Sec-WebSocket-Accept header');
    default:
      return refusal;
  }
}

/** What is wrong with the header fields of a 101 response that switch to another protocol; undefined: nothing. */
function upgradeError(headers: IncomingMessage['headers']): Error | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return new Error('Invalid Upgrade header');
  const elements = headers.connection?.toLowerCase().split(/[ \t]*,[ \t]*/) ?? [];
  return elements.includes('upgrade') ? undefined : new Error('Invalid Connection header');
}
