// A client and a server handle that talk over a MessageChannel, as two threads or two frames of a browser could.
// Run: node examples/component/message_channel.mjs
import assert from 'node:assert';
import { MessageChannel } from 'node:worker_threads';
import { component } from 'websocket-component';
import { connectedHandles, Endpoint } from './endpoint.mjs';

const { CLOSE_BUFFER_TYPE } = component.WEB_SOCKET_BUFFER_TYPE;

const handles = connectedHandles();
const { port1, port2 } = new MessageChannel();
const log = [];

const server = new Endpoint(
  handles.server,
  (bytes) => port2.postMessage(bytes),
  ({ type, buffers, closeStatus }) => {
    if (type === CLOSE_BUFFER_TYPE) server.close(closeStatus);
    else server.send(Buffer.from(buffers[0]).toString().toUpperCase());
  },
);
const client = new Endpoint(
  handles.client,
  (bytes) => port1.postMessage(bytes),
  ({ type, buffers, closeStatus }) => {
    if (type === CLOSE_BUFFER_TYPE) {
      log.push(`closed with ${closeStatus}`);
      port1.close();
    } else {
      log.push(Buffer.from(buffers[0]).toString());
      client.close(1000);
    }
  },
);
port2.on('message', (bytes) => server.bytes(bytes));
port1.on('message', (bytes) => client.bytes(bytes));
port1.on('close', () => {
  handles.client.delete();
  handles.server.delete();
  console.log(log.join('\n'));
  assert.deepStrictEqual(log, ['HELLO', 'closed with 1000']);
});
client.send('hello');
