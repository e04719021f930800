/**
 * The systems that have a package with the native module: the one table for the loader, for `npm run pack:all` and for
 * the build of releases (.github/workflows/build.yml).
 */
export interface Target {
  /** As `process.platform`. */
  readonly os: NodeJS.Platform;
  /** As `process.arch`. */
  readonly cpu: NodeJS.Architecture;
  /** The C library, where a system may have one of several. */
  readonly libc?: 'glibc' | 'musl';
}

export const targets = {
  'linux-x64-musl': { os: 'linux', cpu: 'x64', libc: 'musl' },
  'linux-x64-gnu': { os: 'linux', cpu: 'x64', libc: 'glibc' },
  'linux-arm64-musl': { os: 'linux', cpu: 'arm64', libc: 'musl' },
  'linux-arm64-gnu': { os: 'linux', cpu: 'arm64', libc: 'glibc' },
  'darwin-x64': { os: 'darwin', cpu: 'x64' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64' },
  'win32-x64': { os: 'win32', cpu: 'x64' },
} as const satisfies Record<string, Target>;

/** The name of a target; its package is `websocket-component-<name>`. */
export type TargetName = keyof typeof targets;

/** The targets of this process's system; on Linux one for each C library, musl first (binary.ts says why). */
export function targetsOfThisSystem(): TargetName[] {
  return (Object.keys(targets) as TargetName[]).filter(
    (name) => targets[name].os === process.platform && targets[name].cpu === process.arch,
  );
}

/** The version of glibc; undefined on musl and on systems without the choice. Takes some milliseconds. */
export function glibcVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const report = process.report as (typeof process.report & { excludeNetwork?: boolean }) | undefined;
  if (report === undefined) return undefined;
  const { excludeNetwork } = report;
  report.excludeNetwork = true; // it would look up the names of the peers of open sockets
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  if (excludeNetwork !== undefined) report.excludeNetwork = excludeNetwork;
  return header?.glibcVersionRuntime;
}
