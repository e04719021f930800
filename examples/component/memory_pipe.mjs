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
  (bytes) => pipe.push([client, bytes]),
  (type, buffer) => {
    if (type === UTF8_MESSAGE_BUFFER_TYPE) server.send(`echo: ${Buffer.from(buffer)}`);
    if (type === CLOSE_BUFFER_TYPE) server.close(buffer.status, ''); // the component never answers a Close by itself
  },
);
const client = new Endpoint(
  handles.client,
  (bytes) => pipe.push([server, bytes]),
  (type, buffer) =>
    log.push(type === CLOSE_BUFFER_TYPE ? `closed with ${buffer.status}` : Buffer.from(buffer).toString()),
);

client.send('hello');
client.send('world');
client.close(1000, 'done');
for (let next = pipe.shift(); next !== undefined; next = pipe.shift()) {
  const [end, bytes] = next;
  for (let at = 0; at < bytes.length; ++at) end.bytes(bytes.subarray(at, at + 1));
}
handles.client.delete();
handles.server.delete();

console.log(log.join('\n'));
assert.deepStrictEqual(log, ['echo: hello', 'echo: world', 'closed with 1000']);
