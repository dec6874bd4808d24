"""A cluster whose origins are killed again and again; every byte of its viewers is compared.

    soak_cluster.py --wedlive BINARY --minutes 60 [--weddings 4] [--every 120] [--seed 1]

Redis, two origins, two edges. Each wedding is published through one edge and watched at both. About
every two minutes one of the origins is killed (SIGKILL), and started again after a sixth of that.
Prints a line a minute, and what is wrong as it is seen. Ends by itself, with status 1 when a viewer got an error, a frame that was
not published, or one too few, when both edges' bytes of a segment differ, when a playlist stood
still for more than 8 s, or when an edge's memory grew after the warm-up.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from support import rtmp_load
from support.cluster import Cluster
from support.cluster_watch import sequences
from support.exact import Published
from support.exact_viewer import Bytes, ExactViewer
from support.media import Source
from support.memory import MIB, grown, resident
from support.node import Node, Place
from support.processes import Process, wait_until
from support.rtmp import record

SOURCE = Source(seconds=60, width=160, height=90, rate=15, gop=15, kbits=60)
SETTINGS = {
    "WEDLIVE_STREAMS_FRAGMENT": "1s",
    "WEDLIVE_STREAMS_WINDOW": "15s",
    "WEDLIVE_TRANSCODE_ENABLED": "false",
    # Full within the warm-up, so that what an edge keeps does not look like growth.
    "WEDLIVE_EDGE_MEMORY": "32m",
    "WEDLIVE_LOG_LEVEL": "notice",
}
LONGEST = 8.0


class Killer:
    """Kills an origin in each period, and starts it again."""

    def __init__(self, cluster: Cluster, every: float, seed: int) -> None:
        self._cluster = cluster
        self._every = every
        self._chance = random.Random(seed)
        self._down: tuple[Node, float] | None = None
        self._next = time.monotonic() + every * self._chance.uniform(0.2, 0.8)
        self.kills = 0

    def turn(self) -> None:
        now = time.monotonic()
        if self._down is not None and now >= self._down[1]:
            self._down[0].start()
            self._down = None
        if now >= self._next:
            self._next = now + self._every * self._chance.uniform(0.8, 1.2)
            origin = self._chance.choice(self._cluster.origins)
            origin.kill()
            self.kills += 1
            self._down = (origin, now + self._every / 6)


def soak(cluster: Cluster, folder: Path, arguments: argparse.Namespace) -> list[str]:
    """Runs the load and returns what is wrong."""
    weddings = [f"cluster-{number}" for number in range(arguments.weddings)]
    edges = cluster.edges
    urls = [edges[index % 2].publish_url(wedding) for index, wedding in enumerate(weddings)]
    seconds = arguments.minutes * 60 + 60
    words = [sys.executable, rtmp_load.__file__, "publish", SOURCE.file, str(seconds), *urls]
    published, all_bytes, viewers = Published(record(SOURCE.file)), Bytes(), []
    sizes: dict[str, list[int]] = {}
    with Process("publishers", words, folder / "publishers.log") as publishers:
        for wedding in weddings:
            wait_until(
                lambda wedding=wedding: len(sequences(edges[0], wedding)) >= 4,  # type: ignore[misc]
                f"{wedding} is on the air",
                alive=[publishers],
            )
        try:
            viewers += [
                ExactViewer(edge, wedding, published, all_bytes)
                for wedding in weddings
                for edge in edges
            ]
            begun, killer = time.monotonic(), Killer(cluster, arguments.every, arguments.seed)
            for second in range(1, arguments.minutes * 60 + 1):
                time.sleep(max(0.0, begun + second - time.monotonic()))
                if publishers.ended:
                    return [f"a publisher was dropped\n{publishers.log_tail()}"]
                killer.turn()
                if second % 60 == 0:
                    note(second // 60, edges, viewers, killer, sizes)
        finally:
            for each in viewers:
                each.stop()
    return judge(viewers, sizes)


def note(
    minute: int,
    edges: list[Node],
    viewers: list[ExactViewer],
    killer: Killer,
    sizes: dict[str, list[int]],
) -> None:
    """Prints where it stands, and keeps what edges hold."""
    texts = []
    for edge in edges:
        name = edge.settings["WEDLIVE_NODE_ID"]
        sizes.setdefault(name, []).append(resident(edge.pid))
        texts.append(f"{name} {sizes[name][-1] / MIB:.1f} MiB")
    print(
        f"{minute:4} min  {', '.join(texts)}; {killer.kills} kills,"
        f" {sum(each.segments for each in viewers)} segments,"
        f" {sum(each.follower.frames for each in viewers)} frames,"
        f" {sum(len(each.wrong) + len(each.bad) for each in viewers)} wrong,"
        f" longest {max(each.longest for each in viewers):.2f} s",
        flush=True,
    )


def judge(viewers: list[ExactViewer], sizes: dict[str, list[int]]) -> list[str]:
    """What is wrong; nothing when all is well."""
    wrong = [each for viewer in viewers for each in (*viewer.bad, *viewer.wrong)][:50]
    for viewer in viewers:
        if viewer.longest > LONGEST:
            wrong.append(f"{viewer.url}: {viewer.longest:.1f} s between two new segments")
    for name, values in sizes.items():
        wrong += grown(name, values)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wedlive", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--weddings", type=int, default=4)
    parser.add_argument("--every", type=float, default=120, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="wedlive-soak-"))
    print(f"data and logs in {folder}", flush=True)
    nodes: list[Node] = []

    def make(role: str, place: Place | None = None, **settings: str) -> Node:
        own = folder / settings["WEDLIVE_NODE_ID"]
        binary = arguments.wedlive.resolve()
        node = Node(own, {**SETTINGS, **settings}, binary, role=role, place=place)
        nodes.append(node)
        node.start()
        return node

    try:
        cluster = Cluster(folder, make, origins=2, edges=2)
        wrong = soak(cluster, folder, arguments)
    finally:
        for node in nodes:
            node.__exit__()
        cluster.stop()
    for each in wrong:
        print(f"WRONG: {each}")
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
