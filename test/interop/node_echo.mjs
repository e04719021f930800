// Node's built-in WebSocket, which sends back what it gets. Reads URLs from standard input, one a line, and serves each
// connection until it is closed; ends when standard input ends. conversation.ts tells what the other side asks of it, and
// what it prints. Node 20 needs --experimental-websocket.
import { once } from 'node:events';
import { createInterface } from 'node:readline';

for await (const url of createInterface({ input: process.stdin })) {
  const socket = new globalThis.WebSocket(url, ['other', 'conversation']);
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => {
    const [, code, reason] = (typeof data === 'string' && /^command: close (\d+) ?(.*)$/.exec(data)) || [];
    if (code === undefined) socket.send(data);
    else socket.close(Number(code), reason);
  };
  const [{ code, reason }] = await once(socket, 'close');
  console.log(`closed ${code} ${reason}`.trimEnd());
}
