// Blocks of commands. Every line is run in a folder of the block, in a project that has the package installed. A command
// that listens goes on until the block is over, and has to end well when it is interrupted.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../scripts/run.mjs';
import { adapted, notRun } from './exceptions.mjs';
import { matches } from './javascript.mjs';

const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** The commands of a block, without comments; those joined by && one by one. */
export function commandsOf(code) {
  return code
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .flatMap((line) => line.split(/\s+&&\s+/))
    .filter((line) => line !== '');
}

export async function runShell(block, sandbox) {
  return runCommands(commandsOf(block.code), sandbox, filesBefore(block));
}

/** The blocks before it on its page that are a file: the line before such a one ends with "`NAME`:". */
function filesBefore({ previous }) {
  if (previous === undefined) return [];
  const [, name] = /`([\w-]+\.\w+)`:$/.exec(previous.prose) ?? [];
  return [...filesBefore(previous), ...(name === undefined ? [] : [{ name, code: previous.code }])];
}

/** A session: commands behind `$ `, and below each what it prints. */
export async function runConsole(block, sandbox) {
  for (const text of block.code.split(/^\$ /m).slice(1)) {
    const [command, ...lines] = text.trimEnd().split('\n');
    const printed = await runCommands(commandsOf(command), sandbox, filesBefore(block));
    const expected = lines.join('\n');
    if (!matches(printed.trimEnd(), expected)) throw new Error(`${command} prints\n${printed}\nand not\n${expected}`);
  }
}

/** Runs commands one after the other and returns what they print. */
async function runCommands(commands, sandbox, files) {
  if (commands.length === 0) throw new Error('it has no command');
  const folder = sandbox.newFolder();
  for (const { name, code } of files) writeFileSync(path.join(folder, name), code);
  const servers = [];
  let printed = '';
  try {
    for (const command of commands) {
      if (isLeftOut(command)) continue;
      const started = await startCommand(command, folder, sandbox);
      if (started.ended === undefined) servers.push(started);
      else printed += succeeded(command, started.ended).output;
    }
  } finally {
    for (const { stop } of servers) stop('SIGINT');
  }
  for (const { command, end } of servers) printed += succeeded(command, await end, 'SIGINT').output;
  return printed;
}

/** Waits until it has ended, or listens. */
async function startCommand(command, folder, sandbox) {
  const before = sandbox.ports(folder).size;
  const line = adapted.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), command);
  const component = line.includes('pkg-config') ? await sandbox.installedComponent() : undefined;
  const env = component === undefined ? {} : { PKG_CONFIG_PATH: component.pkgConfig };
  const { ended: end, stop } = sandbox.start(folder, 'sh', ['-c', line], { env });
  let ended;
  end.then(
    (result) => (ended = result),
    () => (ended = { status: null }),
  );
  while (ended === undefined && sandbox.ports(folder).size === before) await sleep(20);
  if (ended !== undefined) return { ended: await end };
  return { command, end, stop };
}

function succeeded(command, ended, interruption) {
  const { status, signal, output } = ended;
  if (status === 0 || (interruption !== undefined && signal === interruption)) return ended;
  throw new Error(`${command} ended with ${signal ?? `status ${status}`}:\n${output}`);
}

/** Whether a command is one of those that are not run; what it names must be there all the same. */
function isLeftOut(command) {
  const line = command.replace(/^(\w+=\S+\s+)+/, '');
  if (!notRun.some(([pattern]) => pattern.test(line)) || adapted.some(([pattern]) => pattern.test(line))) return false;
  if (/^npm (run |test\b)/.test(line)) checkScript(line);
  for (const file of line.match(/(?<![\w/.])(test|bench|scripts|examples|src)\/[\w./-]+/g) ?? []) {
    if (!exists(file)) throw new Error(`${command}: ${file} does not exist`);
  }
  return true;
}

const exists = (file) => existsSync(path.join(root, file)) || existsSync(path.join(root, `${file}.test.ts`));

/** Checks what a page says of scripts in `code`. */
export function checkScripts(text) {
  for (const [, line] of text.matchAll(/`(npm (?:run [\w:-]+|test|start)\b[^`]*)`/g)) checkScript(line);
}

/** A command that begins with `npm run NAME`, `npm test` or `npm start`: the script is there and knows the options. */
function checkScript(line) {
  const [, name] = /^npm (?:run )?([\w:-]+)/.exec(line) ?? [];
  if (scripts[name] === undefined) throw new Error(`${line}: package.json has no script ${name}`);
  const sources = (scripts[name].match(/\S+\.mjs/g) ?? []).map((file) => readFileSync(path.join(root, file), 'utf8'));
  const [, options = ''] = / -- (.*)$/.exec(line) ?? [];
  for (const [, option] of options.matchAll(/(?:^|\s)--([\w-]+)/g)) {
    const isKnown = new RegExp(`--${option}\\b|['"]${option}['"]|\\b${option}:`);
    if (!sources.some((source) => isKnown.test(source))) throw new Error(`${line}: ${name} knows no --${option}`);
  }
}
