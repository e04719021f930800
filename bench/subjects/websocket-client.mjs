// The client that is measured, the same program for every WebSocket library: opens the connections that the runner asks
// for and sends back every message that it gets.
import { tell } from './tell.mjs';

/** @param WebSocket the class of the library */
export function connect(WebSocket, options) {
  process.once('message', ({ port, connections }) => {
    for (let i = 0; i < connections; i++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, options);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      socket.on('error', (error) => {
        throw error;
      });
    }
  });
  tell({ ready: true });
}
