// A WebSocket over the standard input and output of another program: with the option `createConnection` any Duplex can be
// under a client, and all of its API works on it.
//
//   node examples/component/stdio_client.mjs                                      starts stdio_server.mjs
//   node examples/component/stdio_client.mjs ssh example.com node stdio_server.mjs   ... on another machine
//
// It sends two messages, prints the answers HELLO and WORLD, closes with 1000, and prints how the connection ended.
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'websocket-component';

const ours = [process.execPath, fileURLToPath(new URL('stdio_server.mjs', import.meta.url))];
const [command, ...args] = process.argv.length > 2 ? process.argv.slice(2) : ours;

const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
const stream = Duplex.from({ readable: server.stdout, writable: server.stdin });
server.on('error', (error) => stream.destroy(error)); // it could not be started

const socket = new WebSocket('ws://stdio/', { createConnection: () => stream, handshakeTimeout: 10_000 });
socket.on('error', (error) => console.error(error.message));
socket.on('close', (code) => {
  console.log(`closed with ${code}`);
  if (code !== 1000) process.exitCode = 1;
});

const texts = ['hello', 'world'];
const goOn = () => (texts.length > 0 ? socket.send(texts.shift()) : socket.close(1000));
socket.on('open', goOn);
socket.on('message', (data) => {
  console.log(data.toString());
  goOn();
});
