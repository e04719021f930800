// A file goes through a socket as one message, and neither side holds it whole: the client pipes it into a writer, the
// server pipes what arrives into a file, and answers with the SHA-256 of what it wrote.
// Run: node examples/streaming/send_file.mjs [file]     (default: the program that runs it)
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { WebSocket, WebSocketServer } from 'websocket-component';

const source = process.argv[2] ?? process.execPath;
const { size } = await stat(source); // fails when there is no such file
const folder = await mkdtemp(path.join(tmpdir(), 'send-file-'));

// The server. With messageStream its messages are Readables, and with maxPayload 0 they may have any length.
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', messageStream: true, maxPayload: 0 });
server.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error));
  socket.on('messageStream', async (upload) => {
    const target = path.join(folder, 'received');
    try {
      await pipeline(upload, createWriteStream(target));
      socket.send(await digestOf(target));
    } catch (error) {
      console.error(`The upload failed: ${error.message}`);
      socket.close(1011);
    }
  });
});
await once(server, 'listening');

// The client. The pipeline reads the file only as fast as the server takes it.
const socket = new WebSocket(`ws://127.0.0.1:${server.address().port}/`);
await once(socket, 'open');
const answer = socket.receive();
await pipeline(createReadStream(source), socket.createMessageWriter());
const received = (await answer).data.toString();

const sent = await digestOf(source);
console.log(`${size} bytes, SHA-256 ${sent}: ${received === sent ? 'the same on both sides' : 'DAMAGED'}`);
process.exitCode = received === sent ? 0 : 1;

socket.close();
server.close();
await rm(folder, { recursive: true });

async function digestOf(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
