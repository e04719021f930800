// Raw peers for the fire tests: they make the opening handshake by hand, write frames, and answer a Close frame.
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';

/** A frame; masked when a client sends it. */
export function frame(opcode, payload = '', { fin = true, mask = true } = {}) {
  const data = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | opcode;
  const maskBit = mask ? 0x80 : 0;
  const head =
    data.length < 126
      ? Buffer.from([first, maskBit | data.length])
      : Buffer.from([first, maskBit | 126, data.length >> 8, data.length & 255]);
  if (!mask) return Buffer.concat([head, data]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([head, key, data.map((byte, i) => byte ^ key[i % 4])]);
}

/** The payload of a Close frame. */
export function closePayload(status, reason = '') {
  return Buffer.concat([Buffer.from([status >> 8, status & 255]), Buffer.from(reason)]);
}

const requestLines = [
  ...['GET / HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket'],
  ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'],
];
export const requestText = `${requestLines.join('\r\n')}\r\n\r\n`;

function acceptText(head) {
  const key = /sec-websocket-key: (.*)\r\n/i.exec(head)[1];
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  return `${[...lines, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`;
}

/** One end of a TCP connection whose other end is the socket that is tested. */
export class Peer {
  /** The Close frame of the tested socket came. */
  closeReceived = false;
  closeSent = false;
  /** Answers a Close frame, and ends when the other side does; see `answer`. */
  #answers = false;
  #hasEnded = false;
  #received = Buffer.alloc(0);
  #isOpen = false;
  #onHead;
  #onClose = [];

  /** @param isClient the peer is the client */
  constructor(socket, isClient) {
    this.socket = socket;
    this.isClient = isClient;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#onHead('');
      if (this.#answers) socket.end();
    });
    socket.on('close', () => this.#closed());
    this.head = new Promise((resolve) => (this.#onHead = resolve));
  }

  /** Frames for the other side. */
  frame(opcode, payload, options = {}) {
    return frame(opcode, payload, { ...options, mask: this.isClient });
  }

  /** The response that opens the connection; a client has none. */
  async opening() {
    if (this.isClient) return '';
    return acceptText(await this.head);
  }

  write(bytes) {
    return new Promise((resolve) => this.socket.write(bytes, 'latin1', () => resolve()));
  }

  /** From now on it answers a Close frame, and the end; also those that came already. */
  answer() {
    this.#answers = true;
    if (this.closeReceived) {
      if (!this.closeSent) this.socket.write(this.frame(8, closePayload(1000)));
      this.closeSent = true;
      if (!this.isClient) this.socket.end();
    }
    if (this.#hasEnded) this.socket.end();
  }

  reset() {
    this.socket.resetAndDestroy();
    this.socket.destroy(); // when that had no effect
  }

  /** Is fulfilled when the Close frame of the tested socket came, or its connection ended. */
  closing() {
    if (this.closeReceived || this.socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#onClose.push(resolve));
  }

  #read(chunk) {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (!this.#isOpen) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end === -1) return;
      const head = this.#received.subarray(0, end + 4).toString();
      this.#received = this.#received.subarray(end + 4);
      this.#isOpen = true;
      this.#onHead(head);
    }
    while (this.#takeFrame());
  }

  #takeFrame() {
    const bytes = this.#received;
    if (bytes.length < 2) return false;
    const short = bytes[1] & 127;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const start = 2 + lengthBytes + (bytes[1] & 0x80 ? 4 : 0);
    if (bytes.length < start) return false;
    const length = lengthBytes === 0 ? short : bytes.readUIntBE(lengthBytes === 8 ? 4 : 2, lengthBytes === 8 ? 6 : 2);
    if (bytes.length < start + length) return false;
    this.#received = bytes.subarray(start + length);
    if ((bytes[0] & 15) === 8) this.#closeFrame();
    return true;
  }

  #closeFrame() {
    this.closeReceived = true;
    this.#closed();
    if (this.#answers) this.answer();
  }

  #closed() {
    this.#onHead('');
    for (const resolve of this.#onClose.splice(0)) resolve();
  }
}

/** A TCP server for one connection; its port and its peer. */
export function listen() {
  return new Promise((resolve) => {
    let accepted;
    const peer = new Promise((done) => (accepted = done));
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted(new Peer(socket, false));
      server.close();
    });
    server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, peer, server }));
  });
}

/** A client whose request is not sent yet. */
export function dial(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => resolve(new Peer(socket, true)));
    socket.once('error', reject);
  });
}
