// Where blocks run: a project of a user of the package, in a temporary folder, with a folder for each block.
//   node_modules/websocket-component   leads to this package, whose exports lead to dist/
//   node_modules/ws, @types/           for programs that compare, and for TypeScript
//   files/                             copied into each folder: what blocks name without making it
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/run.mjs';
import { makeCertificate, startStandIn } from './stand-in.mjs';

/** Milliseconds after which a program has failed; none comes near it. */
const mostTime = 120_000;
const preload = path.join(root, 'test/docs/inside.cjs');

/** Variables that would change what blocks print, or where they listen. */
const unwanted = ['CI', 'FORCE_COLOR', 'NODE_OPTIONS', 'PORT', 'HOST', 'NODE_ENV', 'WEBSOCKET_COMPONENT_TRANSPORT'];

/** @typedef {{ status: number | null, signal: string | null, stdout: string, stderr: string, output: string }} Ended */

export class Sandbox {
  folder = mkdtempSync(path.join(tmpdir(), 'websocket-component-docs-'));
  /** What compile() of javascript.mjs returned. */
  compiled;
  pages;
  #number = 0;
  #once = new Map();
  #standIn;

  /**
   * @param {string[]} hosts the machines that the pages name
   * @param {string} pages the folder of the pages
   */
  static async open(hosts, pages) {
    const sandbox = new Sandbox();
    sandbox.pages = pages;
    process.once('exit', () => sandbox.close());
    const modules = path.join(sandbox.folder, 'node_modules');
    const files = path.join(sandbox.folder, 'files');
    for (const folder of [path.join(modules, '.bin'), path.join(modules, '@types'), files]) {
      mkdirSync(folder, { recursive: true });
    }
    symlinkSync(root, path.join(modules, 'websocket-component'), 'junction');
    const program = path.join(modules, '.bin/websocket-component'); // which npm makes from "bin" of package.json
    writeFileSync(program, `#!/bin/sh\nexec node "${path.join(root, 'dist/cli/main.js')}" "$@"\n`, { mode: 0o755 });
    for (const name of ['ws', '@types/node', '@types/ws', 'undici-types']) {
      symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name), 'junction');
    }
    writeFileSync(path.join(sandbox.folder, 'package.json'), '{ "name": "project", "private": true }\n');
    makeCertificate(files, hosts);
    copyFileSync(path.join(files, 'cert.pem'), path.join(files, 'ca.pem'));
    writeFileSync(path.join(files, 'film.mp4'), randomBytes(300_000));
    copyFileSync(path.join(root, 'test/package/consumer.c'), path.join(files, 'program.c'));
    sandbox.#standIn = await startStandIn(files);
    return sandbox;
  }

  /** The port of a server without TLS that sends every message back. */
  get echoPort() {
    return this.#standIn.plain;
  }

  close() {
    this.#standIn?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A step that several blocks need. @template T @param {string} name @param {() => T} step @returns {T} */
  once(name, step) {
    if (!this.#once.has(name)) this.#once.set(name, step());
    return this.#once.get(name);
  }

  /** A folder for a block. */
  newFolder() {
    const folder = path.join(this.folder, `block-${++this.#number}`);
    cpSync(path.join(this.folder, 'files'), folder, { recursive: true });
    for (const name of ['ports', 'free']) mkdirSync(path.join(folder, name));
    return folder;
  }

  /** The ports that programs in a folder listen on: those in the text of the block, and what they are here. */
  ports(folder) {
    const files = path.join(folder, 'ports');
    return new Map(readdirSync(files).map((port) => [port, readFileSync(path.join(files, port), 'utf8')]));
  }

  /**
   * Starts a program in the folder of a block.
   * @param {object} settings what inside.cjs is to know of it
   * @returns {{ ended: Promise<Ended>, stop: (signal: string) => void }}
   */
  start(folder, command, args, settings = {}) {
    const env = { ...process.env };
    for (const name of unwanted) delete env[name];
    const { plain, secure } = this.#standIn;
    const ws = path.join(root, 'node_modules/ws');
    const block = { folder, standIn: { plain, secure }, ws, path: '/', ...settings };
    Object.assign(env, {
      ...{ NO_COLOR: '1', NODE_OPTIONS: `--require ${JSON.stringify(preload)}` },
      NODE_EXTRA_CA_CERTS: path.join(folder, 'ca.pem'),
      WEBSOCKET_COMPONENT_DOCS_BLOCK: JSON.stringify(block),
      PATH: [path.join(this.folder, 'node_modules/.bin'), path.dirname(process.execPath), env.PATH, '/usr/sbin'].join(
        path.delimiter,
      ),
      ...{ npm_config_offline: 'true', npm_config_update_notifier: 'false' },
      ...settings.env,
    });
    const isGroup = process.platform !== 'win32';
    const options = { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: isGroup };
    const child = spawn(command, args, options);
    const stop = (signal) => {
      try {
        process.kill(isGroup ? -child.pid : child.pid, signal);
      } catch {
        // it has ended
      }
    };
    const ended = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop('SIGKILL');
        reject(new Error(`it did not end: ${command} ${args.join(' ')}\n${result.output}`));
      }, mostTime);
      const result = { stdout: '', stderr: '', output: '' };
      for (const name of ['stdout', 'stderr']) {
        child[name].setEncoding('utf8').on('data', (text) => {
          result[name] += text;
          result.output += text;
        });
      }
      child.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.on('close', (status, signal) => {
        clearTimeout(timer);
        resolve({ status, signal, ...result });
      });
    });
    ended.catch(() => {}); // whoever waits for it learns of it
    return { ended, stop };
  }

  /** Runs a program to its end, which has to be a good one. @returns {Promise<Ended>} */
  async run(folder, command, args, settings) {
    const ended = await this.start(folder, command, args, settings).ended;
    if (ended.status !== 0) {
      const how = ended.signal ?? `status ${ended.status}`;
      throw new Error(`${command} ${args.join(' ')} ended with ${how}:\n${ended.output}`);
    }
    return ended;
  }

  /**
   * The component's library and headers, installed as by `cmake --install`.
   * @returns {Promise<{ prefix: string, pkgConfig: string }>} the folder, and that of its pkg-config file
   */
  installedComponent() {
    return this.once('component', async () => {
      const prefix = path.join(this.folder, 'prefix');
      const build = path.dirname(process.env.WEBSOCKET_COMPONENT_BINARY ?? path.join(root, 'build/release/addon'));
      if (!existsSync(path.join(build, 'cmake_install.cmake'))) throw new Error(`${build} has no build of CMake`);
      const options = ['--install', build, '--prefix', prefix, '--component', 'websocket_component'];
      await this.run(this.newFolder(), 'cmake', options);
      const file = readdirSync(prefix, { recursive: true }).find((name) => name.endsWith('.pc'));
      return { prefix, pkgConfig: path.join(prefix, path.dirname(file)) };
    });
  }
}
