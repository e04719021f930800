// The project's own rules, run by npm run lint: what each layer may include, how long a file may be, which symbols the
// addon needs and shows, that no committed file names a machine or a registry, and that links of documents lead somewhere.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { capture, root } from './run.mjs';

const standard = /^[a-z_0-9]+$/; // <vector>
const instructions = /^(immintrin|arm_neon|intrin|cpuid)\.h$/;
const system = /^((sys|netinet|arpa)\/\w+|unistd|fcntl|windows|winsock2|ws2tcpip)\.h$/;
/** The layers from the bottom up, and the headers of others that each may include. */
const layers = {
  'src/component': [standard, instructions, /^(stdint|pthread|windows|zlib)\.h$/, /^openssl\/\w+\.h$/],
  'src/driver': [standard, system, /^uv\.h$/],
  'src/binding': [standard, system, /^(uv|napi|node_api)\.h$/],
};

/** What the addon takes from Node's libuv. A runtime without one of them can use the stream transport only. */
const libuv =
  /^uv_(async_(init|send)|buf_init|cancel|check_(init|start|stop)|close|fileno|idle_(init|start|stop)|ip[46]_name|is_closing|pipe_(init|open)|prepare_(init|start|stop)|queue_work|read_(start|stop)|ref|shutdown|tcp_(close_reset|getpeername|getsockname|init|keepalive|nodelay|open)|translate_sys_error|try_write|unref|write)$/;
const runtimeLibraries = /@(GLIBC|GLIBCXX|CXXABI|GCC)_/;
const weakByConvention = /^(__gmon_start__|_ITM_\w+|_ZGTt\w+|__cxa_finalize.*)$/; // transactional memory: of the static C++ runtime
const entryPoints = /^(napi_register_module_v1|node_api_module_get_api_version_v1)$/;

const maxLines = 400;

// Written in pieces, so that this file does not name them either.
const registryHosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['deb', 'debian', 'org'],
  ['files', 'pythonhosted', 'org'],
].map((parts) => parts.join('.'));
const machinePath = new RegExp(`(?<![\\w.:/-])/(${['work', 'root', 'home', 'Users'].join('|')})/`);
const openMark = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);

const problems = [
  ...checkIncludes(),
  ...checkProgram(),
  ...checkLengths(),
  ...checkAddon(),
  ...checkCommitted(),
  ...checkLinks(),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function checkIncludes() {
  const found = [];
  const visible = []; // folders of this layer and those below
  for (const [layer, allowed] of Object.entries(layers)) {
    visible.push(layer);
    for (const file of sourcesOf(layer)) {
      for (const [, bracket, header] of read(file).matchAll(/^\s*#\s*include\s*([<"])([^>"]+)[>"]/gm)) {
        const fine =
          bracket === '"'
            ? visible.some((folder) => existsSync(path.join(root, folder, header)))
            : allowed.some((pattern) => pattern.test(header));
        if (!fine) found.push(`${file}: ${layer} may not include ${header}`);
      }
    }
  }
  return found;
}

/** The command line is a program like any other: of the library it knows what the package exports, and the systems. */
function checkProgram() {
  return sourcesOf('lib/cli').flatMap((file) =>
    [...read(file).matchAll(/(?:from|import\()\s*'([^']+)'/g)]
      .filter(([, name]) => !/^(node:[\w/]+|\.\/[\w-]+\.js|\.\.\/(index|targets)\.js)$/.test(name))
      .map(([, name]) => `${file}: the command line may not import ${name}`),
  );
}

function checkLengths() {
  return [...Object.keys(layers), 'lib']
    .flatMap(sourcesOf)
    .map((file) => [file, read(file).split('\n').length - 1])
    .filter(([, lines]) => lines > maxLines)
    .map(([file, lines]) => `${file}: ${lines} lines; at most ${maxLines}`);
}

function checkAddon() {
  const addon = 'build/release/websocket_component.node';
  if (process.platform !== 'linux') return [];
  if (!existsSync(path.join(root, addon))) return [`${addon} is missing: run npm run build`];
  const symbols = (option) =>
    capture('nm', ['-D', option, addon])
      .stdout.trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).at(-1));
  const needed = symbols('--undefined-only').filter(
    (name) =>
      !/^(napi|node_api)_/.test(name) &&
      !libuv.test(name) &&
      !runtimeLibraries.test(name) &&
      !weakByConvention.test(name),
  );
  const shown = symbols('--defined-only').filter((name) => !entryPoints.test(name));
  return [
    ...needed.map((name) => `${addon}: needs ${name} (scripts/check.mjs lists what it may need)`),
    ...shown.map((name) => `${addon}: shows ${name}`),
  ];
}

function checkCommitted() {
  const found = [];
  const configured = new URL(capture('npm', ['config', 'get', 'registry']).stdout.trim()).host;
  const hosts = [...registryHosts, configured];
  for (const file of committedFiles()) {
    const text = read(file);
    if (text.includes('\0')) continue;
    if (!isLockFile(file) && machinePath.test(text)) found.push(`${file}: names a path of one machine`);
    if (hosts.some((host) => text.includes(host))) found.push(`${file}: names a package registry's host`);
    if (!isLockFile(file) && openMark.test(text)) found.push(`${file}: has a mark of unfinished work`);
    if (isLockFile(file) && hasAddresses(text)) found.push(`${file}: has resolved addresses`);
  }
  return found;
}

/** Relative links of Markdown files: the file or folder has to be there, and a heading with the words of the anchor. */
function checkLinks() {
  const documents = committedFiles().filter((file) => file.endsWith('.md'));
  return documents.flatMap((document) =>
    [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)|\b(?:href|src|srcset)="([^"\s]+)"/g)]
      .map(([, link, attribute]) => link ?? attribute)
      .filter((link) => !/^[a-z][a-z+.-]*:/i.test(link))
      .map((link) => [link, ...link.split('#').map(decodeURIComponent)])
      .flatMap(([link, file, anchor]) => {
        const target = file === '' ? document : path.join(path.dirname(document), file);
        if (!existsSync(path.join(root, target))) return [`${document}: the link ${link} leads nowhere`];
        if (anchor === undefined || anchorsOf(target).has(anchor)) return [];
        return [`${document}: no heading of ${target} is the anchor of ${link}`];
      }),
  );
}

/** The anchors that GitHub makes of headings: small letters, hyphens for spaces, no punctuation, a number when repeated. */
function anchorsOf(file) {
  const anchors = new Set();
  for (const [, heading] of withoutBlocks(read(file)).matchAll(/^#{1,6} +(.+)$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    let name = anchor;
    for (let count = 1; anchors.has(name); count++) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  return anchors;
}

function withoutBlocks(markdown) {
  return markdown.replace(/^ *(`{3,}).*\n[\s\S]*?^ *\1 *$/gm, '');
}

function withoutCode(markdown) {
  return withoutBlocks(markdown).replace(/`[^`\n]*`/g, '');
}

function committedFiles() {
  const files = capture('git', ['ls-files', '-z']).stdout.split('\0').filter(Boolean);
  return files.filter((file) => existsSync(path.join(root, file)));
}

function isLockFile(file) {
  return path.basename(file) === 'package-lock.json';
}

/** Whether a lock file says where packages come from; one that a folder of this repository is does no harm. */
function hasAddresses(text) {
  const { packages } = JSON.parse(text);
  return Object.values(packages).some(({ resolved }) => resolved && !resolved.startsWith('file:'));
}

function sourcesOf(folder) {
  if (!existsSync(path.join(root, folder))) return [];
  return readdirSync(path.join(root, folder), { recursive: true })
    .map((file) => path.join(folder, file))
    .filter((file) => /\.(h|cc|c|[cm]?ts)$/.test(file));
}

function read(file) {
  return readFileSync(path.join(root, file), 'utf8');
}
