// nginx and HAProxy as WebSocket proxies: our client and that of `ws` before them, our server and that of `ws` behind.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import { WebSocket, WebSocketServer } from '../../lib';
import { choose, connectTo, converse, echo, Lines, offered, portOf } from './conversation';
import { describeWith, makeCertificate, nextMessage, timeout } from './peers';
import { haproxy, nginx, type Proxy } from './proxies';

for (const { name, missing, start } of [nginx, haproxy]) {
  describeWith(name, missing, () => {
    let certificate: ReturnType<typeof makeCertificate>;
    let proxy: Proxy;
    let native: WebSocketServer;
    let stream: WebSocketServer;
    let foreign: WsServer;
    let said: Lines;
    const requests: IncomingMessage[] = [];

    beforeAll(async () => {
      certificate = makeCertificate();
      const options = { port: 0, host: '127.0.0.1', handleProtocols: choose, perMessageDeflate: { threshold: 0 } };
      const verifyClient = ({ req }: { req: IncomingMessage }, answer: (ok: boolean, code?: number) => void) =>
        req.headers.authorization === 'wrong' ? answer(false, 401) : answer(true);
      native = new WebSocketServer({ ...options, verifyClient });
      stream = new WebSocketServer({ ...options, transport: 'stream' });
      foreign = new WsServer(options);
      for (const server of [native, stream, foreign]) {
        server.on('connection', (socket: WebSocket | WsClient, request: IncomingMessage) => {
          requests.push(request);
          echo(socket, (line) => said.add(line));
        });
        if (server.address() === null) await once(server, 'listening');
      }
      const routes = [
        { path: '/native', port: portOf(native), idleSeconds: 60 },
        { path: '/stream', port: portOf(stream), idleSeconds: 60 },
        { path: '/ws', port: portOf(foreign), idleSeconds: 60 },
        { path: '/impatient', port: portOf(native), idleSeconds: 1 },
      ];
      proxy = await start(routes, certificate);
    }, timeout);
    beforeEach(() => {
      said = new Lines();
      requests.length = 0;
    });
    afterAll(async () => {
      await proxy.stop();
      await Promise.all([native.close(), stream.close(), new Promise((resolve) => foreign.close(resolve))]);
      certificate.remove();
    });

    test(
      'our client and our server exchange everything',
      () => converse({ connect: () => connectTo(proxy.url('/native')), closed: said.next }),
      timeout,
    );

    test(
      'our client and our server exchange everything with TLS up to the proxy, on the stream transport',
      async () => {
        const options = { transport: 'stream', ca: certificate.cert } as const;
        const connect = () => connectTo(proxy.url('/stream', 'wss'), options);
        await converse({ connect, closed: said.next }, 65_536);
        expect(requests[0].headers['x-forwarded-proto']).toBe('https');
      },
      timeout,
    );

    test.each(['/native', '/stream'])(
      'the client of ws and our server exchange everything: %s',
      async (path) => {
        const connect = async () => {
          const socket = new WsClient(proxy.url(path), offered, { perMessageDeflate: false });
          await once(socket, 'open');
          return socket;
        };
        await converse({ connect, closed: said.next }, 65_536);
      },
      timeout,
    );

    test(
      'our client and the server of ws exchange everything',
      () => converse({ connect: () => connectTo(proxy.url('/ws')), closed: said.next }, 65_536),
      timeout,
    );

    test(
      'compression is negotiated from end to end',
      async () => {
        const socket = await connectTo(proxy.url('/native'), { perMessageDeflate: { threshold: 0 } });
        expect(socket.extensions).toContain('permessage-deflate');
        const connect = () => connectTo(proxy.url('/native'), { perMessageDeflate: { threshold: 0 } });
        socket.terminate();
        await said.next();
        await converse({ connect, closed: said.next }, 65_536);
      },
      timeout,
    );

    test('what our server refuses, and a server that is not there, are HTTP answers', async () => {
      const refusal = async (url: string) => {
        const socket = new WebSocket(url, { headers: { authorization: 'wrong' } });
        const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
        response.resume();
        return response.statusCode;
      };
      expect(await refusal(proxy.url('/native'))).toBe(401);
      await new Promise((resolve) => foreign.close(resolve));
      expect([502, 503]).toContain(await refusal(proxy.url('/ws')));
    });

    test('an idle connection is cut with 1006 on both sides, one with pings lives', async () => {
      const lively = await connectTo(proxy.url('/impatient'), { pingInterval: 200 });
      const idle = await connectTo(proxy.url('/impatient')); // the younger one: the other would have been cut before
      expect((await once(idle, 'close'))[0]).toBe(1006);
      expect(await said.next()).toBe('closed 1006');
      const reply = nextMessage(lively);
      lively.send('still here');
      expect((await reply).data.toString()).toBe('still here');
      lively.terminate();
      expect(await said.next()).toBe('closed 1006');
    });

    test('when the proxy ends, both sides see 1006', async () => {
      const socket = await connectTo(proxy.url('/native'));
      const closed = once(socket, 'close');
      proxy.program.signal('SIGTERM');
      expect((await closed)[0]).toBe(1006);
      expect(await said.next()).toBe('closed 1006');
      await proxy.program.end();
    });
  });
}
