// The opening handshake (RFC 6455, 4) in both roles, over a socket of Node's: TCP, and TLS to a server.
import { createHash, randomBytes } from 'node:crypto';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const maxHead = 16_384;
/** Milliseconds for a handshake. */
const mostTime = 10_000;

/**
 * Opens a WebSocket connection.
 * @param {string} url `ws://host:port/path` or `wss://host:port/path`
 * @param {string[]} [offers] the fields Sec-WebSocket-Extensions; none: no extension is offered
 * @param {{ tls?: import('node:tls').ConnectionOptions, headers?: string[], timeout?: number }} [access] what else the server
 *   wants: further header fields are `Name: value`; milliseconds for its answer
 * @returns {Promise<{ socket: import('node:net').Socket, rest: Buffer, chosen: string | undefined }>} rest: what came behind
 *   the response; chosen: its Sec-WebSocket-Extensions
 * @throws {Error} with the `status` of the response when it is not 101
 */
export async function openConnection(url, offers = [], { tls = {}, headers = [], timeout = mostTime } = {}) {
  const { hostname, port, pathname, search, host, protocol } = new URL(url);
  if (protocol !== 'ws:' && protocol !== 'wss:') throw new Error(`${url}: it is no ws: or wss: URL`);
  const isSecure = protocol === 'wss:';
  const name = hostname.replace(/^\[|\]$/g, '');
  const address = { host: name, port: port || (isSecure ? 443 : 80), allowHalfOpen: true, noDelay: true };
  const servername = isIP(name) === 0 ? name : '';
  const socket = isSecure ? connectTls({ ...address, servername, ...tls }) : connect(address);
  const key = randomBytes(16).toString('base64');
  const fields = [
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    ...offers.map((offer) => `Sec-WebSocket-Extensions: ${offer}`),
    ...headers,
  ];
  socket.write([`GET ${pathname}${search} HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n'));
  const { lines, rest } = await readHead(socket, timeout);
  const refuse = (why) => {
    socket.destroy();
    throw Object.assign(new Error(`${why}: ${lines[0]}`), { status });
  };
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(lines[0])?.[1]);
  if (status !== 101) refuse('the server did not switch protocols');
  if (valueOf(lines, 'sec-websocket-accept') !== acceptOf(key)) refuse('Sec-WebSocket-Accept is wrong');
  const chosen = valueOf(lines, 'sec-websocket-extensions');
  if (chosen !== undefined && offers.length === 0) refuse('an extension was chosen that was not offered');
  return { socket, rest, chosen };
}

/**
 * Answers a client.
 * @param {import('node:net').Socket} socket
 * @param {(path: string, offered: string | undefined) => { chosen?: string, status?: string }} choose what a path and the
 *   Sec-WebSocket-Extensions of the request are answered with: that field of the answer, or the status that refuses it
 * @returns {Promise<{ path: string, rest: Buffer, offered: string | undefined } | undefined>} undefined: it was refused
 */
export async function acceptConnection(socket, choose) {
  const { lines, rest } = await readHead(socket);
  const path = lines[0].split(' ')[1] ?? '';
  const key = valueOf(lines, 'sec-websocket-key');
  const offered = valueOf(lines, 'sec-websocket-extensions');
  const { chosen, status } = key === undefined ? { status: '400 Bad Request' } : choose(path, offered);
  if (status !== undefined) {
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    return undefined;
  }
  const fields = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptOf(key)}`];
  if (chosen !== undefined) fields.push(`Sec-WebSocket-Extensions: ${chosen}`);
  socket.write(['HTTP/1.1 101 Switching Protocols', ...fields, '', ''].join('\r\n'));
  return { path, rest, offered };
}

function acceptOf(key) {
  return createHash('sha1')
    .update(key + guid)
    .digest('base64');
}

/** The value of a field, or the values of several, as a list. */
function valueOf(lines, name) {
  const found = lines.slice(1).filter((one) => one.slice(0, one.indexOf(':')).toLowerCase() === name);
  return found.length === 0 ? undefined : found.map((one) => one.slice(one.indexOf(':') + 1).trim()).join(', ');
}

/** Reads up to the empty line; the socket is paused afterwards. */
function readHead(socket, timeout = mostTime) {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => fail(new Error(`no handshake within ${timeout} ms`)), timeout);
    const finish = () => {
      clearTimeout(timer);
      socket.off('data', onData).off('error', fail).off('end', onEnd);
    };
    const fail = (error) => {
      finish();
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const onEnd = () => fail(new Error('the connection ended during the handshake'));
    const onData = (chunk) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0 && received.length > maxHead) fail(new Error('the head of the handshake is too long'));
      if (end < 0) return;
      socket.pause();
      finish();
      socket.on('error', () => {}); // until somebody listens
      resolve({ lines: received.subarray(0, end).toString('latin1').split('\r\n'), rest: received.subarray(end + 4) });
    };
    socket.on('data', onData).on('error', fail).on('end', onEnd);
  });
}
