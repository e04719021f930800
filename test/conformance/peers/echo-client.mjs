// node echo-client.mjs PACKAGE URL JOBS [OPTIONS]: runs every case of a runner with the WebSocket of this package or of ws,
// with options as JSON, so many at a time, and then asks it to finish.
const { WebSocket } = await import(process.argv[2]);
const url = process.argv[3];
const jobs = Number(process.argv[4]);
const options = JSON.parse(process.argv[5] ?? '{}');

/** Sends every message back until the connection ends. */
function echo(path) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url + path, options);
    socket.on('error', () => {}); // the runner sees how the connection ends
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('close', resolve);
  });
}

/** The text message that a path answers with. */
function ask(path) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url + path, options);
    let answer;
    socket.on('error', reject);
    socket.on('message', (data) => (answer = data.toString()));
    socket.on('close', () => resolve(answer));
  });
}

const ids = JSON.parse(await ask('/cases'));
const worker = async () => {
  for (let id = ids.shift(); id !== undefined; id = ids.shift()) await echo(`/case/${id}`);
};
await Promise.all(Array.from({ length: jobs }, worker));
await ask('/finish').catch(() => {}); // the run may have ended with its last case
