"""Exchanges messages with an echo server: python_client.py URL SIZE...

Sends each size (in bytes) as text and as binary and compares the echo byte for byte. Prints one line for each
message and a last line "closed CODE"; exits with 1 at the first difference.
"""

import asyncio
import sys

import websockets


def text_of(size):
    return "aé€😀" * (size // 10) + "x" * (size % 10)


def bytes_of(size):
    period = bytes(255 - index for index in range(251))
    return (period * (size // 251 + 1))[:size]


async def main(url, sizes):
    async with websockets.connect(url, max_size=None) as socket:
        for size in sizes:
            for message in (text_of(size), bytes_of(size)):
                await socket.send(message)
                echo = await socket.recv()
                kind = type(message).__name__
                if type(echo) is not type(message) or echo != message:
                    sys.exit(f"{kind} of {size} bytes came back as {type(echo).__name__} of length {len(echo)}")
                print(f"{kind} {size}", flush=True)
    print(f"closed {socket.close_code}", flush=True)


asyncio.run(main(sys.argv[1], [int(size) for size in sys.argv[2:]]))
