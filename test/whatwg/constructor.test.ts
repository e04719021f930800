// new WebSocket(url, protocols): the steps of the constructor, of getting a URL record, and of the opening handshake.
import { WebSocket } from '../../lib/whatwg';
import { acceptText, afterTest, expectedTransport, rawServer, serve, until } from '../lib/support';
import { nowhere } from './idl';
import { ending, failed, make, next, open, record, thrownName } from './support';

/** Gives the program a location. */
function setLocation(href: string): void {
  Object.defineProperty(globalThis, 'location', { value: { href }, configurable: true });
  afterTest(() => Reflect.deleteProperty(globalThis, 'location'));
}

describe('the URL', () => {
  test('an absolute URL is parsed and serialized', () => {
    expect(make('ws://127.0.0.1:1').url).toBe('ws://127.0.0.1:1/');
    expect(make('WSS://EXAMPLE.invalid:443/a b?c').url).toBe('wss://example.invalid/a%20b?c');
    expect(make(new URL('ws://127.0.0.1:1/x') as never).url).toBe('ws://127.0.0.1:1/x');
    expect(make('ws://user:pass@127.0.0.1:1/').url).toBe('ws://user:pass@127.0.0.1:1/');
  });

  test('what is no URL is a SyntaxError', () => {
    for (const url of ['', 'x', 'ws://', 'ws://a b/', 'ws://[/', '/path', '//host', '?query']) {
      expect([url, thrownName(() => new WebSocket(url))]).toEqual([url, 'SyntaxError']);
    }
  });

  test('relative to location, where there is one', () => {
    setLocation('https://127.0.0.1:1/folder/page?query#fragment');
    expect(make('chat').url).toBe('wss://127.0.0.1:1/folder/chat');
    expect(make('/chat').url).toBe('wss://127.0.0.1:1/chat');
    expect(make('?more').url).toBe('wss://127.0.0.1:1/folder/page?more');
    expect(make('//127.0.0.1:7').url).toBe('wss://127.0.0.1:7/');
    expect(make('').url).toBe('wss://127.0.0.1:1/folder/page?query');
    expect(make('ws://127.0.0.1:7/').url).toBe('ws://127.0.0.1:7/');
    setLocation('about:blank');
    expect(thrownName(() => new WebSocket('chat'))).toBe('SyntaxError');
  });

  test('http and https become ws and wss', () => {
    expect(make('http://127.0.0.1:1/a').url).toBe('ws://127.0.0.1:1/a');
    expect(make('https://127.0.0.1:1/a').url).toBe('wss://127.0.0.1:1/a');
    expect(make('http://127.0.0.1:443/').url).toBe('ws://127.0.0.1:443/');
  });

  test('another scheme is a SyntaxError', () => {
    for (const url of [
      'ftp://127.0.0.1/',
      'mailto:a@b',
      'about:blank',
      'file:///a',
      'ws+unix:/a',
      'javascript:1',
      'blob:x',
    ]) {
      expect([url, thrownName(() => new WebSocket(url))]).toEqual([url, 'SyntaxError']);
    }
  });

  test('a fragment is a SyntaxError, also an empty one', () => {
    for (const url of ['ws://127.0.0.1:1/#a', 'ws://127.0.0.1:1/#', 'http://127.0.0.1:1/?a#b']) {
      expect([url, thrownName(() => new WebSocket(url))]).toEqual([url, 'SyntaxError']);
    }
    expect(make('ws://127.0.0.1:1/%23').url).toBe('ws://127.0.0.1:1/%23');
  });
});

describe('the subprotocols', () => {
  test('a string is one subprotocol', async () => {
    const { server, url } = await serve();
    const socket = make(url, 'chat');
    expect(socket.protocol).toBe('');
    await next(socket, 'open');
    expect(socket.protocol).toBe('chat');
    expect([...server.clients][0].protocol).toBe('chat');
  });

  test('a sequence is any iterable, and its members are converted', async () => {
    const { url } = await serve({ handleProtocols: (offered) => [...offered].join('-') });
    const made = new Set(['a', { toString: () => 'b' }, 7]) as never;
    const requests: string[] = [];
    const raw = await rawServer(async (peer) => requests.push(await peer.takeHead()));
    make(raw, made);
    await until(() => requests.length > 0);
    expect(requests[0]).toMatch(/^sec-websocket-protocol: ?a, ?b, ?7\r$/im);
    expect((await open(url, [])).protocol).toBe('');
    expect(() => new WebSocket(nowhere, [Symbol('s')] as never)).toThrow(TypeError);
    expect(() => new WebSocket(nowhere, { [Symbol.iterator]: 3 } as never)).toThrow(TypeError);
  });

  test('invalid ones are a SyntaxError', () => {
    const separators = '()<>@,;:\\"/[]?={} \t'.match(/./g)!;
    for (const protocol of ['', 'a b', 'a,b', 'ä', '\u007f', '\0', 'a\n', ...separators]) {
      expect([protocol, thrownName(() => new WebSocket(nowhere, protocol))]).toEqual([protocol, 'SyntaxError']);
      expect(thrownName(() => new WebSocket(nowhere, ['good', protocol]))).toBe('SyntaxError');
    }
    make(nowhere, "!#$%&'*+-.^_`|~09azAZ");
  });

  test('one that comes twice is a SyntaxError; another case is another one', () => {
    expect(thrownName(() => new WebSocket(nowhere, ['a', 'b', 'a']))).toBe('SyntaxError');
    make(nowhere, ['a', 'A']);
  });

  test('an object that makes itself a string is that string, and another one holds options', async () => {
    const { url } = await serve();
    expect((await open(url, { toString: () => 'chat' } as never)).protocol).toBe('chat');
    expect((await open(url, { [Symbol.toPrimitive]: () => 'chat' } as never)).protocol).toBe('chat');
    expect((await open(url, { protocols: ['other'] })).protocol).toBe('other');
    expect((await open(url, {})).protocol).toBe('');
    expect(thrownName(() => new WebSocket(nowhere, (() => {}) as never))).toBe('SyntaxError');
  });

  test('null is the string, and undefined is nothing', async () => {
    const { url } = await serve();
    expect((await open(url, null as never)).protocol).toBe('null');
    const socket = new WebSocket(url, undefined);
    await next(socket, 'open');
    expect(socket.protocol).toBe('');
    socket.close();
  });

  test('are looked at after the URL, and conversions come before both', () => {
    const order: string[] = [];
    const value = (name: string, text: string) => ({ toString: () => (order.push(name), text) });
    expect(thrownName(() => new WebSocket(value('url', 'bad') as never, value('protocol', '(') as never))).toBe(
      'SyntaxError',
    );
    expect(order).toEqual(['url', 'protocol']);
    expect(() => new WebSocket('ws://x/#', '(')).toThrow(/fragment/);
  });
});

test('the new object is CONNECTING, with nothing negotiated and nothing sent', () => {
  const socket = make(nowhere);
  expect([socket.readyState, socket.extensions, socket.protocol, socket.bufferedAmount, socket.binaryType]).toEqual([
    ...[0, '', '', 0, 'blob'],
  ]);
});

test('nothing is fired before the program has returned and its promises have run', async () => {
  const { url } = await serve();
  const socket = make(url);
  const seen = record(socket);
  await Promise.resolve();
  expect(seen).toEqual([]);
  await next(socket, 'open');
  expect(seen).toEqual(['open in 1']);
});

describe('establishing the connection', () => {
  test('the request is that of RFC 6455, without an Origin', async () => {
    const requests: string[] = [];
    const url = await rawServer(async (peer) => {
      requests.push(await peer.takeHead());
      peer.write(acceptText(requests[0]));
    });
    await open(`${url}/path?query`);
    const [line, ...fields] = requests[0].trim().split('\r\n');
    expect(line).toBe('GET /path?query HTTP/1.1');
    expect(fields.map((field) => field.split(':')[0].toLowerCase()).sort()).toEqual([
      ...['connection', 'host', 'sec-websocket-extensions', 'sec-websocket-key', 'sec-websocket-version', 'upgrade'],
    ]);
    expect(fields).toContain('Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits');
  });

  test.each([
    ['another status than 101', (head: string) => `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${head.slice(0, 0)}`],
    ['a redirect', () => 'HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n'],
    ['no answer', () => ''],
    ['a subprotocol that was not offered', (head: string) => acceptText(head, 'Sec-WebSocket-Protocol: other')],
    ['no subprotocol', (head: string) => acceptText(head)],
    ['an extension', (head: string) => acceptText(head, 'Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Extensions: x')],
    ['a wrong Sec-WebSocket-Accept', (head: string) => acceptText(head).replace(/(Accept: ).*/, '$1AAAA')],
  ])('%s fails it: error, then close, in CLOSED', async (_name, answer) => {
    const url = await rawServer(async (peer) => {
      peer.write(answer(await peer.takeHead()));
      peer.socket.end();
    });
    const socket = make(url, 'chat');
    const seen = record(socket);
    expect(await ending(socket)).toEqual([1006, '', false]);
    expect(seen).toEqual(failed);
    expect(socket.protocol).toBe('');
  });

  test('a refused connection fails it', async () => {
    const { server, url } = await serve();
    await new Promise((resolve) => {
      void server.close(resolve);
    });
    const socket = make(url);
    const seen = record(socket);
    expect(await ending(socket)).toEqual([1006, '', false]);
    expect(seen).toEqual(failed);
  });

  test('a bad port fails it without a connection', async () => {
    for (const port of [1, 22, 25, 6000, 10080]) {
      const socket = make(`http://127.0.0.1:${port}/`, {
        createConnection: () => {
          throw new Error('must not be called');
        },
      });
      expect(await ending(socket)).toEqual([1006, '', false]);
    }
  });

  test('over the engine of the other class', async () => {
    const { server, url } = await serve();
    const socket = await open(url);
    await until(() => server.clients.size === 1);
    const [peer] = server.clients;
    expect(peer.transport).toBe(expectedTransport);
    peer.send('text');
    expect((await next<MessageEvent>(socket, 'message')).data).toBe('text');
  });
});
