// npm run setup [-- --test]: installs the build tools (and with --test what the tests need) on Debian and Ubuntu, and
// prints the list for other systems. Needs nothing but Node; works before `npm ci`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const forTests = process.argv.includes('--test');

const buildPackages = ['g++', 'make', 'cmake', 'ninja-build', 'libssl-dev', 'zlib1g-dev'];
const testPackages = [
  'clang', // the second compiler
  'clang-format',
  'clang-tidy',
  'libclang-rt-dev', // its sanitizers and profiler
  'llvm', // llvm-cov
  'libgtest-dev',
  'libgmock-dev',
  'pkg-config', // programs that use the installed component
  'libc6-dev-i386', // its layout on 32-bit machines
  'lib32stdc++-12-dev',
  'libuv1-dev', // the driver's C++ tests run without Node
  'python3',
  'python3-websockets',
  'python3-aiohttp',
  'python3-tornado',
  'libwebsockets-dev',
  'libwebsockets-test-server',
  'nginx',
  'haproxy',
  'chromium',
  'openssl', // certificates of the tests
  'valgrind',
  'git', // the checks of npm run lint list the committed files
];
/** Packages that would start a service at once and at every boot. The tests start the programs by themselves. */
const services = ['nginx', 'haproxy'];
/**
 * sh -c quietly sh "SERVICE..." COMMAND...: installs by this command without starting these services. Debian asks the
 * program policy-rc.d before it starts one; where a machine has its own, that decides, and stays.
 */
const quietly = `
  services=$1
  shift
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    {
      echo '#!/bin/sh'
      for service in $services; do echo "case \\" \\$* \\" in *\\" $service\\"[.\\ ]*) exit 101 ;; esac"; done
    } > "$policy"
    chmod 755 "$policy"
  fi
  "$@" || exit
  for service in $services; do update-rc.d "$service" disable; done`;

if (!existsSync('/usr/bin/apt-get')) {
  console.log('Install these with the package manager of this system, then run `npm ci`:');
  process.stdout.write(readFileSync(new URL('../cmake/install_hint.txt', import.meta.url)));
  if (forTests) {
    console.log(
      'The tests need besides: clang with clang-format, clang-tidy and llvm-cov, GoogleTest with GoogleMock,',
    );
    console.log(
      'libuv, Python 3 with its packages websockets, aiohttp and tornado, Chromium, the openssl command and git.',
    );
    console.log(
      'The interoperability tests with libwebsockets, nginx and HAProxy are skipped without these. On Fedora:',
    );
    console.log(
      '  dnf install clang clang-tools-extra llvm compiler-rt libasan libubsan libtsan gtest-devel gmock-devel \\',
    );
    console.log('              libuv-devel python3-websockets python3-aiohttp python3-tornado chromium openssl git \\');
    console.log('              libwebsockets-devel nginx haproxy');
    console.log('On macOS:');
    console.log(
      '  brew install llvm googletest libuv python git libwebsockets nginx haproxy && pip3 install websockets aiohttp tornado && brew install --cask chromium',
    );
  }
  process.exit(0);
}

const wanted = forTests ? [...buildPackages, ...testPackages] : buildPackages;
let missing = wanted.filter((name) => !isInstalled(name));
if (missing.length === 0) {
  console.log('setup: everything is installed');
  process.exit(0);
}

aptGet('update', '-q');
const unknown = missing.filter((name) => !isAvailable(name));
missing = missing.filter((name) => !unknown.includes(name));
if (unknown.length > 0)
  console.warn(`setup: this release has no package named ${unknown.join(', ')}; going on without`);
if (missing.length > 0) install(missing);

const failed = missing.filter((name) => !isInstalled(name));
if (failed.length > 0) {
  console.error(`setup: could not install ${failed.join(', ')}`);
  process.exit(1);
}
console.log(`setup: installed ${missing.join(', ')}`);

function isInstalled(name) {
  const result = spawnSync('dpkg-query', ['-W', '-f=${db:Status-Status}', name], { encoding: 'utf8' });
  return result.status === 0 && result.stdout.includes('installed') && !result.stdout.includes('not-installed');
}

function isAvailable(name) {
  const result = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return /Candidate: (?!\(none\))/.test(result.stdout);
}

/** Installs packages. Services among them neither start now nor at boot. */
function install(names) {
  const quiet = services.filter((name) => names.includes(name));
  const apt = ['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...names];
  if (quiet.length === 0) return asRoot('apt-get install', apt);
  console.log(`setup: ${quiet.join(' and ')} will not be started, now or at boot; \`systemctl enable\` undoes that`);
  asRoot('apt-get install', ['sh', '-c', quietly, 'sh', quiet.join(' '), ...apt]);
}

function aptGet(...args) {
  asRoot(`apt-get ${args[0]}`, ['apt-get', ...args]);
}

function asRoot(what, args) {
  const command = ['env', 'DEBIAN_FRONTEND=noninteractive', ...args];
  if (process.getuid() !== 0) command.unshift('sudo');
  const result = spawnSync(command[0], command.slice(1), { stdio: ['inherit', 'inherit', 'inherit'] });
  if (result.error?.code === 'ENOENT') {
    console.error(`setup: run this command as root: ${process.argv.join(' ')}`);
    process.exit(1);
  }
  if (result.status !== 0) {
    console.error(`setup: ${what} failed`);
    process.exit(1);
  }
}
