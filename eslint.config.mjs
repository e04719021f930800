import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const nodeGlobals = Object.fromEntries(
  ['Buffer', 'URL', 'clearInterval', 'clearTimeout', 'console', 'fetch', 'module', 'performance', 'process', 'require']
    .concat(['setImmediate', 'setInterval', 'setTimeout', '__dirname', '__filename'])
    .map((name) => [name, 'readonly']),
);
const browserGlobals = Object.fromEntries(
  ['WebSocket', 'document', 'location', 'performance', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout']
    .concat(['window', 'console', 'requestAnimationFrame', 'TextEncoder', 'Blob', 'addEventListener', 'Worker'])
    .concat(['ResizeObserver', 'localStorage', 'matchMedia', 'postMessage'])
    .map((name) => [name, 'readonly']),
);
const pages = ['examples/server/page/*.js', 'examples/electron/renderer.js'];

export default tseslint.config(
  { ignores: ['build/', 'coverage/', 'dist/', 'test/types/whatwg-program.mts'] }, // needs lib.dom.d.ts
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.cts', '**/*.mts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers read well in messages.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `() => socket.close()` is how handlers are written.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests pass what the types forbid on purpose, and describe() takes callbacks of every kind.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['**/*.mjs', '**/*.js', '**/*.cjs'], languageOptions: { globals: nodeGlobals } },
  { files: ['**/*.js', '**/*.cjs'], ignores: pages, languageOptions: { sourceType: 'commonjs' } },
  { files: pages, languageOptions: { globals: browserGlobals, sourceType: 'module' } },
);
