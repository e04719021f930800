// Serves the example page: three static files, read once at start, with headers that keep everything foreign out.
import { readFileSync } from 'node:fs';

const files = new Map([
  ['/', load('page.html', 'text/html')],
  ['/page.css', load('page.css', 'text/css')],
  ['/page.js', load('page.js', 'text/javascript')],
]);

const securityHeaders = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ws: wss:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
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

function load(name, type) {
  return { body: readFileSync(new URL(name, import.meta.url)), type };
}
