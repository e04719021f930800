/**
 * The load of `bench`: connections that send messages to an echo server and time the answers. Without a rate, each
 * connection sends the next message when one comes back; with one, messages are due at even intervals.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientOptions, WebSocket } from '../index.js';
import { makeSocket } from './client-options.js';
import { Latencies } from './latency.js';
import { messageOf } from './status.js';

export interface LoadOptions {
  url: string;
  protocols: string[];
  client: ClientOptions;
  connections: number;
  /** Of every message. */
  payload: Buffer;
  isBinary: boolean;
  /** Messages under way on each connection at most. */
  inFlight: number;
  /** Messages a second of all connections together; undefined: as many as come back. */
  rate: number | undefined;
  /** Milliseconds that are not measured. */
  warmup: number;
  /** Milliseconds that are measured. */
  duration: number;
}

/** Connections that are opened at a time. */
const openingAtOnce = 64;
/** Milliseconds between two looks at what is due. */
const tick = 1;

/** A connection with the times of its messages under way. */
class Lane {
  readonly socket: WebSocket;
  /** Its number, from 0 on. */
  readonly index: number;
  /** A ring: when each message under way was sent, or was due. */
  readonly #starts: Float64Array;
  #first = 0;
  underWay = 0;
  /** Messages sent; with a rate, it tells when the next one is due. */
  sent = 0;

  constructor(socket: WebSocket, index: number, inFlight: number) {
    this.socket = socket;
    this.index = index;
    this.#starts = new Float64Array(inFlight);
  }

  begin(start: number): void {
    this.#starts[(this.#first + this.underWay++) % this.#starts.length] = start;
    this.sent++;
  }

  /** @returns the start of the oldest message under way; undefined: there is none */
  end(): number | undefined {
    if (this.underWay === 0) return undefined;
    const start = this.#starts[this.#first];
    this.#first = (this.#first + 1) % this.#starts.length;
    this.underWay--;
    return start;
  }
}

export class Load {
  /** Of messages that came back while it was measured. */
  readonly latencies = new Latencies();
  /** Of opening handshakes, from `connect` on. */
  readonly handshakes = new Latencies();
  /** What went wrong, and how often. */
  readonly errors = new Map<string, number>();
  /** Connections that could not be opened, and that ended before the end. */
  failed = 0;
  lost = 0;
  /** Answers that are not what was sent. */
  wrong = 0;
  /** Milliseconds that were measured. */
  measured = 0;
  /** Processor time of this process meanwhile, as part of one core. */
  processor = 0;
  transport = '';
  extensions = '';
  phase: 'connecting' | 'warmup' | 'measuring' | 'ended' = 'connecting';

  readonly #options: LoadOptions;
  readonly #lanes: Lane[] = [];
  readonly #stopped = new AbortController();
  /** When the load began, and when it was last looked at what is due. */
  #startedAt = 0;
  #lastTick = 0;
  #measuredFrom = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    setMaxListeners(0, this.#stopped.signal); // each connection has one while it opens
  }

  get opened(): number {
    return this.#lanes.length;
  }

  /** The part of the whole time that is over, 0 to 1. */
  get progress(): number {
    const { warmup, duration } = this.#options;
    return this.#startedAt === 0 ? 0 : Math.min((performance.now() - this.#startedAt) / (warmup + duration), 1);
  }

  /** Milliseconds since the measurement began. */
  get elapsed(): number {
    if (this.phase === 'ended') return this.measured;
    return this.phase === 'measuring' ? performance.now() - this.#measuredFrom : 0;
  }

  /** Ends the run before its time; what was measured stays. */
  stop(): void {
    this.#stopped.abort();
  }

  /** Connects, runs, and closes every connection. */
  async run(WebSocketClass: typeof WebSocket): Promise<void> {
    await this.#connectAll(WebSocketClass);
    if (this.#lanes.length > 0 && !this.#stopped.signal.aborted) await this.#measure();
    this.phase = 'ended';
    await Promise.all(this.#lanes.map(({ socket }) => closeSocket(socket)));
  }

  async #connectAll(WebSocketClass: typeof WebSocket): Promise<void> {
    const { url, protocols, client, connections } = this.#options;
    let left = connections;
    const worker = async (): Promise<void> => {
      while (left-- > 0 && !this.#stopped.signal.aborted) {
        const started = performance.now();
        const socket = makeSocket(WebSocketClass, url, protocols, { ...client, signal: this.#stopped.signal });
        const error = await opening(socket);
        if (error === undefined) {
          this.handshakes.record(performance.now() - started);
          this.#add(socket);
        } else {
          this.failed++;
          this.#note(messageOf(error));
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(openingAtOnce, connections) }, worker));
  }

  #add(socket: WebSocket): void {
    const lane = new Lane(socket, this.#lanes.length, this.#options.inFlight);
    this.#lanes.push(lane);
    this.transport = socket.transport ?? '';
    this.extensions = socket.extensions;
    socket.on('message', (data, isBinary) => this.#answered(lane, data as Buffer, isBinary));
    socket.on('error', (error) => this.#note(messageOf(error)));
    socket.on('close', (code) => {
      if (this.phase === 'ended') return;
      this.lost++;
      this.#note(`a connection was closed with ${code}`);
      if (this.lost === this.#lanes.length) this.stop();
    });
  }

  async #measure(): Promise<void> {
    const { warmup, duration, rate, inFlight } = this.#options;
    const { signal } = this.#stopped;
    const timer = rate === undefined ? undefined : setInterval(() => this.#sendDue(), tick);
    this.#startedAt = this.#lastTick = performance.now();
    if (rate === undefined) {
      for (const lane of this.#lanes) for (let i = 0; i < inFlight; i++) this.#send(lane, this.#startedAt);
    }
    this.phase = 'warmup';
    if (warmup > 0) await pause(warmup, undefined, { signal }).catch(() => {});
    this.phase = 'measuring';
    this.#measuredFrom = performance.now();
    const before = process.cpuUsage();
    await pause(duration, undefined, { signal }).catch(() => {}); // an abort ends it early
    this.measured = performance.now() - this.#measuredFrom;
    const { user, system } = process.cpuUsage(before);
    this.processor = (user + system) / 1000 / this.measured;
    this.phase = 'ended';
    clearInterval(timer);
  }

  #send(lane: Lane, start: number): void {
    lane.begin(start);
    lane.socket.send(this.#options.payload, { binary: this.#options.isBinary });
  }

  #answered(lane: Lane, data: Buffer, isBinary: boolean): void {
    if (this.phase === 'ended') return;
    const now = performance.now();
    const start = lane.end();
    const { payload, rate } = this.#options;
    if (start === undefined || isBinary !== this.#options.isBinary || !data.equals(payload)) this.wrong++;
    else if (this.phase === 'measuring') this.latencies.record(now - start);
    if (start === undefined) return;
    if (rate === undefined) this.#send(lane, now);
    else this.#sendOverdue(lane, this.#lastTick);
  }

  /** When the lane's next message is due: the lanes take turns. */
  #dueAt(lane: Lane): number {
    const every = 1000 / (this.#options.rate ?? 1);
    return this.#startedAt + (lane.sent * this.#lanes.length + lane.index) * every;
  }

  /** What became due since the last tick counts from now on: the timer is this program's own delay. */
  #sendDue(): void {
    const now = performance.now();
    for (const lane of this.#lanes) {
      this.#sendOverdue(lane, this.#lastTick);
      if (lane.socket.readyState !== lane.socket.OPEN) continue;
      while (lane.underWay < this.#options.inFlight && this.#dueAt(lane) <= now) this.#send(lane, now);
    }
    this.#lastTick = now;
  }

  /** What had to wait for an answer counts from when it was due: the delay is the server's. */
  #sendOverdue(lane: Lane, before: number): void {
    if (lane.socket.readyState !== lane.socket.OPEN) return;
    while (lane.underWay < this.#options.inFlight) {
      const due = this.#dueAt(lane);
      if (due > before) return;
      this.#send(lane, due);
    }
  }

  #note(problem: string): void {
    this.errors.set(problem, (this.errors.get(problem) ?? 0) + 1);
  }
}

/** Waits for 'open'. @returns what the handshake failed with */
function opening(socket: WebSocket): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve(error);
    socket.once('error', failed);
    socket.once('open', () => {
      socket.off('error', failed);
      resolve(undefined);
    });
  });
}

function closeSocket(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.CLOSED) resolve();
    socket.once('close', () => resolve());
    socket.close(1000);
  });
}
