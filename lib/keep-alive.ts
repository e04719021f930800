/**
 * Keep-alive (`pingInterval`, `pingTimeout`) and `idleTimeout`. A connection with one of these options is a
 * `KeptConnection`; others have no field and run no code for it.
 *
 * Whatever arrives is life, also a part of a message. It runs no code: the driver counts the bytes that it reads, and the
 * count is looked at when a ping, its timeout or a check for idleness is due, which one timer tells for all connections
 * of the thread with the same option.
 */
import type { Duplex } from 'node:stream';
import { Connection } from './connection.js';
import { emitError } from './emit.js';
import { driver } from './dispatch.js';
import { dueLists } from './due-list.js';
import { pingTimeoutError } from './errors.js';
import type { ResolvedSettings } from './options.js';
import { ReadyState } from './ready-state.js';
import type { WebSocket } from './websocket.js';

/** What the data of our pings begins with; pongs that begin with it are no 'pong' events. A number follows. */
const ownPing = 'keep-alive:';

/** How often idleness is checked for in an `idleTimeout`. */
const idleChecks = 8;

/** The peer is closed down or goes away (RFC 6455, 7.4.1). */
const goingAway = 1001;

const pings = dueLists((connection: KeptConnection, now) => connection.pingDue(now));
const pongs = dueLists((connection: KeptConnection, now) => connection.pongDue(now));
const idles = dueLists((connection: KeptConnection, now) => connection.idleDue(now));

/** Whether a connection with these settings has to be a `KeptConnection`. */
export function needsKeepAlive(settings: ResolvedSettings): boolean {
  return settings.pingInterval > 0 || settings.idleTimeout > 0;
}

/** A connection that pings its peer, or closes when the peer is silent. Times are those of `performance.now`. */
export class KeptConnection extends Connection {
  /** Milliseconds of the last round trip that was measured. */
  latency: number | undefined;
  /** The driver's count at the last look; -1: the next look finds that something has arrived. */
  #bytesRead = 0;
  /** The first look after something had arrived. */
  #heardAt: number;
  #pingedAt = 0;
  /** The data of the pong that ends a measurement; empty: none is under way. */
  #measured = '';
  /** The timeout of a ping is running. */
  #isWaiting = false;
  #pingCount = 0;

  constructor(
    socket: WebSocket,
    id: number,
    stream: Duplex,
    preamble: string,
    head: Buffer,
    settings: ResolvedSettings,
  ) {
    super(socket, id, stream, preamble, head, settings);
    const { pingInterval, idleTimeout } = settings;
    const now = performance.now();
    this.#heardAt = now;
    if (pingInterval > 0) pings(pingInterval).add(this, now);
    if (idleTimeout > 0) idles(idleTimeout / idleChecks).add(this, now);
  }

  override onPong(data: Buffer): void {
    const { pingInterval, pingTimeout } = this.settings;
    const text = pingInterval > 0 ? data.toString('latin1') : '';
    if (!text.startsWith(ownPing)) {
      super.onPong(data);
    } else if (text === this.#measured) {
      this.latency = performance.now() - this.#pingedAt;
      this.#measured = '';
      this.#isWaiting = false;
      pongs(pingTimeout).delete(this);
    }
  }

  override resume(): void {
    // What arrived during the pause is read only now.
    if (this.isPaused) {
      this.#bytesRead = -1;
      this.#measured = '';
    }
    super.resume();
  }

  override onClosed(): void {
    const { pingInterval, pingTimeout, idleTimeout } = this.settings;
    if (pingInterval > 0) {
      pings(pingInterval).delete(this);
      pongs(pingTimeout).delete(this);
    }
    if (idleTimeout > 0) idles(idleTimeout / idleChecks).delete(this);
    super.onClosed();
  }

  /** Time for a ping. */
  pingDue(now: number): void {
    if (this.readyState !== ReadyState.Open) return;
    const { pingInterval, pingTimeout } = this.settings;
    pings(pingInterval).add(this, now);
    if (this.#isWaiting) return;
    this.#look(now);
    this.#pingedAt = now;
    const data = `${ownPing}${++this.#pingCount}`;
    if (!this.isStopped) {
      this.#measured = data;
      this.#isWaiting = pingTimeout > 0;
      if (this.#isWaiting) pongs(pingTimeout).add(this, now);
    }
    this.sendControl(false, data);
  }

  /** The last ping was not answered in time. */
  pongDue(now: number): void {
    const pingedAt = this.#pingedAt;
    if (!this.#isSilentSince(pingedAt, now)) {
      this.#isWaiting = false;
      return;
    }
    afterPoll(() => {
      if (this.#pingedAt !== pingedAt) return; // answered just now, and pinged again
      this.#isWaiting = false;
      if (!this.#isSilentSince(pingedAt, performance.now())) return;
      this.terminate();
      emitError(this.socket, pingTimeoutError(this.settings.pingTimeout));
    });
  }

  /** Time to look whether the peer is idle. */
  idleDue(now: number): void {
    if (this.readyState !== ReadyState.Open) return;
    const { idleTimeout } = this.settings;
    idles(idleTimeout / idleChecks).add(this, now);
    const since = now - idleTimeout;
    if (!this.#isSilentSince(since, now)) return;
    afterPoll(() => {
      if (this.#isSilentSince(since, performance.now())) this.close(goingAway, 'The connection was idle');
    });
  }

  /** Whether nothing was heard later than `time`, on an open connection. */
  #isSilentSince(time: number, now: number): boolean {
    this.#look(now);
    return this.#heardAt <= time && this.readyState === ReadyState.Open;
  }

  /** Looks whether something has arrived. The peer of a socket that nothing is read from is not judged. */
  #look(now: number): void {
    const bytesRead = driver.bytesRead(this.id);
    if (bytesRead !== this.#bytesRead || this.isStopped) this.#heardAt = now;
    this.#bytesRead = bytesRead;
  }
}

/** Calls a function when the loop has read what is there: after it was blocked, timers run before that. */
function afterPoll(act: () => void): void {
  setImmediate(() => setImmediate(act));
}
