/**
 * A client's opening handshake (RFC 6455, 4.1): HTTP requests by Node's `http` or `https`, one and another for each
 * redirect that is followed. The component makes and checks the WebSocket header fields. It ends in `socket._open` or
 * `socket._fail`, exactly once, unless `start` throws.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { keepContext } from './async-context.js';
import { makeRequest } from './client-request.js';
import { responseError } from './client-response.js';
import { signalOption } from './checks.js';
import { driver } from './dispatch.js';
import { abortError } from './errors.js';
import type { HResultError } from './native.js';
import { checkClientOptions, resolveSettings, type ClientOptions, type ResolvedSettings } from './options.js';
import { locationOf, Redirects } from './redirect.js';
import { optionsNumber } from './session-options.js';
import { parseAddress, type Target } from './url.js';
import type { WebSocket } from './websocket.js';

const closedEarly = 'WebSocket was closed before the connection was established';

/** RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export class ClientHandshake {
  readonly #socket: WebSocket;
  readonly #protocols: string[];
  readonly #options: ClientOptions;
  readonly #settings: ResolvedSettings;
  readonly #timeout: number;
  /** Undefined: redirects are unexpected responses. */
  readonly #redirects: Redirects | undefined;
  #target: Target;
  /** `user:password`: the first that was named goes to every later request that may have one. */
  #auth: string | undefined;
  #request: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The driver's connection; undefined when it was passed on or given back. */
  #id: number | undefined;
  #isDone = false;
  readonly #onAbort = (): void => this.#giveUp(abortError(this.#options.signal as AbortSignal));

  /** Checks the arguments; see the constructor of `WebSocket` for what it throws. */
  constructor(socket: WebSocket, address: string | URL, ...rest: [protocols?: unknown, options?: unknown]) {
    const { protocols, options } = readArguments(...rest);
    const { handshakeTimeout, maxRedirects } = checkClientOptions(options);
    this.#socket = socket;
    this.#target = parseAddress(address);
    this.#protocols = checkProtocols(protocols);
    this.#options = options;
    socket._settings = this.#settings = resolveSettings(options, true, options.generateMask);
    this.#timeout = handshakeTimeout;
    signalOption(options.signal);
    if (this.#settings.asyncContext) keepContext(socket);
    if (options.followRedirects) this.#redirects = new Redirects(this.#target, maxRedirects);
  }

  get url(): string {
    return this.#target.href;
  }

  /**
   * Sends the first request.
   * @throws what Node's `http` throws for invalid options and header fields, and what `finishRequest` throws.
   */
  start(): void {
    const { signal } = this.#options;
    if (signal?.aborted) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort);
    try {
      this.#send(this.#makeRequest(new Set()));
    } catch (error) {
      this.#finish();
      this.#request?.destroy();
      throw error;
    }
  }

  /** Gives up; 'error' and 'close' follow later. */
  abort(): void {
    this.#giveUp(new Error(closedEarly));
  }

  /** Makes the request for the target, with a key of its own. */
  #makeRequest(withheld: ReadonlySet<string>): ClientRequest {
    const fields = driver.beginHandshake(optionsNumber(this.#settings), this.#protocols);
    this.#id = driver.lastId;
    let auth: string | undefined;
    if (withheld.size === 0) auth = this.#auth ??= this.#target.auth ?? this.#options.auth;
    const request = makeRequest(this.#target, this.#options, auth, fields, withheld);
    this.#request = request;
    request.on('error', (error) => {
      if (request === this.#request) this.#failed(error);
    });
    return request;
  }

  #send(request: ClientRequest): void {
    request.on('response', (response) => this.#answered(request, response));
    request.on('upgrade', (response, stream, head) => this.#upgraded(response, stream, head));
    if (this.#timeout > 0) {
      const error = new Error('Opening handshake has timed out');
      this.#timer = setTimeout(() => this.#giveUp(error), this.#timeout);
    }
    if (this.#options.finishRequest) this.#options.finishRequest(request, this.#socket);
    else request.end();
  }

  #answered(request: ClientRequest, response: IncomingMessage): void {
    if (this.#isDone) return;
    const location = locationOf(response);
    if (this.#redirects !== undefined && location !== undefined) {
      this.#follow(this.#redirects, location);
      return;
    }
    let isHandled = false;
    try {
      isHandled = this.#socket.emit('unexpected-response', request, response);
    } finally {
      // Also when a listener throws.
      if (!isHandled) this.#giveUp(new Error(`Unexpected server response: ${response.statusCode}`));
    }
  }

  #follow(redirects: Redirects, location: string): void {
    try {
      this.#target = redirects.next(location, this.#target);
    } catch (error) {
      this.#giveUp(error as Error);
      return;
    }
    const last = this.#request;
    this.#request = undefined;
    last?.destroy();
    clearTimeout(this.#timer);
    this.#release();
    try {
      // A listener sees the request before it is sent, and so decides itself what it may hold.
      const isObserved = this.#socket.listenerCount('redirect') > 0;
      const request = this.#makeRequest(isObserved ? new Set() : redirects.withheldFrom(this.#target));
      this.#socket._redirected(this.#target.href, request);
      if (!this.#isDone && !request.destroyed) this.#send(request);
    } catch (error) {
      this.#giveUp(error as Error);
    }
  }

  #upgraded(response: IncomingMessage, stream: Duplex, head: Buffer): void {
    try {
      if (!this.#isDone) this.#socket.emit('upgrade', response);
    } finally {
      this.#open(response, stream, head); // also when a listener throws
    }
  }

  #open(response: IncomingMessage, stream: Duplex, head: Buffer): void {
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
      this.#failed(
        responseError(response, this.#protocols, this.#settings.deflate !== undefined, error as HResultError),
      );
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
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#release();
  }

  /** Gives the driver's connection back, unless it was passed on. */
  #release(): void {
    if (this.#id !== undefined) driver.destroy(this.#id, false);
    this.#id = undefined;
  }
}

/** The subprotocols may be left out before the options, or be one of them. */
function readArguments(first?: unknown, second?: unknown): { protocols: unknown[]; options: ClientOptions } {
  const isOptions = typeof first === 'object' && first !== null && !Array.isArray(first);
  const options = (isOptions ? first : (second ?? {})) as ClientOptions;
  const protocols: unknown = (isOptions ? undefined : first) ?? options.protocols ?? [];
  return { protocols: Array.isArray(protocols) ? protocols : [protocols], options };
}

function checkProtocols(protocols: unknown[]): string[] {
  const isValid = protocols.every((protocol) => typeof protocol === 'string' && token.test(protocol));
  if (!isValid || new Set(protocols).size !== protocols.length) {
    throw new SyntaxError(
      `An invalid or duplicated subprotocol was specified; subprotocols are different tokens of ` +
        `letters, digits and !#$%&'*+-.^_\`|~`,
    );
  }
  return protocols as string[];
}
