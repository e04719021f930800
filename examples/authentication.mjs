// Who may connect is decided before the upgrade: by a session cookie (browsers) or a bearer token (other programs). Who may
// not gets 401 and a sentence; who may has `socket.user`.
//
//   node examples/authentication.mjs    http://127.0.0.1:8080/; another port: an argument, or PORT in the environment
//
//   curl -i --json '{"name":"ada","password":"lovelace"}' http://127.0.0.1:8080/login
//   npx websocket-component connect ws://127.0.0.1:8080/ -H 'authorization: Bearer TOKEN'    with the token that curl shows
//
// The server says "welcome ada", and answers each message. After an hour the token has expired, and the connection is closed
// with 1008. Ctrl-C closes the clients with 1001. Use TLS where it is not your own machine: see https/server.mjs.
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { WebSocketServer } from 'websocket-component';

const port = Number(process.argv[2] || process.env.PORT || 8080);
const maxBody = 1024; // bytes
const lifetime = Number(process.env.LIFETIME || 3600); // seconds
const secret = process.env.SECRET || randomBytes(32); // signs the tokens; with a random one they end with this process

const salt = randomBytes(16);
const hashOf = (password) => promisify(scrypt)(password, salt, 32);
const users = new Map([['ada', await hashOf('lovelace')]]); // a database in real life

const http = createServer(async (request, response) => {
  const answer = (status, body, fields) =>
    response.writeHead(status, { 'Content-Type': 'application/json', ...fields }).end(`${JSON.stringify(body)}\n`);
  if (request.method !== 'POST' || request.url !== '/login') return answer(404, { error: 'There is only POST /login' });
  if (!(request.headers['content-length'] <= maxBody)) return answer(413, { error: `At most ${maxBody} bytes` });
  try {
    const { name, password } = await json(request);
    const expected = users.get(name) ?? randomBytes(32); // names that exist take as long as those that do not
    if (!timingSafeEqual(await hashOf(password), expected)) {
      return answer(401, { error: 'Unknown name or wrong password' });
    }
    const token = sign({ name, expires: Date.now() + lifetime * 1000 });
    const cookie = `session=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${lifetime}`; // with TLS also: Secure
    return answer(200, { token }, { 'Set-Cookie': cookie });
  } catch {
    return answer(400, { error: 'What is posted must be like {"name":"ada","password":"lovelace"}' });
  }
});

const server = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 });

http.on('upgrade', (request, stream, head) => {
  const [, bearer] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const [, cookie] = /(?:^|;\s*)session=([^;]*)/.exec(request.headers.cookie ?? '') ?? [];
  // A browser sends the cookie also for pages of others: only our own pages may use it.
  if (bearer === undefined && !isSameOrigin(request)) {
    return refuse(stream, '403 Forbidden', 'Pages of others may not connect');
  }
  const session = verify(bearer ?? cookie);
  if (session === undefined) {
    return refuse(stream, '401 Unauthorized', 'Log in first: POST /login', 'WWW-Authenticate: Bearer');
  }
  server.handleUpgrade(request, stream, head, (socket) => {
    socket.user = session.name;
    const left = Math.min(session.expires - Date.now(), 2 ** 31 - 1); // more is too much for a timer
    const timer = setTimeout(() => socket.close(1008, 'The session has expired'), left);
    socket.on('close', () => clearTimeout(timer));
    server.emit('connection', socket, request);
  });
});

server.on('connection', (socket) => {
  socket.on('error', (error) => console.error(`${socket.user}: ${error.message}`));
  socket.on('message', (data) => socket.send(`${socket.user} said: ${data}`));
  socket.send(`welcome ${socket.user}`);
});

/** A token: the session, and a signature without which nobody can make one. */
function sign(session) {
  const content = Buffer.from(JSON.stringify(session)).toString('base64url');
  return `${content}.${signatureOf(content).toString('base64url')}`;
}

/** The session that a token holds; undefined when we did not sign it, or it has expired. */
function verify(token = '') {
  const [content, signature = ''] = token.split('.');
  const [given, expected] = [Buffer.from(signature, 'base64url'), signatureOf(content)];
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const session = JSON.parse(Buffer.from(content, 'base64url'));
  return session.expires > Date.now() ? session : undefined;
}

function signatureOf(content) {
  return createHmac('sha256', secret).update(content).digest();
}

/** Programs other than browsers send no Origin. */
function isSameOrigin({ headers: { origin, host } }) {
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}

/** Answers with an error in place of the upgrade, and ends the connection. */
function refuse(stream, status, text, ...fields) {
  const type = 'Content-Type: text/plain; charset=utf-8';
  const length = `Content-Length: ${Buffer.byteLength(text)}`;
  const head = [`HTTP/1.1 ${status}`, 'Connection: close', type, length, ...fields];
  stream.on('error', () => stream.destroy()); // the client may be gone
  stream.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => stream.destroy());
}

http.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}/`));

async function stop() {
  http.close();
  await server.close({ code: 1001, timeout: 2000 });
  http.closeAllConnections();
}
process.once('SIGINT', stop).once('SIGTERM', stop);
