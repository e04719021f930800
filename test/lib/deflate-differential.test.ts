/** What is inflated is what Node's own zlib makes of the same bytes, damaged ones included. The choices follow from a seed. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { WebSocket } from '../../lib/index.js';
import { acceptText, frame, rawServer } from './support.js';

const cases = 400;
const tail = Buffer.from([0, 0, 0xff, 0xff]);
const sentinelText = Buffer.from('sentinel');
/**
 * Blocks whose text comes out at the end of what stands between two blocks. Elsewhere not both of them do: behind a part of
 * a block's three bits the second does not, and in the middle of a block one comes out as something else.
 */
const sentinels = [{ level: 0 }, { strategy: constants.Z_FIXED }].map((options) =>
  deflateRawSync(sentinelText, { ...options, finishFlush: constants.Z_SYNC_FLUSH }),
);

/** Numbers from 0 to 2^32 - 1 that follow from the seed. */
function* numbers(seed: string): Generator<number, never> {
  for (let block = createHash('sha256').update(seed).digest(); ; block = createHash('sha256').update(block).digest())
    for (let i = 0; i < block.length; i += 4) yield block.readUInt32LE(i);
}

const source = numbers('differential');
const below = (limit: number): number => source.next().value % limit;
const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));

/** The payload of a compressed message, whole or damaged. */
function makePayload(): Buffer {
  const words = Array.from(
    { length: 1 + below(60) },
    () => 'lorem ipsum dolor sit amet '.slice(0, below(27)) + String(below(100)),
  );
  const text = Buffer.concat([Buffer.from(words.join('')), bytes(below(40))]);
  const options = {
    level: below(10),
    memLevel: 1 + below(9),
    windowBits: 9 + below(7),
    strategy: below(5),
    finishFlush: constants.Z_SYNC_FLUSH,
  };
  const streams = [deflateRawSync(text, options)];
  // A final block ends a stream, and another may follow (RFC 7692, 7.2.3.4).
  if (below(4) === 0) streams.unshift(deflateRawSync(text, { ...options, finishFlush: constants.Z_FINISH }));
  const stream = Buffer.concat(streams);
  const payload = Buffer.from(below(8) === 0 ? stream : stream.subarray(0, -tail.length));
  switch (below(5)) {
    case 0:
      return payload;
    case 1:
      return payload.subarray(0, below(payload.length + 1));
    case 2:
      return Buffer.concat([payload, bytes(below(4))]);
    default:
      for (let i = 0; i <= below(3); i++) payload[below(payload.length)] ^= 1 << below(8);
      return payload;
  }
}

/** What Node's zlib makes of all streams in these bytes; undefined: an error. */
function inflateAll(compressed: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  try {
    for (let rest = compressed; rest.length > 0;) {
      const result: unknown = inflateRawSync(rest, { finishFlush: constants.Z_SYNC_FLUSH, info: true });
      const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
      parts.push(buffer);
      rest = rest.subarray(engine.bytesWritten);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts);
}

/** The message; undefined: the payload is corrupt. The four bytes may be missing between two blocks, too. */
function reference(payload: Buffer): Buffer | undefined {
  for (const end of [Buffer.alloc(0), tail]) {
    const texts = sentinels.map((sentinel) => {
      const inflated = inflateAll(Buffer.concat([payload, end, sentinel]));
      const isBehind = inflated?.subarray(-sentinelText.length).equals(sentinelText);
      return isBehind ? inflated?.subarray(0, -sentinelText.length) : undefined;
    });
    if (texts[0] !== undefined && texts[1]?.equals(texts[0])) return texts[0];
  }
  return undefined;
}

test(`${cases} payloads, whole and damaged, give what Node's zlib gives`, async () => {
  let payload: Buffer = Buffer.alloc(0);
  const url = await rawServer(async (peer) => {
    peer.write(acceptText(await peer.takeHead(), 'Sec-WebSocket-Extensions: permessage-deflate'));
    const cut = below(payload.length + 1);
    peer.write(frame(2, payload.subarray(0, cut), { mask: false, rsv: 4, fin: false }));
    peer.write(frame(0, payload.subarray(cut), { mask: false }));
  });
  const seen = { messages: 0, errors: 0 };
  for (let i = 0; i < cases; i++) {
    payload = makePayload();
    const expected = reference(payload);
    const socket = new WebSocket(url, { perMessageDeflate: true });
    const result = await new Promise<Buffer | undefined>((resolve, reject) => {
      socket.on('message', (data) => resolve(data as Buffer));
      socket.on('error', ({ code }: NodeJS.ErrnoException) =>
        code === 'WS_ERR_INVALID_COMPRESSED_DATA' ? resolve(undefined) : reject(new Error(code)),
      );
    });
    const end = once(socket, 'close');
    socket.terminate();
    await end;
    seen[result === undefined ? 'errors' : 'messages']++;
    const isSame = expected === undefined ? result === undefined : result !== undefined && expected.equals(result);
    if (!isSame) throw new Error(`case ${i}: ${payload.toString('hex')} gave ${result?.toString('hex') ?? 'an error'}`);
  }
  expect(seen.messages).toBeGreaterThan(cases / 10);
  expect(seen.errors).toBeGreaterThan(cases / 10);
});
