/** `conformance`: runs the cases of the suite in test/conformance, which needs nothing but Node.js, against a peer. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError, type Arguments, type Command } from './arguments.js';
import { readTlsOptions, readUrl, tlsOptions } from './client-options.js';
import { describeDetails, describeFamilies, type CaseResult } from './conformance-report.js';
import { messageOf, Status } from './status.js';
import { count, printable, progress, StatusLine } from './terminal.js';

interface Case {
  id: string;
  title: string;
}

interface Limits {
  timeout: number;
  hold: number;
  jobs: number;
  access: { tls: object; headers: string[] };
}

type OnResult = (result: CaseResult) => void;

/** What the suite exports, as far as it is used here. */
interface Suite {
  chooseCases: (role: 'server' | 'client' | undefined, ids: string | undefined, isLimited: boolean) => Case[];
  openConnection: (url: string, offers: string[], access: object) => Promise<{ socket: { destroy: () => void } }>;
  testServer: (url: string, cases: Case[], limits: Limits, onResult: OnResult) => Promise<CaseResult[]>;
  testClients: (
    address: { port: number; host: string },
    cases: Case[],
    limits: Limits,
    onResult: OnResult,
  ) => Promise<{ url: string; results: Promise<CaseResult[]>; stop: () => void }>;
  formatResult: (result: CaseResult, verbose: boolean) => string;
}

export const conformance: Command = {
  name: 'conformance',
  operands: '<url>',
  summary: 'Test a server or clients against RFC 6455 and RFC 7692',
  options: [
    { name: 'only', value: 'IDS', help: 'cases and groups of cases, separated by commas: 1,6.4,7.1.2' },
    { name: 'limited', help: 'the peer takes messages of 16 MiB at most, and has to refuse larger ones' },
    { name: 'lenient', help: 'differences that the RFCs leave room for are fine' },
    { name: 'client', help: 'listen, and test the clients that connect' },
    { name: 'port', short: 'p', value: 'N', help: 'with --client: the TCP port (default: one that is free)' },
    { name: 'host', value: 'ADDRESS', help: 'with --client: the address to listen on (default: 127.0.0.1)' },
    { name: 'jobs', short: 'j', value: 'N', help: 'cases at a time on a server (default: 8)' },
    { name: 'timeout', value: 'SECONDS', help: 'for anything that is expected (default: 10)' },
    { name: 'hold', value: 'SECONDS', help: 'for a failure before the rest of the bad data is sent (default: 2)' },
    {
      name: 'header',
      short: 'H',
      value: "'NAME: VALUE'",
      isMultiple: true,
      help: 'add a header field to the requests',
    },
    ...tlsOptions,
    { name: 'list', help: 'print the cases, and run none' },
    { name: 'verbose', help: 'print everything about each case' },
    { name: 'json', help: 'print all results as JSON' },
  ],
  notes: `The server has to send every message back. What clients have to do is said in
docs/conformance.md.

Exit status: 0 every case passed, 1 could not connect, 2 wrong usage, 3 a case
did not pass.`,
  run: async (args) => {
    const limits = readLimits(args);
    const isClient = args.flag('client');
    const url = isClient || args.flag('list') ? (args.noOperand(), '') : readUrl(args);
    if (!/^(wss?:\/\/|$)/.test(url)) throw new UsageError(`${url} is no ws: or wss: URL`);
    const role = isClient ? 'client' : 'server';
    const suite = await loadSuite();
    const isLimited = args.flag('limited') || args.flag('list');
    const cases = suite.chooseCases(args.flag('list') ? undefined : role, args.text('only'), isLimited);
    if (cases.length === 0) throw new UsageError(`No case has an id of ${args.text('only')}; --list prints all`);
    if (args.flag('list')) {
      for (const { id, title } of cases) console.log(`${id.padEnd(9)} ${title}`);
      return Status.Ok;
    }
    const started = performance.now();
    const results = await runCases(suite, args, url, cases, limits);
    if (args.flag('json')) console.log(JSON.stringify(results, null, 2));
    else report(suite, args, results, (performance.now() - started) / 1000);
    const isFine = (verdict: string): boolean =>
      verdict === 'passed' || (verdict === 'lenient' && args.flag('lenient'));
    return results.every(({ verdict }) => isFine(verdict)) ? Status.Ok : Status.Broken;
  },
};

function readLimits(args: Arguments): Limits {
  const seconds = (name: string, fallback: number): number =>
    args.number(name, fallback, { min: 0.001, max: 3600, isWhole: false }) * 1000;
  const headers = [...args.list('header')];
  const wrong = headers.find((field) => !/^[^\s:]+:[^\r\n]*$/.test(field));
  if (wrong !== undefined) throw new UsageError(`--header must be 'NAME: VALUE', not '${wrong}'`);
  return {
    timeout: seconds('timeout', 10),
    hold: seconds('hold', 2),
    jobs: args.number('jobs', 8, { min: 1, max: 1000 }),
    access: { tls: readTlsOptions(args), headers },
  };
}

/** The suite has no types and is an ES module of its own, beside dist/ in the package. */
async function loadSuite(): Promise<Suite> {
  const files = ['table', 'runner/handshake', 'runner/test-server', 'runner/test-clients', 'runner/result'];
  const folder = join(__dirname, '../../test/conformance');
  const modules = await Promise.all(
    files.map((file) => import(pathToFileURL(join(folder, `${file}.mjs`)).href) as Promise<object>),
  );
  return Object.assign({}, ...modules) as Suite;
}

async function runCases(
  suite: Suite,
  args: Arguments,
  url: string,
  cases: Case[],
  limits: Limits,
): Promise<CaseResult[]> {
  const line = new StatusLine(process.stderr);
  let done = 0;
  let differing = 0;
  const onResult = (result: CaseResult): void => {
    done++;
    if (result.verdict !== 'passed') differing++;
    if (args.flag('verbose') && !args.flag('json')) {
      line.clear();
      console.log(printable(suite.formatResult(result, true)));
    }
    const text = `${count(done)} of ${count(cases.length)} cases, ${count(differing)} differ`;
    line.show(progress(done / cases.length, `${text} · ${result.id}`));
  };
  try {
    return await (args.flag('client')
      ? runClients(suite, args, cases, limits, onResult)
      : runServer(suite, url, cases, limits, onResult));
  } finally {
    line.clear();
  }
}

async function runServer(
  suite: Suite,
  url: string,
  cases: Case[],
  limits: Limits,
  onResult: OnResult,
): Promise<CaseResult[]> {
  const { socket } = await suite.openConnection(url, [], limits.access).catch((error: unknown) => {
    throw new Error(`${url}: ${messageOf(error)}`);
  });
  socket.destroy();
  return suite.testServer(url, cases, limits, onResult);
}

async function runClients(
  suite: Suite,
  args: Arguments,
  cases: Case[],
  limits: Limits,
  onResult: OnResult,
): Promise<CaseResult[]> {
  const address = { port: args.number('port', 0, { max: 65_535 }), host: args.text('host') ?? '127.0.0.1' };
  const { url, results, stop } = await suite.testClients(address, cases, limits, onResult);
  console.error(`Clients can connect to ${url}: /count, /cases, /case/ID and /finish. Ctrl-C ends the run.`);
  process.once('SIGINT', stop);
  return results;
}

function report(suite: Suite, args: Arguments, results: CaseResult[], seconds: number): void {
  const details = args.flag('verbose') ? [] : describeDetails(results, (one) => suite.formatResult(one, false));
  console.log([...details, ...describeFamilies(results, seconds)].join('\n'));
}
