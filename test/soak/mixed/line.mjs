// One end of a connection of the mixed soak, over the sockets of this package (client and server) or of ws: sends the
// messages of its flow in every way there is, and checks what comes.
import { PreparedMessage } from 'websocket-component';
import { messageOf, Pings, Receiver } from './messages.mjs';
import { lastBroken } from './plan.mjs';

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The first message that may be broken on purpose. */
const firstBroken = 5;

export class Line {
  /** Numbers of messages given out. */
  next = 0;
  /** What was accepted, by its callback. */
  sent = 0;
  /** How the program ended the connection; undefined: it did not. */
  ended;
  errors = [];
  onMessage = () => {};
  #settings;
  #socket;
  #receiver;
  #pings;
  /** Writers whose message is not complete: a close drops those of which nothing was sent, and sends what is behind them. */
  #writing = 0;
  /** Callbacks, readers and the end of the connection that are still awaited. */
  #awaited = 1;
  #code;
  #onFinished;
  finished = new Promise((resolve) => (this.#onFinished = resolve));

  /**
   * @param socket of this package, or of ws
   * @param {{ sends: number, receives: number, mode: string, isSlow: boolean, random: import('./messages.mjs').Random,
   *   ways: string[], broken?: string }} settings the two flows, how messages are received and sent, what is done wrong
   */
  constructor(socket, settings) {
    this.#socket = socket;
    this.#settings = settings;
    this.#receiver = new Receiver(settings.receives);
    this.#pings = new Pings(this.#receiver);
    socket.on('error', (error) => this.errors.push(error.code ?? error.message));
    socket.on('pong', (payload) => this.#pings.answered(payload.toString()));
    socket.on('close', (code) => {
      this.#code = code;
      this.onMessage();
      this.#settled();
    });
    this.#listen(settings.mode);
  }

  get isOpen() {
    return this.#socket.readyState === 1;
  }

  get received() {
    return this.#receiver.received;
  }

  // ---- Receiving ------------------------------------------------------------------------------------------------------

  #listen(mode) {
    if (mode === 'iterate') void this.#iterate();
    else if (mode === 'stream') {
      let last = Promise.resolve(); // the next stream may be there before the loop over this one has noticed its end
      this.#socket.on('messageStream', (stream) => (last = this.#readStream(stream, last)));
    } else this.#socket.on('message', (data, isBinary) => this.#accept(data, isBinary));
  }

  #accept(data, isBinary) {
    this.#receiver.accept(data, isBinary);
    this.onMessage();
    if (this.#settings.mode === 'iterate' || this.#settings.mode === 'stream' || !this.#isLazy()) return;
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), this.#settings.random.below(1000));
  }

  /** Whether this is a moment for a slow reader to wait. */
  #isLazy() {
    return this.#settings.isSlow && this.#settings.random.chance(0.05);
  }

  async #iterate() {
    this.#awaited++;
    try {
      for await (const { data, isBinary } of this.#socket) {
        this.#accept(data, isBinary);
        if (this.#isLazy()) await pause(this.#settings.random.below(1000));
      }
    } catch {
      // 'error' tells it too
    }
    this.#settled();
  }

  async #readStream(stream, last) {
    this.#awaited++;
    const chunks = [];
    try {
      for await (const chunk of stream) {
        chunks.push(Buffer.from(chunk));
        if (this.#isLazy()) await pause(this.#settings.random.below(300));
      }
      await last;
      this.#accept(Buffer.concat(chunks), stream.isBinary);
    } catch {
      // the connection ended within the message
    }
    this.#settled();
  }

  // ---- Sending --------------------------------------------------------------------------------------------------------

  /** Sends the next message of the flow. */
  send() {
    const number = this.next++;
    const { broken, sends, random, ways } = this.#settings;
    const message = messageOf(sends, number);
    if (broken !== undefined && number >= firstBroken && this.#break(broken, number, message)) return;
    const { data, isBinary } = message;
    this.#awaited++;
    const done = (error) => {
      if (!error) this.sent++;
      this.#settled();
    };
    const way = random.pick(ways);
    if (way === 'writer') this.#write(data, isBinary, random, done);
    else sendIn(way, this.#socket, data, isBinary, random, done);
    if (random.chance(0.05) && this.isOpen) this.#socket.ping(this.#pings.next());
  }

  #write(data, isBinary, random, done) {
    const writer = this.#socket.createMessageWriter({ binary: isBinary, compress: random.chance(0.7) });
    let isDone = false;
    const finish = (error) => {
      if (!isDone) done(error);
      isDone = true;
    };
    writer.on('error', finish).on('finish', () => finish());
    writer.on('close', () => finish(new Error('the writer was closed')));
    const middle = random.below(data.length + 1);
    this.#writing++;
    const end = () => {
      writer.end(data.slice(middle));
      this.#writing--;
    };
    writer.write(data.slice(0, middle));
    if (random.chance(0.5)) end();
    else setImmediate(end);
  }

  /** Does something wrong with this message, when it is one that it can be done with; true: it was not sent as it is. */
  #break(how, number, { data, isBinary }) {
    const raw = (message, binary = isBinary) => this.#socket.send(message, { binary });
    if (how === 'last' && number !== lastBroken) return false;
    if (how !== 'last' && (data.length < 20 || (how === 'kind' && isBinary) || (how === 'alter' && !isBinary)))
      return false;
    this.#settings.broken = undefined;
    this.sent++;
    if (how === 'drop' || how === 'last') return true;
    if (how === 'kind') raw(data, true);
    if (how === 'twice') raw(data);
    if (how === 'twice') raw(data);
    if (how === 'alter') data[data.length - 3] ^= 1;
    if (how === 'alter') raw(data);
    if (how === 'swap') {
      this.send();
      raw(data);
    }
    return true;
  }

  // ---- Ending ---------------------------------------------------------------------------------------------------------

  /** Ends the connection; no effect when it was ended before. */
  end(how) {
    if (!this.isOpen || this.ended !== undefined) return;
    if (how.endsWith('close') && this.#writing > 0) {
      setImmediate(() => this.end(how));
      return;
    }
    this.ended = how;
    if (how.endsWith('close')) this.#socket.close(1000);
    else if (how === 'reset') this.#socket._socket.resetAndDestroy();
    else if (how === 'destroy') this.#socket._socket.destroy();
    else this.#socket.terminate();
  }

  #settled() {
    if (--this.#awaited > 0) return;
    const { received, broadcasts, problems } = this.#receiver;
    const { ended, errors, sent } = this;
    this.#onFinished({ ended, errors, sent, received, broadcasts, problems, code: this.#code });
  }
}

/** Sends a message in one of the ways of `send`. */
function sendIn(way, socket, data, isBinary, random, done) {
  const compress = random.chance(0.7);
  if (way === 'prepared') return socket.send(new PreparedMessage(data, { binary: isBinary }), done);
  if (way === 'fragments') {
    const parts = 1 + random.below(3);
    const size = Math.ceil(data.length / (parts + 1));
    for (let i = 0; i < parts; i++) {
      socket.send(data.slice(i * size, (i + 1) * size), { binary: isBinary, compress, fin: false }, () => {});
    }
    return socket.send(data.slice(parts * size), { binary: isBinary, compress }, done);
  }
  return socket.send(data, { binary: isBinary, compress }, done);
}
