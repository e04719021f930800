// One WebSocket connection with the peer under test, after the handshake: writes bytes as they are, and remembers what
// comes back and how the connection ends.
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { MessageStream } from './deflate.mjs';
import { closePayload, encodeFrame, FrameDecoder, Opcode } from './frames.mjs';
import { firstBadByte } from './utf8.mjs';

/** So many writes have a millisecond between them; with more it is a turn of the event loop. */
const mostPauses = 200;
/** Payload of the ping that asks whether the peer still reads. */
const probe = Buffer.from('conformance probe');

export class Connection {
  /** Whole messages of the peer, in order. @type {{ type: 'text' | 'binary', payload: Buffer }[]} */
  messages = [];
  /** Payloads of its Pong frames, in order. @type {Buffer[]} */
  pongs = [];
  /** Its Close frame; status 1005: without one. @type {{ status: number, reason: Buffer } | undefined} */
  close;
  /** How it ended its side of the TCP connection. @type {'fin' | 'reset' | undefined} */
  end;
  /** What a correct peer does not send. @type {string[]} */
  violations;
  /** Our Close frame was sent. */
  closeSent = false;
  /** The ping of `probe` was answered. */
  isProbed = false;
  /** Compresses what we send; undefined: permessage-deflate was not negotiated. @type {MessageStream | undefined} */
  deflater;

  #decoder;
  #inflater;
  #message;
  #waiting = new Set();

  /**
   * @param {import('node:net').Socket} socket with `allowHalfOpen`
   * @param {'client' | 'server'} role ours
   * @param {Buffer} rest what was received already
   * @param {Record<'server' | 'client', import('./deflate.mjs').Side>} [sides] how each compresses, where that was agreed
   */
  constructor(socket, role, rest, sides) {
    this.socket = socket;
    this.role = role;
    this.#decoder = new FrameDecoder(role === 'server', sides !== undefined);
    if (sides !== undefined) {
      this.deflater = new MessageStream(sides[role]);
      this.#inflater = new MessageStream(sides[role === 'server' ? 'client' : 'server']);
    }
    this.violations = this.#decoder.violations;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('end', () => this.#ended(this.#isReset() ? 'reset' : 'fin'));
    socket.on('error', () => this.#ended('reset'));
    socket.on('close', () => this.#ended('reset')); // unless 'end' came before
    if (rest.length > 0) this.#receive(rest);
    socket.resume();
  }

  /** The peer has sent its Close frame, or is gone. */
  get isOver() {
    return this.close !== undefined || this.end !== undefined;
  }

  /** Waits until the condition holds. @returns {Promise<boolean>} false: it did not within so many milliseconds */
  until(condition, timeout) {
    if (condition()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const check = () => {
        if (condition()) finish(true);
      };
      const finish = (result) => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(result);
      };
      const timer = setTimeout(() => finish(false), timeout);
      this.#waiting.add(check);
    });
  }

  /** Writes bytes, in one TCP write or in writes of `chop` bytes; stops when the peer is gone. */
  async write(bytes, chop = bytes.length) {
    // Time for the peer to read each of them alone, where they are few.
    const rest = bytes.length / chop <= mostPauses ? () => pause(1) : setImmediate;
    for (let at = 0; at < bytes.length && this.end === undefined && this.socket.writable; at += chop) {
      const taken = this.socket.write(bytes.subarray(at, at + chop));
      if (!taken) await this.#drained();
      else if (at + chop < bytes.length) await rest();
    }
  }

  /** Sends a Close frame; without a status when it is 1005. */
  async sendClose(status) {
    if (this.closeSent) return;
    this.closeSent = true;
    const payload = status === 1005 ? '' : closePayload(status);
    await this.write(encodeFrame({ opcode: Opcode.close, payload }, this.role === 'client').bytes);
  }

  /** Asks whether the peer still reads. */
  async probe() {
    await this.write(encodeFrame({ opcode: Opcode.ping, payload: probe }, this.role === 'client').bytes);
  }

  #drained() {
    return new Promise((resolve) => {
      const done = () => {
        this.socket.off('drain', done).off('close', done);
        resolve();
      };
      this.socket.on('drain', done).on('close', done);
    });
  }

  #receive(chunk) {
    for (const frame of this.#decoder.push(chunk)) this.#take(frame);
    this.#changed();
  }

  #take({ opcode, fin, isCompressed, payload }) {
    if (this.close !== undefined) this.violations.push(`sent a frame of opcode ${opcode} behind its Close frame`);
    else if (opcode === Opcode.pong && payload.equals(probe)) this.isProbed = true;
    else if (opcode === Opcode.pong) this.pongs.push(payload);
    else if (opcode === Opcode.close) this.#takeClose(payload);
    else if (opcode < 3) this.#takeData(opcode, fin, isCompressed, payload);
  }

  #takeData(opcode, fin, isCompressed, payload) {
    const begins = opcode !== Opcode.continuation;
    if (begins === (this.#message !== undefined)) {
      this.violations.push(begins ? 'began a message inside another one' : 'continued nothing');
    }
    this.#message ??= { type: opcode === Opcode.binary ? 'binary' : 'text', isCompressed, parts: [] };
    this.#message.parts.push(payload);
    if (!fin) return;
    const message = this.#message;
    this.#message = undefined;
    const bytes = message.parts.length === 1 ? message.parts[0] : Buffer.concat(message.parts);
    this.messages.push({ type: message.type, payload: message.isCompressed ? this.#decompress(bytes) : bytes });
  }

  #decompress(bytes) {
    try {
      return this.#inflater?.decompress(bytes) ?? bytes;
    } catch (error) {
      this.violations.push(`sent a message that cannot be decompressed: ${error.message}`);
      return bytes;
    }
  }

  #takeClose(payload) {
    if (payload.length === 1) this.violations.push('sent a Close frame of one byte');
    this.close = { status: payload.length < 2 ? 1005 : payload.readUInt16BE(0), reason: payload.subarray(2) };
    if (firstBadByte(this.close.reason) !== undefined) this.violations.push('sent a close reason that is not UTF-8');
  }

  /** A reset behind the last bytes is reported as an end, too; the socket then has no peer, although we have not ended. */
  #isReset() {
    return !this.socket.writableEnded && this.socket.remoteAddress === undefined;
  }

  #ended(how) {
    if (this.end !== undefined) return;
    if (this.#decoder.isMidFrame) this.violations.push('ended inside a frame');
    this.end = how;
    this.#changed();
  }

  #changed() {
    for (const check of [...this.#waiting]) check();
  }
}
