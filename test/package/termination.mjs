// worker.terminate() between any two calls of Node-API: from there on every call that may run JavaScript fails, and no
// exception is pending. In a copy of the native module those calls go by way of a library (interpose.c) that stops at
// one of them until the worker is told to end; programs/terminated.mjs goes through them. Part of package.mjs.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/run.mjs';
import { importsOf, must, replaceFunctions } from './binary.mjs';

/**
 * The functions of Node-API that fail while the environment ends (NAPI_PREAMBLE in Node's source), as far as the module
 * uses them or may come to use them.
 */
const functions = [
  ...['napi_call_function', 'napi_make_callback', 'napi_new_instance', 'napi_instanceof', 'napi_define_class'],
  ...['napi_define_properties', 'napi_create_function', 'napi_create_arraybuffer', 'napi_create_typedarray'],
  ...['napi_create_buffer', 'napi_create_buffer_copy', 'napi_create_external_buffer', 'napi_create_external'],
  ...['napi_get_property', 'napi_set_property', 'napi_has_property', 'napi_has_own_property', 'napi_delete_property'],
  ...['napi_get_named_property', 'napi_set_named_property', 'napi_has_named_property', 'napi_get_property_names'],
  ...['napi_get_element', 'napi_set_element', 'napi_has_element', 'napi_delete_element', 'napi_coerce_to_string'],
  ...['napi_throw', 'napi_throw_error', 'napi_throw_type_error', 'napi_throw_range_error', 'napi_create_promise'],
  ...['napi_wrap', 'napi_unwrap', 'napi_remove_wrap', 'napi_type_tag_object', 'napi_check_object_type_tag'],
];

/**
 * The tests.
 * @param {string} build the folder of a finished build
 * @returns {[name: string, test: () => void][]}
 */
export function terminationTests(build) {
  return [['a worker may end before any call of Node-API', () => endEverywhere(build)]];
}

function endEverywhere(build) {
  if (process.platform !== 'linux') return;
  const binary = path.join(build, 'websocket_component.node');
  const imports = new Set(importsOf(binary));
  const used = functions.filter((name) => imports.has(name)).map((name) => name.slice('napi_'.length));
  const names = Object.fromEntries(used.map((name) => [`napi_${name}`, `ends_${name}`]));
  const macro = readFileSync(path.join(root, 'test/package/interpose.c'), 'utf8');
  const source = macro + used.map((name) => `INTERPOSE(${name})\n`).join('');
  const env = replaceFunctions(binary, path.join(build, 'termination'), names, source);

  const program = path.join(root, 'test/package/programs/terminated.mjs');
  const step = '4'; // 1, which is every call, takes a minute
  console.log(`  ${must(process.execPath, [program, step], { env, timeout: 300_000 }).trim()}`);
}
