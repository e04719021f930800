"""Python's WebSocket libraries, which compress and send back what they get: python_echo.py LIBRARY ROLE

LIBRARY: websockets or aiohttp. As a server (ROLE "server") it listens on 127.0.0.1, agrees to every offer of
permessage-deflate and prints "port N". As a client (ROLE "client") it reads URLs from standard input, one a line, and
serves each connection until the other side closes it. Both end when standard input ends.
"""

import asyncio
import sys


class Websockets:
    @staticmethod
    async def serve():
        import websockets
        from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

        server = await websockets.serve(
            Websockets.echo,
            "127.0.0.1",
            0,
            compression=None,
            extensions=[ServerPerMessageDeflateFactory()],
            max_size=None,
        )
        return server.sockets[0].getsockname()[1]

    @staticmethod
    async def connect(url):
        import websockets
        from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

        extensions = [ClientPerMessageDeflateFactory(client_max_window_bits=True)]
        async with websockets.connect(url, compression=None, extensions=extensions, max_size=None) as socket:
            await Websockets.echo(socket)

    @staticmethod
    async def echo(socket):
        async for message in socket:
            await socket.send(message)


class Aiohttp:
    @staticmethod
    async def serve():
        from aiohttp import web

        async def handle(request):
            socket = web.WebSocketResponse(compress=True, max_msg_size=0)
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

        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url, compress=15, max_msg_size=0) as socket:
                await Aiohttp.echo(socket)

    @staticmethod
    async def echo(socket):
        import aiohttp

        async for message in socket:
            if message.type == aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type == aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)


async def main(library, role):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    if role == "server":
        print(f"port {await library.serve()}", flush=True)
    while line := await lines.readline():
        await library.connect(line.decode().strip())


libraries = {"websockets": Websockets, "aiohttp": Aiohttp}
asyncio.run(main(libraries[sys.argv[1]], sys.argv[2]))
