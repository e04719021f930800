// Many clients at once: none is refused, and each is served.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterTest, requestText, serve, until } from './support';

const clients = 5000;

/** Connects all at once, and prints how many got a 101 response and an echo, and what went wrong with the others. */
const program = `
  const { connect } = require('node:net');
  const [port, count, request] = [Number(process.argv[1]), Number(process.argv[2]), process.argv[3]];
  const frame = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]);
  const result = { accepted: 0, echoed: 0, errors: [] };
  const sockets = [];
  let left = count;
  const end = () => { if (--left === 0) process.stdout.write(JSON.stringify(result), () => process.exit()); };
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    let accepted = false;
    sockets.push(socket);
    socket.write(request);
    socket.on('error', (error) => { result.errors.push(error.code); end(); });
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (!accepted && received.endsWith('\\r\\n\\r\\n')) {
        accepted = true;
        if (received.startsWith('HTTP/1.1 101 ')) result.accepted++;
        received = '';
        socket.write(frame);
      } else if (accepted && received === '\\x81\\x01a') {
        result.echoed++;
        end();
      }
    });
  }
`;

test(`${clients} clients that connect at once are all served, with the default backlog`, async () => {
  const { server, port } = await serve();
  server.on('connection', (socket) => {
    socket.on('error', () => {}); // the process of the clients ends
    socket.on('message', (data) => socket.send(data as Buffer, { binary: false }));
  });
  const child = spawn(process.execPath, ['-e', program, String(port), String(clients), requestText()], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LD_PRELOAD: undefined }, // plain Node, without a sanitizer
    timeout: 25_000,
  });
  afterTest(() => child.kill('SIGKILL'));
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect(JSON.parse(output)).toEqual({ accepted: clients, echoed: clients, errors: [] });
  await until(() => server.clients.size === 0, 'the end of every connection');
});
