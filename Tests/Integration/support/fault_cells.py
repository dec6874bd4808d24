"""What can happen to a cluster, and the moments of a segment's life at which it does.

A moment is waited for by what happens: an answer to a playlist request that was held, bytes that an
origin has counted, the first bytes of a body. Never by a clock.
"""

import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .cluster import Cluster
from .cluster_watch import date_jumps
from .exact import Published
from .exact_viewer import Bytes, ExactViewer
from .http import Client
from .known_publisher import KnownPublisher
from .networks import Network
from .node import Node
from .processes import Failed, wait_until

WEDDING = "matrix"
PLAYLIST = f"/hls/{WEDDING}/main/source/index.m3u8"
#: What an origin's network lets through while an edge is to be caught fetching: a second of the
#: recording is 200 kB, more than sockets keep of it, and is with two edges within a second.
SLOW = "5mbit"
#: Some of the bytes of a segment, of which there are 200 kB.
BEGUN = 30_000


def plain(node: Node, path: str) -> str:
    """Where the node answers without TLS."""
    return f"http://{node.place.host}:{node.ports['http']}{path}"


def names(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@dataclass
class Cell:
    """A stream of a cluster whose origins live in networks of their own, before a fault."""

    cluster: Cluster
    networks: list[Network]
    published: Published
    publisher: KnownPublisher
    viewers: list[ExactViewer] = field(default_factory=list)
    all_bytes: Bytes = field(default_factory=Bytes)
    #: The origin that has the stream, which the fault is about.
    origin: Node = field(init=False)
    network: Network = field(init=False)

    def find_owner(self) -> None:
        """Returns as soon as Redis says who has the stream."""
        with socket.create_connection(("127.0.0.1", self.cluster.redis.port)) as asked:
            answers = asked.makefile("rb")

            def owner() -> str:
                asked.sendall(f"HGET wl:stream:{{{WEDDING}}}/main owner\r\n".encode())
                length = int(answers.readline()[1:])
                return answers.readline().decode().strip() if length > 0 else ""

            name = wait_until(owner, "an origin has the stream", every=0.005)
        index = int(name.removeprefix("origin-")) - 1
        self.origin, self.network = self.cluster.origins[index], self.networks[index]

    def watch(self, from_start: bool) -> None:
        self.viewers += [
            ExactViewer(edge, WEDDING, self.published, self.all_bytes, from_start)
            for edge in self.cluster.edges
        ]

    def newest_at(self, node: Node, after: int) -> int:
        """The number of the newest segment; waits for one above `after`, as players do."""
        client = Client(timeout=60)
        answer = client.get(plain(node, f"{PLAYLIST}?_HLS_msn={after + 1}"))
        client.close()
        assert answer.status == 200, answer
        return int(names(answer.text)[-1].split("-")[0])

    def newest(self) -> int:
        return max(each.newest for each in self.viewers)

    def received(self) -> float:
        return self.origin.metrics()["wedlive_rtmp_received_bytes_total"]


# Moments. Each returns in it.


def before_the_first(cell: Cell) -> None:
    cell.find_owner()
    cell.watch(from_start=True)
    wait_until(lambda: cell.received() > 0, "the origin has got something", every=0.005)
    # With segments of two seconds the third key picture ends the first.
    assert cell.publisher.sent["picture"] < 30, "there is a segment already"


def first_announced(cell: Cell) -> None:
    cell.find_owner()
    cell.watch(from_start=True)
    cell.newest_at(cell.origin, -1)


def on_air(cell: Cell) -> int:
    """Returns when both viewers have had four segments."""
    cell.find_owner()
    cell.watch(from_start=True)
    wait_until(lambda: all(each.segments >= 4 for each in cell.viewers), "both have seen four")
    return cell.newest()


def half_received(cell: Cell) -> None:
    on_air(cell)
    cell.publisher.wait_for_picture(2)
    before = cell.received()
    cell.publisher.wait_for_picture(7)
    wait_until(lambda: cell.received() > before, "the origin has got it", every=0.005)


def announced(cell: Cell) -> None:
    newest = on_air(cell)
    cell.newest_at(cell.origin, newest)


def being_fetched(cell: Cell) -> None:
    newest = on_air(cell)
    edge = cell.cluster.edges[1]

    def asked() -> float:
        return edge.metrics()["wedlive_edge_live_pushed_total"]

    told = cell.newest_at(edge, newest)
    cell.network.slow(SLOW)
    before = asked()
    wait_until(lambda: asked() > before, "it asks for the next segment", every=0.005)
    arrived = cell.network.arrived()
    wait_until(
        lambda: cell.network.arrived() > arrived + BEGUN, "its first bytes have come", every=0.002
    )
    assert cell.newest_at(edge, 0) == told, "the whole segment is there"


def cached(cell: Cell) -> None:
    newest = on_air(cell)
    newest = cell.newest_at(cell.cluster.edges[0], newest)
    cell.newest_at(cell.cluster.edges[1], newest - 1)


def at_the_end(cell: Cell) -> None:
    on_air(cell)
    cell.publisher.wait_for_picture(7)
    cell.publisher.end()


MOMENTS: dict[str, Callable[[Cell], None]] = {
    "before the first segment": before_the_first,
    "the first, just announced": first_announced,
    "half of it with the origin": half_received,
    "just announced": announced,
    "an edge fetches it": being_fetched,
    "in the edges' caches": cached,
    "the last, publisher gone": at_the_end,
}


# Faults.


@dataclass(frozen=True)
class Fault:
    """What is done, and undone once the stream has gone on for so many segments."""

    do: Callable[[Cell], object]
    undo: Callable[[Cell], object] = lambda _: None
    segments: int = 5
    #: The publisher's edge is gone, with the viewer there.
    takes_edge: bool = False
    #: Discontinuities that it may cost.
    breaks: int = 1


def drain(cell: Cell) -> None:
    client = Client()
    port = cell.origin.ports["admin"]
    answer = client.get(f"http://{cell.origin.place.host}:{port}/drain", method="POST")
    assert answer.status // 100 == 2, answer
    client.close()


def refuse_writes(cell: Cell, replicas: str) -> None:
    assert cell.cluster.redis.ask("config", "set", "min-replicas-to-write", replicas) == "OK"


def kill_edge(cell: Cell) -> None:
    gone = cell.viewers.pop(0)
    # Who watched there sees that it is gone, which is no fault of what it answered.
    gone.leave()
    cell.cluster.edges[0].kill()


FAULTS: dict[str, Fault] = {
    "killed": Fault(lambda cell: cell.origin.kill()),
    "frozen, and woken": Fault(
        lambda cell: os.kill(cell.origin.pid, signal.SIGSTOP),
        lambda cell: os.kill(cell.origin.pid, signal.SIGCONT),
    ),
    "network cut": Fault(lambda cell: cell.network.cut(), lambda cell: cell.network.mend()),
    "can be heard, hears nothing": Fault(
        lambda cell: cell.network.deafen(), lambda cell: cell.network.mend()
    ),
    "hears, can't be heard": Fault(
        lambda cell: cell.network.silence(), lambda cell: cell.network.mend()
    ),
    "connections reset": Fault(lambda cell: cell.network.reset()),
    "drained": Fault(drain),
    "upgraded (SIGUSR2)": Fault(lambda cell: cell.origin.upgrade()),
    "Redis killed, back empty": Fault(
        lambda cell: cell.cluster.redis.kill(),
        lambda cell: cell.cluster.redis.start(),
        segments=8,
        breaks=0,
    ),
    "Redis refuses writes": Fault(
        lambda cell: refuse_writes(cell, "1"),
        lambda cell: refuse_writes(cell, "0"),
        segments=8,
        breaks=0,
    ),
    "publisher's edge killed": Fault(kill_edge, takes_edge=True),
}


@dataclass
class Seen:
    """What was seen of one cell."""

    fault: str
    moment: str
    #: Seconds between two new segments, or until the first, or the end: the longest of any viewer.
    longest: float = 0.0
    breaks: int = 0
    #: Frames that were published and that a viewer never got; those that no node ever got apart.
    missing: int = 0
    unsent: int = 0
    #: Frames that a viewer got twice.
    repeated: int = 0
    #: Seconds between the end of a listed segment by its date and the date of the next one: the most.
    jump: float = 0.0
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


def go_through(cell: Cell, seen: Seen) -> None:
    """Waits for the moment, does what is to happen, and undoes it when viewers have seen enough."""
    happens = FAULTS[seen.fault]
    is_end = MOMENTS[seen.moment] is at_the_end
    MOMENTS[seen.moment](cell)
    before = {id(each): set(each.breaks) for each in cell.viewers}
    at = time.monotonic()
    try:
        happens.do(cell)
        if is_end:
            wait_until(lambda: all(each.is_over for each in cell.viewers), "all have the end", 25)
        else:
            follow(cell, happens.segments)
        happens.undo(cell)
        if not is_end:
            follow(cell, 3)
    except Failed as error:
        seen.errors.append(str(error).splitlines()[0])
    look(cell, seen, at, before, is_end)


def look(cell: Cell, seen: Seen, at: float, before: dict[int, set[str]], is_end: bool) -> None:
    """Notes what the viewers and the publisher have seen since the fault."""
    ended = time.monotonic()
    for each in cell.viewers:
        each.stop()
        times = [*[moment for moment in each.times if moment > at], *([ended] if is_end else [])]
        last = max((moment for moment in each.times if moment <= at), default=at)
        pairs = zip([last, *times], times, strict=False)
        seen.longest = max([seen.longest, *(later - earlier for earlier, later in pairs)])
        seen.breaks = max(seen.breaks, len(each.breaks - before[id(each)]))
        seen.repeated = max(seen.repeated, each.follower.repeated)
        if each.edge.process is not None and not each.edge.process.ended:
            seen.jump = max([seen.jump, *map(abs, date_jumps(each.edge, WEDDING))])
        seen.errors += each.bad
        seen.wrong += each.wrong
        seen.missing = max(
            seen.missing, each.follower.missing + (lost_at_end(cell, each) if is_end else 0)
        )
    seen.losses, seen.unsent = cell.publisher.losses, cell.publisher.unsent


def follow(cell: Cell, segments: int) -> None:
    """Returns when all viewers have so many more."""
    newest = cell.newest()
    wait_until(
        lambda: all(each.newest >= newest + segments for each in cell.viewers),
        f"{segments} more segments are with all viewers",
        40,
    )


def lost_at_end(cell: Cell, viewer: ExactViewer) -> int:
    """How many frames that were sent the viewer has not got."""
    lost = 0
    for name, count in cell.publisher.sent.items():
        track = cell.published.tracks[name]
        places = viewer.follower.next_places(name)
        lost += min(((count - place) % track.count for place in places), default=count)
    return lost
