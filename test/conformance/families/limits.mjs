// 9: messages of up to 16 MiB, whole, in fragments and in small TCP writes, and many messages.
import { binary, binaryMessage, echoes, makeCase, number, text, textMessage } from './case.mjs';

const KiB = 1024;
const MiB = 1024 * KiB;
const kinds = [
  ['text', text, textMessage],
  ['binary', binary, binaryMessage],
];
const named = (size) => (size < KiB ? `${size} bytes` : size < MiB ? `${size / KiB} KiB` : `${size / MiB} MiB`);

const sizes = [64 * KiB, 256 * KiB, MiB, 4 * MiB, 8 * MiB, 16 * MiB];
const fragmentSizes = [64, 256, KiB, 4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB];
const chops = [64, 128, 256, 512, KiB, 2 * KiB];
const messageSizes = [0, 16, 64, 256, KiB, 4 * KiB];

/** Ids go by kind: 9.1 is text, 9.2 the same in binary, and so on. */
const inBothKinds = (from, make) =>
  kinds.flatMap(([kind, frame, message], index) => number(`9.${from + index}`, make(kind, frame, message)));

export const limits = [
  ...inBothKinds(1, (kind, frame, message) =>
    sizes.map((size) =>
      makeCase(
        `${kind} of ${named(size)} in one frame`,
        [frame({ [kind]: size })],
        echoes([message({ [kind]: size })]),
      ),
    ),
  ),
  ...inBothKinds(3, (kind, _, message) =>
    fragmentSizes.map((fragmentSize) =>
      makeCase(
        `${kind} of 4 MiB in fragments of ${named(fragmentSize)}`,
        [{ message: kind, payload: { [kind]: 4 * MiB }, fragmentSize }],
        echoes([message({ [kind]: 4 * MiB })]),
      ),
    ),
  ),
  ...inBothKinds(5, (kind, frame, message) =>
    chops.map((chop) =>
      makeCase(
        `${kind} of 1 MiB in TCP writes of ${named(chop)}`,
        [frame({ [kind]: MiB })],
        echoes([message({ [kind]: MiB })]),
        {
          chop,
        },
      ),
    ),
  ),
  ...inBothKinds(7, (kind, _, message) =>
    messageSizes.map((size) =>
      makeCase(
        `1,000 ${kind} messages of ${named(size)}`,
        [{ message: kind, payload: { [kind]: size }, times: 1000 }],
        echoes([message({ [kind]: size }, 1000)]),
      ),
    ),
  ),
];
