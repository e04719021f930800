// node echo-server.mjs PACKAGE [OPTIONS]: an echo server with the WebSocketServer of this package or of ws, with options as
// JSON. Prints its URL. When its stdin ends it stops to listen, and so it ends when no connection is left.
const { WebSocketServer } = await import(process.argv[2]);

const options = JSON.parse(process.argv[3] ?? '{}');
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
server.on('connection', (socket) => {
  socket.on('error', () => {}); // the runner sees how the connection ends
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on('listening', () => console.log(`ws://127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => server.close());
process.stdin.resume();
