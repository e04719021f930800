/** The options that commands which connect have in common, and the options of a `WebSocket` that they become. */
import { readFileSync } from 'node:fs';
import type { ClientOptions, WebSocket } from '../index.js';
import { UsageError, type Arguments, type Option } from './arguments.js';
import { messageOf } from './status.js';

/** Where a certificate is wanted, and what is sent to show who connects. */
export const tlsOptions: readonly Option[] = [
  { name: 'ca', value: 'FILE', isMultiple: true, help: 'trust the certificates in this PEM file, and no others' },
  { name: 'cert', value: 'FILE', help: "the client's certificate, PEM" },
  { name: 'key', value: 'FILE', help: 'its private key, PEM' },
  { name: 'passphrase', value: 'TEXT', help: 'what the private key is encrypted with' },
  { name: 'insecure', short: 'k', help: 'accept every certificate of the server' },
];

export const clientOptions: readonly Option[] = [
  { name: 'header', short: 'H', value: "'NAME: VALUE'", isMultiple: true, help: 'add a header field to the request' },
  { name: 'subprotocol', short: 's', value: 'NAME', isMultiple: true, help: 'offer a subprotocol' },
  { name: 'origin', short: 'o', value: 'URL', help: 'the Origin header field' },
  { name: 'auth', value: 'USER:PASSWORD', help: "credentials for HTTP's basic authentication" },
  { name: 'follow', short: 'L', help: 'follow redirects' },
  { name: 'timeout', value: 'SECONDS', help: 'for connecting (default: 10; 0: no limit)' },
  ...tlsOptions,
];

/** What `tls.connect` is to be told. */
export function readTlsOptions(args: Arguments): Pick<ClientOptions, 'ca' | 'cert' | 'key' | 'passphrase'> & {
  rejectUnauthorized?: boolean;
} {
  const files = args.list('ca').map((file) => readPem('ca', file));
  const [cert, key] = ['cert', 'key'].map((name) => {
    const file = args.text(name);
    return file === undefined ? undefined : readPem(name, file);
  });
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  const passphrase = args.text('passphrase');
  return {
    ...(files.length > 0 && { ca: files }),
    ...(cert && { cert, key }),
    ...(passphrase !== undefined && { passphrase }),
    ...(args.flag('insecure') && { rejectUnauthorized: false }),
  };
}

/** @throws UsageError for a file that cannot be read. */
export function readPem(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`--${option}: ${messageOf(error)}`);
  }
}

/** What the constructor of `WebSocket` is to be told. */
export function readClientOptions(args: Arguments): { protocols: string[]; options: ClientOptions } {
  const headers: Record<string, string | string[]> = {};
  for (const field of args.list('header')) {
    const colon = field.indexOf(':');
    if (colon < 1) throw new UsageError(`--header must be 'NAME: VALUE', not '${field}'`);
    const name = field.slice(0, colon).trim();
    const value = field.slice(colon + 1).trim();
    headers[name] = Object.hasOwn(headers, name) ? [headers[name], value].flat() : value;
  }
  const [origin, auth] = [args.text('origin'), args.text('auth')];
  return {
    protocols: [...args.list('subprotocol')],
    options: {
      headers,
      handshakeTimeout: args.number('timeout', 10, { max: 86_400, isWhole: false }) * 1000,
      followRedirects: args.flag('follow'),
      ...(origin !== undefined && { origin }),
      ...(auth !== undefined && { auth }),
      ...readTlsOptions(args),
    },
  };
}

/** A URL as people type it: without a scheme it is a ws: URL. */
export function readUrl(args: Arguments): string {
  const url = args.operand('The URL of the server');
  return /^[a-z+]+:\/\//i.test(url) || /^wss?\+unix:/.test(url) ? url : `ws://${url}`;
}

/** Calls the constructor, whose arguments are the user's. @throws UsageError for what it throws. */
export function makeSocket(
  WebSocketClass: typeof WebSocket,
  url: string,
  protocols: string[],
  options: ClientOptions,
): WebSocket {
  try {
    return new WebSocketClass(url, protocols, options);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}
