/** `bench`: loads an echo server and prints throughput and latency. */
import { randomFillSync } from 'node:crypto';
import { UsageError, type Arguments, type Command } from './arguments.js';
import { clientOptions, readClientOptions, readUrl } from './client-options.js';
import { describeLoad, loadJson } from './bench-report.js';
import { Load, type LoadOptions } from './load.js';
import { onInterrupt, Status } from './status.js';
import { count, progress, StatusLine } from './terminal.js';

const maxSize = 64 * 1024 * 1024;

export const bench: Command = {
  name: 'bench',
  operands: '<url>',
  summary: 'Measure throughput and latency of an echo server',
  options: [
    { name: 'connections', short: 'c', value: 'N', help: 'connections at a time (default: 10)' },
    { name: 'duration', short: 'd', value: 'SECONDS', help: 'how long to measure (default: 10)' },
    { name: 'warmup', value: 'SECONDS', help: 'how long to run before that (default: 1)' },
    { name: 'size', value: 'BYTES', help: 'payload of a message (default: 64)' },
    { name: 'in-flight', short: 'f', value: 'N', help: 'messages under way on each connection (default: 1)' },
    {
      name: 'rate',
      short: 'r',
      value: 'N',
      help: 'messages a second on all connections together (default: the next one when one comes back)',
    },
    { name: 'text', short: 't', help: 'send text messages instead of binary ones' },
    { name: 'compression', help: 'offer permessage-deflate; text compresses, binary messages are random' },
    ...clientOptions,
    { name: 'json', help: 'print the result as JSON' },
  ],
  notes: `The server has to send every message back. Ctrl-C ends the measurement early.
With --rate, a message that had to wait because too many were under way counts
from when it was due.

Exit status: 0 measured, 1 could not connect, 2 wrong usage, 3 connections were
lost, or answers wrong or missing.`,
  run: async (args) => {
    const options = readLoad(args);
    const load = new Load(options);
    const { WebSocket: WebSocketClass } = await import('../index.js');
    onInterrupt(() => load.stop());
    const line = new StatusLine(process.stderr);
    const timer = setInterval(() => line.show(progressOf(load, options.connections)), 100);
    try {
      await load.run(WebSocketClass);
    } finally {
      clearInterval(timer);
      line.clear();
    }
    if (load.opened === 0) {
      const [reason = 'it was interrupted'] = load.errors.keys();
      throw new Error(`No connection could be opened: ${reason}`);
    }
    const isOk = load.failed + load.lost + load.wrong === 0 && load.latencies.count > 0;
    console.log(args.flag('json') ? JSON.stringify(loadJson(load, options), null, 2) : describeLoad(load, options));
    return isOk ? Status.Ok : Status.Broken;
  },
};

function readLoad(args: Arguments): LoadOptions {
  const url = readUrl(args);
  const { protocols, options } = readClientOptions(args);
  const isBinary = !args.flag('text');
  const rate = args.number('rate', undefined, { min: 0.001, max: 10_000_000, isWhole: false });
  const duration = args.number('duration', 10, { max: 86_400, isWhole: false }) * 1000;
  if (duration === 0) throw new UsageError('--duration must be more than 0');
  return {
    url,
    protocols,
    client: {
      ...options,
      closeTimeout: 2000,
      maxBackpressure: 0,
      perMessageDeflate: args.flag('compression') && { threshold: 0 },
    },
    connections: args.number('connections', 10, { min: 1, max: 100_000 }),
    payload: makePayload(args.number('size', 64, { max: maxSize }), isBinary),
    isBinary,
    inFlight: args.number('in-flight', 1, { min: 1, max: 100_000 }),
    rate,
    warmup: args.number('warmup', 1, { max: 86_400, isWhole: false }) * 1000,
    duration,
  };
}

function makePayload(size: number, isBinary: boolean): Buffer {
  if (isBinary) return randomFillSync(Buffer.alloc(size));
  return Buffer.alloc(size, '{"id":1024,"name":"a message","values":[3.14,2.72,1.41]} ');
}

function progressOf(load: Load, wanted: number): string {
  if (load.phase === 'connecting') {
    return progress(load.opened / wanted, `connecting, ${count(load.opened)} of ${count(wanted)}`);
  }
  if (load.phase === 'warmup') return progress(load.progress, 'warming up');
  const { latencies, elapsed } = load;
  const perSecond = elapsed === 0 ? 0 : (latencies.count / elapsed) * 1000;
  const figures = [`${count(Math.round(perSecond))} messages/s`, `p50 ${latencies.percentile(50).toFixed(3)} ms`];
  return progress(load.progress, `${figures.join('   ')}   p99 ${latencies.percentile(99).toFixed(3)} ms`);
}
