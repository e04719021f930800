// The client that is measured, in the words of the WHATWG standard: the same program for each class that knows them.
import { tell } from './tell.mjs';

/** @param WebSocket the class */
export function connect(WebSocket) {
  process.once('message', ({ port, connections }) => {
    for (let i = 0; i < connections; i++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      socket.binaryType = 'arraybuffer';
      socket.onmessage = ({ data }) => socket.send(data);
      socket.onerror = () => {
        throw new Error('the connection failed');
      };
    }
  });
  tell({ ready: true });
}
