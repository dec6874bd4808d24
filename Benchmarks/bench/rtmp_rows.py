"""RTMP: packaging to HLS, publishers, players."""

import re
import sys
from contextlib import ExitStack

from support import rtmp_load
from support.media import Source
from support.processes import Process, wait_until

from .meter import CLIENT_CORE, Meter
from .nginx import RTMPNginx
from .row import Contestant, Reach, Row
from .wedlive import Wedlive

OURS, WITH_HLS, RELAY = "wedlive", "nginx-rtmp with HLS", "nginx-rtmp"

#: What each publisher sends: 2 Mbit/s of 640x360 at 30 pictures a second, and sound.
LIVE = Source(seconds=12, width=640, height=360, gop=30, kbits=1900, noise=True)
SECONDS = 12


class RTMPRow(Row):
    """Rows whose contestants take many streams at once in real time."""

    peers: tuple[tuple[str, bool], ...] = ()

    def start(self, stack: ExitStack) -> list[Contestant]:
        folder = self.context.folder / self.name
        contestants: list[Contestant] = []
        if self.context.binary is not None:
            settings = {"WEDLIVE_STREAMS_WINDOW": "60s", "WEDLIVE_STREAMS_RECONNECT_WINDOW": "1s"}
            node = Wedlive(OURS, folder / OURS, self.context.binary, **settings)
            contestants.append(node)
        for name, hls in self.peers:
            contestants.append(RTMPNginx(name, folder / name.replace(" ", "-"), hls))
        for contestant in contestants:
            contestant.start()
            stack.callback(contestant.stop)
        self.urls = {
            contestant.name: [contestant.publish_url(f"stream-{i}") for i in range(self.streams)]
            for contestant in contestants
        }
        return contestants

    @property
    def streams(self) -> int:
        return self.count(60)

    def publishers(self, contestant: Contestant, count: int, seconds: float) -> Process:
        """Connects that many publishers and returns once all are publishing."""
        log = self.context.folder / self.name / "publishers.log"
        log.unlink(missing_ok=True)
        urls = self.urls[contestant.name][:count]
        words = [sys.executable, rtmp_load.__file__, "publish", LIVE.file, str(seconds), *urls]
        process = Process("publishers", words, log, core=CLIENT_CORE)
        wait_until(lambda: "ready" in log.read_text(), "all publish", alive=[process])
        return process

    def spent(self, contestant: Contestant, seconds: float, load: Process) -> float:
        """CPU seconds per second of the contestant, over that long, beginning now."""
        import time

        begun = time.monotonic()
        meter = Meter(contestant.pid).start()
        wait_until(
            lambda: time.monotonic() - begun >= seconds, "the time is over", alive=[load], every=0.2
        )
        return meter.read() / (time.monotonic() - begun)


class Publishers(RTMPRow):
    """CPU per publisher of 2 Mbit/s."""

    name = "publishers"
    title = "RTMP publisher of 2 Mbit/s (wedlive packages it to HLS as well)"
    unit = "% of a core"
    how = "60 publishers in real time for 10 s"
    peers = ((RELAY, False), (WITH_HLS, True))
    reaches = (Reach(OURS, RELAY, 0.5), Reach(OURS, WITH_HLS, 0.5))

    def measure(self, contestant: Contestant) -> float:
        with self.publishers(contestant, self.streams, SECONDS + 5) as load:
            self.spent(contestant, 1, load)  # what connecting cost is not what a stream costs
            return self.spent(contestant, SECONDS - 2, load) / self.streams * 100


class Packaging(Publishers):
    """CPU per stream from RTMP to HLS, untranscoded."""

    name = "hls"
    title = "RTMP to HLS, 2 Mbit/s passed through"
    peers = ((WITH_HLS, True),)
    reaches = (Reach(OURS, WITH_HLS, 0.5),)


class Players(RTMPRow):
    """CPU per player of 2 Mbit/s."""

    name = "players"
    title = "RTMP player of 2 Mbit/s"
    unit = "% of a core"
    how = "100 players of one stream for 10 s, less what its publisher costs alone"
    peers = ((RELAY, False),)
    reaches = (Reach(OURS, RELAY, 0.5),)

    def measure(self, contestant: Contestant) -> float:
        count = self.count(100)
        with self.publishers(contestant, 1, 4 * SECONDS) as publisher:
            self.spent(contestant, 1, publisher)
            alone = self.spent(contestant, SECONDS / 2, publisher)
            log = self.context.folder / self.name / "players.log"
            log.unlink(missing_ok=True)
            url = contestant.play_url("stream-0")
            words = [sys.executable, rtmp_load.__file__, "play", str(SECONDS), str(count), url]
            players = Process("players", words, log, core=CLIENT_CORE)
            with players:
                wait_until(lambda: "ready" in log.read_text(), "all play", alive=[players])
                both = self.spent(contestant, SECONDS - 2, players)
                players.succeed()
        least = int(re.search(r'"least": (\d+)', log.read_text())[1])
        assert least > 1e6 * SECONDS / 8, f"a player got only {least} bytes"
        return (both - alone) / count * 100
