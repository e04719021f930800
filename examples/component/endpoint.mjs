// A driver for the component in JavaScript: carries out the actions of one handle over any transport that moves bytes.
import { component } from 'websocket-component';

const { WEB_SOCKET_ACTION: Action, WEB_SOCKET_ACTION_QUEUE: Queue, WEB_SOCKET_BUFFER_TYPE: BufferType } = component;

export class Endpoint {
  /** The RECEIVE_FROM_NETWORK action that waits for bytes. */
  #read;

  /**
   * @param handle an open WEB_SOCKET_HANDLE
   * @param write sends bytes (a Uint8Array of their own) to the other side
   * @param received is called with the type and the buffer of each completed receive
   */
  constructor(handle, write, received) {
    this.handle = handle;
    this.write = write;
    this.received = received;
    handle.receive();
    this.pump();
  }

  send(text) {
    this.handle.send(BufferType.UTF8_MESSAGE_BUFFER_TYPE, Buffer.from(text));
    this.pump();
  }

  close(status, reason) {
    this.handle.send(BufferType.CLOSE_BUFFER_TYPE, { status, reason: Buffer.from(reason) });
    this.pump();
  }

  /** Bytes came from the other side, in any split. */
  bytes(chunk) {
    while (chunk.length > 0 && this.#read !== undefined) {
      const { buffers, actionContext } = this.#read;
      const count = Math.min(chunk.length, buffers[0].length);
      buffers[0].set(chunk.subarray(0, count));
      chunk = chunk.subarray(count);
      this.#read = undefined;
      this.handle.completeAction(actionContext, count);
      this.pump();
    }
  }

  /** The action loop: until nothing is left to do but to wait for bytes. */
  pump() {
    while (true) {
      const action = this.handle.getAction(Queue.ALL_ACTION_QUEUE);
      let transferred = 0;
      switch (action.action) {
        case Action.NO_ACTION:
          return;
        case Action.SEND_TO_NETWORK_ACTION:
          // A copy, because the component uses its memory again once the action is complete.
          for (const buffer of action.buffers) {
            this.write(Uint8Array.from(buffer));
            transferred += buffer.length;
          }
          break;
        case Action.RECEIVE_FROM_NETWORK_ACTION:
          this.#read = action;
          continue; // completed by bytes(); what is to be sent goes on meanwhile
        case Action.INDICATE_RECEIVE_COMPLETE_ACTION:
          this.received(action.type, action.buffers[0]);
          break;
        case Action.INDICATE_SEND_COMPLETE_ACTION:
          break; // the memory that was passed to send() is free again
      }
      const more =
        action.action === Action.INDICATE_RECEIVE_COMPLETE_ACTION && action.type !== BufferType.CLOSE_BUFFER_TYPE;
      this.handle.completeAction(action.actionContext, transferred);
      if (more) this.handle.receive();
    }
  }
}

/** Two open handles, a client's and a server's, after an opening handshake without HTTP: only its header fields. */
export function connectedHandles() {
  const client = component.Handle.createClientHandle();
  const server = component.Handle.createServerHandle();
  const request = client.beginClientHandshake(['chat']);
  const response = server.beginServerHandshake([...request, 'Host', 'example'], 'chat');
  client.endClientHandshake(response);
  server.endServerHandshake();
  return { client, server };
}
