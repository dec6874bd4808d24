"""HTTP/2 over TLS 1.3: segments, playlists, handshakes, idle connections."""

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from support.processes import Process, run, wait_until

from .h2load import h2load
from .meter import CLIENT_CORE, Meter, settled_memory
from .nginx import FLAVOURS, WebNginx
from .row import BEST_NGINX, Contestant, Reach, Row
from .wedlive import Wedlive

OURS, OURS_PLAIN = "wedlive", "wedlive, OpenSSL's cipher"
TUNED, CACHED = "nginx tuned", "nginx tuned, cached"
CONNECTIONS = Path(__file__).with_name("connections.py")


class WebRow(Row):
    """Rows whose contestants serve one live program, or (the peers) the same bytes from tmpfs."""

    both_ciphers = False

    def start(self, stack: ExitStack) -> list[Contestant]:
        folder = self.context.folder / self.name
        contestants: list[Contestant] = []
        self.urls: dict[str, tuple[str, str]] = {}
        segment, playlist = os.urandom(2 << 20), b"#EXTM3U\n" + b"#" * 591 + b"\n"
        paths = ("/hls/bench/main/source/100-abcdef.ts", "/hls/bench/main/source/index.m3u8")
        for name, cipher in self._ciphers():
            node = Wedlive(
                name, folder / cipher, self.context.binary, WEDLIVE_TLS_FAST_CIPHER=cipher
            )
            node.start()
            stack.callback(node.stop)
            node.fill()
            segment, playlist = node.content(node.segment_url), node.content(node.playlist_url)
            paths = (urlsplit(node.segment_url).path, urlsplit(node.playlist_url).path)
            self._ask_for(node)
            contestants.append(node)
        for name, settings in FLAVOURS.items():
            nginx = WebNginx(
                name, folder / name.replace(" ", "-"), settings, self.context.certificates
            )
            self.urls[name] = (nginx.put(paths[0], segment), nginx.put(paths[1], playlist))
            nginx.start()
            stack.callback(nginx.stop)
            contestants.append(nginx)
        print(f"  a segment of {len(segment)} bytes, a playlist of {len(playlist)}", flush=True)
        return contestants

    def _ask_for(self, node: Wedlive) -> None:
        self.urls[node.name] = (_numeric(node.segment_url), _numeric(node.playlist_url))

    def _ciphers(self) -> list[tuple[str, str]]:
        if self.context.binary is None:
            return []
        plain = [(OURS_PLAIN, "off")] if self.both_ciphers else []
        return [(OURS, "auto"), *plain]


class Segments(WebRow):
    """CPU per GB of 2 MiB segments."""

    name = "segments"
    title = "2 MiB segments, HTTP/2 + TLS 1.3 (AES-128-GCM)"
    unit = "CPU-s/GB"
    how = "h2load: 1,500 requests for one live segment, 4 connections of 8 streams"
    reaches = (Reach(OURS_PLAIN, BEST_NGINX, 0.50), Reach(OURS, BEST_NGINX, 0.30))
    both_ciphers = True

    def measure(self, contestant: Contestant) -> float:
        meter = Meter(contestant.pid).start()
        received = h2load(self.urls[contestant.name][0], self.count(1500), clients=4, streams=8)
        return meter.read() / (received / 1e9)


class Playlists(WebRow):
    """CPU per small playlist."""

    name = "playlists"
    title = "playlist of about 600 bytes, HTTP/2 + TLS 1.3"
    unit = "CPU-µs/request"
    how = "h2load: 300,000 requests, 8 connections of 100 streams"
    reaches = (Reach(OURS, TUNED, 0.25), Reach(OURS, CACHED))

    def measure(self, contestant: Contestant) -> float:
        requests = self.count(300_000)
        meter = Meter(contestant.pid).start()
        h2load(self.urls[contestant.name][1], requests, clients=8, streams=100)
        return meter.read() / requests * 1e6


class Handshakes(WebRow):
    """CPU per connection with a full handshake."""

    name = "handshakes"
    title = "full TLS 1.3 handshake (X25519, ECDSA P-256), up to HTTP/2's SETTINGS"
    unit = "CPU-µs/handshake"
    how = "3,000 connections one after the other, none resumed, each closed after SETTINGS"
    reaches = (Reach(OURS, TUNED, 1.0),)

    def measure(self, contestant: Contestant) -> float:
        number = self.count(3000)
        url = self.urls[contestant.name][1]
        meter = Meter(contestant.pid).start()
        run([sys.executable, CONNECTIONS, "handshakes", url, str(number)], 300, core=CLIENT_CORE)
        return meter.read() / number * 1e6


class Idle(WebRow):
    """Memory per connection that has had one answer and waits."""

    name = "idle"
    title = "idle HTTP/2 + TLS connection, after one playlist"
    unit = "KiB/connection"
    how = (
        "PSS with 2,200 open connections less PSS with 200, over 2,000; after 3 s without requests"
    )
    reaches = (Reach(OURS, TUNED, 1.25),)

    warm = False  # what a connection left behind would be used again, and cost nothing

    def measure(self, contestant: Contestant) -> float:
        contestant.stop()
        contestant.start()
        if isinstance(contestant, Wedlive):
            contestant.fill()
            self._ask_for(contestant)
        first, more = 200, self.count(2000)
        url = self.urls[contestant.name][1]
        log = self.context.folder / self.name / "connections.log"
        log.unlink(missing_ok=True)
        words = [sys.executable, CONNECTIONS, "idle", url, str(first), str(more)]
        with Process("connections", words, log, core=CLIENT_CORE) as client:
            wait_until(lambda: f"open {first}\n" in log.read_text(), "200 are open", alive=[client])
            time.sleep(_QUIET)
            before = settled_memory(contestant.pid)
            os.kill(client.pid, _GO_ON)
            wait_until(
                lambda: f"open {first + more}\n" in log.read_text(),
                "2,200 are open",
                limit=180,
                alive=[client],
            )
            time.sleep(_QUIET)
            after = settled_memory(contestant.pid)
        return (after - before) / more / 1024


_GO_ON = 10  # SIGUSR1
_QUIET = 3  # seconds; a viewer asks for a playlist about as often


def _numeric(url: str) -> str:
    return url.replace("//localhost:", "//127.0.0.1:")
