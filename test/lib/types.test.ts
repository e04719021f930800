// Programs written against @types/ws compile against our declarations, as CommonJS and as ES module.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './support';

const program = readFileSync(join(root, 'test/types/ws-program.ts'), 'utf8');

/** Lines that must not compile, and what the compiler says about each. */
const mistakes: [string, string][] = [
  [`new WebSocket('ws://a', { maxRedirects: 'three' });`, 'No overload matches this call'],
  [`new WebSocketServer({ port: true });`, "Type 'boolean' is not assignable to type 'number'"],
  [`new WebSocketServer({ noServer: true, allowedOrigins: '*' });`, "Type 'string' is not assignable"],
  [`new WebSocket(null).send({ a: 1 });`, "'a' does not exist in type"],
  [`new WebSocket(null).close('1000');`, "'string' is not assignable to parameter of type 'number'"],
  [`new WebSocket(null).readyState = 1;`, "Cannot assign to 'readyState'"],
  [`new WebSocket(null).on('close', (code) => code.length);`, "Property 'length' does not exist on type 'number'"],
  [`new WebSocketServer().on('connection', (s) => s.nothing);`, "Property 'nothing' does not exist"],
  [`const code: WebSocket.WebSocketErrorCode = 'WS_ERR_NONE';`, `Type '"WS_ERR_NONE"' is not assignable`],
];

const sources = {
  'program.cts': program,
  'program.mts': program.replace("'ws'", "'ws/esm'"),
  'mistakes.cts': `import WebSocket, { WebSocketServer } from 'ws';\n${mistakes.map(([line]) => `{ ${line} }`).join('\n')}`,
};

let folder: string;
let compiled: ts.Program;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
  const files = Object.entries(sources).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  compiled = ts.createProgram(files, {
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    esModuleInterop: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    paths: { ws: [join(root, 'dist/cjs.d.cts')], 'ws/esm': [join(root, 'dist/esm.d.mts')] },
  });
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** What the compiler says about a file, with the number of the line from 0. */
function diagnostics(name: string): { line: number; message: string }[] {
  const source = compiled.getSourceFile(name)!;
  return [...compiled.getSyntacticDiagnostics(source), ...compiled.getSemanticDiagnostics(source)].map((found) => ({
    line: source.getLineAndCharacterOfPosition(found.start ?? 0).line,
    message: ts.flattenDiagnosticMessageText(found.messageText, '\n'),
  }));
}

test.each(['program.cts', 'program.mts'])('a program written for ws compiles: %s', (name) => {
  expect(diagnostics(join(folder, name))).toEqual([]);
});

test('our declarations are valid by themselves, and were what the program saw', () => {
  const files = compiled.getSourceFiles().map((source) => source.fileName);
  const ours = files.filter((name) => name.startsWith(join(root, 'dist/')));
  expect(files.filter((name) => name.includes('@types/ws/'))).toEqual([]);
  expect(ours.length).toBeGreaterThan(10);
  for (const name of ours) expect([name, diagnostics(name)]).toEqual([name, []]);
});

test.each(mistakes.map(([line, message], i) => [line, message, i] as const))('%s is a mistake', (_line, message, i) => {
  const messages = diagnostics(join(folder, 'mistakes.cts')).filter(({ line }) => line === i + 1);
  expect(messages.map((found) => found.message).join('\n')).toContain(message);
});
