/**
 * `connect`: a client. On a terminal what is typed is sent; otherwise each line of stdin, or the messages of `--execute`,
 * and what is received goes to stdout.
 */
import { createInterface } from 'node:readline';
import type { WebSocket } from '../index.js';
import { UsageError, type Arguments, type Command } from './arguments.js';
import { clientOptions, makeSocket, readClientOptions, readUrl } from './client-options.js';
import { lineHelp, readHex, readLine, type LineAction } from './line-commands.js';
import { Prompt } from './prompt.js';
import { hintFor, messageOf, onInterrupt, Status } from './status.js';
import { jsonTranscript, plainTranscript, screenTranscript, type Transcript } from './transcript.js';

export const connect: Command = {
  name: 'connect',
  operands: '<url>',
  summary: 'Connect to a server; send what is typed and show what comes',
  options: [
    ...clientOptions,
    { name: 'execute', short: 'x', value: 'MESSAGE', isMultiple: true, help: 'send this instead of reading stdin' },
    {
      name: 'wait',
      short: 'w',
      value: 'SECONDS',
      help: 'how long to wait for messages when all is sent, or "forever" (default: 2)',
    },
    { name: 'count', short: 'n', value: 'N', help: 'close when so many messages have come; fewer are an error' },
    { name: 'binary', short: 'b', help: 'what is sent is hexadecimal: binary messages' },
    { name: 'commands', help: 'obey /commands in stdin and --execute too, as on a terminal' },
    {
      name: 'ping',
      short: 'p',
      value: 'SECONDS',
      help: 'ping the server so often; without an answer for 20 s, give up',
    },
    { name: 'show-pings', short: 'P', help: 'show pings and pongs, but for those of --ping' },
    { name: 'no-compression', help: 'do not offer permessage-deflate' },
    { name: 'no-history', help: 'keep no history of what is typed' },
    { name: 'json', help: 'print every event as a line of JSON' },
  ],
  notes: `On a terminal, lines that begin with a slash are commands:
${lineHelp.replace(/^/gm, '  ')}

Exit status: 0 closed normally, 1 could not connect, 2 wrong usage, 3 closed
abnormally or too few messages.`,
  run: async (args) => {
    const url = readUrl(args);
    const { protocols, options } = readClientOptions(args);
    const session = new Session(args);
    const { WebSocket: WebSocketClass } = await import('../index.js');
    return session.run(
      makeSocket(WebSocketClass, url, protocols, {
        ...options,
        textType: 'string',
        closeTimeout: 3000,
        pingInterval: args.number('ping', 0, { max: 86_400, isWhole: false }) * 1000,
        backpressure: 'wait',
        perMessageDeflate: !args.flag('no-compression'),
      }),
    );
  },
};

class Session {
  readonly #args: Arguments;
  /** Messages of --execute; undefined: stdin is read. */
  readonly #messages: readonly string[] | undefined;
  readonly #isInteractive: boolean;
  /** Milliseconds; undefined: forever. */
  readonly #wait: number | undefined;
  #expected: number | undefined;
  #show: Transcript;
  #prompt: Prompt | undefined;
  #received = 0;
  /** We asked for the end. */
  #isEnding = false;
  #hasOpened = false;
  /** Why the status is not 0 although the connection was closed normally. */
  #mistake: string | undefined;
  /** When pings were sent that /ping asked for, by payload. */
  readonly #pings = new Map<string, number>();

  constructor(args: Arguments) {
    this.#args = args;
    const messages = args.list('execute');
    this.#messages = messages.length > 0 ? messages : undefined;
    this.#expected = args.number('count', undefined, { min: 1 });
    this.#wait =
      args.text('wait') === 'forever' ? undefined : args.number('wait', 2, { max: 86_400, isWhole: false }) * 1000;
    const isJson = args.flag('json');
    const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
    this.#isInteractive = isTerminal && !isJson && this.#messages === undefined;
    if (!this.#isInteractive) this.#messages?.forEach((message) => this.#actionOf(message)); // finds mistakes
    if (isJson) this.#show = jsonTranscript(this.#print);
    else if (this.#isInteractive) this.#show = screenTranscript(this.#print, process.stdout);
    else this.#show = plainTranscript(this.#print, process.stdout.isTTY);
  }

  readonly #print = (line: string): void => {
    if (this.#prompt !== undefined) this.#prompt.print(line);
    else process.stdout.write(`${line}\n`);
  };

  /** @returns the exit status */
  run(socket: WebSocket): Promise<number> {
    onInterrupt((why) => {
      if (why === 'unread') this.#expected = undefined; // nobody counts them
      this.#interrupt(socket);
    });
    socket.on('open', () => this.#opened(socket));
    // With `textType: 'string'` text comes as strings.
    socket.on('message', (data: unknown) => this.#message(socket, data as string | Buffer));
    socket.on('ping', (data) => this.#showPing('ping', data));
    socket.on('pong', (data) => this.#showPing('pong', data));
    socket.on('error', (error) => this.#show({ event: 'error', error: messageOf(error), hint: hintFor(error) }));
    return new Promise((resolve) => {
      socket.addEventListener('close', ({ code, reason, wasClean }) => {
        const isNormal = wasClean && (this.#isEnding || code === 1000 || code === 1001 || code === 1005);
        this.#leave(code, reason, isNormal);
        resolve(!this.#hasOpened ? Status.Failed : isNormal && this.#mistake === undefined ? Status.Ok : Status.Broken);
      });
    });
  }

  #opened(socket: WebSocket): void {
    this.#hasOpened = true;
    const { url, protocol, extensions, transport } = socket;
    this.#show({ event: 'open', url, protocol, extensions, transport });
    if (this.#isInteractive) {
      this.#show({ event: 'note', text: '/help lists the commands, Ctrl-C closes' });
      const onLine = (line: string): void => this.#typed(socket, line);
      this.#prompt = new Prompt({ onLine, onEnd: () => this.#interrupt(socket) }, !this.#args.flag('no-history'));
      return;
    }
    this.#sendAll(socket).catch((error: unknown) => {
      // A connection that ended meanwhile says so itself.
      if (socket.readyState !== socket.OPEN) return;
      this.#mistake = messageOf(error);
      this.#show({ event: 'error', error: this.#mistake });
      this.#end(socket);
    });
  }

  #message(socket: WebSocket, data: string | Buffer): void {
    this.#show({ event: 'message', data });
    if (++this.#received === this.#expected) this.#end(socket);
  }

  #showPing(event: 'ping' | 'pong', data: Buffer): void {
    const key = data.toString('latin1');
    const sentAt = event === 'pong' ? this.#pings.get(key) : undefined;
    if (sentAt !== undefined) this.#pings.delete(key);
    const latency = sentAt === undefined ? undefined : performance.now() - sentAt;
    if (latency !== undefined || this.#args.flag('show-pings') || this.#args.flag('json')) {
      this.#show({ event, data, latency });
    }
  }

  /** A line that was typed: an empty one is nothing. */
  #typed(socket: WebSocket, line: string): void {
    if (line === '' || socket.readyState !== socket.OPEN) return;
    const action = readLine(line);
    if (action.kind === 'help') this.#show({ event: 'note', text: lineHelp });
    else if (action.kind === 'mistake') this.#show({ event: 'note', text: action.message });
    else this.#perform(socket, action).catch(() => {}); // the connection says why it ended
  }

  /** Sends the messages of --execute or the lines of stdin, waits for answers, and closes. */
  async #sendAll(socket: WebSocket): Promise<void> {
    const lines = this.#messages ?? createInterface({ input: process.stdin, crlfDelay: Infinity });
    for await (const line of lines) {
      if (socket.readyState !== socket.OPEN) break;
      await this.#perform(socket, this.#actionOf(line));
    }
    if (this.#wait === undefined) return;
    const timer = setTimeout(() => {
      this.#end(socket);
    }, this.#wait);
    socket.once('close', () => clearTimeout(timer));
  }

  /** @throws UsageError for a mistake in it */
  #actionOf(line: string): LineAction {
    let action: LineAction = { kind: 'text', data: line };
    if (this.#args.flag('commands') && line.startsWith('/')) action = readLine(line);
    else if (this.#args.flag('binary')) action = readHex(line);
    if (action.kind === 'mistake') throw new UsageError(action.message);
    return action;
  }

  async #perform(socket: WebSocket, action: LineAction): Promise<void> {
    if (action.kind === 'text' || action.kind === 'binary') {
      await socket.sendAsync(action.data);
    } else if (action.kind === 'ping') {
      this.#pings.set(Buffer.from(action.data).toString('latin1'), performance.now());
      socket.ping(action.data);
    } else if (action.kind === 'pong') {
      socket.pong(action.data);
    } else if (action.kind === 'close') {
      this.#isEnding = true;
      socket.close(action.code, action.reason);
    }
  }

  #end(socket: WebSocket): void {
    this.#isEnding = true;
    socket.close(1000);
  }

  /** The second time, the server's answer is not waited for. */
  #interrupt(socket: WebSocket): void {
    if (this.#isEnding) socket.terminate();
    else this.#end(socket);
  }

  /** The connection is gone. */
  #leave(code: number, reason: string, isNormal: boolean): void {
    this.#prompt?.close();
    this.#prompt = undefined;
    process.stdin.destroy(); // nothing more is wanted from it
    if (this.#hasOpened) this.#show({ event: 'close', code, reason, isNormal });
    if (isNormal && this.#expected !== undefined && this.#received < this.#expected) {
      this.#mistake = `only ${this.#received} of ${this.#expected} messages came`;
      this.#show({ event: 'error', error: this.#mistake });
    }
  }
}
