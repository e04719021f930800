// What the tests of the component's JavaScript face share.
import { component } from '../../lib';

export const { WebSocketHandle } = component;
export const Action = component.WEB_SOCKET_ACTION;
export const Queue = component.WEB_SOCKET_ACTION_QUEUE;
export const Type = component.WEB_SOCKET_BUFFER_TYPE;
export const Status = component.WEB_SOCKET_CLOSE_STATUS;
export const Property = component.WEB_SOCKET_PROPERTY_TYPE;

export type Handle = component.WebSocketHandle;

/** An INDICATE action, with copies of what it had. */
export interface Indication {
  action: number;
  type: number;
  data: Buffer | undefined;
  closeStatus: number;
  context: unknown;
}

/** Bytes under way in one direction. */
export type Wire = Buffer[];

/**
 * Carries out the actions of a queue until there are none: bytes to send go to `out`, bytes to receive come from `into`.
 * A read for which there are no bytes stays outstanding.
 */
export function run(
  handle: Handle,
  { queue = Queue.ALL_ACTION_QUEUE, into = [], out = [], capacity = 2 }: RunOptions = {},
): Indication[] {
  const seen: Indication[] = [];
  for (;;) {
    const action = handle.getAction(queue, capacity);
    let transferred = 0;
    switch (action.action) {
      case Action.NO_ACTION:
        return seen;
      case Action.SEND_TO_NETWORK_ACTION:
        for (const buffer of action.buffers) {
          out.push(Buffer.from(buffer));
          transferred += buffer.length;
        }
        break;
      case Action.RECEIVE_FROM_NETWORK_ACTION: {
        const chunk = into.shift();
        if (chunk === undefined) return seen;
        const [space] = action.buffers;
        transferred = Math.min(chunk.length, space.length);
        space.set(chunk.subarray(0, transferred));
        if (transferred < chunk.length) into.unshift(chunk.subarray(transferred));
        break;
      }
      default: {
        const { type, buffers, closeStatus, context } = action;
        const data = buffers.length === 0 ? undefined : Buffer.from(buffers[0]);
        seen.push({ action: action.action, type, data, closeStatus, context });
      }
    }
    handle.completeAction(action.actionContext, transferred);
  }
}
interface RunOptions {
  queue?: 1 | 2 | 3;
  into?: Wire;
  out?: Wire;
  capacity?: number;
}

type Properties = readonly component.Property[];

/** A client and a server handle that are open. */
export function openPair(clientProperties: Properties = [], serverProperties: Properties = []): [Handle, Handle] {
  const client = WebSocketHandle.createClientHandle(clientProperties);
  const server = WebSocketHandle.createServerHandle(serverProperties);
  const request = [...client.beginClientHandshake(['chat', 'json']), 'Host', 'localhost'];
  const response = server.beginServerHandshake(request, 'json');
  client.endClientHandshake(response);
  server.endServerHandshake();
  return [client, server];
}

/** A server handle that is open. */
export function openServer(properties: Properties = []): Handle {
  const server = WebSocketHandle.createServerHandle(properties);
  server.openWithoutHandshake();
  return server;
}

/** What a call throws. */
export function thrownBy(call: () => unknown): component.HResultError {
  try {
    call();
  } catch (error) {
    return error as component.HResultError;
  }
  throw new Error('nothing was thrown');
}
