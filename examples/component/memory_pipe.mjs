// A client and a server handle in one process, joined by an in-memory pipe that splits the stream after every byte.
// Run: node examples/component/memory_pipe.mjs
import assert from 'node:assert';
import { component } from 'websocket-component';
import { connectedHandles, Endpoint } from './endpoint.mjs';

const { CLOSE_BUFFER_TYPE, UTF8_MESSAGE_BUFFER_TYPE } = component.WEB_SOCKET_BUFFER_TYPE;

const handles = connectedHandles();
const log = [];
const pipe = []; // what is under way: the receiving end and the bytes

const server = new Endpoint(
  handles.server,
  (bytes) => pipe.push({ to: client, bytes }),
  ({ type, buffers, closeStatus }) => {
    if (type === UTF8_MESSAGE_BUFFER_TYPE) server.send(`echo: ${Buffer.from(buffers[0])}`);
    if (type === CLOSE_BUFFER_TYPE) server.close(closeStatus); // the component does not answer a Close by itself
  },
);
const client = new Endpoint(
  handles.client,
  (bytes) => pipe.push({ to: server, bytes }),
  ({ type, buffers, closeStatus }) => {
    log.push(type === CLOSE_BUFFER_TYPE ? `closed with ${closeStatus}` : Buffer.from(buffers[0]).toString());
  },
);

client.send('hello');
client.send('world');
client.close(1000, 'done');
for (let next = pipe.shift(); next !== undefined; next = pipe.shift()) {
  for (let at = 0; at < next.bytes.length; ++at) next.to.bytes(next.bytes.subarray(at, at + 1));
}
handles.client.delete();
handles.server.delete();

console.log(log.join('\n'));
assert.deepStrictEqual(log, ['echo: hello', 'echo: world', 'closed with 1000']);
