// Our declarations and lib.dom.d.ts: assignable to each other, and usable without lib.dom.d.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { root } from '../lib/support';

let folder: string;

beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'websocket-component-'))));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the compiler says about programs: the file, the number of the line from 0, and the message. */
function compile(sources: Record<string, string>, lib: string[]): [file: string, line: number, message: string][] {
  const files = Object.entries(sources).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  const program = ts.createProgram(files, {
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    lib,
    skipLibCheck: true,
    paths: { 'websocket-component/whatwg': [join(root, 'dist/whatwg/index.d.ts')] },
  });
  const ofOurs = program.getSourceFiles().filter(({ fileName }) => /dist.whatwg/.test(fileName));
  const ofTests = files.map((file) => program.getSourceFile(file)!);
  return [...ofOurs, ...ofTests]
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(({ file, start, messageText }) => [
      basename(file!.fileName),
      file!.getLineAndCharacterOfPosition(start ?? 0).line,
      ts.flattenDiagnosticMessageText(messageText, '\n'),
    ]);
}

const node = `
  import { CloseEvent, WebSocket, WebSocketError, WebSocketStream, type WebSocketInit } from 'websocket-component/whatwg';
  const init: WebSocketInit = { headers: { a: 'b' }, protocols: new Set(['a']), signal: AbortSignal.timeout(1), ca: '' };
  const socket: WebSocket = new WebSocket(new URL('ws://a'), init);
  socket.onclose = (event: CloseEvent) => event.code.toFixed();
  socket.addEventListener('message', ({ data }) => socket.send(data), { once: true });
  const error: WebSocketError = new WebSocketError('m', { closeCode: 3000 });
  const stream: WebSocketStream = new WebSocketStream('ws://a', { pingInterval: 1000 });
  stream.opened.then(({ readable, writable }) => readable.pipeTo(writable)).catch(() => error.closeCode);
`;

const mistakes: [line: string, message: string][] = [
  [`new WebSocket('ws://a', { textType: 'string' });`, `'textType' does not exist`],
  [`new WebSocket('ws://a', { followRedirects: true });`, `'followRedirects' does not exist`],
  [`new WebSocket('ws://a').binaryType = 'nodebuffer';`, `Type '"nodebuffer"' is not assignable`],
  [`new WebSocket('ws://a').send({ a: 1 });`, `'a' does not exist`],
  [`new WebSocket('ws://a').url = '';`, 'Cannot assign to'],
  [`new WebSocketStream('ws://a', { signal: 5 });`, 'is not assignable'],
];
const imports = `import { WebSocket, WebSocketStream } from 'websocket-component/whatwg';\n`;

test('with lib.dom.d.ts: ours is assignable to theirs and theirs to ours', () => {
  const program = readFileSync(join(root, 'test/types/whatwg-program.mts'), 'utf8');
  expect(compile({ 'dom.mts': program }, ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'])).toEqual([]);
}, 60_000);

test('without lib.dom.d.ts: the classes and their options have types, and mistakes do not compile', () => {
  const wrong = imports + mistakes.map(([line]) => line).join('\n');
  const found = compile({ 'node.mts': node, 'mistakes.mts': wrong }, ['lib.es2023.d.ts']);
  expect(found).toEqual(
    mistakes.map(([, message], i): unknown[] => ['mistakes.mts', i + 1, expect.stringContaining(message)]),
  );
}, 60_000);
