// nginx and HAProxy between a client and servers: each is started with a configuration of its own in a temporary folder,
// listens on Unix sockets there (so that no port can be taken), and is one process in the foreground.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Program } from './peers';

/** A path on the proxy, and the port of the server behind it. */
export interface Route {
  path: string;
  port: number;
  /** Seconds without a byte after which the proxy cuts a connection. */
  idleSeconds: number;
}

export interface ProxyProgram {
  name: string;
  /** What this system lacks to run it. */
  missing?: string;
  start: (routes: Route[], certificate: { key: Buffer; cert: Buffer }) => Promise<Proxy>;
}

export interface Proxy {
  program: Program;
  /** The URL of a path, without TLS or with TLS up to the proxy. */
  url(path: string, scheme?: 'ws' | 'wss'): string;
  stop(): Promise<void>;
}

/** Debian keeps programs of administrators in folders that are on root's path only. */
const env = { PATH: [process.env.PATH, '/usr/sbin', '/usr/local/sbin'].join(delimiter) };

function proxyProgram(
  name: string,
  command: string,
  configure: (folder: string, routes: Route[]) => string,
  argumentsOf: (folder: string) => string[],
): ProxyProgram {
  const isThere = spawnSync(command, ['-v'], { env: { ...process.env, ...env } }).error === undefined;
  return {
    name,
    missing: isThere ? undefined : name,
    start: async (routes, { key, cert }) => {
      const folder = mkdtempSync(join(tmpdir(), 'websocket-component-'));
      writeFileSync(join(folder, 'certificate.pem'), Buffer.concat([cert, key]), { mode: 0o600 });
      writeFileSync(join(folder, 'configuration'), configure(folder, routes));
      const program = Program.start(command, argumentsOf(folder), env);
      const stop = async () => {
        program.signal('SIGTERM');
        await program.end();
        rmSync(folder, { recursive: true, force: true });
      };
      try {
        for (const socket of ['ws', 'wss']) await program.listening({ path: join(folder, socket) });
      } catch (error) {
        await stop();
        throw error;
      }
      return { program, url: (path, scheme = 'ws') => `${scheme}+unix:${join(folder, scheme)}:${path}`, stop };
    },
  };
}

/** The lines that WebSocket needs: HTTP/1.1, and Upgrade and Connection, which are not passed on by themselves. */
const nginxRoute = ({ path, port, idleSeconds }: Route) => `
    location = ${path} {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_read_timeout ${idleSeconds}s;
      proxy_send_timeout ${idleSeconds}s;
    }`;

export const nginx = proxyProgram(
  'nginx',
  'nginx',
  (folder, routes) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen unix:${folder}/ws;
    listen unix:${folder}/wss ssl;
    ssl_certificate ${folder}/certificate.pem;
    ssl_certificate_key ${folder}/certificate.pem;${routes.map(nginxRoute).join('')}
  }
}
`,
  (folder) => ['-e', 'stderr', '-p', folder, '-c', join(folder, 'configuration')],
);

const nameOf = (path: string) => path.slice(1).replaceAll('/', '-');

/** HAProxy passes an upgrade on by itself; from then on `timeout tunnel` takes the place of its other timeouts. */
const haproxyRoute = ({ path, port, idleSeconds }: Route) => `
backend ${nameOf(path)}
  timeout tunnel ${idleSeconds}s
  server server 127.0.0.1:${port}
`;

export const haproxy = proxyProgram(
  'HAProxy',
  'haproxy',
  (folder, routes) => `
defaults
  mode http
  timeout connect 10s
  timeout client 10s
  timeout server 10s
  retries 0

frontend clients
  bind unix@${folder}/ws
  bind unix@${folder}/wss ssl crt ${folder}/certificate.pem
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
${routes.map(({ path }) => `  use_backend ${nameOf(path)} if { path ${path} }`).join('\n')}
${routes.map(haproxyRoute).join('')}`,
  (folder) => ['-db', '-f', join(folder, 'configuration')],
);
