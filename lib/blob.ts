/**
 * Blobs as data to send: what counts as one, and the reading of its bytes, which takes a while.
 */
import { types } from 'node:util';
import type { PreparedMessage } from './prepared-message.js';

/** A Blob or File of Node's, or of a library that imitates them: what `send` uses of it. */
export interface BlobLike {
  /** Bytes. */
  readonly size: number;
  /** The media type. */
  readonly type: string;
  /** Reads all bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

const tags: readonly string[] = ['[object Blob]', '[object File]'];

/** Whether the value is a Blob or a File, of whatever class. */
export function isBlob(value: unknown): value is BlobLike {
  return (
    tags.includes(Object.prototype.toString.call(value)) &&
    typeof (value as Partial<BlobLike>).arrayBuffer === 'function'
  );
}

/** A Blob whose bytes are still to be read. It is as immutable as the Blob. */
export class BlobReader {
  /** Bytes that the Blob announces. */
  readonly byteLength: number;
  readonly blob: BlobLike;

  constructor(blob: BlobLike) {
    this.blob = blob;
    this.byteLength = blob.size;
  }

  /** Reads everything. Rejected with what the Blob says, for example when the file behind it was changed. */
  async read(): Promise<Uint8Array | PreparedMessage> {
    const bytes: unknown = await this.blob.arrayBuffer();
    if (!types.isAnyArrayBuffer(bytes)) throw new TypeError('The arrayBuffer() of a Blob must give an ArrayBuffer');
    return new Uint8Array(bytes);
  }
}
