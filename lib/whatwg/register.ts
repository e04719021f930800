/**
 * `import 'websocket-component/register'`: the classes of the WebSockets standard become globals, in place of Node's own
 * where it has them. Code that was loaded before and has kept the old ones is not reached.
 *
 * @packageDocumentation
 */
import { CloseEvent, WebSocket, WebSocketError, WebSocketStream } from './index.js';

for (const [name, value] of Object.entries({ CloseEvent, WebSocket, WebSocketError, WebSocketStream })) {
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}
