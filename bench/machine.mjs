// What the results depend on besides the code.
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';

export function machine() {
  return {
    Processor: `${cpus()[0].model.trim()}, ${cpus().length} in use, ${arch()}`,
    Memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    System: `${type()} ${release()}`,
    'Node.js': process.versions.node,
    'websocket-component': versionOf('../package.json'),
    ws: versionOf('../node_modules/ws/package.json'),
    bufferutil: versionOf('../node_modules/bufferutil/package.json'),
  };
}

function versionOf(file) {
  try {
    return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).version;
  } catch {
    return 'not installed';
  }
}
