// Serves the page: the files of the folder page, read once at start, with headers that keep everything foreign out.
import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';

const folder = new URL('page/', import.meta.url);
const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };

const files = new Map(readdirSync(folder).map((name) => [name === 'index.html' ? '/' : `/${name}`, load(name)]));

const securityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // Isolated from other origins, the page may have clocks that are fine enough for a round trip: 5 µs in place of 100.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

/** Answers a plain HTTP request: a file of the page, 405 for other methods than GET and HEAD, 404 for other paths. */
export function servePage(path, request, response) {
  const file = files.get(path);
  if (file === undefined) {
    answer(request, response, 404, Buffer.from('Not found. The page is at /.\n'), 'text/plain');
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    answer(request, response, 405, Buffer.from('Only GET and HEAD are allowed here.\n'), 'text/plain');
  } else {
    answer(request, response, 200, file.body, file.type);
  }
}

function answer(request, response, status, body, type) {
  response.writeHead(status, {
    ...securityHeaders,
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': body.length,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function load(name) {
  return { body: readFileSync(new URL(name, folder)), type: types[extname(name)] };
}
