/** Connections whose handshake was made by somebody else: `socket.setSocket`. */
import { driver } from './dispatch.js';
import type { ResolvedSettings } from './options.js';
import { optionsNumber } from './session-options.js';

/** A valid request (the example of RFC 6455, 1.3): the driver makes connections from handshakes only. */
const request = [
  ...['Host', 'localhost', 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
  ...['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version', '13'],
];

/** Makes the server's side of a connection, with no response to send; returns the driver's number of it. */
export function adoptServerConnection(settings: ResolvedSettings): number {
  driver.acceptHandshake(optionsNumber(settings), request, '');
  return driver.lastId;
}
