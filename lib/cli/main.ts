#!/usr/bin/env node
/** The program `websocket-component`: finds the command, prints the help, and turns what is thrown into an exit status. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Arguments, describeOptions, helpOption, UsageError, type Command } from './arguments.js';
import { bench } from './bench.js';
import { build } from './build.js';
import { conformance } from './conformance.js';
import { connect } from './connect.js';
import { doctor } from './doctor.js';
import { listen } from './listen.js';
import { messageOf, Status } from './status.js';
import { paletteOf, printable } from './terminal.js';

const program = 'websocket-component';
const commands: readonly Command[] = [connect, listen, bench, conformance, build, doctor];

async function main(name: string | undefined, ...rest: readonly string[]): Promise<number> {
  if (name === undefined) {
    console.error(describeProgram());
    return Status.Usage;
  }
  if (name === '--version' || name === '-v') {
    console.log(version());
    return Status.Ok;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const about = name === 'help' && rest.length > 0 ? find(rest[0]) : undefined;
    console.log(about === undefined ? describeProgram() : describeCommand(about));
    return Status.Ok;
  }
  const command = find(name);
  const isHelp = rest.slice(0, [...rest, '--'].indexOf('--')).some((arg) => arg === '--help' || arg === '-h');
  if (isHelp) {
    console.log(describeCommand(command));
    return Status.Ok;
  }
  return command.run(new Arguments([...command.options, helpOption], rest));
}

function find(name: string): Command {
  const command = commands.find((one) => one.name === name);
  if (command !== undefined) return command;
  const what = name.startsWith('-') ? 'option' : 'command';
  throw new UsageError(
    `There is no ${what} '${name}'. The commands are: ${commands.map((one) => one.name).join(', ')}`,
  );
}

function version(): string {
  const manifest = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

function describeProgram(): string {
  const { bold } = paletteOf(process.stdout);
  const rows = commands.map(({ name, operands, summary }) => [`${name} ${operands}`, summary]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `${bold('Usage:')} ${program} <command> [options]`,
    '',
    bold('Commands:'),
    ...rows.map(([left, summary]) => `  ${left.padEnd(width)}${summary}`),
    '',
    bold('Options:'),
    ...describeOptions([
      { name: 'help', short: 'h', help: `print this help; ${program} <command> --help prints that of a command` },
      { name: 'version', short: 'v', help: 'print the version' },
    ]),
  ].join('\n');
}

function describeCommand({ name, operands, summary, options, notes }: Command): string {
  const { bold } = paletteOf(process.stdout);
  const usage = `${bold('Usage:')} ${program} ${[name, '[options]', operands].join(' ').trim()}`;
  const lines = [usage, '', `${summary}.`, '', bold('Options:'), ...describeOptions([...options, helpOption])];
  if (notes !== undefined) lines.push('', notes);
  return lines.join('\n');
}

main(process.argv[2], ...process.argv.slice(3)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    const { red } = paletteOf(process.stderr);
    console.error(`${red('error:')} ${printable(messageOf(error))}`);
    const isUsage = error instanceof UsageError;
    const about = commands.find((one) => one.name === process.argv[2]);
    if (isUsage) console.error(`See ${[program, ...(about === undefined ? [] : [about.name]), '--help'].join(' ')}.`);
    process.exitCode = isUsage ? Status.Usage : Status.Failed;
  },
);
