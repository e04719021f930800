// A client of the mixed soak that writes its frames itself: in parts of any size, with pings between them, and with ends
// that no library has. The interface of Line.
import { openConnection } from '../../conformance/runner/handshake.mjs';
import { closePayload, encodeFrame, FrameDecoder, Opcode } from '../../conformance/runner/frames.mjs';
import { messageOf, Pings, Receiver } from './messages.mjs';

export async function openRawLine(url, settings) {
  const { socket, rest } = await openConnection(url, [], { timeout: 60_000 }); // the machine may have much else to do
  return new RawLine(socket, rest, settings);
}

class RawLine {
  next = 0;
  sent = 0;
  ended;
  errors = [];
  onMessage = () => {};
  isOpen = true;
  #settings;
  #socket;
  #receiver;
  #pings;
  #decoder = new FrameDecoder(false, false);
  /** Frames of the message under way. */
  #parts = [];
  #isBinary = false;
  #code = 1006;
  finished;

  constructor(socket, rest, settings) {
    this.#socket = socket;
    this.#settings = settings;
    this.#receiver = new Receiver(settings.receives);
    this.#pings = new Pings(this.#receiver);
    this.finished = new Promise((resolve) => {
      socket.on('close', () => {
        this.isOpen = false;
        this.onMessage();
        const { received, broadcasts, problems } = this.#receiver;
        const { ended, errors, sent } = this;
        resolve({ ended, errors, sent, received, broadcasts, problems, code: this.#code });
      });
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('end', () => {
      this.isOpen = false;
      socket.end();
    });
    socket.on('data', (chunk) => this.#read(chunk));
    if (rest.length > 0) this.#read(rest);
    socket.resume();
  }

  get received() {
    return this.#receiver.received;
  }

  #read(chunk) {
    for (const frame of this.#decoder.push(chunk)) this.#take(frame);
    for (const violation of this.#decoder.violations.splice(0)) this.#receiver.note(`the server ${violation}`);
    const { isSlow, random } = this.#settings;
    if (!isSlow || !random.chance(0.05)) return;
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), random.below(1000));
  }

  #take({ opcode, fin, payload }) {
    if (opcode === Opcode.ping) return this.#write(Opcode.pong, payload);
    if (opcode === Opcode.pong) return this.#pings.answered(payload.toString());
    if (opcode === Opcode.close) return this.#closed(payload);
    if (opcode !== Opcode.continuation) this.#isBinary = opcode === Opcode.binary;
    this.#parts.push(payload);
    if (!fin) return undefined;
    this.#receiver.accept(Buffer.concat(this.#parts), this.#isBinary);
    this.#parts = [];
    return this.onMessage();
  }

  #closed(payload) {
    this.#code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    if (this.isOpen) this.#write(Opcode.close, payload.subarray(0, 2));
    this.isOpen = false;
  }

  #write(opcode, payload, fin = true) {
    if (this.#socket.writable) this.#socket.write(encodeFrame({ opcode, payload, fin }, true).bytes);
  }

  send() {
    const { random, sends } = this.#settings;
    const { data, isBinary } = messageOf(sends, this.next++);
    const bytes = Buffer.from(data);
    this.sent++;
    const parts = random.chance(0.3) ? 1 + random.below(6) : 1;
    const size = Math.ceil(bytes.length / parts);
    const opcode = isBinary ? Opcode.binary : Opcode.text;
    for (let i = 0; i < parts; i++) {
      const payload = bytes.subarray(i * size, (i + 1) * size);
      this.#write(i === 0 ? opcode : Opcode.continuation, payload, i === parts - 1);
      if (random.chance(0.1)) this.#write(Opcode.ping, Buffer.from(this.#pings.next()));
    }
  }

  end(how) {
    if (!this.isOpen) return;
    this.ended = how;
    this.isOpen = false;
    const socket = this.#socket;
    if (how === 'client-close') this.#write(Opcode.close, closePayload(1000));
    else if (how === 'reset') socket.resetAndDestroy();
    else if (how === 'half-close') socket.end();
    else if (how === 'garbage') socket.write(Buffer.alloc(500, 0xff));
    else {
      // 'cut': in the middle of a frame
      socket.write(encodeFrame({ opcode: Opcode.binary, payload: { binary: 1000 } }, true).bytes.subarray(0, 500), () =>
        socket.destroy(),
      );
    }
  }
}
