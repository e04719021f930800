/** What `import` gives: the class as default, and every name. */
export { component, createWebSocketStream, Server, WebSocket, WebSocketServer } from './index.js';
export { WebSocket as default } from './index.js';
export type * from './index.js';
