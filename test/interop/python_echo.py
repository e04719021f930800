"""Python's WebSocket libraries, which send back what they get: python_echo.py LIBRARY ROLE [--compress]
           [--tls CERTIFICATE KEY]

LIBRARY: websockets, aiohttp or tornado. As a server (ROLE "server") it listens on 127.0.0.1 and prints "port N". As a
client (ROLE "client") it reads URLs from standard input, one a line, and serves each connection until it is closed. Both
end when standard input ends. With --compress they agree to every offer of permessage-deflate and make one; without, they
know no extension. With --tls a server of websockets speaks TLS. conversation.ts tells what the other side asks of them, and what they print.
"""

import argparse
import asyncio
import ssl
import sys

SUBPROTOCOL = "conversation"
OFFER = ["other", SUBPROTOCOL]

parser = argparse.ArgumentParser()
parser.add_argument("library", choices=["websockets", "aiohttp", "tornado"])
parser.add_argument("role", choices=["server", "client"])
parser.add_argument("--compress", action="store_true")
parser.add_argument("--tls", nargs=2)
arguments = parser.parse_args()
COMPRESS = arguments.compress


def command_of(message):
    """The words of a text message that is a command."""
    if isinstance(message, str) and message.startswith("command: "):
        name, *words = message.split(" ", 3)[1:]
        return name, words
    return None, []


def close_of(words):
    """The close code and the reason of the command to close."""
    return int(words[0]), words[1] if len(words) > 1 else ""


def report_close(code, reason):
    print(f"closed {code or 1005} {reason or ''}".rstrip(), flush=True)


class Websockets:
    @staticmethod
    async def serve():
        import websockets
        from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

        context = None
        if arguments.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*arguments.tls)
        server = await websockets.serve(
            Websockets.echo,
            "127.0.0.1",
            0,
            ssl=context,
            compression=None,
            extensions=[ServerPerMessageDeflateFactory()] if COMPRESS else None,
            subprotocols=[SUBPROTOCOL],
            max_size=None,
        )
        return server.sockets[0].getsockname()[1]

    @staticmethod
    async def connect(url):
        import websockets
        from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

        extensions = [ClientPerMessageDeflateFactory(client_max_window_bits=True)] if COMPRESS else None
        async with websockets.connect(
            url, compression=None, extensions=extensions, subprotocols=OFFER, max_size=None
        ) as socket:
            await Websockets.echo(socket)

    @staticmethod
    async def echo(socket):
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                message = await socket.recv()
                name, words = command_of(message)
                if name == "ping":
                    await (await socket.ping(words[0]))
                    await socket.send(f"pong {words[0]}")
                elif name == "close":
                    await socket.close(*close_of(words))
                else:
                    await socket.send(message)
        except ConnectionClosed:
            pass
        report_close(socket.close_code, socket.close_reason)


class Aiohttp:
    @staticmethod
    async def serve():
        from aiohttp import web

        async def handle(request):
            socket = web.WebSocketResponse(
                compress=COMPRESS, protocols=[SUBPROTOCOL], max_msg_size=0, autoping=False
            )
            await socket.prepare(request)
            await Aiohttp.echo(socket)
            return socket

        application = web.Application()
        application.router.add_get("/", handle)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    @staticmethod
    async def connect(url):
        import aiohttp

        compress = 15 if COMPRESS else 0
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(
                url, compress=compress, protocols=OFFER, max_msg_size=0, autoping=False
            ) as socket:
                await Aiohttp.echo(socket)

    @staticmethod
    async def echo(socket):
        from aiohttp import WSMsgType

        while (message := await socket.receive()).type not in (
            WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR
        ):
            name, words = command_of(message.data)
            if name == "ping":
                await socket.ping(words[0].encode())
            elif name == "close":
                code, reason = close_of(words)
                await socket.close(code=code, message=reason.encode())
            elif message.type == WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type == WSMsgType.PONG:
                await socket.send_str(f"pong {message.data.decode()}")
            elif message.type == WSMsgType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)
        report_close(socket.close_code, message.extra)


class Tornado:
    @staticmethod
    async def serve():
        from tornado import httpserver, netutil, web, websocket

        class Handler(websocket.WebSocketHandler):
            def select_subprotocol(self, offered):
                return SUBPROTOCOL if SUBPROTOCOL in offered else None

            def get_compression_options(self):
                return {} if COMPRESS else None

            async def on_message(self, message):
                await Tornado.answer(self, message)

            async def on_pong(self, data):
                await self.write_message(f"pong {data.decode()}")

            def on_close(self):
                report_close(self.close_code, self.close_reason)

        application = web.Application([("/", Handler)], websocket_max_message_size=1 << 30)
        server = httpserver.HTTPServer(application)
        sockets = netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        return sockets[0].getsockname()[1]

    @staticmethod
    async def connect(url):
        from tornado import websocket

        socket = await websocket.websocket_connect(
            url, compression_options={} if COMPRESS else None, max_message_size=1 << 30, subprotocols=OFFER
        )
        socket.on_pong = lambda data: socket.write_message(f"pong {data.decode()}")
        while (message := await socket.read_message()) is not None:
            await Tornado.answer(socket, message)
        report_close(socket.close_code, socket.close_reason)

    @staticmethod
    async def answer(socket, message):
        name, words = command_of(message)
        if name == "ping":
            socket.ping(words[0].encode())
        elif name == "close":
            socket.close(*close_of(words))
        else:
            await socket.write_message(message, binary=isinstance(message, bytes))


async def main(library, role):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    if role == "server":
        print(f"port {await library.serve()}", flush=True)
    while line := await lines.readline():
        await library.connect(line.decode().strip())


libraries = {"websockets": Websockets, "aiohttp": Aiohttp, "tornado": Tornado}
asyncio.run(main(libraries[arguments.library], arguments.role))
