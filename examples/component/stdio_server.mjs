// WebSocket without a network: a server that speaks it over its standard input and output, opening handshake included. So
// does any transport that moves bytes both ways: a serial line, a pipe, a program started by ssh or inetd.
//
//   node examples/component/stdio_client.mjs            starts it, and talks with it
//
// The protocol is the component's; this program moves bytes (endpoint.mjs), and reads the head of the HTTP request. It
// answers each text with the same in capitals, and ends with the connection.
import { component } from 'websocket-component';
import { Endpoint } from './endpoint.mjs';

const { CLOSE_BUFFER_TYPE, UTF8_MESSAGE_BUFFER_TYPE, UTF8_FRAGMENT_BUFFER_TYPE } = component.WEB_SOCKET_BUFFER_TYPE;
const maxHead = 16 * 1024;
const maxText = 64 * 1024;
const { MAX_MESSAGE_SIZE_PROPERTY_TYPE: type } = component.WEB_SOCKET_PROPERTY_TYPE;

const handle = component.WebSocketHandle.createServerHandle([{ type, value: maxText }]);
const write = (bytes) => {
  if (!process.stdout.write(bytes)) process.stdin.pause(); // a client that does not read: read no more from it
};
let head = Buffer.alloc(0); // of the request, as far as it has come
let pieces = []; // of a message, as far as it has come
let endpoint; // when the handshake is done

process.stdin.on('data', (chunk) => {
  if (endpoint !== undefined) endpoint.bytes(chunk);
  else receiveHead(chunk);
});
process.stdin.on('end', () => end());
process.stdout.on('drain', () => process.stdin.resume());
process.stdout.on('error', () => end(1)); // the client is gone

function receiveHead(chunk) {
  head = Buffer.concat([head, chunk]);
  const length = head.indexOf('\r\n\r\n');
  if (length < 0 && head.length <= maxHead) return;
  try {
    if (length < 0) throw new Error(`The head is longer than ${maxHead} bytes`);
    write(accept(head.toString('latin1', 0, length)));
  } catch (error) {
    write(refusal(error));
    end(1);
    return;
  }
  endpoint = new Endpoint(handle, write, received, (error) => {
    console.error(`The client broke the protocol: ${error.message}`);
    end(1);
  });
  endpoint.bytes(head.subarray(length + 4)); // the client may have sent more already
}

/** The response to a request that is a valid handshake. */
function accept(request) {
  const [start, ...lines] = request.split('\r\n');
  if (!/^GET \S+ HTTP\/1\.1$/.test(start)) throw new Error('Expected GET and HTTP/1.1');
  const fields = lines.flatMap((line) => {
    const [name] = line.split(':', 1);
    if (name === line || !/^\S+$/.test(name)) throw new Error('A line is no header field');
    return [name, line.slice(name.length + 1).trim()];
  });
  const answer = handle.beginServerHandshake(fields); // throws when the client did not ask for WebSocket
  handle.endServerHandshake();
  let response = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let at = 0; at < answer.length; at += 2) response += `${answer[at]}: ${answer[at + 1]}\r\n`;
  return `${response}\r\n`;
}

/** The response to any other request. */
function refusal({ code, message }) {
  const status =
    code === 'E_PROTOCOL_VERSION_NOT_SUPPORTED'
      ? '426 Upgrade Required\r\nSec-WebSocket-Version: 13'
      : '400 Bad Request';
  return `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`;
}

/** Something has arrived: a message, a piece of one, or the Close frame. */
function received({ type, buffers, closeStatus }) {
  if (type === CLOSE_BUFFER_TYPE) {
    endpoint.close(closeStatus);
    end();
  } else if (type === UTF8_FRAGMENT_BUFFER_TYPE || type === UTF8_MESSAGE_BUFFER_TYPE) {
    pieces.push(Buffer.from(buffers[0])); // a copy
    if (type === UTF8_FRAGMENT_BUFFER_TYPE) return;
    endpoint.send(Buffer.concat(pieces).toString().toUpperCase());
    pieces = [];
  } else {
    endpoint.close(1003, 'Text only');
  }
}

/** Nothing more is read; what was written still goes out. */
function end(status = 0) {
  process.exitCode ||= status;
  process.stdin.destroy();
  process.stdout.end();
}
