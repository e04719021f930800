// What Electron asks of the native module, which npm serves to Node and Electron alike: Electron exports Node-API and
// libuv, has BoringSSL where Node has OpenSSL, and refuses Buffers over memory that is not JavaScript's. Part of
// package.mjs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { capture, root } from '../../scripts/run.mjs';

/**
 * The tests.
 * @param {string} build the folder of a finished build
 * @returns {[name: string, test: () => void][]}
 */
export function electronTests(build) {
  const binary = path.join(build, 'websocket_component.node');
  return [
    ['electron: the native module uses Node-API and libuv, and nothing else of Node', () => checkImports(binary)],
    ['electron: the binding compiles without external Buffers', () => compileWithoutExternal(build)],
    ['electron: the same native module copies where external Buffers are refused', () => checkCopies(build, binary)],
  ];
}

function must(program, args, options = {}) {
  const result = capture(program, args, { timeout: 60_000, ...options });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}\n${result.all}`);
  return result.stdout;
}

// The C++ names of Node and V8 change with their versions; those of Electron are others still. What has a version behind
// an @ comes from the system.
function checkImports(binary) {
  if (process.platform !== 'linux') return;
  const lines = must('nm', ['-D', '--undefined-only', binary]).split('\n');
  const names = lines.map((line) => /^\s+U ([^@\s]+)$/.exec(line)?.[1]).filter((name) => name !== undefined);
  if (!names.includes('napi_create_function')) throw new Error(`nm lists: ${lines.join(' ')}`);
  const strangers = names.filter((name) => !/^(napi|node_api|uv)_[a-z0-9_]+$/.test(name));
  if (strangers.length > 0) throw new Error(`uses ${strangers.join(', ')}`);
}

// The preset no-external-buffers is the whole build; this is the file that uses them.
function compileWithoutExternal(build) {
  const commands = JSON.parse(readFileSync(path.join(build, 'compile_commands.json'), 'utf8'));
  const { command, directory } = commands.find(({ file }) => file.endsWith('src/binding/delivery.cc'));
  const [compiler, ...args] = command.replaceAll('\\"', '"').split(' ');
  const output = args.indexOf('-o');
  args.splice(output, 2, '-fsyntax-only', '-DNODE_API_NO_EXTERNAL_BUFFERS_ALLOWED');
  must(compiler, args, { cwd: directory });
}

/** What refuses in the place of the runtime: a function with a name as long, so that it fits into a copy of the module. */
const refused = 'napi_create_external_buffer';
const refusal = 'refuse_every_foreign_buffer';

function checkCopies(build, binary) {
  if (process.platform !== 'linux') return;
  const folder = path.join(build, 'electron');
  mkdirSync(folder, { recursive: true });
  const [library, copy] = [path.join(folder, 'refusal.so'), path.join(folder, 'websocket_component.node')];
  // 22 is napi_no_external_buffers_allowed.
  const source = `int ${refusal}(void);\nint ${refusal}(void) { return 22; }\n`;
  must(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], { input: source });

  const bytes = readFileSync(binary);
  const at = bytes.indexOf(`\0${refused}\0`);
  if (at < 0 || refusal.length !== refused.length) throw new Error(`${binary} does not use ${refused}`);
  bytes.write(refusal, at + 1);
  writeFileSync(copy, bytes);

  const program = path.join(root, 'test/package/programs/borrow.mjs');
  const run = (env) => must(process.execPath, [program], { env: { ...process.env, ...env } });
  const lent = run({ WEBSOCKET_COMPONENT_BINARY: binary });
  if (lent !== 'kept: some are overwritten\n') throw new Error(`with external Buffers: ${lent}`);
  const copied = run({ WEBSOCKET_COMPONENT_BINARY: copy, LD_PRELOAD: library });
  if (copied !== 'kept: all are as they were sent\n') throw new Error(`without external Buffers: ${copied}`);
}
