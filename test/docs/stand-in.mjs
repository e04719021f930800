// Stands for every other machine that a block names: a server, with TLS and without, that is ws and not this package. It
// takes each WebSocket, agrees to the first subprotocol, and sends every message back; other requests get 200.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { WebSocketServer } from 'ws';

/**
 * Makes a certificate of these names that is its own authority, in a folder: cert.pem and key.pem.
 * @param {string} folder
 * @param {string[]} hosts
 */
export function makeCertificate(folder, hosts) {
  const file = (name) => path.join(folder, name);
  const names = [...new Set(['localhost', ...hosts])].map((host) => `DNS:${host}`);
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${names.join(',')},IP:127.0.0.1`];
  const out = ['-keyout', file('key.pem'), '-out', file('cert.pem')];
  execFileSync('openssl', [...request, ...subject, ...out], { stdio: 'pipe' });
}

/**
 * @param {string} folder with the certificate
 * @returns {Promise<{ plain: number, secure: number, close: () => void }>} its ports
 */
export async function startStandIn(folder) {
  const certificate = {
    cert: readFileSync(path.join(folder, 'cert.pem')),
    key: readFileSync(path.join(folder, 'key.pem')),
  };
  const servers = [http.createServer(), https.createServer(certificate)];
  for (const server of servers) {
    server.on('request', (request, response) => response.end('ok\n'));
    server.on('tlsClientError', () => {});
    const echo = new WebSocketServer({ server, perMessageDeflate: true });
    echo.on('connection', (socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }));
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const [plain, secure] = servers.map((server) => server.address().port);
  const close = () => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  };
  return { plain, secure, close };
}
