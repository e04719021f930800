// What Electron asks of the native module, which npm serves to Node and Electron alike: Electron exports Node-API and
// libuv, has BoringSSL where Node has OpenSSL, and refuses Buffers over memory that is not JavaScript's. Part of
// package.mjs.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/run.mjs';
import { importsOf, must, replaceFunctions } from './binary.mjs';

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

// The C++ names of Node and V8 change with their versions; those of Electron are others still.
function checkImports(binary) {
  if (process.platform !== 'linux') return;
  const strangers = importsOf(binary).filter((name) => !/^(napi|node_api|uv)_[a-z0-9_]+$/.test(name));
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

function checkCopies(build, binary) {
  if (process.platform !== 'linux') return;
  // 22 is napi_no_external_buffers_allowed.
  const refusal = 'refuse_every_foreign_buffer';
  const source = `int ${refusal}(void);\nint ${refusal}(void) { return 22; }\n`;
  const names = { napi_create_external_buffer: refusal };
  const refused = replaceFunctions(binary, path.join(build, 'electron'), names, source);

  const program = path.join(root, 'test/package/programs/borrow.mjs');
  const run = (env) => must(process.execPath, [program], { env });
  const lent = run({ ...process.env, WEBSOCKET_COMPONENT_BINARY: binary });
  if (lent !== 'kept: some are overwritten\n') throw new Error(`with external Buffers: ${lent}`);
  const copied = run(refused);
  if (copied !== 'kept: all are as they were sent\n') throw new Error(`without external Buffers: ${copied}`);
}
