// examples/https: certificates, a server that reads them anew, and a client that trusts one authority.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, endsInOrder, nextMessage, nextText, runCommand, serve, type Server } from './example';

let folder: string;
const authorityFile = () => join(folder, 'certificates/ca.pem');

async function makeCertificates(): Promise<void> {
  const made = await runCommand('https/server.mjs', 'sh examples/https', {}, '', folder);
  expect(made).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^wrote ca\.pem, key\.pem and cert\.pem into /),
  });
}

/** The client of the header, with the arguments that it may have. */
function runClient(server: Server, authority = authorityFile()) {
  const words = { 'client.mjs': `client.mjs ${server.url} '${authority}'` };
  return runCommand('https/server.mjs', 'node examples/https/client.mjs', words, '', folder);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the client trusts the authority that signed, and no other', async () => {
  await makeCertificates();
  const server = await serve('https/server.mjs', {}, folder);
  const first = readFileSync(authorityFile());
  const good = { status: 0, stdout: 'connected with TLSv1.3\nreceived: hello\n', stderr: '' };
  expect(await runClient(server)).toEqual(good);
  const client = await connect(server.url, { ca: first });

  await makeCertificates(); // with a new authority
  expect(await runClient(server)).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringContaining('certificate'),
  });
  server.program.signal('SIGHUP');
  await server.program.waitForLine(/(anew)/);
  expect(await runClient(server)).toEqual(good);
  client.send('still here'); // from before
  expect(await nextText(client)).toBe('still here');

  writeFileSync(join(folder, 'certificates/key.pem'), 'no key');
  server.program.signal('SIGHUP');
  expect(await runClient(server)).toEqual(good);
  const plain = await fetch(server.url.replace('wss', 'http')).catch(() => 'no HTTP without TLS');
  expect(plain).toBe('no HTTP without TLS');

  const complaints = /^the old certificates stay in use: \S.*\n(.*\n)*no TLS connection: \S/m;
  await endsInOrder(server, 'SIGTERM', [client], complaints);
});

test('a client that sends much and reads late gets everything', async () => {
  await makeCertificates();
  const server = await serve('https/server.mjs', {}, folder);
  const client = await connect(server.url, { ca: readFileSync(authorityFile()) });
  client.pause();
  const sent = Array.from({ length: 96 }, (_, index) => Buffer.alloc(256 * 1024, index));
  for (const message of sent) client.send(message);
  await connect(server.url, { ca: readFileSync(authorityFile()) }); // meanwhile the server has read what it wants to
  client.resume();
  for (const message of sent) {
    const { data } = await nextMessage(client);
    expect(data.equals(message)).toBe(true);
  }
  await endsInOrder(server, 'SIGTERM', [client]);
});
