// npm run test:valgrind [-- FILTER]: the C++ tests of the component and the driver under valgrind's memcheck, which sees
// bytes that were never written on their way to the network. FILTER is GoogleTest's.
import path from 'node:path';
import { buildNative, orExplain } from './build.mjs';
import { capture, root, run } from './run.mjs';

const hour = 3_600_000;
const filter = process.argv[2] ?? '*';

if (capture('valgrind', ['--version']).status !== 0) {
  console.error('valgrind is not installed.');
  process.exit(1);
}
const build = orExplain(() => buildNative('release', { tests: true }));
const options = [
  '--tool=memcheck',
  '--error-exitcode=99',
  '--leak-check=full',
  '--errors-for-leak-kinds=definite',
  '--track-origins=yes',
  '--quiet',
  `--suppressions=${path.join(root, 'test/valgrind.supp')}`,
];
const statuses = ['component_tests', 'driver_tests'].map((program) => {
  console.log(`\n── ${program}`);
  const args = [path.join(build, program), '--gtest_brief=1', `--gtest_filter=${filter}`];
  return run('valgrind', [...options, ...args], { timeout: hour });
});
process.exitCode = statuses.every((status) => status === 0) ? 0 : 1;
