// Help, version and wrong usage; and the parts that read options and typed lines.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Arguments, describeOptions, UsageError, type Option } from '../../lib/cli/arguments';
import { readLine } from '../../lib/cli/line-commands';
import { bar, bytes, printable, wrap } from '../../lib/cli/terminal';
import { root } from '../lib/support';
import { program, Program, run } from './program';

const commands = ['connect', 'listen', 'bench', 'conformance', 'build', 'doctor'];

test('the help of the program lists the commands, and --version prints that of the package', async () => {
  const [help, version, nothing] = await Promise.all([run(['--help']), run(['--version']), run([])]);
  expect(help).toMatchObject({ status: 0, stderr: '' });
  for (const name of commands) expect(help.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(version).toMatchObject({ status: 0, stdout: `${manifest.version}\n` });
  expect(nothing).toMatchObject({ status: 2, stdout: '', stderr: help.stdout });
});

test.each([
  [['wrong'], "There is no command 'wrong'"],
  [['--wrong'], "There is no option '--wrong'"],
  [['connect'], 'The URL of the server is missing'],
  [['connect', '--wrong', 'ws://localhost'], "Unknown option '--wrong'"],
  [['connect', 'ws://localhost', 'more'], "one argument too many: 'more'"],
  [['connect', 'ftp://localhost'], 'protocol must be one of'],
  [['connect', 'ws://[', '-x', 'a'], 'Invalid URL'],
  [['connect', 'ws://localhost', '-H', 'nothing'], "--header must be 'NAME: VALUE'"],
  [['connect', 'ws://localhost', '--cert', '/nowhere.pem'], '--cert: ENOENT'],
  [['connect', 'ws://localhost', '--binary', '-x', 'abc'], 'pairs of hexadecimal digits'],
  [['connect', 'ws://localhost', '--wait', 'soon'], '--wait must be a number from 0 to 86400'],
  [['listen', '--port', '70000'], '--port must be a whole number from 0 to 65535'],
  [['bench', 'ws://localhost', '--connections', '0'], '--connections must be a whole number from 1'],
  [['conformance', 'http://localhost'], 'is no ws: or wss: URL'],
  [['conformance', 'ws://localhost', '--only', '77'], 'No case has an id of 77'],
  [['doctor', 'more'], "one argument too many: 'more'"],
])('%j is wrong usage', async (args, message) => {
  const { status, stdout, stderr } = await run(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/See websocket-component( \w+)? --help\.\n$/);
});

test('output that nobody reads to its end is no error', async () => {
  const { ended } = new Program('sh', ['-c', `"${process.execPath}" "${program}" conformance --list | head -1`], {});
  expect(await ended).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^1\.1\.1 .*\n$/) as string,
    stderr: '',
  });
});

const options: Option[] = [
  { name: 'long-name', short: 'l', value: 'N', help: 'a number of something that takes more than one line to explain' },
  { name: 'flag', help: 'a switch' },
  { name: 'each', value: 'TEXT', isMultiple: true, help: 'more than one' },
];

test('options are read as the table says', () => {
  const args = new Arguments(options, ['-l', '12', 'operand', '--flag', '--each=a', '--each', 'b']);
  expect([args.number('long-name', 1), args.flag('flag'), args.list('each')]).toEqual([12, true, ['a', 'b']]);
  expect(args.operand('It')).toBe('operand');
  expect(new Arguments(options, []).number('long-name', 7)).toBe(7);
  for (const wrong of ['', ' ', '1.5', '-1', 'x', 'Infinity', '0x']) {
    expect(() => new Arguments(options, [`--long-name=${wrong}`]).number('long-name', 1)).toThrow(UsageError);
  }
});

test('the help of options is aligned and wrapped', () => {
  expect(describeOptions([{ ...options[0], help: 'word '.repeat(20).trim() }, options[1]])).toEqual([
    `  -l, --long-name N  ${'word '.repeat(12).trim()}`,
    `                     ${'word '.repeat(8).trim()}`,
    '      --flag         a switch',
  ]);
});

test('typed lines are messages and commands', () => {
  expect(readLine('hello')).toEqual({ kind: 'text', data: 'hello' });
  expect(readLine('//slash')).toEqual({ kind: 'text', data: '/slash' });
  expect(readLine('/binary 68 65 6C')).toEqual({ kind: 'binary', data: Buffer.from('hel') });
  expect(readLine('/ping')).toEqual({ kind: 'ping', data: '' });
  expect(readLine('/close')).toEqual({ kind: 'close', code: undefined, reason: '' });
  expect(readLine('/close 4000 good bye')).toEqual({ kind: 'close', code: 4000, reason: 'good bye' });
  const mistakes = ['/binary 6', '/binary 0x6', '/close 1005', '/close 1000.5', '/close x', '/nothing', '/'];
  for (const line of [...mistakes, `/ping ${'x'.repeat(126)}`, `/close 1000 ${'é'.repeat(62)}`]) {
    expect(readLine(line)).toEqual({ kind: 'mistake', message: expect.any(String) });
  }
});

test('text of a peer cannot move the cursor', () => {
  expect(printable('a\x1b[2J\r\n\tb\x9b\u202e€')).toBe('a\\x1b[2J\\x0d\n\tb\\x9b\\u202e€');
});

test('long lines are broken between words, and go on below their text', () => {
  expect(wrap('  seen    one two three', 16)).toBe('  seen    one\n          two\n          three');
  expect(wrap('failed  1.2.3   some words', 24)).toBe('failed  1.2.3   some\n                words');
  expect(wrap('no gap in this one', 12)).toBe('no gap in\nthis one');
  expect(wrap('  one    averyverylongword', 12)).toBe('  one    averyverylongword');
  expect(wrap('short', Infinity)).toBe('short');
});

test('bars and numbers of bytes', () => {
  expect([bar(0, 4), bar(0.5, 4), bar(1 / 32, 4), bar(1, 4), bar(2, 4)]).toEqual(['', '██', '▏', '████', '████']);
  expect([0, 1, 1023, 1024, 1536, 2 ** 30].map(bytes)).toEqual([
    ...['0 bytes', '1 byte', '1023 bytes', '1 KiB', '1.5 KiB', '1 GiB'],
  ]);
});
