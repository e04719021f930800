/**
 * Finds and loads the native module: the file that WEBSOCKET_COMPONENT_BINARY names, else the build of this folder, else
 * the package of this system. Spawns nothing and reads no file but those.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { NativeModule } from '../types/native.js';
import { glibcVersion, targets, targetsOfThisSystem, type TargetName } from './targets.js';

/** A loaded native module. */
export interface Binary {
  readonly module: NativeModule;
  /** Who says where it is. */
  readonly source: 'environment' | 'build' | 'package';
  /** The file, or the name of the package. */
  readonly path: string;
}

/** Why a file or a package did not give a native module. */
interface Failure {
  readonly path: string;
  readonly error: Error & { code?: string };
}

const buildCommand = 'npx websocket-component build';
const ownBuild = join(__dirname, '..', 'build', 'release', 'websocket_component.node');

/**
 * Loads the native module.
 * @throws Error one message with what was looked for, what went wrong, and the command that builds the native module.
 */
export function loadBinary(): Binary {
  const named = process.env.WEBSOCKET_COMPONENT_BINARY;
  if (named !== undefined && named !== '') return loadFile('environment', resolve(named));
  if (existsSync(ownBuild)) return loadFile('build', ownBuild);
  return loadPackage();
}

function loadFile(source: Binary['source'], path: string): Binary {
  if (!existsSync(path)) {
    throw new Error(
      `The native module of websocket-component is missing: ${path}, which WEBSOCKET_COMPONENT_BINARY names, does not exist.`,
    );
  }
  try {
    // Not `require`, which bundlers would try to follow.
    return { module: createRequire(__filename)(path) as NativeModule, source, path };
  } catch (error) {
    throw explain([{ path, error: error as Error }]);
  }
}

// On Linux the package for musl is asked first. Installers choose by C library, so only one is there; where both are,
// the one for musl cannot be loaded on glibc, while a compatibility layer on musl may load the other one and crash.
function loadPackage(): Binary {
  const failures: Failure[] = [];
  for (const target of targetsOfThisSystem()) {
    const path = `websocket-component-${target}`;
    let module: NativeModule;
    try {
      module = requirePackage(target);
    } catch (error) {
      failures.push({ path, error: error as Error });
      continue;
    }
    checkVersion(module, path);
    return { module, source: 'package', path };
  }
  throw explain(failures);
}

// Each name is written out, so that bundlers find the package; in a try block, so that they go on without the others.
function requirePackage(target: TargetName): NativeModule {
  /* eslint-disable @typescript-eslint/no-require-imports */
  try {
    switch (target) {
      case 'linux-x64-musl':
        return require('websocket-component-linux-x64-musl') as NativeModule;
      case 'linux-x64-gnu':
        return require('websocket-component-linux-x64-gnu') as NativeModule;
      case 'linux-arm64-musl':
        return require('websocket-component-linux-arm64-musl') as NativeModule;
      case 'linux-arm64-gnu':
        return require('websocket-component-linux-arm64-gnu') as NativeModule;
      case 'darwin-x64':
        return require('websocket-component-darwin-x64') as NativeModule;
      case 'darwin-arm64':
        return require('websocket-component-darwin-arm64') as NativeModule;
      case 'win32-x64':
        return require('websocket-component-win32-x64') as NativeModule;
    }
  } catch (error) {
    throw error as Error;
  }
  /* eslint-enable @typescript-eslint/no-require-imports */
}

// The library and its native module are made for each other.
function checkVersion(module: NativeModule, path: string): void {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- no `import` of JSON that Node 20 takes without a warning
  const { version } = require('../package.json') as { version: string };
  if (module.versions.component === version) return;
  throw new Error(
    `websocket-component ${version} needs ${path} of the same version, and ${module.versions.component} is installed. ` +
      'Install websocket-component again.',
  );
}

function explain(failures: Failure[]): Error {
  const cause = failures.find(({ error }) => !isMissing(error))?.error;
  if (cause?.code === 'ERR_DLOPEN_DISABLED') {
    return new Error(
      'websocket-component needs its native module, and this process may not load addons: ' +
        'start Node.js without --no-addons, or with --allow-addons where the permission model is on.',
      { cause },
    );
  }
  const glibc = glibcVersion();
  const libc = process.platform === 'linux' ? (glibc === undefined ? ', musl' : `, glibc ${glibc}`) : '';
  const system = `${runtime()}, ${process.platform} ${process.arch}${libc}`;
  const build = `Build it with: ${buildCommand}`;
  if (failures.length === 0) {
    return new Error(
      `websocket-component has no package with its native module for this system (${system}), ` +
        `and ${ownBuild} does not exist. ${build}`,
    );
  }
  if (cause === undefined) {
    const wanted = failures.filter(({ path }) => fits(path, glibc)).map(({ path }) => path);
    return new Error(
      `The native module of websocket-component is missing for this system (${system}): the package ${wanted.join(' or ')} ` +
        `is not installed, and ${ownBuild} does not exist. Packages are left out by --omit=optional, and by lock files ` +
        `and node_modules folders made on another system: install again without them, or build it with: ${buildCommand}`,
    );
  }
  const found = failures.filter(({ error }) => !isMissing(error));
  const reasons = found.map(({ path, error }) => `${path}: ${error.message}`).join('; ');
  return new Error(
    `The native module of websocket-component cannot be loaded on this system (${system}). ${reasons}. ${build}`,
    { cause },
  );
}

/** Whether the package of this name is for this system's C library. */
function fits(path: string, glibc: string | undefined): boolean {
  const target = Object.entries(targets).find(([name]) => path.endsWith(`-${name}`))?.[1];
  return target === undefined || !('libc' in target) || target.libc === (glibc === undefined ? 'musl' : 'glibc');
}

function isMissing(error: Failure['error']): boolean {
  return error.code === 'MODULE_NOT_FOUND';
}

function runtime(): string {
  const { bun, deno } = process.versions as { bun?: string; deno?: string };
  if (bun !== undefined) return `Bun ${bun}`;
  return deno !== undefined ? `Deno ${deno}` : `Node.js ${process.version}`;
}
