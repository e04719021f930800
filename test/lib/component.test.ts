// The thirteen functions from JavaScript: two handles talk over a pipe that is two arrays.
import { component } from '../../lib';

const { Handle, WEB_SOCKET_ACTION: Action, WEB_SOCKET_ACTION_QUEUE: Queue, WEB_SOCKET_BUFFER_TYPE: Type } = component;
const { WEB_SOCKET_CLOSE_STATUS: Status, WEB_SOCKET_PROPERTY_TYPE: Property } = component;

interface Indication {
  type: number;
  text: string;
  context: unknown;
}

/** Runs every action of a handle: bytes to send go to `out`, bytes to receive come from `into`. */
function run(handle: component.Handle, into: Buffer[], out: Buffer[], seen: Indication[]): void {
  for (;;) {
    const action = handle.getAction(Queue.ALL_ACTION_QUEUE, 2);
    let transferred = 0;
    switch (action.action) {
      case Action.NO_ACTION:
        return;
      case Action.SEND_TO_NETWORK_ACTION:
        for (const buffer of action.buffers as Uint8Array[]) {
          out.push(Buffer.from(buffer));
          transferred += buffer.length;
        }
        break;
      case Action.RECEIVE_FROM_NETWORK_ACTION: {
        const chunk = into.shift();
        if (chunk === undefined) return; // stays outstanding
        const [space] = action.buffers as Uint8Array[];
        space.set(chunk.subarray(0, space.length));
        transferred = Math.min(chunk.length, space.length);
        if (transferred < chunk.length) into.unshift(chunk.subarray(transferred));
        break;
      }
      case Action.INDICATE_RECEIVE_COMPLETE_ACTION: {
        const [buffer] = action.buffers;
        const text = 'status' in buffer ? String(buffer.status) : Buffer.from(buffer).toString();
        seen.push({ type: action.type, text, context: action.context });
        break;
      }
    }
    handle.completeAction(action.actionContext, transferred);
  }
}

function openPair(): [component.Handle, component.Handle] {
  const client = Handle.createClientHandle();
  const server = Handle.createServerHandle();
  const request = [...client.beginClientHandshake(['chat']), 'Host', 'localhost'];
  const response = server.beginServerHandshake(request, 'chat');
  expect(client.endClientHandshake(response)).toEqual({ extensions: [], subprotocol: 0 });
  server.endServerHandshake();
  return [client, server];
}

test('a client and a server handle exchange a message', () => {
  const [client, server] = openPair();
  const wire: Buffer[] = [];
  const seen: Indication[] = [];
  const context = { any: 'object' };
  client.send(Type.UTF8_MESSAGE_BUFFER_TYPE, Buffer.from('hello'), 'sent');
  run(client, [], wire, []);
  expect(Buffer.concat(wire).length).toBe(2 + 4 + 5);
  server.receive(null, context);
  run(server, wire, [], seen);
  expect(seen).toEqual([{ type: Type.UTF8_MESSAGE_BUFFER_TYPE, text: 'hello', context }]);
  client.abort();
  client.delete();
  server.delete();
});

test('a close status arrives', () => {
  const [client, server] = openPair();
  const wire: Buffer[] = [];
  const seen: Indication[] = [];
  server.send(Type.CLOSE_BUFFER_TYPE, { status: Status.ENDPOINT_UNAVAILABLE_CLOSE_STATUS, reason: Buffer.from('bye') });
  run(server, [], wire, []);
  client.receive();
  run(client, wire, [], seen);
  expect(seen).toEqual([{ type: Type.CLOSE_BUFFER_TYPE, text: '1001', context: undefined }]);
  client.delete();
  server.delete();
});

test('errors carry the HRESULT and its name', () => {
  const server = Handle.createServerHandle();
  let thrown: component.HResultError | undefined;
  try {
    server.beginServerHandshake(['Host', 'localhost']);
  } catch (error) {
    thrown = error as component.HResultError;
  }
  expect(thrown?.hresult).toBe(0x83760002);
  expect(thrown?.code).toBe('E_INVALID_PROTOCOL_FORMAT');
  server.delete();
});

test('properties, global properties and versions', () => {
  const handle = Handle.createClientHandle([{ type: Property.RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, value: 512 }]);
  handle.delete();
  expect(Handle.getGlobalProperty(Property.KEEPALIVE_INTERVAL_PROPERTY_TYPE)).toBe(30_000);
  expect(Handle.getGlobalProperty(Property.SUPPORTED_VERSIONS_PROPERTY_TYPE)).toEqual([13]);
  expect(component.versions.openssl).toMatch(/\d+\.\d+/);
});

test('a deleted handle is refused, not followed', () => {
  const handle = Handle.createClientHandle();
  handle.delete();
  expect(() => handle.receive()).toThrow();
  expect(() => handle.getAction(Queue.ALL_ACTION_QUEUE)).toThrow();
  expect(() => handle.delete()).toThrow();
});
