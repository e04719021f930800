// Blocks in JavaScript and TypeScript: each is run as a program, and its types are compared with those of the package.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nodeProgram } from '../../scripts/run.mjs';
import { programOf } from './markdown.mjs';

export const languages = ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'javascript', 'typescript'];

const isImport = /^\s*import\s.*from\s|^\s*import\s*['"]/m;
const isRequire = /\brequire\(/;
const begins = ({ code }) => isImport.test(code) || isRequire.test(code);

const isTyped = ({ language }) => /^(ts|mts|cts|typescript)$/.test(language);
const isCommonJs = (block, source) =>
  block.language.startsWith('c') || (isRequire.test(source) && !isImport.test(source));

/** Runs it as a program. @returns {Promise<string>} what it writes to stdout */
export async function runJavaScript(block, sandbox) {
  const source = programOf(block, begins, 'import', languages);
  const folder = sandbox.newFolder();
  const file = `program.${isCommonJs(block, source) ? 'cjs' : 'mjs'}`;
  if (isTyped(block)) {
    const compiled = await sandbox.compiled;
    copyFileSync(path.join(compiled.folder, folderOf(block), file), path.join(folder, file));
  } else {
    writeFileSync(path.join(folder, file), source);
  }

  const expected = expectations(source);
  const visited = /\bpath: *['"](\/[^'"]*)['"]/.exec(source)?.[1] ?? '/';
  const settings = { program: true, awaited: expected.map(({ line }) => line), path: visited };
  const args = [...(isTyped(block) ? ['--enable-source-maps'] : []), file];
  const { status, signal, stdout, stderr, output } = await sandbox.start(folder, process.execPath, args, settings)
    .ended;
  if (status !== 0 || stderr !== '') {
    throw new Error(`it ended with ${signal ?? `status ${status}`} and wrote:\n${output.trimEnd()}`);
  }
  comparePrinted(expected, path.join(folder, 'printed'));
  const { errors } = await sandbox.compiled;
  if (errors.has(block.name)) throw new Error(errors.get(block.name));
  return stdout;
}

/** The comments behind console.log, with their lines. */
function expectations(source) {
  return source.split('\n').flatMap((text, index) => {
    const [, comment] = /console\.log\(.*\);?\s*\/\/\s*(.+?)\s*$/.exec(text) ?? [];
    return comment === undefined ? [] : [{ line: index + 1, comment }];
  });
}

function comparePrinted(printedBy, file) {
  const records = existsSync(file)
    ? readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text))
    : [];
  for (const { line, comment } of printedBy) {
    const printed = records.filter((record) => record.line === line).map(({ text }) => text);
    if (printed.length === 0) throw new Error(`line ${line} never prints: ${comment}`);
    if (!printed.some((text) => isPrinted(text, comment))) {
      throw new Error(`line ${line} prints ${printed.join('\n')}\n     and not ${comment}`);
    }
  }
}

function isPrinted(text, comment) {
  const colons = [...comment.matchAll(/: /g)].map(({ index }) => comment.slice(0, index));
  return [comment, ...colons].some((pattern) => matches(text, pattern));
}

/** Whether a text is what a pattern says, in which `…` stands for anything. */
export function matches(text, pattern) {
  const parts = pattern.split(/ ?… ?/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`).test(text);
}

/**
 * Compiles programs with the types that a user gets. What counts is every error of those in TypeScript, and options that do
 * not exist in those in JavaScript. One run of the compiler for all.
 * @returns {Promise<{ errors: Map<string, string>, folder: string }>} the errors by the names of the blocks; the programs
 */
export async function compile(blocks, sandbox) {
  const folder = sandbox.newFolder();
  const programs = new Map();
  for (const block of blocks.filter(({ language }) => languages.includes(language))) {
    let source;
    try {
      source = programOf(block, begins, 'import', languages);
    } catch {
      continue; // running it says so
    }
    mkdirSync(path.join(folder, folderOf(block)));
    const suffix = `${isCommonJs(block, source) ? 'c' : 'm'}${isTyped(block) ? 'ts' : 'js'}`;
    const file = `${folderOf(block)}/program.${suffix}`;
    writeFileSync(path.join(folder, file), source);
    programs.set(file, block);
  }
  const errors = new Map();
  if (programs.size === 0) return { errors, folder };
  const style = ['--strict', '--allowJs', '--checkJs', '--skipLibCheck', '--pretty', 'false', '--inlineSourceMap'];
  const target = ['--module', 'node16', '--target', 'es2022', '--lib', 'es2023,esnext.disposable', '--types', 'node'];
  const folders = ['--rootDir', '.', '--outDir', 'compiled'];
  const args = [nodeProgram('typescript/bin/tsc'), ...style, ...target, ...folders, ...programs.keys()];
  const { output } = await sandbox.start(folder, process.execPath, args).ended;

  for (const error of output.split(/\n(?!\s)/).filter((text) => text.trim() !== '')) {
    const [, file, line] = /^([\w/.-]+)\((\d+),/.exec(error) ?? [];
    const block = programs.get(file);
    if (block === undefined) throw new Error(`the compiler of TypeScript says: ${output}`);
    if (isTyped(block) || /may only specify known properties|Did you mean/.test(error)) {
      errors.set(block.name, `${errors.get(block.name) ?? ''}line ${line}${error.replace(/^\S+/, '')}\n`);
    }
  }
  return { errors, folder: path.join(folder, 'compiled') };
}

const folderOf = ({ name }) => name.replace(/\W/g, '-');
