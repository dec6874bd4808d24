"""Two publishers of one stream, at two edges at the same instant: who has it, and what viewers see."""

import threading

import pytest

from support.cluster import Cluster
from support.cluster_watch import sequences
from support.exact import Published
from support.exact_viewer import Bytes, ExactViewer
from support.known_publisher import KnownPublisher
from support.media import Source
from support.processes import wait_until
from support.rtmp import record

#: They differ in every picture.
SOURCES = [
    Source(seconds=20, width=320, height=180, rate=rate, gop=rate, kbits=500, noise=True)
    for rate in (15, 20)
]


class Encoders:
    """Two that send different pictures with one token; whoever is sent away tries again."""

    def __init__(self, cluster: Cluster, wedding: str) -> None:
        token = cluster.edges[0].token("publish", wedding)
        self.recordings = [record(each.file) for each in SOURCES]
        self.made: dict[int, KnownPublisher] = {}
        self.refused: dict[int, str] = {}
        together = threading.Barrier(2)

        def begin(which: int) -> None:
            url = f"rtmp://localhost:{cluster.edges[which].ports['rtmp']}/live/{token}"
            together.wait()
            try:
                self.made[which] = KnownPublisher([url], self.recordings[which])
            except ConnectionError as error:
                self.refused[which] = str(error)

        threads = [threading.Thread(target=begin, args=(which,)) for which in (0, 1)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def losses(self) -> list[int]:
        return [len(self.made[which].losses) if which in self.made else 99 for which in (0, 1)]

    def stop(self) -> None:
        for each in self.made.values():
            each.stop()


@pytest.mark.interop
def test_of_two_with_one_token_one_keeps_the_stream_soon(cluster: Cluster) -> None:
    wedding = "twice"
    encoders = Encoders(cluster, wedding)
    viewers: list[ExactViewer] = []
    try:
        # Of one token's connections the last one counts, as an encoder's that comes back; two that do
        # so again and again are a fight, which one of them has then lost.
        seen = encoders.losses()

        def is_settled() -> bool:
            nonlocal seen
            before, seen = seen, encoders.losses()
            return [a == b for a, b in zip(before, seen, strict=True)].count(True) == 1

        if not encoders.refused:
            wait_until(is_settled, "one of them is refused alone", every=2)
        print(encoders.losses(), encoders.refused)
        assert min(encoders.losses()) <= 6
        winner = encoders.losses().index(min(encoders.losses()))
        wait_until(lambda: sequences(cluster.edges[1], wedding) != [], "it is live")
        newest = sequences(cluster.edges[1], wedding)[-1]
        wait_until(
            lambda: all(sequences(each, wedding)[-1] > newest + 12 for each in cluster.edges),
            "what came of the fight has left the playlists",
        )
        published, everything = Published(encoders.recordings[winner]), Bytes()
        viewers += [ExactViewer(each, wedding, published, everything) for each in cluster.edges]
        wait_until(lambda: all(each.segments >= 6 for each in viewers), "both see it")
    finally:
        for each in viewers:
            each.stop()
        encoders.stop()
    for each in viewers:
        # Of one of them, every frame, and nothing of the other.
        assert (each.bad, each.wrong, each.breaks) == ([], [], set())
