/**
 * What `connect` and `listen` show of their connections: as lines for people, as JSON for programs, or the messages alone
 * for pipes.
 */
import { bytes, paletteOf, printable, type Palette } from './terminal.js';

/** Something that happened; the JSON output has these properties and a `time`. */
export type TranscriptEvent = { client?: number | undefined } & (
  | { event: 'listening'; url: string }
  | {
      event: 'open';
      url: string;
      protocol: string;
      extensions: string;
      transport: string | undefined;
      address?: string;
    }
  | { event: 'message'; data: string | Buffer }
  | { event: 'ping' | 'pong'; data: Buffer; latency?: number | undefined }
  | { event: 'close'; code: number; reason: string; isNormal: boolean }
  | { event: 'error'; error: string; hint?: string | undefined }
  | { event: 'note'; text: string }
);

export type Transcript = (event: TranscriptEvent) => void;

/** RFC 6455, 7.4.1, and IANA's registry of close codes. */
const closeNames = new Map([
  [1000, 'normal closure'],
  [1001, 'going away'],
  [1002, 'protocol error'],
  [1003, 'unsupported data'],
  [1005, 'no status'],
  [1006, 'abnormal closure'],
  [1007, 'invalid data'],
  [1008, 'policy violation'],
  [1009, 'message too big'],
  [1010, 'mandatory extension'],
  [1011, 'internal error'],
  [1012, 'service restart'],
  [1013, 'try again later'],
  [1014, 'bad gateway'],
]);

/** `1011 internal error: "reason"`. */
export function describeClose(code: number, reason: string): string {
  const name = closeNames.get(code);
  const text = name === undefined ? String(code) : `${code} ${name}`;
  return reason === '' ? text : `${text}: "${printable(reason)}"`;
}

/** A line of JSON for each event. Binary data is hexadecimal. */
export function jsonTranscript(write: (line: string) => void): Transcript {
  return (event) => {
    if (event.event === 'note') return;
    const { event: name, client, ...rest } = event;
    const head = { time: new Date().toISOString(), event: name, ...(client !== undefined && { client }) };
    const type = event.event !== 'message' ? {} : { type: typeof event.data === 'string' ? 'text' : 'binary' };
    const data = 'data' in event && typeof event.data !== 'string' ? { data: event.data.toString('hex') } : {};
    write(JSON.stringify({ ...head, ...type, ...rest, ...data }));
  };
}

/** Each message on a line of its own, a binary one in hexadecimal; what went wrong goes to stderr. */
export function plainTranscript(write: (line: string) => void, isTerminal: boolean): Transcript {
  const { red } = paletteOf(process.stderr);
  return (event) => {
    if (event.event === 'message') {
      const text = typeof event.data === 'string' ? event.data : event.data.toString('hex');
      write(isTerminal ? printable(text) : text);
    } else if (event.event === 'error') {
      console.error(`${red('error:')} ${printable(event.error)}${event.hint === undefined ? '' : `\n${event.hint}`}`);
    } else if (event.event === 'close' && !event.isNormal) {
      console.error(`${red('closed:')} ${describeClose(event.code, event.reason)}`);
    }
  };
}

/** Lines for people, with the number of the client where there are several. */
export function screenTranscript(write: (line: string) => void, stream: NodeJS.WriteStream): Transcript {
  const palette = paletteOf(stream);
  return (event) => {
    const who = event.client === undefined ? '' : `${palette.dim(`#${event.client}`)} `;
    const indent = ' '.repeat((event.client === undefined ? 0 : String(event.client).length + 2) + 2);
    write(who + describe(event, palette).split('\n').join(`\n${indent}`));
  };
}

function describe(event: TranscriptEvent, palette: Palette): string {
  const { dim, red, green, yellow, cyan } = palette;
  switch (event.event) {
    case 'listening':
      return `${green('listening')} on ${event.url}`;
    case 'open': {
      const details = [
        ...(event.address === undefined ? [] : [`from ${event.address}`]),
        event.url,
        ...(event.protocol === '' ? [] : [`subprotocol ${event.protocol}`]),
        ...(event.extensions === '' ? [] : [event.extensions]),
      ];
      return `${green('connected')} ${details.map(printable).join(dim(' · '))}`;
    }
    case 'message':
      if (typeof event.data === 'string') return `${cyan('<')} ${printable(event.data)}`;
      return `${yellow('<')} ${hexDump(event.data, palette)}`;
    case 'ping':
    case 'pong': {
      const text = event.data.length === 0 ? '' : ` ${showPayload(event.data)}`;
      return dim(`${event.event}${text}${event.latency === undefined ? '' : ` after ${event.latency.toFixed(1)} ms`}`);
    }
    case 'close':
      return `${event.isNormal ? dim('closed') : red('closed')} ${describeClose(event.code, event.reason)}`;
    case 'error':
      return `${red('error')} ${printable(event.error)}${event.hint === undefined ? '' : `\n${dim(event.hint)}`}`;
    case 'note':
      return dim(event.text);
  }
}

/** A payload of a ping or pong: as text where it is one. */
function showPayload(data: Buffer): string {
  const text = data.toString();
  return Buffer.from(text).equals(data) && printable(text) === text ? `"${text}"` : data.toString('hex');
}

const rowBytes = 16;
const shownRows = 16;

/** Bytes in hexadecimal and as ASCII, with the number of bytes: one line, or a line for each sixteen bytes. */
export function hexDump(data: Buffer, { dim }: Palette): string {
  const size = bytes(data.length);
  if (data.length === 0) return dim(size);
  const rows = Array.from({ length: Math.min(Math.ceil(data.length / rowBytes), shownRows) }, (_, index) => {
    const row = data.subarray(index * rowBytes, (index + 1) * rowBytes);
    const hex = row.toString('hex').replace(/..(?!$)/g, '$& ');
    const ascii = row.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    return { hex, ascii };
  });
  if (rows.length === 1) return `${rows[0].hex}  ${dim(`${rows[0].ascii}  ${size}`)}`;
  const lines = rows.map(({ hex, ascii }) => `${hex.padEnd(rowBytes * 3 - 1)}  ${dim(ascii)}`);
  const hidden = data.length - rowBytes * shownRows;
  return [dim(size), ...lines, ...(hidden > 0 ? [dim(`… ${bytes(hidden)} more`)] : [])].join('\n');
}
