"""wedlive as a contestant: a standalone node on the server's core."""

from pathlib import Path
from urllib.parse import urljoin

from support.media import Source
from support.node import Node
from support.processes import wait_until
from support.publishers import ffmpeg_copy

from .meter import SERVER_CORE

#: Segments of about 2 MiB: 3 s at 5.6 Mbit/s.
HEAVY = Source(seconds=30, width=1280, height=720, gop=90, kbits=5400, noise=True)


class Wedlive(Node):
    """A node whose programs stay listed for an hour after their publisher has left."""

    def __init__(self, name: str, folder: Path, binary: Path, **settings: str) -> None:
        quiet = {
            "WEDLIVE_STREAMS_FRAGMENT": "3s",
            "WEDLIVE_STREAMS_WINDOW": "18s",
            "WEDLIVE_STREAMS_RECONNECT_WINDOW": "1h",
            "WEDLIVE_HTTP_IDLE_TIMEOUT": "1h",
            "WEDLIVE_LOOPS_COUNT": "1",
        }
        super().__init__(folder, {**quiet, **settings}, binary, core=SERVER_CORE)
        self.name = name
        self.segment_url = self.playlist_url = ""

    def stop(self) -> int:
        return super().stop() if self.process is not None else 0

    def publish_url(self, wedding: str, scheme: str = "rtmp", host: str = "127.0.0.1") -> str:
        return super().publish_url(wedding, scheme, host)

    def play_url(self, wedding: str) -> str:
        return f"{super().play_url(wedding)}?token={self.token('watch', wedding)}"

    def fill(self) -> None:
        """Publishes `HEAVY` once, as fast as it is taken, and remembers what to ask for."""
        wedding = "bench"
        ffmpeg_copy(self.publish_url(wedding), HEAVY.file, self.folder, "-readrate", "6").succeed()
        client = self.client()

        def listed() -> list[str]:
            master = client.get(self.master_url(wedding))
            if master.status != 200:
                return []
            self.playlist_url = urljoin(self.master_url(wedding), _references(master.text)[0])
            return _references(client.get(self.playlist_url).text)

        names = wait_until(lambda: found if len(found := listed()) >= 6 else [], "six segments")
        self.segment_url = urljoin(self.playlist_url, names[2])
        client.close()

    def content(self, url: str) -> bytes:
        client = self.client()
        try:
            answer = client.get(url)
        finally:
            client.close()
        assert answer.status == 200, answer
        return answer.body


def _references(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]
