/**
 * Connections whose handshake was made by somebody else: `socket.setSocket`. The driver makes connections from handshakes
 * only, so they get one that nobody sees.
 */
import { createHash } from 'node:crypto';
import { driver } from './dispatch.js';
import type { ResolvedSettings } from './options.js';
import { handshakeFields } from './server-handshake.js';
import { optionsNumber } from './session-options.js';

/** A valid request: the example of RFC 6455, 1.3. */
const request = handshakeFields({ 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' });

/** What the server appends to the client's key (RFC 6455, 1.3). */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Makes one side of a connection, with nothing of a handshake to send; returns the driver's number of it. */
export function adoptConnection(isServer: boolean, settings: ResolvedSettings): number {
  const options = optionsNumber(settings);
  if (isServer) {
    driver.acceptHandshake(options, request, '');
    return driver.lastId;
  }
  const fields = driver.beginHandshake(options, []);
  const id = driver.lastId;
  const key = fields[fields.indexOf('Sec-WebSocket-Key') + 1];
  const accept = createHash('sha1').update(`${key}${acceptSuffix}`).digest('base64');
  driver.endHandshake(id, ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Accept', accept]);
  return id;
}
