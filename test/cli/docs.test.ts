// docs/command-line.md: the help is what the program prints, and every example does what is shown, but for figures.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterTest, root } from '../lib/support';
import { program, Program, run, start, screenOf, startOnTerminal } from './program';

/** A command of the document, and what is shown below it. */
interface Example {
  command: string;
  output: string;
}

const document = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
const examples: Example[] = [...document.matchAll(/```console\n(.*?)\n```/gs)].flatMap(([, block]) =>
  block.split(/^\$ /m).slice(1).map(toExample),
);

function toExample(text: string): Example {
  const [command, ...lines] = text.trimEnd().split('\n');
  return { command, output: lines.join('\n') };
}

const isHelp = ({ command }: Example): boolean => command.endsWith('--help');
const isServer = ({ command }: Example): boolean => command.startsWith('websocket-component listen');
const isInteractive = ({ output }: Example): boolean => output.includes('\n> ');

/** What a run and its example have in common: the same words, whatever was measured. */
function withoutFigures(text: string): string {
  const lines = text
    .replaceAll(root, '/app/node_modules/websocket-component')
    .replace(/^note .*$/gm, '') // the machine may be busy
    .replace(/[▏▎▍▌▋▊▉█]+/g, '')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\b\d+ [A-Z][a-z]{2} \d{4}\b/g, 'DATE')
    .replace(/\b(native|stream)\b( · stream for wss:)?/g, 'TRANSPORT')
    .replace(/<?\d[\d,.]*( [KMGT]iB| bytes)?/g, '#')
    .replace(/ +/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.filter((line, index) => line !== lines[index - 1]).join('\n'); // rows of a drawing are alike
}

test.each(examples.filter(isHelp))('$command is documented, and needs no native module', async (example) => {
  const env = { WEBSOCKET_COMPONENT_BINARY: '/nowhere.node' };
  const { stdout, stderr, status } = await run(example.command.split(' ').slice(1), '', env);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  expect(stdout.trimEnd()).toBe(example.output);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('every command has its help in the document', () => {
  const commands = ['', 'connect ', 'listen ', 'bench ', 'conformance ', 'build ', 'doctor '];
  expect(examples.filter(isHelp).map(({ command }) => command)).toEqual(
    commands.map((name) => `websocket-component ${name}--help`),
  );
});

test('the examples do what is shown', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
  afterTest(() => rmSync(folder, { recursive: true }));
  const others = examples.filter((one) => !isHelp(one));
  const [listening] = others.filter(isServer);
  const server = start(listening.command.replace('8080', '0').split(' ').slice(1));
  await server.prints('listening');
  const port = /:(\d+)\/$/m.exec(server.stdout)![1];

  for (const example of others.filter((one) => !isServer(one))) {
    const command = example.command.replace('8080', port).replace('--duration 5', '--duration 0.3 --warmup 0');
    const shown = isInteractive(example)
      ? await typeLines(command, example.output, { XDG_STATE_HOME: folder })
      : await runInShell(command);
    expect({ command, output: withoutFigures(shown) }).toEqual({ command, output: withoutFigures(example.output) });
  }
  server.child.kill('SIGINT');
  const { stdout } = await server.ended;
  const shownLines = listening.output.split('\n').length;
  expect(withoutFigures(stdout.split('\n').slice(0, shownLines).join('\n'))).toBe(withoutFigures(listening.output));
});

/** Runs a line of a shell. */
async function runInShell(command: string): Promise<string> {
  const line = command.replace('websocket-component', `"${process.execPath}" "${program}"`);
  const { stdout, stderr, status } = await new Program('sh', ['-c', line], {}).ended;
  expect({ command, stderr, status }).toEqual({ command, stderr: '', status: 0 });
  return stdout;
}

/** Types what stands behind the prompts of an example, each when what is shown before it has come. */
async function typeLines(command: string, output: string, env: NodeJS.ProcessEnv): Promise<string> {
  const started = startOnTerminal(command.split(' ').slice(1), env);
  let awaited = '> ';
  for (const line of output.slice(output.indexOf('\n> ') + 1).split('\n')) {
    if (line.startsWith('> ')) {
      await started.prints(awaited);
      started.type(`${line.slice(2)}\r`);
    } else {
      awaited = line.replace(/after [\d.]+ ms/, 'after');
    }
  }
  const { stdout, status } = await started.ended;
  expect(status).toBe(0);
  return screenOf(stdout).join('\n');
}
