/**
 * The server: accepts or refuses the upgrade requests of an HTTP server, its own or the caller's, and keeps the sockets
 * until they are closed.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Admission } from './admission.js';
import { asyncDispose } from './async-dispose.js';
import { broadcast } from './broadcast.js';
import { callback as checkCallback, milliseconds, portOption } from './checks.js';
import { checkCloseStatus, toReason } from './data.js';
import { describe } from './describe.js';
import { handshakes } from './diagnostics.js';
import { driver } from './dispatch.js';
import { createHttpServer } from './http-server.js';
import type { HResultError } from './native.js';
import { resolveSettings, type ResolvedSettings, type SendData } from './options.js';
import {
  checkRequest,
  destroyStream,
  handshakeFields,
  headOf,
  internalError,
  linesOf,
  offeredProtocols,
  refusalOf,
  refuse,
  type Refusal,
} from './server-handshake.js';
import type { PreparedMessage } from './prepared-message.js';
import { ServerMeter, type ServerStats } from './server-stats.js';
import type { WebSocketServerEvents } from './server-events.js';
import type {
  BroadcastOptions,
  ServerCloseOptions,
  ServerOptions,
  UpgradeCallback,
  VerifyClient,
} from './server-options.js';
import { optionsNumber } from './session-options.js';
import { isTaken } from './transport.js';
import { TypedEmitter } from './typed-emitter.js';
import { verify } from './verify-client.js';
import { WebSocket } from './websocket.js';

enum State {
  Running,
  Closing,
  Closed,
}

/** A WebSocket server; its types may name the class of its sockets and that of the HTTP server's requests. */
export class WebSocketServer<
  T extends typeof WebSocket = typeof WebSocket,
  U extends typeof IncomingMessage = typeof IncomingMessage,
> extends TypedEmitter<WebSocketServerEvents<InstanceType<T>, InstanceType<U>>> {
  /** The options that the server was made with, and the defaults of its connections. */
  readonly options: ServerOptions<T, U>;
  /** The sockets that are not closed. Undefined with `clientTracking: false`, whatever its type says. */
  declare readonly clients: Set<InstanceType<T>>;
  /** The path that is accepted; undefined: every one. */
  get path(): string {
    return this.options.path as string;
  }

  readonly #settings: ResolvedSettings;
  readonly #admission: Admission;
  readonly #sockets = new Set<WebSocket>();
  /** The 'close' listener of every socket, one for all of them. */
  readonly #onSocketClose: (this: WebSocket, code: number) => void;
  readonly #meter = new ServerMeter();
  #state: State = State.Running;
  #http: Server<U> | HttpsServer<U> | undefined;
  #removeListeners: () => void = () => {};
  /** 'close' waits for the last socket. */
  #closesWithLast = false;

  /**
   * @param listener is called once on 'listening'
   * @throws TypeError or RangeError for invalid options.
   */
  constructor(options: ServerOptions<T, U> = {}, listener?: () => void) {
    super();
    const given = [(options.port ?? undefined) !== undefined, options.server, options.noServer];
    if (given.filter(Boolean).length !== 1) {
      throw new TypeError('One and only one of the "port", "server", or "noServer" options must be specified');
    }
    checkCallback(listener);
    this.#settings = resolveSettings(options, false);
    this.#admission = new Admission(options);
    this.options = { clientTracking: true, ...options, ...this.#settings };
    const forget = (socket: WebSocket, code: number): void => this.#forget(socket, code);
    this.#onSocketClose = function (this: WebSocket, code) {
      forget(this, code);
    };
    if (options.clientTracking ?? true) this.clients = this.#sockets as Set<InstanceType<T>>;
    if (options.server) {
      this.#http = options.server;
      this.#listen(this.#http);
    } else if (!options.noServer) {
      const port = portOption(options.port);
      this.#http = createHttpServer(options);
      this.#listen(this.#http);
      this.#http.listen(port, options.host, options.backlog, listener);
    }
  }

  /**
   * Where the server listens; null after `close`.
   * @throws Error with `noServer`.
   */
  address(): AddressInfo | string | null {
    if (this.options.noServer) throw new Error('The server is operating in "noServer" mode');
    return this.#http?.address() ?? null;
  }

  /** Whether this server is meant by the request: compares `path`. Override it to decide otherwise. */
  shouldHandle(request: IncomingMessage): boolean {
    const { path } = this.options;
    return !path || (request.url ?? '').split('?', 1)[0] === path;
  }

  /**
   * Answers an upgrade request: 101 and a socket for `callback`, or an HTTP error.
   *
   * @param socket the stream of the request; any Duplex
   * @param head what was read behind the request
   * @throws Error when the stream carries a connection already; TypeError when a 'headers' listener added an invalid line.
   */
  handleUpgrade(
    request: InstanceType<U>,
    socket: Duplex,
    head: Buffer,
    callback: UpgradeCallback<InstanceType<T>, InstanceType<U>>,
  ): void {
    const refusal = checkRequest(request);
    if (refusal) {
      this.#refuseOrReport(refusal, request, socket);
      return;
    }
    if (!this.shouldHandle(request)) {
      this.#refuse({ status: 404, message: 'Not Found' }, request, socket);
      return;
    }
    const protocols = offeredProtocols(request);
    if (!protocols) {
      const message = 'Invalid Sec-WebSocket-Protocol header';
      this.#refuseOrReport({ status: 400, message }, request, socket);
      return;
    }
    const stranger = this.#admission.checkOrigin(request);
    if (stranger) {
      this.#refuse(stranger, request, socket);
      return;
    }
    const verifyClient = this.options.verifyClient as VerifyClient | undefined;
    if (!verifyClient) {
      this.#accept(request, socket, head, protocols, callback);
      return;
    }
    socket.on('error', destroyStream); // until the client is verified
    this.#orRefuse(request, socket, () =>
      verify(verifyClient, request, (unwanted) => {
        socket.off('error', destroyStream);
        if (unwanted) this.#refuse(unwanted, request, socket);
        else this.#accept(request, socket, head, protocols, callback);
      }),
    );
  }

  /**
   * Sends one message to every open socket of this server, with `clientTracking: false` too. It is converted once, and
   * from 4 KiB on the sockets share it. The data may be changed as soon as this returns. It is compressed once for each
   * set of parameters, and by each socket that has context takeover.
   *
   * A socket whose queue is full does what its `backpressure` says, where 'wait' means to drop. One in the middle of a
   * fragmented message (`fin: false`), or with messages of `sendAsync` that wait for room, is left out.
   *
   * @returns on how many sockets the message was queued
   * @throws TypeError for other data, or invalid options.
   */
  broadcast(data: SendData | PreparedMessage, options: BroadcastOptions = {}): number {
    return broadcast(this.#sockets, data, options);
  }

  /** What the server has counted, and what waits on its connections now: it looks at each, so don't ask for every message. */
  stats(): ServerStats {
    return this.#meter.read(this.#sockets, this.#settings.highWaterMark);
  }

  /**
   * Stops accepting connections.
   *
   * `close(callback)` leaves the open ones to the caller, as `ws` does: 'close' is emitted when the last one is gone.
   * `close({ code, reason, timeout }, callback)` also closes every one, and cuts those that are left after `timeout`
   * milliseconds. A server passed as `server` keeps listening.
   *
   * @param callback is called on 'close'; with an error when the server was closed already
   * @returns a promise that is fulfilled on 'close'
   * @throws TypeError or RangeError for an invalid code, reason or timeout.
   */
  close(callback?: (error?: Error) => void): Promise<void>;
  close(options: ServerCloseOptions, callback?: (error?: Error) => void): Promise<void>;
  close(options?: ServerCloseOptions | ((error?: Error) => void), callback?: (error?: Error) => void): Promise<void> {
    if (typeof options === 'function') {
      callback = options;
      options = undefined;
    }
    checkCallback(callback);
    const closeClients = options ? this.#clientCloser(options) : undefined;

    const closed = new Promise<void>((resolve) => this.once('close', resolve));
    if (this.#state === State.Closed) {
      if (callback) this.once('close', () => callback(new Error('The server is not running')));
      process.nextTick(() => this.#emitClose());
      return closed;
    }
    if (callback) this.once('close', () => callback());
    if (this.#state === State.Running) this.#stop();
    closeClients?.();
    return closed;
  }

  /** As `close({})`, for `await using`. No effect when the server is closed. */
  [asyncDispose](): Promise<void> {
    return this.#state === State.Closed ? Promise.resolve() : this.close({});
  }

  #listen(server: Server<U> | HttpsServer<U>): void {
    const onUpgrade = (request: InstanceType<U>, socket: Duplex, head: Buffer): void =>
      this.handleUpgrade(request, socket, head, (client) => this.emit('connection', client, request));
    const onListening = (): void => void this.emit('listening');
    const onError = (error: Error): void => void this.emit('error', error);
    server.on('upgrade', onUpgrade).on('listening', onListening).on('error', onError);
    this.#removeListeners = () => {
      server.off('upgrade', onUpgrade).off('listening', onListening).off('error', onError);
    };
  }

  #refuseOrReport(refusal: Refusal, request: IncomingMessage, socket: Duplex): void {
    if (this.listenerCount('wsClientError') === 0) {
      this.#refuse(refusal, request, socket);
      return;
    }
    this.#refused(refusal.status, request);
    socket.on('error', destroyStream);
    this.emit('wsClientError', new Error(refusal.message), socket, request);
  }

  #refuse(refusal: Refusal, request: IncomingMessage, stream: Duplex): void {
    let status = internalError.status; // when the refusal is invalid
    try {
      refuse(stream, refusal);
      ({ status } = refusal);
    } finally {
      this.#refused(status, request);
    }
  }

  #refused(status: number, request: IncomingMessage): void {
    this.#meter.refused(status);
    if (handshakes.hasSubscribers) handshakes.publish({ server: this, request, socket: undefined, status });
  }

  /** Runs a function of the program's: when it throws, the client gets 500, and the exception goes on. */
  #orRefuse<R>(request: IncomingMessage, stream: Duplex, run: () => R): R {
    try {
      return run();
    } catch (error) {
      if (!stream.writableEnded && !isTaken(stream)) this.#refuse(internalError, request, stream);
      throw error;
    }
  }

  #accept(
    request: InstanceType<U>,
    stream: Duplex,
    head: Buffer,
    protocols: Set<string>,
    callback: UpgradeCallback<InstanceType<T>, InstanceType<U>>,
  ): void {
    if (!stream.readable || !stream.writable) {
      stream.destroy(); // the client is gone
      return;
    }
    if (isTaken(stream)) {
      throw new Error(
        'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
      );
    }
    if (this.#state !== State.Running) {
      this.#refuse({ status: 503, message: 'Service Unavailable' }, request, stream);
      return;
    }
    const excess = this.#admission.checkLimits(request, this.#sockets.size);
    if (excess) {
      this.#refuse(excess, request, stream);
      return;
    }

    const protocol = this.#orRefuse(request, stream, () => this.#chooseProtocol(protocols, request));
    let response: string;
    try {
      const { traffic } = this.#meter;
      const fields = handshakeFields(request.headers);
      response = driver.acceptHandshake(optionsNumber(this.#settings), fields, protocol, traffic);
    } catch (error) {
      this.#refuseOrReport(refusalOf(error as HResultError), request, stream);
      return;
    }
    const id = driver.lastId;
    const address = this.#admission.addressOf(request);
    let socket: WebSocket;
    try {
      if (this.listenerCount('headers') > 0) {
        const lines = linesOf(response);
        this.emit('headers', lines, request);
        response = headOf(lines);
      }
      socket = new (this.options.WebSocket ?? WebSocket)(null, undefined, this.options);
    } catch (error) {
      driver.destroy(id, false);
      this.#refuse(internalError, request, stream);
      throw error;
    }
    socket._open(id, stream, response, head, protocol, this.#settings);
    this.#admission.joined(socket, address);
    this.#sockets.add(socket);
    socket.on('close', this.#onSocketClose);
    if (handshakes.hasSubscribers) handshakes.publish({ server: this, request, socket, status: 101 });
    callback(socket as InstanceType<T>, request);
  }

  #chooseProtocol(protocols: Set<string>, request: InstanceType<U>): string {
    if (protocols.size === 0) return '';
    const { handleProtocols } = this.options;
    const [first] = protocols;
    const chosen: unknown = (handleProtocols ? handleProtocols(protocols, request) : first) || '';
    if (typeof chosen === 'string') return chosen;
    throw new TypeError(`handleProtocols must return a subprotocol or false, not ${describe(chosen)}`);
  }

  #forget(socket: WebSocket, code: number): void {
    this.#meter.closed(code);
    this.#sockets.delete(socket);
    this.#admission.left(socket);
    if (this.#closesWithLast && this.#sockets.size === 0) process.nextTick(() => this.#emitClose());
  }

  /** Checks the options; the function closes the clients. */
  #clientCloser(options: ServerCloseOptions): () => void {
    const code = checkCloseStatus(options.code ?? 1001);
    const reason = options.reason ?? '';
    toReason(reason);
    const timeout = options.timeout === undefined ? undefined : milliseconds('timeout', options.timeout);
    return () => {
      for (const socket of this.#sockets) socket.close(code, reason);
      if (timeout === undefined || this.#state === State.Closed) return;
      const timer = setTimeout(() => {
        for (const socket of this.#sockets) socket.terminate();
      }, timeout);
      this.once('close', () => clearTimeout(timer));
    };
  }

  #stop(): void {
    this.#state = State.Closing;
    const http = this.#http;
    this.#removeListeners();
    this.#http = undefined;
    if (http && !this.options.server) {
      http.close(() => this.#closeWithLast());
      http.closeIdleConnections();
    } else {
      this.#closeWithLast();
    }
  }

  #closeWithLast(): void {
    if (this.#sockets.size > 0) this.#closesWithLast = true;
    else process.nextTick(() => this.#emitClose());
  }

  #emitClose(): void {
    this.#state = State.Closed;
    this.#closesWithLast = false;
    this.emit('close');
  }
}
