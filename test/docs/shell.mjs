// Blocks of commands. Every line is run in a folder of the block, in a project that has the package installed. A command
// that listens goes on until the block is over, and has to end well when it is interrupted.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adapted, notRun } from './exceptions.mjs';
import { matches } from './javascript.mjs';

/** The nearest folder of a page that has a package.json: that of this repository, or one of a project in it. */
function projectOf(page, pages) {
  const folder = path.dirname(page);
  return folder === '.' || existsSync(path.join(pages, folder, 'package.json')) ? folder : projectOf(folder, pages);
}

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
  return runCommands(commandsOf(block.code), block, sandbox);
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
    const printed = await runCommands(commandsOf(command), block, sandbox);
    const expected = lines.join('\n');
    if (!matches(printed.trimEnd(), expected)) throw new Error(`${command} prints\n${printed}\nand not\n${expected}`);
  }
}

/** Runs commands one after the other and returns what they print. */
async function runCommands(commands, block, sandbox) {
  if (commands.length === 0) throw new Error('it has no command');
  const folder = sandbox.newFolder();
  for (const { name, code } of filesBefore(block)) writeFileSync(path.join(folder, name), code);
  const servers = [];
  let printed = '';
  try {
    for (const command of commands) {
      if (isLeftOut(command, block.page, sandbox.pages)) continue;
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
function isLeftOut(command, page, pages) {
  const line = command.replace(/^(\w+=\S+\s+)+/, '');
  const isOfProject = projectOf(page, pages) !== '.' && /^npm /.test(line); // whose packages are not installed
  const isNotRun = notRun.some(([pattern]) => pattern.test(line)) && !adapted.some(([pattern]) => pattern.test(line));
  if (!isOfProject && !isNotRun) return false;
  if (/^npm (run |test\b|start\b)/.test(line)) checkScript(line, page, pages);
  for (const file of line.match(/(?<![\w/.])(test|bench|scripts|examples|src)\/[\w./-]+/g) ?? []) {
    const isThere = [file, `${file}.test.ts`].some((name) => existsSync(path.join(pages, name)));
    if (!isThere) throw new Error(`${command}: ${file} does not exist`);
  }
  return true;
}

/** Checks what a page says of scripts in `code`. */
export function checkScripts(text, page, pages) {
  for (const [, line] of text.matchAll(/`(npm (?:run [\w:-]+|test|start)\b[^`]*)`/g)) checkScript(line, page, pages);
}

/** A command that begins with `npm run NAME`, `npm test` or `npm start`: the script is there and knows the options. */
function checkScript(line, page, pages) {
  const folder = path.join(pages, projectOf(page, pages));
  const { scripts = {} } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const [, name] = /^npm (?:run )?([\w:-]+)/.exec(line) ?? [];
  if (scripts[name] === undefined) throw new Error(`${line}: package.json has no script ${name}`);
  const files = scripts[name].match(/\S+\.mjs/g) ?? [];
  const sources = files.map((file) => readFileSync(path.join(folder, file), 'utf8'));
  const [, options = ''] = / -- (.*)$/.exec(line) ?? [];
  for (const [, option] of options.matchAll(/(?:^|\s)--([\w-]+)/g)) {
    const isKnown = new RegExp(`--${option}\\b|['"]${option}['"]|\\b${option}:`);
    if (!sources.some((source) => isKnown.test(source))) throw new Error(`${line}: ${name} knows no --${option}`);
  }
}
