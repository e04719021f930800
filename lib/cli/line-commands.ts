/** What a typed line asks for: a text message, or with a slash in front one of a few commands. */

export type LineAction =
  | { kind: 'text'; data: string }
  | { kind: 'binary'; data: Buffer }
  | { kind: 'ping'; data: string }
  | { kind: 'pong'; data: string }
  | { kind: 'close'; code: number | undefined; reason: string }
  | { kind: 'help' }
  | { kind: 'mistake'; message: string };

export const lineHelp = [
  '/binary HEX            sends a binary message: /binary 68656c6c6f',
  '/ping [TEXT]           sends a ping, and shows how long the pong takes',
  '/pong [TEXT]           sends a pong that nobody asked for',
  '/close [CODE [REASON]] closes the connection: /close 1000 bye',
  '//TEXT                 sends text that begins with a slash',
  '/help                  shows this',
].join('\n');

/** Reads a line; a mistake's message says what is allowed. */
export function readLine(line: string): LineAction {
  if (!line.startsWith('/')) return { kind: 'text', data: line };
  if (line.startsWith('//')) return { kind: 'text', data: line.slice(1) };
  const [, name, rest] = /^\/(\S*)\s*(.*)$/s.exec(line) as unknown as [string, string, string];
  switch (name) {
    case 'binary':
      return readHex(rest);
    case 'ping':
    case 'pong':
      if (Buffer.byteLength(rest) > 125) return mistake(`the payload of a ${name} has at most 125 bytes`);
      return { kind: name, data: rest };
    case 'close':
      return readClose(rest);
    case 'help':
      return { kind: 'help' };
    default:
      return mistake(`there is no command /${name}; /help lists them, and // sends text that begins with a slash`);
  }
}

/** Bytes as hexadecimal digits; spaces between them are fine. */
export function readHex(text: string): LineAction {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 === 1 || /[^0-9a-f]/i.test(digits)) {
    return mistake(`binary data is pairs of hexadecimal digits, as in 68656c6c6f, not '${text}'`);
  }
  return { kind: 'binary', data: Buffer.from(digits, 'hex') };
}

function readClose(text: string): LineAction {
  if (text === '') return { kind: 'close', code: undefined, reason: '' };
  const [, digits, reason] = /^(\S+)\s*(.*)$/s.exec(text) as unknown as [string, string, string];
  const code = Number(digits);
  const isAllowed = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  if (!isAllowed || !Number.isInteger(code)) {
    return mistake(`a close code is 1000-1003, 1007-1014 or 3000-4999, not '${digits}'`);
  }
  if (Buffer.byteLength(reason) > 123) return mistake('a close reason has at most 123 bytes');
  return { kind: 'close', code, reason };
}

function mistake(message: string): LineAction {
  return { kind: 'mistake', message };
}
