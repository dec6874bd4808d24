"""A light RTMP client: hundreds of publishers and players in one process.

Media is chunked once and shared by all publishers, so that a load costs its sender little beside
what it costs the server. The session itself knows no socket; `Connection` drives it blocking.
"""

import os
import socket
import struct
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from . import amf

CHUNK = 4096
AUDIO, VIDEO, DATA, COMMAND = 8, 9, 18, 20


class Refused(ConnectionError):
    """The server said no, or something that is not RTMP."""


def message(kind: int, stamp: int, stream: int, payload: bytes, channel: int) -> bytes:
    """One message as chunks of at most `CHUNK` bytes, the first with a full header.

    From 0xFFFFFF ms on the timestamp is extended, and repeated on each chunk, as ffmpeg does.
    """
    stamp %= 1 << 32
    extended = struct.pack(">I", stamp) if stamp >= 0xFFFFFF else b""
    header = struct.pack(">B", channel) + min(stamp, 0xFFFFFF).to_bytes(3, "big")
    header += len(payload).to_bytes(3, "big") + bytes([kind]) + stream.to_bytes(4, "little")
    pieces = [payload[at : at + CHUNK] for at in range(0, len(payload), CHUNK)] or [b""]
    return header + extended + (bytes([0xC0 | channel]) + extended).join(pieces)


@dataclass(frozen=True)
class Recording:
    """An FLV file as RTMP messages on stream 1: what precedes the media, and the media by time."""

    preamble: bytes
    tags: tuple[tuple[int, int, bytes], ...]  # milliseconds, message type, payload
    length: int  # milliseconds after which it may start again

    @lru_cache(maxsize=64)  # noqa: B019 - recordings live as long as the process
    def loop(self, number: int) -> list[tuple[int, bytes]]:
        """(milliseconds, chunks) of the whole recording, played for the `number`th time."""
        base = number * self.length
        return [
            (base + at, message(kind, base + at, 1, payload, 6 if kind == VIDEO else 4))
            for at, kind, payload in self.tags
        ]


def record(path: Path) -> Recording:
    """Reads an FLV file; sequence headers and metadata become the preamble."""
    data = path.read_bytes()
    position = struct.unpack_from(">I", data, 5)[0] + 4
    preamble, tags, last = bytearray(), [], 0
    while position + 11 <= len(data):
        kind = data[position]
        size = int.from_bytes(data[position + 1 : position + 4], "big")
        stamp = int.from_bytes(data[position + 4 : position + 7], "big") | data[position + 7] << 24
        payload = data[position + 11 : position + 11 + size]
        position += 11 + size + 4
        if kind == DATA:
            payload = amf.encode("@setDataFrame") + payload
        if kind == DATA or (len(payload) > 1 and payload[1] == 0):
            preamble += message(kind, 0, 1, payload, 4)
        elif payload:
            tags.append((stamp, kind, payload))
            last = max(last, stamp)
    video = [stamp for stamp, kind, _ in tags if kind == VIDEO]
    frame = video[1] - video[0] if len(video) > 1 else 20
    return Recording(bytes(preamble), tuple(tags), last + frame)


class Session:
    """The client's side of one RTMP connection: bytes in, bytes out."""

    def __init__(self, url: str, publish: bool) -> None:
        parts = urlsplit(url)
        application, _, name = parts.path.lstrip("/").partition("/")
        self.name = name + (f"?{parts.query}" if parts.query else "")
        self.publish = publish
        self.started = False
        self.output = bytearray(b"\3" + bytes(8) + os.urandom(1528))
        self._application = application
        self._url = f"{parts.scheme}://{parts.netloc}/{application}"
        self._input = bytearray()
        self._shaken = False
        self._chunk = 128
        self._channels: dict[int, list] = {}  # id: [length, type, collected payload]
        self._received = self._acknowledged = 0

    def receive(self, data: bytes) -> None:
        """Takes what the server sent; replies are appended to `output`.

        Raises `Refused` when the server refuses what was asked for.
        """
        self._input += data
        if not self._shaken:
            if len(self._input) < 1 + 2 * 1536:
                return
            if self._input[0] != 3:
                raise Refused("not RTMP")
            self.output += self._input[1:1537]
            del self._input[: 1 + 2 * 1536]
            self._shaken = True
            self._connect()
        self._received += len(data)
        if self._received - self._acknowledged > 1_000_000:
            self.acknowledge(self._received)
        while self._read_chunk():
            pass

    def acknowledge(self, received: int) -> None:
        self._acknowledged = received
        self.output += message(3, 0, 0, struct.pack(">I", received & 0xFFFFFFFF), 2)

    def _connect(self) -> None:
        self.output += message(1, 0, 0, struct.pack(">I", CHUNK), 2)
        about = {
            "app": self._application,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (compatible; wedlive-load)",
            "tcUrl": self._url,
        }
        self._command(0, "connect", 1, about)

    def _command(self, stream: int, *values: object) -> None:
        self.output += message(COMMAND, 0, stream, amf.encode(*values), 3)

    def _read_chunk(self) -> bool:
        data = self._input
        if len(data) < 12 and (not data or len(data) < 1 + (11, 7, 3, 0)[data[0] >> 6]):
            return False
        form, channel, position = data[0] >> 6, data[0] & 0x3F, 1
        if channel < 2:
            position += channel + 1
            channel = int.from_bytes(data[1:position], "little") + 64
        known = self._channels.setdefault(channel, [0, 0, bytearray(), 0])
        header = (11, 7, 3, 0)[form]
        if len(data) < position + header:
            return False
        length, kind, stamp = known[0], known[1], known[3]
        if form < 3:
            stamp = int.from_bytes(data[position : position + 3], "big")
        if form < 2:
            length = int.from_bytes(data[position + 3 : position + 6], "big")
            kind = data[position + 6]
        position += header + (4 if stamp == 0xFFFFFF else 0)
        wanted = min(self._chunk, length - len(known[2]))
        if len(data) < position + wanted:
            return False
        known[0], known[1], known[3] = length, kind, stamp
        known[2] += data[position : position + wanted]
        del data[: position + wanted]
        if len(known[2]) == length:
            payload, known[2] = bytes(known[2]), bytearray()
            self._message(kind, payload)
        return True

    def _message(self, kind: int, payload: bytes) -> None:
        if kind == 1:
            self._chunk = struct.unpack(">I", payload)[0]
        elif kind == 4 and payload[:2] == b"\0\6":
            self.output += message(4, 0, 0, b"\0\7" + payload[2:6], 2)
        elif kind == COMMAND:
            self._answer(amf.decode(payload))

    def _answer(self, values: list) -> None:
        match values[:2]:
            case ["_result", 1.0]:
                self._command(0, "createStream", 2, None)
            case ["_result", 2.0]:
                verb = "publish" if self.publish else "play"
                self._command(1, verb, 3, None, self.name, *(["live"] if self.publish else []))
            case ["_error", _]:
                raise Refused(str(values[2:]))
            case ["onStatus", _]:
                status = values[3] if len(values) > 3 and isinstance(values[3], dict) else {}
                if status.get("level") == "error":
                    raise Refused(f"{status.get('code')}: {status.get('description')}")
                if status.get("code") in ("NetStream.Publish.Start", "NetStream.Play.Start"):
                    self.started = True


class Connection:
    """A connected publisher or player on a socket; non-blocking once it has started."""

    def __init__(self, url: str, publish: bool, limit: float = 30.0) -> None:
        parts = urlsplit(url)
        self.session = Session(url, publish)
        self.socket = socket.create_connection((parts.hostname, parts.port or 1935), limit)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not self.session.started:
            self.socket.sendall(self.session.output)
            self.session.output.clear()
            data = self.socket.recv(65536)
            if not data:
                raise Refused("the server closed the connection")
            self.session.receive(data)
        self.socket.sendall(self.session.output)
        self.session.output.clear()
        self.socket.setblocking(False)
        self.backlog = bytearray()

    def send(self, data: bytes) -> None:
        """Sends what the socket takes now and keeps the rest for the next call."""
        if self.backlog:
            self.backlog += data
            data = bytes(self.backlog)
            self.backlog.clear()
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self.backlog += data[sent:]

    def publish(self, recording: Recording, base: int = 0, preamble: bool = True) -> None:
        """Sends a recording once, in real time, its timestamps raised by `base` milliseconds."""
        if preamble:
            self.send(recording.preamble)
        start = time.monotonic()
        for at, kind, payload in recording.tags:
            time.sleep(max(0.0, start + at / 1000 - time.monotonic()))
            self.send(message(kind, base + at, 1, payload, 6 if kind == VIDEO else 4))
            self.answer()

    def answer(self) -> None:
        """Reads what the server said, and answers its pings."""
        try:
            while data := self.socket.recv(65536):
                self.session.receive(data)
            raise Refused("the server closed the connection")
        except BlockingIOError:
            pass
        if self.session.output:
            self.send(bytes(self.session.output))
            self.session.output.clear()

    def close(self) -> None:
        self.socket.close()
