"""The soak's publishers and viewers: coroutines that cost little."""

import asyncio
import random
import ssl
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from .rtmp import Recording, Refused, Session

#: Media leaves in ticks of this many seconds: fewer wake-ups than a message at a time.
TICK = 0.1


@dataclass
class Counts:
    """What the clients did, and what went wrong."""

    published: int = 0
    dropped: int = 0
    playlists: int = 0
    segments: int = 0
    bytes: int = 0
    errors: Counter = field(default_factory=Counter)
    all_errors: Counter = field(default_factory=Counter)

    def error(self, what: str) -> None:
        self.errors[what] += 1
        self.all_errors[what] += 1

    def take_errors(self) -> Counter:
        """Errors since the last call."""
        taken, self.errors = self.errors, Counter()
        return taken


async def pause(stop: asyncio.Event, seconds: float) -> bool:
    """Waits that long, or until the soak ends; returns whether it goes on."""
    try:
        await asyncio.wait_for(stop.wait(), max(0.0, seconds))
    except TimeoutError:
        return True
    return False


async def publisher(
    url: str, recording: Recording, counts: Counts, stop: asyncio.Event, seed: int
) -> None:
    """Publishes for 20 to 120 s, vanishes (with or without a goodbye), returns 0 to 20 s later."""
    chance = random.Random(seed)
    goes_on = await pause(stop, chance.uniform(0, 5))
    while goes_on:
        try:
            await _publish_once(
                url, recording, stop, chance.uniform(20, 120), chance.random() < 0.5
            )
            counts.published += 1
        except (OSError, Refused, asyncio.IncompleteReadError, TimeoutError) as failure:
            counts.error(f"publisher: {failure!r}")
        counts.dropped += 1
        goes_on = await pause(stop, chance.uniform(0, 20))


async def _publish_once(
    url: str, recording: Recording, stop: asyncio.Event, seconds: float, abruptly: bool
) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    session = Session(url, publish=True)
    try:
        async with asyncio.timeout(30):
            while not session.started:
                _flush(session, writer)
                session.receive(await _some(reader))
        _flush(session, writer)
        writer.write(recording.preamble)
        answers = asyncio.create_task(_answer(session, reader, writer))
        begun, position = asyncio.get_running_loop().time(), 0
        messages = recording.loop(0) + recording.loop(1) + recording.loop(2)
        goes_on = True
        while goes_on and not answers.done():
            elapsed = asyncio.get_running_loop().time() - begun
            if elapsed > seconds:
                break
            batch = bytearray()
            while position < len(messages) and messages[position][0] <= elapsed * 1000:
                batch += messages[position][1]
                position += 1
            writer.write(batch)
            await writer.drain()
            goes_on = await pause(stop, TICK)
        if answers.done():
            answers.result()
        answers.cancel()
    finally:
        if abruptly:
            writer.transport.abort()
        else:
            writer.close()


def _flush(session: Session, writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(session.output))
    session.output.clear()


async def _some(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(65536)
    if not data:
        raise Refused("the server closed the connection")
    return data


async def _answer(
    session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while True:
        session.receive(await _some(reader))
        _flush(session, writer)


async def viewer(
    port: int, tls: ssl.SSLContext, wedding: str, counts: Counts, stop: asyncio.Event, seed: int
) -> None:
    """Polls the playlist every 3 s and fetches what is new; leaves and returns now and then."""
    chance = random.Random(10_000 + seed)
    goes_on = await pause(stop, chance.uniform(0, 15))
    while goes_on:
        try:
            await _watch(port, tls, wedding, counts, stop, chance.uniform(30, 300))
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError) as failure:
            counts.error(f"viewer: {failure!r}")
        goes_on = await pause(stop, chance.uniform(0, 5))


async def _watch(
    port: int,
    tls: ssl.SSLContext,
    wedding: str,
    counts: Counts,
    stop: asyncio.Event,
    seconds: float,
) -> None:
    reader, writer = await asyncio.open_connection("localhost", port, ssl=tls)
    try:
        now = asyncio.get_running_loop().time
        path, newest, end = "", -1, now() + seconds
        while now() < end:
            started = now()
            async with asyncio.timeout(60):
                if not path:
                    path = await _variant(reader, writer, wedding, counts)
                if path:
                    newest = await _refresh(reader, writer, path, newest, counts)
            if not await pause(stop, started + 3 - now()):
                return
    finally:
        writer.close()


async def _variant(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wedding: str, counts: Counts
) -> str:
    """The first media playlist of a program, or nothing while nobody has published it yet."""
    master = f"/hls/{wedding}/index.m3u8"
    status, body = await _get(reader, writer, master)
    if status == 404:
        if counts.dropped == 0:
            return ""
        counts.error("viewer: a master playlist is gone")
        return ""
    names = [line for line in body.decode().splitlines() if line and line[0] != "#"]
    return urljoin(master, names[0]) if names else ""


async def _refresh(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    newest: int,
    counts: Counts,
) -> int:
    """Fetches the playlist and its two newest segments if they are new; returns the newest."""
    status, body = await _get(reader, writer, path)
    if status != 200:
        counts.error(f"viewer: {status} for a playlist")
        return newest
    counts.playlists += 1
    lines = body.decode().splitlines()
    first = next(int(line[22:]) for line in lines if line.startswith("#EXT-X-MEDIA-SEQUENCE:"))
    names = [line for line in lines if line and line[0] != "#"]
    last = first + len(names) - 1
    if last < newest:
        counts.error("viewer: a playlist went back")
    for number in range(max(newest + 1, last - 1), last + 1):
        status, body = await _get(reader, writer, urljoin(path, names[number - first]))
        if status == 200 and body[:1] == b"\x47" and len(body) % 188 == 0:
            counts.segments += 1
            counts.bytes += len(body)
        else:
            counts.error(f"viewer: {status} for a segment of {len(body)} bytes")
    return max(last, newest)


async def _get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
) -> tuple[int, bytes]:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ", 2)[1])
    length = next(
        int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:")
    )
    return status, await reader.readexactly(length)
