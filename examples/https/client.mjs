// A client of server.mjs, which says how to start both. It trusts the certificates that one authority signed, and no others;
// without the option `ca` it trusts those that Node trusts.
//
//   node examples/https/client.mjs [url] [file of the authority]     default: wss://localhost:8443/ certificates/ca.pem
//
// It prints the version of TLS, and what came back. With another authority's file it says that the certificate is not trusted,
// and its exit status is 1.
import { readFileSync } from 'node:fs';
import { WebSocket } from 'websocket-component';

const [url = 'wss://localhost:8443/', authority = 'certificates/ca.pem'] = process.argv.slice(2);

const socket = new WebSocket(url, { ca: readFileSync(authority), handshakeTimeout: 10_000 });
socket.on('upgrade', (response) => console.log(`connected with ${response.socket.getProtocol()}`));
socket.on('open', () => socket.send('hello'));
socket.on('message', (data) => {
  console.log(`received: ${data}`);
  socket.close(1000);
});
socket.on('error', (error) => console.error(`${url}: ${error.message} (${error.code})`));
socket.on('close', (code) => {
  if (code !== 1000) process.exitCode = 1; // 1006 behind an error, 1001 when the server has ended
});
