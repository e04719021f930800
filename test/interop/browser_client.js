// Runs in a page: exchanges messages with an echo server and tells how each came back.
/* global WebSocket */
globalThis.exchange = async (url, sizes) => {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const next = (type) =>
    new Promise((resolve, reject) => {
      socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
      socket[`on${type}`] = resolve;
    });
  const echo = async (message) => {
    const reply = next('message');
    socket.send(message);
    return (await reply).data;
  };

  await next('open');
  const outcome = [];
  for (const size of sizes) {
    const text = 'aé€😀'.repeat(Math.floor(size / 10)) + 'x'.repeat(size % 10);
    outcome.push(`text ${size} ${(await echo(text)) === text}`);
    const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
    const reply = new Uint8Array(await echo(bytes));
    outcome.push(`binary ${size} ${reply.length === size && reply.every((byte, index) => byte === bytes[index])}`);
  }
  const closed = next('close');
  socket.close(1000);
  outcome.push(`closed ${(await closed).code}`);
  return outcome;
};
