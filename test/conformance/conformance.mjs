// npm run conformance -- ws://host:port/path        tests a server that sends every message back
// npm run conformance -- --client [--port N]        listens, and tests the clients that connect (docs/conformance.md)
//   --host H         where to listen (127.0.0.1)
//   --only IDS       cases and groups of cases, separated by commas: 1,6.4,7.1.2
//   --limited        the peer takes messages of 16 MiB at most, and has to refuse larger ones
//   --lenient        differences that the RFC leaves room for are fine
//   --quiet          only cases that differ, and the summary; --verbose: everything about each case
//   --json FILE      all results as JSON
//   --timeout MS     for anything that is expected (10000)
//   --hold MS        for a failure before the rest of the bad data is sent (2000)
//   --jobs N         cases at a time on a server (8)
//   --list           prints the cases and runs none
// Ends with status 0 when every case passed, 1 when one did not, 2 when the command is wrong or
// there is no WebSocket server.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openConnection } from './runner/handshake.mjs';
import { countVerdicts, formatResult, formatSummary } from './runner/result.mjs';
import { testClients } from './runner/test-clients.mjs';
import { testServer } from './runner/test-server.mjs';
import { chooseCases } from './table.mjs';

const strings = Object.fromEntries(
  ['port', 'host', 'only', 'json', 'timeout', 'hold', 'jobs'].map((name) => [name, { type: 'string' }]),
);
const flags = Object.fromEntries(
  ['client', 'limited', 'lenient', 'quiet', 'verbose', 'list'].map((name) => [name, { type: 'boolean' }]),
);

function stop(message) {
  console.error(message);
  process.exit(2);
}

function read() {
  try {
    return parseArgs({ options: { ...strings, ...flags }, allowPositionals: true });
  } catch (error) {
    return stop(error.message);
  }
}

const { values, positionals } = read();
const number = (name, fallback, least) => {
  const value = Number(values[name] ?? fallback);
  if (!Number.isInteger(value) || value < least) stop(`--${name} must be a whole number of at least ${least}.`);
  return value;
};
const options = { timeout: number('timeout', 10_000, 1), hold: number('hold', 2000, 1), jobs: number('jobs', 8, 1) };
const port = number('port', 0, 0);
const role = values.list ? undefined : values.client ? 'client' : 'server';
const cases = chooseCases(role, values.only, values.list || values.limited);
if (cases.length === 0) stop(`No case has an id of ${values.only}; --list prints all.`);

const [url] = positionals;
if (values.list) {
  for (const { id, title } of cases) console.log(`${id.padEnd(9)} ${title}`);
} else {
  await runCases();
}

async function runCases() {
  if (positionals.length !== (values.client ? 0 : 1)) stop('Give the URL of an echo server, or --client.');
  if (url !== undefined && !/^wss?:\/\//.test(url)) stop(`${url} is no ws: or wss: URL.`);

  const print = (result) => {
    if (!values.quiet || result.verdict !== 'passed') console.log(formatResult(result, values.verbose));
  };

  let results;
  if (values.client) {
    const clients = await testClients({ port, host: values.host }, cases, options, print);
    console.log(`Clients can connect to ${clients.url}: /count, /cases, /case/ID and /finish.`);
    process.once('SIGINT', clients.stop);
    results = await clients.results;
  } else {
    await openConnection(url).then(
      ({ socket }) => socket.destroy(),
      (error) => stop(`${url}: ${error.message}`),
    );
    results = await testServer(url, cases, options, print);
  }
  console.log(`\n${formatSummary(results)}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  const { lenient, failed } = countVerdicts(results);
  process.exitCode = failed > 0 || (lenient > 0 && !values.lenient) ? 1 : 0;
}
