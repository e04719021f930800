/** `listen`: a server that shows what arrives; it sends everything back, or sends what is typed to all clients. */
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { ServerOptions, WebSocket, WebSocketServer } from '../index.js';
import { UsageError, type Arguments, type Command } from './arguments.js';
import { readPem } from './client-options.js';
import { lineHelp, readLine } from './line-commands.js';
import { Prompt } from './prompt.js';
import { messageOf, onInterrupt, Status } from './status.js';
import { jsonTranscript, screenTranscript, type Transcript } from './transcript.js';

export const listen: Command = {
  name: 'listen',
  operands: '',
  summary: 'Run a server that shows what arrives; --echo sends it back',
  options: [
    { name: 'echo', short: 'e', help: 'send every message back' },
    { name: 'port', short: 'p', value: 'N', help: 'the TCP port (default: 8080; 0: one that is free)' },
    { name: 'host', value: 'ADDRESS', help: 'the address to listen on (default: 127.0.0.1; 0.0.0.0 or :: for all)' },
    { name: 'subprotocol', short: 's', value: 'NAME', isMultiple: true, help: 'a subprotocol to accept' },
    { name: 'path', value: 'PATH', help: 'accept this path alone (default: all)' },
    { name: 'cert', value: 'FILE', help: 'serve wss: with this certificate, PEM' },
    { name: 'key', value: 'FILE', help: 'its private key, PEM' },
    { name: 'compression', help: 'agree to permessage-deflate' },
    { name: 'max-payload', value: 'BYTES', help: 'the largest message accepted (default: 104857600)' },
    { name: 'quiet', short: 'q', help: 'show connections, but no messages' },
    { name: 'json', help: 'print every event as a line of JSON' },
  ],
  notes: `Each line that is typed, or comes from a pipe, is sent to all clients. On a
terminal, lines that begin with a slash are commands:
${lineHelp.replace('closes the connection', 'closes the connections').replace(/^/gm, '  ')}

Ctrl-C closes all connections with 1001.
Exit status: 0 ended by Ctrl-C, 1 could not listen, 2 wrong usage.`,
  run: async (args) => {
    args.noOperand();
    const listener = new Listener(args);
    const settings = readServerOptions(args);
    const { WebSocketServer: ServerClass } = await import('../index.js');
    return listener.run(makeServer(ServerClass, args, settings));
  },
};

function readServerOptions(args: Arguments): ServerOptions {
  const subprotocols = args.list('subprotocol');
  const path = args.text('path');
  return {
    textType: 'string',
    perMessageDeflate: args.flag('compression') && { threshold: 0 },
    maxPayload: args.number('max-payload', 100 * 1024 * 1024),
    // Without a list, a subprotocol that a client needs is not claimed.
    handleProtocols: (offered: Set<string>) => subprotocols.find((name) => offered.has(name)) ?? false,
    ...(path !== undefined && { path: path.startsWith('/') ? path : `/${path}` }),
  };
}

function makeServer(ServerClass: typeof WebSocketServer, args: Arguments, options: ServerOptions): WebSocketServer {
  const port = args.number('port', 8080, { max: 65_535 });
  const host = args.text('host') ?? '127.0.0.1';
  const [cert, key] = [args.text('cert'), args.text('key')];
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  if (cert === undefined || key === undefined) return new ServerClass({ ...options, port, host });
  const https = createServer({ cert: readPem('cert', cert), key: readPem('key', key) });
  const server = new ServerClass({ ...options, server: https });
  https.listen(port, host);
  server.on('close', () => https.close());
  return server;
}

class Listener {
  readonly #echoes: boolean;
  readonly #isQuiet: boolean;
  readonly #isSecure: boolean;
  readonly #isInteractive: boolean;
  readonly #show: Transcript;
  #prompt: Prompt | undefined;
  #isClosing = false;
  /** The number of the newest client. */
  #last = 0;

  constructor(args: Arguments) {
    this.#echoes = args.flag('echo');
    this.#isQuiet = args.flag('quiet');
    this.#isSecure = args.text('cert') !== undefined;
    this.#isInteractive = process.stdin.isTTY && process.stdout.isTTY && !args.flag('json');
    const print = (line: string): void => {
      if (this.#prompt !== undefined) this.#prompt.print(line);
      else process.stdout.write(`${line}\n`);
    };
    this.#show = args.flag('json') ? jsonTranscript(print) : screenTranscript(print, process.stdout);
  }

  /** @returns the exit status */
  run(server: WebSocketServer): Promise<number> {
    const close = (): void => {
      if (this.#isClosing) return;
      this.#isClosing = true;
      this.#prompt?.close();
      this.#prompt = undefined;
      process.stdin.destroy();
      void server.close({ timeout: 2000 });
    };
    onInterrupt(close);
    server.on('connection', (socket, request) => this.#connected(socket, request));
    server.on('listening', () => {
      this.#show({ event: 'listening', url: urlOf(server.address() as AddressInfo, this.#isSecure) });
      this.#readInput(server, close);
    });
    return new Promise((resolve, reject) => {
      server.on('error', reject);
      server.on('close', () => resolve(Status.Ok));
    });
  }

  #connected(socket: WebSocket, request: IncomingMessage): void {
    const client = ++this.#last;
    const { remoteAddress = 'a socket', remotePort } = request.socket;
    const address = remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`;
    const { protocol, extensions, transport } = socket;
    this.#show({ client, event: 'open', address, url: request.url ?? '/', protocol, extensions, transport });
    socket.on('message', (data: unknown, isBinary) => {
      if (this.#echoes) socket.send(data as string | Buffer, { binary: isBinary });
      if (!this.#isQuiet) this.#show({ client, event: 'message', data: data as string | Buffer });
    });
    for (const event of this.#isQuiet ? [] : (['ping', 'pong'] as const)) {
      socket.on(event, (data: Buffer) => this.#show({ client, event, data }));
    }
    socket.on('error', (error) => this.#show({ client, event: 'error', error: messageOf(error) }));
    socket.addEventListener('close', ({ code, reason, wasClean }) =>
      this.#show({ client, event: 'close', code, reason, isNormal: wasClean }),
    );
  }

  /** The end of stdin is not the end of the server, which may have been started without one. */
  #readInput(server: WebSocketServer, close: () => void): void {
    const sendLine = (line: string): void => {
      if (line !== '') server.broadcast(line);
    };
    if (!this.#isInteractive) {
      createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', sendLine);
      return;
    }
    this.#prompt = new Prompt({ onLine: (line) => this.#typed(server, line), onEnd: close }, false);
  }

  #typed(server: WebSocketServer, line: string): void {
    const action = readLine(line);
    if (action.kind === 'help') this.#show({ event: 'note', text: lineHelp });
    else if (action.kind === 'mistake') this.#show({ event: 'note', text: action.message });
    else if (action.kind === 'text' || action.kind === 'binary') {
      if (line !== '') server.broadcast(action.data);
    } else {
      for (const socket of server.clients) {
        if (action.kind === 'ping') socket.ping(action.data);
        else if (action.kind === 'pong') socket.pong(action.data);
        else socket.close(action.code, action.reason);
      }
    }
  }
}

function urlOf({ address, family, port }: AddressInfo, isSecure: boolean): string {
  return `${isSecure ? 'wss' : 'ws'}://${family === 'IPv6' ? `[${address}]` : address}:${port}/`;
}
