// npm run coverage: line coverage of src/component by its own tests, from clang and llvm-cov. Fails below 95 %.
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { buildNative, orExplain } from './build.mjs';
import { capture, run, which } from './run.mjs';

const least = 95; // percent of lines

const build = orExplain(() => buildNative('coverage', { tests: true, targets: ['component_tests'] }));
const folder = path.join(build, 'coverage');
mkdirSync(folder, { recursive: true });
const raw = path.join(folder, 'component.profraw');
const profile = path.join(folder, 'component.profdata');
const tests = path.join(build, 'component_tests');

// Xcode keeps the LLVM tools behind xcrun.
const llvm = (tool, ...args) => (which(tool) ? capture(tool, args) : capture('xcrun', [tool, ...args]));

const env = { ...process.env, LLVM_PROFILE_FILE: raw };
const testStatus = run(tests, ['--gtest_brief=1'], { env, timeout: 300_000 });
let step = llvm('llvm-profdata', 'merge', '-sparse', raw, '-o', profile);
if (step.status === 0) {
  step = llvm('llvm-cov', 'export', '-summary-only', `-instr-profile=${profile}`, tests);
}
if (step.status !== 0) {
  console.error(`${step.stderr || step.all}\nllvm-profdata and llvm-cov are needed: npm run setup -- --test`);
  process.exit(1);
}

const component = `${path.sep}src${path.sep}component${path.sep}`;
let covered = 0;
let count = 0;
for (const file of JSON.parse(step.stdout).data[0].files.filter((one) => one.filename.includes(component))) {
  const lines = file.summary.lines;
  covered += lines.covered;
  count += lines.count;
  console.log(`${lines.percent.toFixed(1).padStart(6)} %  ${path.basename(file.filename)}`);
}
if (count === 0)
  throw new Error(`llvm-cov saw no line of src/component (${existsSync(raw) ? 'with' : 'without'} a profile)`);
const percent = (100 * covered) / count;
console.log(
  `${percent.toFixed(1)} % of ${count} lines of src/component are covered (at least ${least} % are asked for)`,
);
process.exitCode = percent < least || testStatus !== 0 ? 1 : 0;
