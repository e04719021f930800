// Blocks in JavaScript and TypeScript. A block with an import or a require() begins a program; one without continues the
// block before it. What stands in a comment behind a console.log is what it prints, up to a colon that an explanation
// follows; `…` stands for anything.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { nodeProgram } from '../../scripts/run.mjs';
import { programOf } from './markdown.mjs';

export const languages = ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'javascript', 'typescript'];

const isImport = /^\s*import\s.*from\s|^\s*import\s*['"]/m;
const isRequire = /\brequire\(/;
const begins = ({ code }) => isImport.test(code) || isRequire.test(code);

/** Runs it as a program. */
export async function runJavaScript(block, sandbox) {
  const source = programOf(block, begins, 'import', languages);
  const folder = sandbox.newFolder();
  const isTyped = /^(ts|mts|cts|typescript)$/.test(block.language);
  const isCommonJs = /^c/.test(block.language) || (isRequire.test(source) && !isImport.test(source));
  const file = `program.${isCommonJs ? 'cjs' : 'mjs'}`;
  if (isTyped) await checkTypes(block, source, sandbox);
  writeFileSync(path.join(folder, file), isTyped ? compile(source, isCommonJs) : source);

  const printedBy = expectations(source);
  const awaited = printedBy.map(({ line }) => line);
  const visited = /\bpath: *['"](\/[^'"]*)['"]/.exec(source)?.[1];
  const args = [...(isTyped ? ['--enable-source-maps'] : []), file];
  const settings = { program: true, awaited, ...(visited === undefined ? {} : { path: visited }) };
  const { status, signal, stdout, stderr, output } = await sandbox.start(folder, process.execPath, args, settings)
    .ended;
  if (status !== 0 || stderr !== '') {
    throw new Error(`it ended with ${signal ?? `status ${status}`} and wrote:\n${output.trimEnd()}`);
  }
  comparePrinted(printedBy, path.join(folder, 'printed'));
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

const options = {
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  target: ts.ScriptTarget.ES2022,
};

function compile(source, isCommonJs) {
  const module = isCommonJs ? ts.ModuleKind.CommonJS : ts.ModuleKind.ES2022;
  const fileName = isCommonJs ? 'program.cts' : 'program.mts';
  return ts.transpileModule(source, { fileName, compilerOptions: { ...options, module, inlineSourceMap: true } })
    .outputText;
}

/** With the types that a user gets. Each block costs the compiler a second, so it does not run beside others. */
async function checkTypes(block, source, sandbox) {
  const folder = sandbox.newFolder();
  writeFileSync(path.join(folder, 'program.mts'), source);
  const arguments_ = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'node16', '--target', 'es2022'];
  const libraries = ['--lib', 'es2023,esnext.disposable', '--types', 'node'];
  const tsc = nodeProgram('typescript/bin/tsc');
  const { status, output } = await sandbox.start(folder, process.execPath, [
    ...[tsc, ...arguments_, ...libraries, 'program.mts'],
  ]).ended;
  if (status !== 0) throw new Error(`the types are wrong:\n${output.trimEnd()}`);
}
