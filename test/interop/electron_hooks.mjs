// Imported before examples/electron/main.mjs (node --import): 'electron' is electron_stand_in.mjs, and
// 'websocket-component' is the package of this folder.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) register(import.meta.url);

/** Node's hook: where a module is. */
export function resolve(specifier, context, next) {
  if (specifier === 'electron')
    return { url: new URL('electron_stand_in.mjs', import.meta.url).href, shortCircuit: true };
  if (specifier === 'websocket-component') return next(specifier, { ...context, parentURL: import.meta.url });
  return next(specifier, context);
}
