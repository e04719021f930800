/** What `import` gives: the class as default, and every name. */
import WebSocket from './cjs.cjs';

export { component, createWebSocketStream, PreparedMessage, Server, WebSocketServer } from './index.js';
// As the default of CommonJS, because that one has the types of its namespace.
export { WebSocket, WebSocket as default };
export type * from './index.js';
