/**
 * A client's opening handshake (RFC 6455, 4.1): an HTTP request by Node's `http` or `https`, whose WebSocket header
 * fields the component makes and checks. It ends in `socket._open` or `socket._fail`, exactly once.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as netConnect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls';
import { driver } from './dispatch.js';
import type { HeaderList, HResultError } from './native.js';
import { milliseconds, resolveSettings, type ClientOptions, type ResolvedSettings } from './options.js';
import { optionsNumber } from './session-options.js';
import { parseAddress, type Target } from './url.js';
import type { WebSocket } from './websocket.js';

const closedEarly = 'WebSocket was closed before the connection was established';

/** RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export class ClientHandshake {
  readonly #socket: WebSocket;
  readonly #target: Target;
  readonly #protocols: string[];
  readonly #options: ClientOptions;
  readonly #settings: ResolvedSettings;
  readonly #timeout: number;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The driver's connection; undefined when it was passed on or given back. */
  #id: number | undefined;
  #isDone = false;

  /** Checks the arguments; see the constructor of `WebSocket` for what it throws. */
  constructor(socket: WebSocket, address: string | URL, protocols: string[], options: ClientOptions) {
    const version = options.protocolVersion ?? 13;
    if (version !== 13) throw new RangeError(`Unsupported protocol version: ${version} (supported versions: 13)`);
    this.#socket = socket;
    this.#target = parseAddress(address);
    this.#protocols = checkProtocols(protocols);
    this.#options = options;
    this.#settings = resolveSettings(options);
    this.#timeout = milliseconds('handshakeTimeout', options.handshakeTimeout ?? 0);
  }

  get url(): string {
    return this.#target.href;
  }

  /** Sends the request. Throws what Node's `http` throws for invalid options and header fields. */
  start(): void {
    const fields = driver.beginHandshake(optionsNumber(this.#settings), this.#protocols, true);
    this.#id = driver.lastId;
    try {
      this.#send(fields);
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  /** Gives up; 'error' and 'close' follow later. */
  abort(): void {
    this.#giveUp(new Error(closedEarly));
  }

  #send(fields: HeaderList): void {
    const request = this.#target.isSecure ? httpsRequest : httpRequest;
    const req = request(requestOptions(this.#target, this.#options, fields));
    this.#request = req;
    if (this.#timeout > 0) {
      const error = new Error('Opening handshake has timed out');
      this.#timer = setTimeout(() => this.#giveUp(error), this.#timeout);
    }
    req.on('error', (error) => this.#failed(error));
    req.on('response', (response) => this.#refused(req, response));
    req.on('upgrade', (response, stream, head) => this.#upgraded(response, stream, head));
    if (this.#options.finishRequest) this.#options.finishRequest(req, this.#socket);
    else req.end();
  }

  #refused(request: ClientRequest, response: IncomingMessage): void {
    if (this.#socket.emit('unexpected-response', request, response)) return;
    this.#giveUp(new Error(`Unexpected server response: ${response.statusCode}`));
  }

  #upgraded(response: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (!this.#isDone) this.#socket.emit('upgrade', response);
    if (this.#isDone || this.#id === undefined) {
      stream.destroy(); // given up, perhaps just now by a listener
      return;
    }
    const id = this.#id;
    let chosen: number;
    try {
      chosen = driver.endHandshake(id, response.rawHeaders);
    } catch (error) {
      stream.on('error', () => {});
      stream.destroy();
      this.#failed(responseError(response, this.#protocols, error as HResultError));
      return;
    }
    this.#id = undefined;
    this.#finish();
    this.#socket._open(id, stream, '', head, this.#protocols[chosen] ?? '', this.#settings);
  }

  #giveUp(error: Error): void {
    if (this.#isDone) return;
    this.#finish();
    this.#socket._aborting();
    this.#request?.destroy();
    process.nextTick(() => this.#socket._fail(error));
  }

  #failed(error: Error): void {
    if (this.#isDone) return;
    this.#finish();
    this.#socket._fail(error);
  }

  #finish(): void {
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#release();
  }

  /** Gives the driver's connection back, unless it was passed on. */
  #release(): void {
    if (this.#id !== undefined) driver.destroy(this.#id, false);
    this.#id = undefined;
  }
}

function checkProtocols(protocols: string[]): string[] {
  const isValid = protocols.every((protocol) => typeof protocol === 'string' && token.test(protocol));
  if (!isValid || new Set(protocols).size !== protocols.length) {
    throw new SyntaxError(
      `An invalid or duplicated subprotocol was specified; subprotocols are different tokens of ` +
        `letters, digits and !#$%&'*+-.^_\`|~`,
    );
  }
  return protocols;
}

/** The options of Node's request: the caller's, then what makes it a handshake. */
function requestOptions(target: Target, options: ClientOptions, fields: HeaderList): RequestOptions {
  const own = new Set(fields.map((field) => field.toLowerCase()));
  const given = Object.entries(options.headers ?? {}).filter(([name]) => !own.has(name.toLowerCase()));
  const headers: OutgoingHttpHeaders = Object.fromEntries(given);
  if (options.origin !== undefined) headers.Origin = options.origin;
  for (let i = 0; i < fields.length; i += 2) {
    headers[fields[i]] = fields[i + 1];
  }
  return {
    ...(options as RequestOptions),
    method: 'GET',
    headers,
    auth: target.auth ?? options.auth,
    host: target.host,
    hostname: undefined,
    port: target.port,
    path: target.path,
    socketPath: target.socketPath,
    protocol: undefined,
    timeout: undefined,
    defaultPort: target.isSecure ? 443 : 80,
    // Naming one keeps the default agent, with its pool of sockets, out of it.
    createConnection: options.createConnection ?? ((o) => connect(target, o as ConnectionOptions)),
  };
}

/** Node's request passes its own options, in which `path` is the path of the URL. */
function connect(target: Target, options: ConnectionOptions): Socket {
  const path = target.socketPath;
  if (!target.isSecure) return netConnect({ ...options, path } as NetConnectOpts);
  const servername = options.servername ?? (isIP(target.host) ? '' : target.host);
  return tlsConnect({ ...options, path, servername });
}

/** What was wrong with a response that the component refused. */
function responseError(response: IncomingMessage, offered: string[], refusal: HResultError): Error {
  const { upgrade, connection } = response.headers;
  const protocol = response.headers['sec-websocket-protocol'];
  switch (refusal.code) {
    case 'E_SUBPROTOCOL_NOT_SUPPORTED':
    case 'E_UNSUPPORTED_SUBPROTOCOL':
      if (protocol === undefined) return new Error('Server sent no subprotocol');
      if (offered.length === 0) return new Error('Server sent a subprotocol but none was requested');
      return new Error('Server sent an invalid subprotocol');
    case 'E_PROTOCOL_EXTENSIONS_NOT_SUPPORTED':
    case 'E_UNSUPPORTED_EXTENSION':
      return new Error('Server sent a Sec-WebSocket-Extensions header but no extension was requested');
    case 'E_INVALID_PROTOCOL_FORMAT':
      if (upgrade?.toLowerCase() !== 'websocket') return new Error('Invalid Upgrade header');
      if (
        !connection
          ?.toLowerCase()
          .split(/[ \t]*,[ \t]*/)
          .includes('upgrade')
      ) {
        return new Error('Invalid Connection header');
      }
      return new Error('Invalid Sec-WebSocket-Accept header');
    default:
      return refusal;
  }
}
