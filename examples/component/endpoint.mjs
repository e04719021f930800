// A driver for the component: it carries out the actions of one handle over any transport that moves bytes.
//
// The component does no I/O. send() and receive() only queue operations; getAction() says what to do next, and
// completeAction() reports that it was done. That is the whole of a driver, and pump() below is its loop.
import { component } from 'websocket-component';

const {
  WebSocketHandle,
  WEB_SOCKET_ACTION: Action,
  WEB_SOCKET_ACTION_QUEUE: Queue,
  WEB_SOCKET_BUFFER_TYPE: BufferType,
} = component;

export class Endpoint {
  #handle;
  #write;
  #received;
  #failed;
  #queue = Queue.ALL_ACTION_QUEUE;
  #isClosing = false;
  /** The RECEIVE_FROM_NETWORK action that waits for bytes. */
  #read;

  /**
   * @param handle an open WebSocketHandle
   * @param write sends bytes, a Uint8Array of their own, to the other side
   * @param received is called with each action that says that something has arrived
   * @param failed is called with an Error when the other side broke the protocol and was told so with a Close frame
   */
  constructor(handle, write, received, failed = raise) {
    this.#handle = handle;
    this.#write = write;
    this.#received = received;
    this.#failed = failed;
    handle.receive();
    this.pump();
  }

  /** After close() it has no effect, as the Close frame is the last one. */
  send(text) {
    if (this.#isClosing) return;
    this.#handle.send(BufferType.UTF8_MESSAGE_BUFFER_TYPE, Buffer.from(text));
    this.pump();
  }

  /** Begins the closing handshake, or answers the other side's Close frame. The second call has no effect. */
  close(status, reason = '') {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#handle.send(BufferType.CLOSE_BUFFER_TYPE, { status, reason: Buffer.from(reason) });
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
      this.#handle.completeAction(actionContext, count);
      this.pump();
    }
  }

  /** The action loop: carries out what there is to do, until there is nothing but to wait for bytes. */
  pump() {
    for (;;) {
      const action = this.#nextAction();
      switch (action.action) {
        case Action.NO_ACTION:
          return;
        case Action.SEND_TO_NETWORK_ACTION:
          this.#sendToNetwork(action);
          break;
        case Action.RECEIVE_FROM_NETWORK_ACTION:
          this.#read = action; // completed by bytes(); what is to be sent goes on meanwhile
          break;
        case Action.INDICATE_SEND_COMPLETE_ACTION:
          this.#handle.completeAction(action.actionContext, 0); // the memory that was passed to send() is free again
          break;
        case Action.INDICATE_RECEIVE_COMPLETE_ACTION:
          this.#indicateReceive(action);
          break;
      }
    }
  }

  #nextAction() {
    try {
      return this.#handle.getAction(this.#queue);
    } catch (error) {
      const { closeStatus, reason } = this.#handle.getFault();
      if (closeStatus === 0) throw error;
      this.#queue = Queue.SEND_ACTION_QUEUE; // nothing is received any more; the Close frame is still to be sent
      this.close(closeStatus, reason); // comes back here, on the other queue
      this.#failed(new Error(reason));
      return this.#handle.getAction(this.#queue);
    }
  }

  #sendToNetwork({ buffers, actionContext }) {
    // The component uses its memory again once the action is complete, and this transport writes later: so a copy.
    const bytes = Buffer.concat(buffers);
    this.#handle.completeAction(actionContext, bytes.length);
    this.#write(Uint8Array.from(bytes));
  }

  #indicateReceive(action) {
    this.#received(action); // reads the buffers, which are the component's again after the next line
    this.#handle.completeAction(action.actionContext, 0);
    if (action.type !== BufferType.CLOSE_BUFFER_TYPE) this.#handle.receive(); // one operation, one piece of a message
  }
}

function raise(error) {
  throw error;
}

/** Two open handles, a client's and a server's, after an opening handshake without HTTP: only its header fields. */
export function connectedHandles() {
  const client = WebSocketHandle.createClientHandle();
  const server = WebSocketHandle.createServerHandle();
  const request = client.beginClientHandshake(['chat']);
  const response = server.beginServerHandshake([...request, 'Host', 'example'], 'chat');
  client.endClientHandshake(response);
  server.endServerHandshake();
  return { client, server };
}
