// What the interoperability tests share: the messages that every pair of peers exchanges, the example server as a
// process of its own, a browser, and a certificate for TLS. What is missing is an error that names the command
// which installs it; only the programs that not every system has a package of are skipped (describeWith).
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { accessSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, chromium } from 'playwright-core';

export const root = join(__dirname, '..', '..');

/** Message sizes in bytes: empty, one byte, and both sides of each change of the frame header's length field. */
export const sizes = [0, 1, 125, 126, 65535, 65536, 16 * 1024 * 1024];

/** Milliseconds that one test may take: the 16 MiB messages are slow under the sanitizers. */
export const timeout = 120_000;

/** A text of exactly `size` bytes in UTF-8, with characters of one, two, three and four bytes. */
export function textOf(size: number): string {
  return 'aé€😀'.repeat(Math.floor(size / 10)) + 'x'.repeat(size % 10);
}

/** `size` bytes with every value, and a period (251) that divides none of the sizes. */
export function bytesOf(size: number): Buffer {
  return Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, index) => 255 - index)));
}

/** A WebSocket client of this library or of `ws`. */
export interface ClientSocket extends EventEmitter {
  send(data: string | Uint8Array): unknown;
  close(code?: number): void;
  terminate(): void;
}

/** Resolves with the next message; rejects when the connection fails or closes instead. */
export function nextMessage(socket: ClientSocket): Promise<{ data: Buffer; isBinary: boolean }> {
  return new Promise((resolve, reject) => {
    const onMessage = (data: Buffer, isBinary: boolean) => settle(() => resolve({ data, isBinary }));
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = (code: number) => settle(() => reject(new Error(`closed with ${code} instead of a message`)));
    const settle = (done: () => void) => {
      socket.off('message', onMessage).off('error', onError).off('close', onClose);
      done();
    };
    socket.on('message', onMessage).on('error', onError).on('close', onClose);
  });
}

/** Opens, sends every size as text and as binary, checks each echo byte for byte, and closes with 1000. */
export async function exchangeAll(socket: ClientSocket): Promise<void> {
  await once(socket, 'open');
  for (const size of sizes) {
    await expectEcho(socket, textOf(size));
    await expectEcho(socket, bytesOf(size));
  }
  const closed = once(socket, 'close');
  socket.close(1000);
  expect((await closed)[0]).toBe(1000);
}

/** Sends a message, and checks that it comes back as it was. */
export async function expectEcho(socket: ClientSocket, message: string | Buffer): Promise<void> {
  const reply = nextMessage(socket);
  socket.send(message);
  const { data, isBinary } = await reply;
  const sent = Buffer.from(message as string);
  // Not toEqual: on a mismatch it would print megabytes.
  expect({ isBinary, length: data.length }).toEqual({ isBinary: typeof message !== 'string', length: sent.length });
  expect(sent.equals(data)).toBe(true);
}

/** A program that the tests started. Whoever starts one ends it with `stop`. */
export class Program {
  /** Lines of standard output that were waited for, or came before such a line. */
  readonly lines: string[] = [];
  errors = '';
  private reader?: AsyncIterator<string>;
  private readonly exited: Promise<number | string>;

  constructor(private readonly child: ChildProcess) {
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
  }

  static start(command: string, args: string[], env: NodeJS.ProcessEnv = {}): Program {
    return new Program(spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'pipe' }));
  }

  /** The example server; arguments and environment variables as on the command line. */
  static startExample(args: string[], env: NodeJS.ProcessEnv = {}): Program {
    return Program.start(process.execPath, ['examples/server/server.mjs', ...args], env);
  }

  /** Resolves with the first group of the next line of standard output that matches. */
  async waitForLine(pattern: RegExp): Promise<string> {
    this.reader ??= createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
    for (let next = await this.reader.next(); next.done !== true; next = await this.reader.next()) {
      this.lines.push(next.value);
      const match = pattern.exec(next.value);
      if (match !== null) return match[1];
    }
    throw new Error(`no line matched ${pattern}; standard error: ${this.errors}`);
  }

  /** Resolves when somebody listens at this address; rejects when the program has ended before. */
  async listening(address: { path: string } | { port: number }): Promise<void> {
    let status: number | string | undefined;
    void this.exited.then((value) => (status = value));
    while (status === undefined) {
      const socket = connect({ host: '127.0.0.1', ...address });
      try {
        await once(socket, 'connect');
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      } finally {
        socket.destroy();
      }
    }
    throw new Error(`the program ended with ${status}: ${this.errors}`);
  }

  /** Resident memory in MiB. */
  residentMiB(): number {
    const pid = String(this.child.pid);
    if (process.platform !== 'linux') return Number(execFileSync('ps', ['-o', 'rss=', '-p', pid])) / 1024;
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  }

  writeLine(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** The exit code, or the name of the signal that ended the program. */
  end(): Promise<number | string> {
    return this.exited;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

/** The example server on a port that the system chooses, or this one; `url` is its page. */
export async function startExampleServer(port = 0) {
  const program = Program.startExample([String(port)]);
  const url = await program.waitForLine(/(http:\/\/\S+\/)$/);
  return { program, url, echo: url.replace('http', 'ws') + 'echo', chat: url.replace('http', 'ws') + 'chat' };
}

/** The path of Chromium. Throws when it is not installed. */
function chromiumPath(): string {
  const path = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  try {
    accessSync(path);
  } catch {
    throw missing(`Chromium (${path})`);
  }
  return path;
}

/** A headless Chromium that looks nothing up by itself. */
export function launchChromium(): Promise<Browser> {
  const args = [
    ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    ...['--disable-background-networking', '--disable-component-update'],
  ];
  return chromium.launch({ executablePath: chromiumPath(), args });
}

/** A self-signed certificate for 127.0.0.1 and localhost, made by the openssl program in a folder that `remove` deletes. */
export function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
  const keyFile = join(folder, 'key.pem');
  const certFile = join(folder, 'cert.pem');
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  try {
    execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, '-days', '2', ...names], {
      stdio: 'pipe',
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missing('the openssl program');
    throw error;
  }
  const [keyPem, certPem] = [readFileSync(keyFile), readFileSync(certFile)];
  return {
    keyFile,
    certFile,
    key: keyPem,
    cert: certPem,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Tests that need a program of others: skipped, with a line on standard error that says why, when `missing` names it. */
export function describeWith(name: string, missingProgram: string | undefined, body: () => void): void {
  if (missingProgram === undefined) {
    describe(name, body);
    return;
  }
  process.stderr.write(`interop: skipped: ${name}: ${missing(missingProgram).message}\n`);
  describe.skip(`${name} (${missingProgram} is missing)`, body);
}

function missing(what: string): Error {
  return new Error(`${what} is missing. Install what the tests need: npm run setup -- --test`);
}
