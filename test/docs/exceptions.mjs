// What is not run as it stands, with the reason. Blocks of `text` are no programs: they are drawings and recorded output, of
// which the paths are checked, unless they say that the block before prints them (suite.mjs).
import path from 'node:path';
import { root } from '../../scripts/run.mjs';

/**
 * Commands that are not run. What still holds is checked: a script of `npm run` is in package.json, its file knows the
 * options, and files of the repository that a command names exist. So it is with all of npm on a page of a project of its
 * own, whose packages are not installed.
 * @type {[RegExp, string][]}
 */
export const notRun = [
  [/^npm run setup\b/, 'installs packages of the system'],
  [/^npm (ci|i|install)\b/, 'installs packages from the registry; test/package installs ours without it'],
  [/^npm (test|run (?!conformance\b)[\w:-]+)\b/, 'a script of package.json: takes minutes, or is what runs this'],
  [/^npx jest\b/, 'a suite of npm test'],
  [/^(bun|deno) /, 'npm run matrix fetches these runtimes and runs this in them'],
  [/^cmake --build\b/, 'compiles for a minute; what follows is done with the build of npm test'],
];

/**
 * Commands that are run differently.
 * @type {[RegExp, string, string][]} what they are, what replaces this part of it, the reason
 */
export const adapted = [
  [/^npx (websocket-component [a-z])/, '$1', 'npx itself takes a second; with an option it is run'],
  [/websocket-component bench .*/, '$& --duration 0.2 --warmup 0', 'ten seconds by default'],
  [/^.*conformance(\.mjs"| --)? wss?:.*/, '$& --only 1.1', 'a minute for all cases'],
  [/websocket-component connect \S+$/, '$& --wait 0.1', 'waits for messages for two seconds'],
  [/^cmake -B build/, `cmake -S "${root}" -B build`, 'not in a folder of this repository'],
  [
    /^cmake --install build --prefix .*/,
    `cmake --install "${path.join(root, 'build/release')}" --prefix "$PWD/prefix" --component websocket_component`,
    'the build of npm test, into a folder of the test',
  ],
  [
    /^npm run conformance --/,
    `node "${path.join(root, 'test/conformance/conformance.mjs')}"`,
    'what the script does, without the second that npm takes',
  ],
  [/^npm (run )?start\b( --)?/, `node "${path.join(root, 'examples/server/server.mjs')}"`, 'what it builds is there'],
];

/** Pages whose blocks of a language have a test of their own. @type {[string, string, string][]} */
export const testedElsewhere = [
  ['docs/command-line.md', 'console', 'test/cli/docs.test.ts'],
  ['docs/component.md', 'mermaid', 'test/component/state_diagram_test.cc'],
];
