// 10: a message that its sender cuts into fragments of one size, as a stream would.
import { binaryMessage, echoes, makeCase, number, textMessage } from './case.mjs';

const size = 65_536;
const fragmentSizes = [1300, 1, 125, 126, 1460, 4096, 16_384, 65_535, 65_536];

export const autoFragmentation = number(
  '10.1',
  [
    ['text', textMessage],
    ['binary', binaryMessage],
  ].flatMap(([kind, message]) =>
    fragmentSizes.map((fragmentSize) =>
      makeCase(
        `${kind} of ${size} bytes in fragments of ${fragmentSize}`,
        [{ message: kind, payload: { [kind]: size }, fragmentSize }],
        echoes([message({ [kind]: size })]),
      ),
    ),
  ),
);
