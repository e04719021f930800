// An echo peer in plain JavaScript, server or client, that the suite checks itself against: sound, or with one of the
// defects of defects.mjs, whose names are the strings that stand at their places here.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { MessageStream } from '../runner/deflate.mjs';
import { closePayload, encodeFrame, Opcode } from '../runner/frames.mjs';
import { acceptConnection, openConnection } from '../runner/handshake.mjs';
import { answerTo, isAnswerFine, offer } from './plain-negotiation.mjs';
import { Utf8Checker } from './utf8-checker.mjs';

/** Milliseconds that a connection is left open, more than the runner waits. */
const leftOpen = 3000;
const maxPayload = 16 * 1024 * 1024;
/** Of a message: up to here, what there is of it is decompressed with each piece. */
const mostAtOnce = 100_000;
const validStatus = (status) =>
  (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) || (status >= 3000 && status <= 4999);

/** Serves echo peers with a defect, or sound ones. */
export async function servePlainPeers(defect) {
  const sockets = new Set();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, async (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    let sides;
    const choose = (_path, offered) => {
      const { status, chosen, agreed } = answerTo(offered, defect);
      sides = agreed;
      return { status, chosen };
    };
    const accepted = await acceptConnection(socket, choose).catch(() => undefined);
    if (accepted !== undefined) new PlainPeer(socket, 'server', accepted.rest, defect, sides);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `ws://127.0.0.1:${server.address().port}`, stop };
}

/** An echo client with a defect, or a sound one. Resolves when its connection is gone. */
export async function connectPlainPeer(url, defect) {
  const { socket, rest, chosen } = await openConnection(url, [offer]);
  const { isFine, agreed } = isAnswerFine(chosen, defect);
  if (isFine) new PlainPeer(socket, 'client', rest, defect, agreed);
  else socket.destroy();
  if (!socket.destroyed) await new Promise((resolve) => socket.on('close', resolve));
}

class PlainPeer {
  #socket;
  #isServer;
  #defect;
  #header = Buffer.alloc(0);
  /** The frame whose payload is being read. */
  #frame;
  /** The message that is not finished. @type {{ isText: boolean, parts: Buffer[], fragments: number } | undefined} */
  #message;
  #utf8;
  #state = 'open'; // open, failed (nothing is read any more), closed (both Close frames)
  #pongs = [];
  #echoed = 0;
  /** With permessage-deflate. @type {MessageStream | undefined} */
  #deflater;
  #inflater;

  constructor(socket, role, rest, defect, sides) {
    this.#socket = socket;
    this.#isServer = role === 'server';
    this.#defect = defect;
    this.#utf8 = new Utf8Checker(defect);
    if (sides !== undefined) {
      const ours = { ...sides[role] };
      if (this.#has('deflate-context-kept')) ours.takeover = true;
      if (this.#has('deflate-window-ignored')) ours.windowBits = 15;
      const theirs = { ...sides[this.#isServer ? 'client' : 'server'] };
      if (this.#has('deflate-context-lost')) theirs.takeover = false;
      this.#deflater = new MessageStream(ours);
      this.#inflater = new MessageStream(theirs);
    }
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('end', () => {
      if (this.#has('tcp-left-open')) setTimeout(() => socket.destroy(), leftOpen);
      else socket.end();
    });
    if (rest.length > 0) this.#receive(rest);
    socket.resume();
  }

  #has(defect) {
    return this.#defect === defect;
  }

  // ---- Sending ---------------------------------------------------------------------------------------------------------

  #send(opcode, payload, rsv = 0) {
    if (!this.#socket.writable) return;
    const lengthSize = this.#has('length-not-minimal') && payload.length < 65_536 ? 8 : undefined;
    const isMasked = this.#isServer === this.#has('mask-wrong');
    this.#socket.write(encodeFrame({ opcode, payload, lengthSize, rsv }, isMasked).bytes);
  }

  #fail(status) {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    if (this.#has('failure-drops')) {
      this.#socket.end();
      return;
    }
    this.#send(Opcode.close, closePayload(this.#has('failure-code') ? 1000 : status));
    this.#end();
  }

  /** The server ends TCP, the client waits for that. */
  #end() {
    if (!this.#isServer || this.#has('tcp-left-open')) return;
    this.#socket.end();
  }

  /** Without the FIN that `resetAndDestroy` sends when all is written. */
  #reset() {
    this.#socket.resetAndClosing = true;
    this.#socket.destroy();
  }

  #echo(isText, payload) {
    if (this.#has('empty-lost') && payload.length === 0) return;
    if (this.#has('message-lost') && ++this.#echoed % 500 === 0) return;
    if (this.#has('last-byte-lost') && payload.length >= 65_536) payload = payload.subarray(0, -1);
    if (this.#has('bom-stripped') && isText && payload.indexOf('\ufeff') === 0) payload = payload.subarray(3);
    const opcode = isText && !this.#has('type-lost') ? Opcode.text : Opcode.binary;
    if (this.#has('echo-late')) setImmediate(() => this.#state === 'open' && this.#send(Opcode.text, payload));
    else if (this.#deflater === undefined) this.#send(opcode, payload);
    else this.#send(opcode, this.#compress(payload), this.#has('deflate-rsv-missing') ? 0 : 4);
  }

  #compress(payload) {
    const bytes = this.#deflater.compress(payload);
    return this.#has('deflate-tail-kept') ? Buffer.concat([bytes, Buffer.from([0, 0, 255, 255])]) : bytes;
  }

  #pong(payload) {
    if (this.#has('ping-ignored')) return;
    if (this.#has('pong-late') && this.#message !== undefined) this.#pongs.push(payload);
    else if (this.#has('pong-newest')) this.#pongs = [payload];
    else this.#send(Opcode.pong, this.#has('pong-empty') ? '' : payload, this.#has('deflate-rsv-pong') ? 4 : 0);
  }

  #sendPongs() {
    for (const payload of this.#pongs.splice(0)) this.#send(Opcode.pong, payload);
  }

  // ---- Receiving -------------------------------------------------------------------------------------------------------

  #receive(chunk) {
    let rest = Buffer.from(chunk);
    while (rest.length > 0 && this.#reads) {
      if (this.#frame === undefined) rest = this.#readHeader(rest);
      if (this.#frame === undefined || !this.#reads) break;
      const part = rest.subarray(0, this.#frame.missing);
      rest = rest.subarray(part.length);
      this.#readPayload(part);
    }
    if (this.#has('pong-newest')) this.#sendPongs();
  }

  get #reads() {
    return this.#state === 'open' || (this.#state === 'closed' && this.#defect?.startsWith('after-close'));
  }

  /** Returns what is behind the header. */
  #readHeader(chunk) {
    const held = this.#header.length;
    const bytes = Buffer.concat([this.#header, chunk.subarray(0, 14)]);
    this.#header = bytes;
    if (!this.#has('header-late') && !this.#checkFirst(bytes[0])) return chunk;
    if (bytes.length < 2) return this.#holdHeader(chunk.subarray(bytes.length - held));
    const opcode = bytes[0] & 15;
    const isMasked = (bytes[1] & 0x80) !== 0;
    const length7 = bytes[1] & 0x7f;
    if (isMasked !== this.#isServer && !this.#has('mask-accepted')) return this.#fail(1002) ?? chunk;
    if (opcode >= 8 && length7 > 125 && !this.#has('control-long')) return this.#fail(1002) ?? chunk;
    const extended = length7 < 126 ? 0 : length7 === 126 ? 2 : 8;
    const size = 2 + extended + (isMasked ? 4 : 0);
    const lengthKnown = bytes.length >= 2 + extended;
    let length = BigInt(length7);
    if (lengthKnown && extended > 0) length = extended === 2 ? BigInt(bytes.readUInt16BE(2)) : bytes.readBigUInt64BE(2);
    if (lengthKnown && !this.#checkLength(length, extended)) return chunk;
    if (bytes.length < size) return this.#holdHeader(chunk.subarray(bytes.length - held));
    if (this.#has('header-late') && !this.#checkFirst(bytes[0])) return chunk;
    this.#header = Buffer.alloc(0);
    const key = isMasked ? bytes.subarray(size - 4, size) : undefined;
    const isCompressed = (bytes[0] & 0x40) !== 0;
    this.#begin({ opcode, fin: (bytes[0] & 0x80) !== 0, isCompressed, key, at: 0, missing: Number(length), parts: [] });
    return chunk.subarray(size - held);
  }

  /** The rest of the header is still to come. */
  #holdHeader(rest) {
    if (this.#has('header-whole')) this.#header = Buffer.alloc(0);
    return rest;
  }

  #checkFirst(first) {
    const opcode = first & 15;
    const isControl = opcode >= 8;
    const wrong =
      ((first & 0x70 & ~this.#rsvOf(opcode)) !== 0 && !this.#has('rsv-accepted')) ||
      (!Object.values(Opcode).includes(opcode) && !this.#has('opcode-accepted')) ||
      (isControl && (first & 0x80) === 0 && !this.#has('control-fragmented')) ||
      (opcode === Opcode.continuation && this.#message === undefined && !this.#has('continuation-of-nothing')) ||
      ((opcode === Opcode.text || opcode === Opcode.binary) &&
        this.#message !== undefined &&
        !this.#has('message-inside'));
    if (wrong) this.#fail(1002);
    return !wrong;
  }

  /** The reserved bits that a frame may have. */
  #rsvOf(opcode) {
    if (this.#deflater === undefined) return this.#has('deflate-uninvited') ? 0x40 : 0;
    if (this.#has('deflate-rsv-others')) return 0x70;
    if (opcode === Opcode.continuation) return this.#has('deflate-rsv-continuation') ? 0x40 : 0;
    if (opcode >= 8) return this.#has('deflate-rsv-control') ? 0x40 : 0;
    return 0x40;
  }

  #checkLength(length, extended) {
    const isMinimal = extended === 0 || length >= (extended === 2 ? 126n : 65_536n);
    const wrong = length >> 63n !== 0n || (!isMinimal && !this.#has('length-accepted'));
    if (wrong) this.#fail(1002);
    else if (this.#has('message-limit') && length > 1n << 20n) this.#fail(1009);
    return this.#state !== 'failed';
  }

  #begin(frame) {
    this.#frame = frame;
    if (frame.opcode >= 3) return;
    if (this.#message === undefined || frame.opcode !== Opcode.continuation) {
      const isCompressed = frame.isCompressed && this.#deflater !== undefined;
      this.#message = { isText: frame.opcode === Opcode.text, isCompressed, checked: 0, parts: [], fragments: 0 };
      this.#utf8.reset();
    }
    if (this.#has('fragment-limit') && ++this.#message.fragments > 1000) this.#fail(1008);
  }

  #readPayload(part) {
    const frame = this.#frame;
    if (frame.key !== undefined) {
      for (let i = 0; i < part.length; i++) part[i] ^= frame.key[(frame.at + i) & 3];
    }
    frame.at += part.length;
    frame.missing -= part.length;
    frame.parts.push(part);
    const isText = frame.opcode < 3 && this.#message.isText;
    if (frame.opcode < 3 && this.#message.isCompressed) {
      if (!this.#checkCompressed()) return;
    } else if (isText && !this.#has('utf8-at-frame-end') && !this.#checkText(part)) return;
    if (frame.missing > 0) return;
    const payload = Buffer.concat(frame.parts);
    this.#frame = undefined;
    const isPlainText = isText && !this.#message.isCompressed;
    if (isPlainText && this.#has('utf8-at-frame-end') && !this.#checkText(payload)) return;
    if (this.#state === 'closed') this.#afterClose(frame.opcode, payload);
    else if (frame.opcode < 3) this.#data(frame.fin, payload);
    else if (frame.opcode === Opcode.ping) this.#pong(payload);
    else if (frame.opcode === Opcode.pong && this.#has('pong-answered')) this.#send(Opcode.pong, payload);
    else if (frame.opcode === Opcode.close) this.#close(payload);
  }

  /** Decompresses what there is of a message that is not complete. @returns {boolean} whether it can go on */
  #checkCompressed() {
    const bytes = Buffer.concat([...this.#message.parts, ...this.#frame.parts]);
    if (bytes.length > mostAtOnce || this.#has('deflate-late')) return true;
    let payload;
    try {
      payload = this.#inflater.decompressSome(bytes);
    } catch {
      if (!this.#has('deflate-corrupt')) this.#fail(1007);
      return this.#state === 'open';
    }
    return this.#checkInflated(payload);
  }

  /** @returns {boolean} whether a message, or what there is of it, is within the limit, and UTF-8 where it has to be */
  #checkInflated(payload) {
    if (payload.length > maxPayload && !this.#has('deflate-limit')) this.#fail(1009);
    const rest = payload.subarray(this.#message.checked);
    this.#message.checked = payload.length;
    if (this.#state === 'open' && this.#message.isText) this.#checkText(rest);
    return this.#state === 'open';
  }

  /** @returns {Buffer | undefined} undefined: the connection has failed */
  #decompress(bytes) {
    let payload;
    try {
      if (this.#has('deflate-final') && (bytes[0] & 1) === 1) throw new Error('a final block');
      payload = this.#inflater.decompress(bytes);
    } catch {
      if (this.#has('deflate-cut')) return this.#inflater.decompressSome(bytes);
      if (this.#has('deflate-corrupt')) return bytes;
      return this.#fail(1007);
    }
    return this.#checkInflated(payload) ? payload : undefined;
  }

  #checkText(bytes) {
    const whole = this.#has('utf8-ignored') || this.#has('utf8-at-message-end');
    const isGood = whole || this.#utf8.push(bytes);
    if (!isGood) this.#fail(1007);
    return isGood;
  }

  #data(fin, payload) {
    const { isText, parts } = this.#message;
    parts.push(payload);
    if (this.#has('fragments-echoed')) this.#echo(isText, payload);
    if (!fin && this.#has('utf8-per-fragment') && isText && !this.#utf8.isComplete) return this.#fail(1007);
    if (!fin) return undefined;
    const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const message = this.#message.isCompressed ? this.#decompress(bytes) : bytes;
    if (message === undefined) return undefined;
    this.#message = undefined;
    if (isText && this.#has('utf8-at-message-end')) this.#utf8.push(message);
    const isGood = !isText || this.#has('utf8-ignored') || this.#utf8.isComplete;
    if (!isGood) return this.#fail(1007);
    if (!this.#has('fragments-echoed')) this.#echo(isText, message);
    this.#sendPongs();
    return undefined;
  }

  #close(payload) {
    if (payload.length === 1 && !this.#has('close-one-byte')) return this.#fail(1002);
    const status = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    const isKnown =
      status === 1005
        ? payload.length < 2
        : validStatus(status) && !(this.#has('status-new') && status > 1011 && status < 3000);
    if (!isKnown && !this.#has('status-unchecked')) return this.#fail(1002);
    this.#utf8.reset();
    const isText = this.#utf8.push(payload.subarray(2)) && this.#utf8.isComplete;
    if (!isText && !this.#has('reason-unchecked')) return this.#fail(1007);
    this.#state = 'closed';
    if (this.#has('close-ignored')) return undefined;
    const answer = this.#has('close-answered-1000') ? closePayload(1000) : payload.subarray(0, 2);
    this.#send(Opcode.close, answer);
    if (this.#has('tcp-reset')) this.#reset();
    else if (this.#defect?.startsWith('after-close')) setTimeout(() => this.#end(), 2000);
    else this.#end();
    return undefined;
  }

  /** Defects: nothing may follow the Close frame. */
  #afterClose(opcode, payload) {
    if (this.#has('after-close-echo') && opcode < 3) this.#send(opcode, payload);
    if (this.#has('after-close-pong') && opcode === Opcode.ping) this.#send(Opcode.pong, payload);
    if (this.#has('after-close-twice') && opcode === Opcode.close) this.#send(Opcode.close, payload);
  }
}
