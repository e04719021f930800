// Compiled against lib.dom.d.ts and our declarations: each is assignable to the other. Not run.
import * as ours from 'websocket-component/whatwg';

// Objects, both ways.
const own = new ours.WebSocket('ws://localhost/', ['a'] as string[]);
const asTheirs: WebSocket = own;
const asOurs: ours.WebSocket = new WebSocket('ws://localhost/');
const ownEvent = new ours.CloseEvent('close', { code: 1000, reason: '', wasClean: true });
const asTheirEvent: CloseEvent = ownEvent;
const asOurEvent: ours.CloseEvent = new CloseEvent('close', { code: 1000 });
const asDomException: DOMException = new ours.WebSocketError('', { closeCode: 3000, reason: '' });

// The classes: ours where the browser's is asked for, and the other way round where no options of ours are used.
const asTheirClass: typeof WebSocket = ours.WebSocket;
const asTheirEventClass: typeof CloseEvent = ours.CloseEvent;
const asTheirMessageEvent: typeof MessageEvent = ours.MessageEvent;
const asOurClass: new (url: string | URL, protocols?: string | string[]) => ours.WebSocket = WebSocket;

// A program for browsers.
function talk(socket: WebSocket): void {
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => socket.send(new Uint8Array(1));
  socket.onmessage = ({ data }: MessageEvent<string>) => socket.send(data);
  socket.addEventListener('close', ({ code, reason, wasClean }) => socket.close(code, `${reason} ${wasClean}`));
  socket.addEventListener('message', { handleEvent: (event) => socket.send(event.type) }, { once: true });
  socket.removeEventListener('close', () => {});
  const state: number = socket.readyState === WebSocket.OPEN ? socket.OPEN : socket.bufferedAmount;
  socket.close(state);
}
talk(own);
talk(asOurs as WebSocket);

// The streams are the browser's, too.
async function pipe(): Promise<void> {
  const stream = new ours.WebSocketStream('wss://localhost/', {
    protocols: ['a'],
    signal: AbortSignal.timeout(1000),
    headers: { a: 'b' },
  });
  const { readable, writable, protocol, extensions } = await stream.opened;
  const source: ReadableStream<string | Uint8Array> = readable;
  await source.pipeTo(writable);
  stream.close({ closeCode: 1000, reason: protocol + extensions });
  const { closeCode, reason } = await stream.closed;
  reason.concat(closeCode.toFixed());
}

export {
  asDomException,
  asOurClass,
  asOurEvent,
  asTheirClass,
  asTheirEvent,
  asTheirEventClass,
  asTheirMessageEvent,
  asTheirs,
  pipe,
};
