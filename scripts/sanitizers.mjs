// The environment of programs that are built with sanitizers, or load what is.
import path from 'node:path';
import { capture, root } from './run.mjs';

/** For a program that is built with a sanitizer. */
export function sanitizerOptions() {
  return {
    // What is freed stays out of use until 64 MiB more are freed: four times the largest message of the tests. With the
    // default of 256 MiB a fifth of the time goes into fresh pages.
    ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:quarantine_size_mb=64',
    LSAN_OPTIONS: `suppressions=${path.join(root, 'test/lsan.supp')}:print_suppressions=0`,
    UBSAN_OPTIONS: 'print_stacktrace=1',
    TSAN_OPTIONS: 'halt_on_error=0:second_deadlock_stack=1',
  };
}

/** For Node with an addon of the preset `asan`: Node is not built with sanitizers, so their runtimes have to be there first. */
export function asanEnvironment() {
  const runtimes = ['libasan.so', 'libubsan.so'].map((name) =>
    capture('g++', [`-print-file-name=${name}`]).stdout.trim(),
  );
  // ws does not load bufferutil with a sanitizer, because it never frees its registration.
  return { ...sanitizerOptions(), LD_PRELOAD: runtimes.join(':'), WS_NO_BUFFER_UTIL: '1' };
}
