// examples/authentication.mjs: who may connect, and what the others are told.
import { closed, connect, endsInOrder, nextText, refusal, runCommand, serve, type Server } from './example';

const file = 'authentication.mjs';
const credentials = { name: 'ada', password: 'lovelace' };

async function login(server: Server, body: unknown = credentials) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(new URL('/login', server.url), { method: 'POST', body: text });
  const answer = (await response.json()) as { token?: string; error?: string };
  return { status: response.status, ...answer, cookie: response.headers.get('set-cookie') ?? '' };
}

const bearer = (token = '') => ({ headers: { authorization: `Bearer ${token}` } });

test('log in, connect with the token as the header says, end with SIGTERM', async () => {
  const server = await serve(file);
  const { status, token = '' } = await login(server);
  expect(status).toBe(200);
  const words = { TOKEN: token, '8080': String(server.port) };
  expect(await runCommand(file, 'npx websocket-component', words, 'hello\n')).toMatchObject({
    status: 0,
    stdout: 'welcome ada\nada said: hello\n',
  });

  const client = await connect(server.url, bearer(token));
  await endsInOrder(server, 'SIGTERM', [client]);
});

test('a cookie is for pages of the same origin', async () => {
  const server = await serve(file);
  const { cookie } = await login(server);
  expect(cookie).toMatch(/^session=\S+; HttpOnly; SameSite=Strict; /);
  const headers = { cookie: `theme=dark; ${cookie.split(';')[0]}` };
  const client = await connect(server.url, { headers, origin: server.url.slice(0, -1) });
  client.send('hello');
  expect([await nextText(client), await nextText(client)]).toEqual(['welcome ada', 'ada said: hello']);
  for (const origin of ['https://example.com', 'null']) {
    expect(await refusal(server.url, { headers, origin })).toMatchObject({ status: 403 });
  }
  await endsInOrder(server, 'SIGINT', [client]);
});

test('without a valid token there is 401, a sentence and a challenge', async () => {
  const server = await serve(file);
  const { token = '' } = await login(server);
  const [content, signature] = token.split('.');
  const forged = Buffer.from(JSON.stringify({ name: 'eve', expires: Date.now() + 1000_000 })).toString('base64url');
  const refused = { status: 401, challenge: 'Bearer', body: 'Log in first: POST /login' };
  for (const wrong of [
    content,
    `${forged}.${signature}`,
    `${content}.${signature.slice(1)}`,
    `${content}.`,
    '.',
    'x.y.z',
  ]) {
    expect(await refusal(server.url, bearer(wrong))).toEqual(refused);
    expect(await refusal(server.url, { headers: { cookie: `session=${wrong}` } })).toEqual(refused);
  }
  expect(await refusal(server.url)).toEqual(refused);
  await endsInOrder(server, 'SIGTERM', [await connect(server.url, bearer(token))]);
});

test('a login that is wrong', async () => {
  const server = await serve(file);
  const wrong: [status: number, body: unknown][] = [
    [401, { ...credentials, password: 'byron' }],
    [401, { ...credentials, name: 'eve' }],
    [400, { ...credentials, password: 7 }],
    [400, 'null'],
    [400, '{'],
    [413, { ...credentials, more: 'x'.repeat(2000) }],
  ];
  for (const [status, body] of wrong) {
    const answer = await login(server, body);
    expect(answer).toEqual({ status, error: expect.stringMatching(/\w/), cookie: '' });
  }
  expect((await fetch(server.url)).status).toBe(404);
  expect(await login(server)).toMatchObject({ status: 200 });
  await endsInOrder(server, 'SIGTERM', []);
});

test('a session ends with its token', async () => {
  const server = await serve(file, { LIFETIME: '4' });
  const { token } = await login(server);
  const client = await connect(server.url, bearer(token));
  expect(await closed(client)).toEqual([1008, 'The session has expired']);
  expect(await refusal(server.url, bearer(token))).toMatchObject({ status: 401 });
});
