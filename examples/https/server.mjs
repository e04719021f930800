// WebSocket over TLS: an echo on Node's https server, with a certificate from files.
//
//   sh examples/https/make_certificates.sh                 into the folder certificates
//   node examples/https/server.mjs                         wss://localhost:8443/, with certificates/{key,cert}.pem
//   HOST=0.0.0.0 PORT=443 CERTIFICATES=/etc/tls node examples/https/server.mjs
//   node examples/https/client.mjs                         in another terminal; it trusts certificates/ca.pem
//
// When the files are new (an authority like Let's Encrypt gives certificates for some weeks), `kill -HUP` makes the server read
// them: new connections get the new certificate, and open ones stay. Ctrl-C closes the clients with 1001.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import path from 'node:path';
import { WebSocket, WebSocketServer } from 'websocket-component';

const port = Number(process.argv[2] || process.env.PORT || 8443);
const folder = process.env.CERTIFICATES || 'certificates';

function readCertificates() {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(path.join(folder, name)));
  return { key, cert, minVersion: 'TLSv1.2' };
}

const https = createServer(readCertificates(), (request, response) => {
  response.writeHead(426, { Upgrade: 'websocket' }).end('This server speaks WebSocket\n');
});
https.on('tlsClientError', (error) => console.error(`no TLS connection: ${error.message}`));

const echo = new WebSocketServer({ server: https, maxPayload: 1024 * 1024, maxBackpressure: 4 * 1024 * 1024 });
echo.on('connection', (socket, request) => {
  console.log(`connected with ${request.socket.getProtocol()}`);
  socket.on('error', (error) => console.error(error.message));
  socket.on('message', (data, isBinary) => {
    // A client that sends and does not read: read nothing more from it until it has caught up.
    const isDrained = socket.send(data, { binary: isBinary });
    if (!isDrained && socket.readyState === WebSocket.OPEN) socket.pause();
  });
  socket.on('drain', () => socket.resume());
});

https.listen(port, process.env.HOST || '127.0.0.1', () =>
  console.log(`listening on wss://localhost:${https.address().port}/`),
);

process.on('SIGHUP', () => {
  try {
    https.setSecureContext(readCertificates());
    console.log('the certificates were read anew');
  } catch (error) {
    console.error(`the old certificates stay in use: ${error.message}`);
  }
});

async function stop() {
  https.close();
  await echo.close({ code: 1001, timeout: 2000 });
  https.closeAllConnections();
}
process.once('SIGINT', stop).once('SIGTERM', stop);
