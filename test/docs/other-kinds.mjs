// Blocks in other languages than JavaScript and those of shells.
import { existsSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { root } from '../../scripts/run.mjs';
import { matches, runJavaScript } from './javascript.mjs';
import { programOf } from './markdown.mjs';

const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Werror'];
const compilers = {
  c: { program: process.env.CC ?? 'cc', options: ['-std=c11', ...warnings], suffix: 'c' },
  cpp: { program: process.env.CXX ?? 'c++', options: ['-std=c++20', ...warnings], suffix: 'cc' },
};

/** What blocks of C that are part of a program are linked with: a function of theirs, and the file. */
const companions = [['run_loop', 'test/docs/action_loop.c']];

/** C and C++. A program is run; a part of one that has no companion is compiled. */
export async function runC(block, sandbox) {
  const { program, options, suffix } = compilers[block.language];
  const source = programOf(block, ({ code }) => /^\s*#\s*include\b/m.test(code), '#include', [block.language]);
  const folder = sandbox.newFolder();
  writeFileSync(path.join(folder, `block.${suffix}`), source);
  const compiler = [program, ...options, `-I${path.join(root, 'src/component')}`, '-c'];
  const compile = (file, object) => sandbox.run(folder, compiler[0], [...compiler.slice(1), file, '-o', object]);
  await compile(`block.${suffix}`, 'block.o');

  const objects = ['block.o'];
  const [, companion] = companions.find(([name]) => new RegExp(`^\\w.*\\b${name}\\(.*\\{$`, 'm').test(source)) ?? [];
  if (companion !== undefined) {
    await compile(path.join(root, companion), 'companion.o');
    objects.push('companion.o');
  } else if (!/\bint main\(/.test(source)) {
    return '';
  }
  const { pkgConfig } = await sandbox.installedComponent();
  const env = { PKG_CONFIG_PATH: pkgConfig };
  const flags = (await sandbox.run(folder, 'pkg-config', ['--libs', 'websocket_component'], { env })).stdout.trim();
  await sandbox.run(folder, compilers.cpp.program, [...objects, '-o', 'program', ...flags.split(/\s+/)]);
  return (await sandbox.run(folder, './program', [])).stdout;
}

/** CMake: the lines of a project whose program is test/package/consumer.c. */
export async function runCMake(block, sandbox) {
  const folder = sandbox.newFolder();
  const [find, rest] = [/^find_package.*$/m.exec(block.code)?.[0] ?? '', block.code.replace(/^find_package.*$/m, '')];
  const lines = ['cmake_minimum_required(VERSION 3.21)', 'project(program LANGUAGES C)', find];
  const program = ['add_executable(program program.c)', rest];
  writeFileSync(path.join(folder, 'CMakeLists.txt'), [...lines, ...program].join('\n'));
  const { prefix } = await sandbox.installedComponent();
  await sandbox.run(folder, 'cmake', ['-S', '.', '-B', 'build', `-DCMAKE_PREFIX_PATH=${prefix}`]);
  await sandbox.run(folder, 'cmake', ['--build', 'build']);
  await sandbox.run(folder, 'build/program', []);
}

/** JSON: has to be an object or a list. Where it names the package, the name is its own. */
export function checkJson(block) {
  const value = JSON.parse(block.code);
  if (typeof value !== 'object' || value === null) throw new Error('it is neither an object nor a list');
}

/** nginx: a server section, or the location in one, or an http section. A message has to come back through it. */
export async function runNginx(block, sandbox) {
  const folder = sandbox.newFolder();
  const socket = path.join(folder, 'socket');
  const port = String(sandbox.echoPort);
  let code = block.code.replaceAll(/127\.0\.0\.1:\d+|localhost:\d+/g, `127.0.0.1:${port}`);
  code = code.replace(/listen [^;]+;/g, `listen unix:${socket};`).replace(/^\s*(ssl_|http2 ).*;$/gm, '');
  if (!/^\s*server \{/m.test(code)) {
    const [inHttp, inServer] = splitSections(code);
    code = `${inHttp}\nserver { listen unix:${socket};\n${inServer} }`;
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
  const main = `daemon off; master_process off; pid ${folder}/pid; error_log stderr warn; events {}`;
  writeFileSync(path.join(folder, 'nginx.conf'), `${main}\nhttp { access_log off; ${temporary}\n${code}\n}\n`);
  const args = ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'];
  await sandbox.run(folder, 'nginx', [...args, '-t']);
  const nginx = sandbox.start(folder, 'nginx', args);
  try {
    await listening(socket, nginx.ended);
    const [, location = '/'] = /location [=~^* ]*(\/\S*)/.exec(code) ?? [];
    await echo(`ws+unix:${socket}:${location}`);
  } finally {
    nginx.stop('SIGTERM');
    await nginx.ended;
  }
}

/** `map` and `upstream` stand beside a server section, the rest in it. */
function splitSections(code) {
  const besides = [];
  const inServer = code.replace(
    /^(map|upstream|limit_conn_zone|limit_req_zone)\b([^{};]*;|[^{]*\{[^}]*\})/gm,
    (section) => {
      besides.push(section);
      return '';
    },
  );
  return [besides.join('\n'), inServer];
}

/** HAProxy: sections of its configuration. It has to find nothing wrong with them. */
export async function checkHaproxy(block, sandbox) {
  const folder = sandbox.newFolder();
  const code = block.code.replaceAll(/\/[\w./-]+\.pem/g, path.join(folder, 'both.pem'));
  writeFileSync(path.join(folder, 'haproxy.cfg'), code);
  await sandbox.run(folder, 'sh', ['-c', 'cat cert.pem key.pem > both.pem && haproxy -c -f haproxy.cfg']);
}

async function listening(socket, ended) {
  let hasEnded = false;
  ended.then(
    () => (hasEnded = true),
    () => (hasEnded = true),
  );
  for (;;) {
    const isThere = await new Promise((resolve) => {
      const connection = net.connect(socket, () => resolve(true)).on('error', () => resolve(false));
      connection.on('connect', () => connection.destroy());
    });
    if (isThere) return;
    if (hasEnded) throw new Error(`nginx has ended: ${(await ended).output}`);
    await sleep(20);
  }
}

/** Sends a message and waits for it to come back. */
function echo(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.on('open', () => socket.send('hello'));
    socket.on('message', (data) => {
      socket.close();
      if (data.toString() === 'hello') resolve();
      else reject(new Error(`${data} came back`));
    });
    socket.on('error', (error) => reject(new Error(`through nginx: ${error.message}`)));
  });
}

/** HTML: its scripts are programs of browsers, which run with the standard's class. */
export async function runHtml(block, sandbox) {
  const scripts = [...block.code.matchAll(/<script\b[^>]*>([^]*?)<\/script>/g)].map(([, script]) => script);
  if (scripts.length === 0) throw new Error('it has no script');
  const code = `import 'websocket-component/register';\n${scripts.join('\n')}`;
  await runJavaScript({ ...block, language: 'js', code }, sandbox);
}

/** Text: what the block before it prints where the line between them says so; else the paths in it have to exist. */
export async function checkText(block, run) {
  if (/\bprints:$/.test(block.prose)) {
    if (block.previous === undefined) throw new Error('no block before it could print it');
    const printed = await run(block.previous);
    if (!matches(printed.trimEnd(), block.code.trimEnd())) {
      throw new Error(`${block.previous.name} prints\n${printed}\nand not\n${block.code}`);
    }
    return;
  }
  for (const name of block.code.match(
    /(?<![\w/.-])(src|lib|test|bench|docs|types|scripts|cmake|examples|licenses)\/[\w./-]*/g,
  ) ?? []) {
    if (!existsSync(path.join(root, name))) throw new Error(`${name} does not exist`);
  }
}
