// What holds in every cell of the fire tests, whatever a handler or a peer does.

/** Milliseconds: longer than any cell takes on a busy machine with a sanitizer, and shorter than `closeTimeout`, which none should need. */
const slow = 15_000;

const isEvent = (text) => /^(open|message|ping|pong|error|close)\b/.test(text);

/**
 * What no cell may show, in words.
 * @param {{ events: string[], callbacks: Record<string, number>, isReached: boolean, milliseconds: number }} cell as fire-program.mjs
 *   saw it
 * @param {boolean} hasSocket whether the program got a socket, which then has to close
 */
export function brokenRules({ events, callbacks, isReached, milliseconds }, hasSocket) {
  const broken = [];
  const count = (start) => events.filter((text) => text.startsWith(start)).length;
  const close = events.findIndex((text) => text.startsWith('close '));
  const behind = close === -1 ? [] : events.slice(close + 1);
  if (!isReached) broken.push('the place was not reached');
  if (events.includes('TIMEOUT')) broken.push('it did not end');
  else if (milliseconds > slow) broken.push(`it took ${milliseconds} ms`);
  if (count('close ') !== (hasSocket ? 1 : 0)) broken.push(`${count('close ')} 'close' events`);
  if (count('error ') > 1) broken.push(`${count('error ')} 'error' events`);
  if (behind.some(isEvent)) broken.push("events behind 'close'");
  // What was refused, because the socket was not open any more, is told in the next tick.
  if (behind.some((text) => /^sent (?!refused)/.test(text))) broken.push("a callback behind 'close'");
  for (const [name, times] of Object.entries(callbacks)) {
    if (times !== 1) broken.push(`${times} calls of the callback of ${name}`);
  }
  return broken;
}
