// What the cases of permessage-deflate (RFC 7692) have in common.
//   deflate   { offers, answer, declines } of a case: the fields Sec-WebSocket-Extensions that the runner sends as a client,
//             and the one that it answers with as a server; declines: the peer must not agree. A peer that does not
//             negotiate the extension is "lenient", and the steps are not run.
//   { message, payload, deflate: options of zlib }  among the steps: a message compressed as it was agreed
//   inflated  of a frame that is compressed already: what that gives, for messages behind it to refer to
import { bytesOf } from '../runner/frames.mjs';
import { asciiContents } from '../runner/contents.mjs';
import { binaryMessage, echoes, makeCase, textMessage } from './case.mjs';

/** Everything as the peer likes. */
export const open = { offers: ['permessage-deflate; client_max_window_bits'], answer: 'permessage-deflate' };
/** RSV1 of a frame. */
export const rsv1 = 4;

export function compressedCase(title, send, expect, { deflate = open, lenient = [], ...options } = {}) {
  return makeCase(title, send, expect, { ...options, deflate, lenient: [...lenient, 'declined'] });
}

/** A step with a message that the runner compresses. */
export const compressed = (message, payload, options) => ({ message, payload, deflate: {}, ...options });

/** A frame whose payload is compressed already. */
export const precompressed = (frame, bytes, inflated, options) => frame(bytes, { rsv: rsv1, inflated, ...options });

/** Autobahn's sizes of messages, and of their fragments. */
export const messageSizes = [
  ...[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].map((size) => [size, undefined]),
  ...[8192, 16_384, 32_768, 65_536, 131_072].map((size) => [size, 256]),
  ...[1024, 4096, 32_768].map((fragmentSize) => [131_072, fragmentSize]),
];

/** Messages of a case, less where they are large. */
const mostMessages = 12;
const mostBytes = 32 * 1024;

/** Messages of one size, each the next piece of a content and the last one the first again. */
export function exchange(content, size, fragmentSize, options) {
  const count = Math.max(2, Math.min(mostMessages, Math.floor(mostBytes / size)));
  const kind = asciiContents.includes(content) ? 'text' : 'binary';
  const payloads = Array.from({ length: count }, (_, i) => ({ content, at: (i % (count - 1)) * size, size }));
  const echoed = payloads.map(kind === 'text' ? (one) => textMessage(one) : (one) => binaryMessage(one));
  const cut = fragmentSize === undefined ? '' : ` in fragments of ${fragmentSize} bytes`;
  const {
    offers: [offer],
  } = options?.deflate ?? { offers: [''] };
  const how = offer === '' ? '' : `; offer ${offer}, or answer ${options.deflate.answer}`;
  return compressedCase(
    `${count} × ${content} of ${size} bytes${cut}${how}`,
    payloads.map((payload) => compressed(kind, payload, { fragmentSize })),
    echoes(echoed),
    options,
  );
}

/** Frames of a message that is compressed already. */
export function inFragments(first, next, bytes, sizes, inflated) {
  let at = 0;
  return [...sizes, bytesOf(bytes).length].map((size, i, all) => {
    const part = bytes.subarray(at, i === all.length - 1 ? undefined : at + size);
    at += part.length;
    const fin = i === all.length - 1;
    return i === 0 ? first(part, { rsv: rsv1, fin, inflated }) : next(part, { fin });
  });
}
