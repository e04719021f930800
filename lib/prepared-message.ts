/**
 * A message that is sent more than once: checked, converted to bytes and copied when it is made, and from then on shared
 * by all sends of it, on any number of sockets.
 */
import { BlobReader, isBlob, type BlobLike } from './blob.js';
import { toPayload, type Payload } from './data.js';
import { driver } from './dispatch.js';
import { describe } from './describe.js';
import type { SendData } from './options.js';

/** Options of `PreparedMessage`. */
export interface PreparedMessageOptions {
  /** Make a binary message. Default: true unless the data is a string or a number. */
  binary?: boolean;
}

/**
 * A message for `send`, `sendAsync` and `broadcast` that is made once and sent often, for example to the members of a
 * room one after the other. A payload of 4 KiB or more exists once, however many slow sockets it waits on. So does what
 * it is compressed to, once for each set of parameters (level, window and the like), and it is compressed no more often:
 * unless a connection has context takeover, whose bytes depend on what was sent on it before.
 *
 * Belongs to the thread that made it.
 *
 * @example
 * import { PreparedMessage, WebSocketServer } from 'websocket-component';
 *
 * const server = new WebSocketServer({ port: 8080 });
 * server.on('connection', () => {
 *   const news = new PreparedMessage(JSON.stringify({ members: server.clients.size }));
 *   for (const member of server.clients) member.send(news);
 * });
 */
export class PreparedMessage {
  /** Bytes of the payload. */
  readonly byteLength: number;
  /** Whether it is sent as binary or as text. */
  readonly isBinary: boolean;

  /**
   * @param data is copied: it may be changed or transferred as soon as this returns
   * @throws TypeError for data that `send` does not take, a Blob, or an invalid option.
   */
  constructor(data: Exclude<SendData, BlobLike>, options: PreparedMessageOptions = {}) {
    const payload = toPayload(data);
    const { binary = typeof payload !== 'string' }: { binary?: unknown } = options;
    if (typeof binary !== 'boolean') {
      throw new TypeError(`The option "binary" must be true or false, not ${describe(binary)}`);
    }
    this.isBinary = binary;
    this.byteLength = driver.prepare(this, payload);
  }
}

/** The data of a message. */
export type Message = Payload | PreparedMessage | BlobReader;

/**
 * What `toPayload` takes, a prepared message or a Blob.
 * @throws TypeError as `toPayload`.
 */
export function toMessage(data: unknown): Message {
  return typeof data === 'string' || data instanceof Uint8Array ? data : toOtherMessage(data);
}

// Functions of their own, because V8 puts only small ones into their callers.
function toOtherMessage(data: unknown): Message {
  if (data instanceof PreparedMessage) return data;
  return isBlob(data) ? new BlobReader(data) : toPayload(data);
}

/** What a message is when nothing else is said. */
export const MessageKind = { Text: 0, Binary: 1, Blob: 2 } as const;
export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind];
const { Text, Binary, Blob } = MessageKind;

/** Text, binary, or a Blob, which is binary too but has to be read first. */
export function kindOf(data: Message): MessageKind {
  if (typeof data === 'string') return Text;
  return data instanceof Uint8Array ? Binary : kindOfOther(data);
}

function kindOfOther(data: Exclude<Message, string | Uint8Array>): MessageKind {
  if (data instanceof PreparedMessage) return data.isBinary ? Binary : Text;
  return data instanceof BlobReader ? Blob : Binary;
}
