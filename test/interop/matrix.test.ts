// The conversation (conversation.ts) with other implementations, in both roles, on both of our transports.
import { once } from 'node:events';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import { choose, connectTo, converse, echo, Lines, offered, portOf, transports, withServer } from './conversation';
import { aiohttp, libwebsockets, nodeClient, tornado, websockets } from './echo_programs';
import { describeWith, type Program, timeout } from './peers';

describe('ws', () => {
  test.each(transports)(
    'as a server, %s transport',
    async (transport, largest) => {
      const said = new Lines();
      const server = new WsServer({ port: 0, host: '127.0.0.1', handleProtocols: choose });
      server.on('connection', (socket) => echo(socket, said.add));
      await once(server, 'listening');
      const url = `ws://127.0.0.1:${portOf(server)}/`;
      await converse({ connect: () => connectTo(url, { transport }), closed: said.next }, largest);
      server.close();
    },
    timeout,
  );

  test.each(transports)(
    'as a client, %s transport',
    async (transport, largest) => {
      const said = new Lines();
      const connect = (url: string) => echo(new WsClient(url, offered), said.add);
      await withServer(transport, (accept) => converse({ connect: () => accept(connect), closed: said.next }, largest));
    },
    timeout,
  );
});

for (const { name, roles, missing, ability, start } of [websockets, aiohttp, tornado, libwebsockets, nodeClient]) {
  for (const role of roles) {
    describeWith(`${name} as a ${role}`, missing, () => {
      let program: Program;
      beforeAll(() => {
        program = start(role);
      });
      afterAll(async () => {
        await program.stop();
        expect(program.errors).toBe('');
      });
      const closed = () => program.waitForLine(/^(closed.*)$/);

      if (role === 'server') {
        let url: string;
        beforeAll(async () => {
          url = `ws://127.0.0.1:${await program.waitForLine(/^port (\d+)$/)}/`;
        });
        test.each(transports)(
          '%s transport',
          (transport, largest) =>
            converse({ connect: () => connectTo(url, { transport }), closed, ...ability }, largest),
          timeout,
        );
      } else {
        test.each(transports)(
          '%s transport',
          (transport, largest) =>
            withServer(transport, (accept) =>
              converse({ connect: () => accept((url) => program.writeLine(url)), closed, ...ability }, largest),
            ),
          timeout,
        );
      }
    });
  }
}
