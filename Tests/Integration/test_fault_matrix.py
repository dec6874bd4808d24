"""Each fault at each moment of a segment's life: what publishers and viewers see of it.

All of it with `-m "interop or not interop"`; what was seen is in `.build/fault-matrix/table.md`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import Cluster, Redis
from support.exact import Published
from support.fault_cells import (
    FAULTS,
    MOMENTS,
    WEDDING,
    Cell,
    Seen,
    at_the_end,
    before_the_first,
    go_through,
)
from support.fault_table import keep
from support.known_publisher import KnownPublisher
from support.media import Source
from support.networks import network
from support.rtmp import record

SOURCE = Source(seconds=60, width=320, height=180, rate=15, gop=15, kbits=1500, noise=True)
TABLE = Path(__file__).resolve().parents[2] / ".build" / "fault-matrix"
#: Between two new segments: three seconds and a segment, on a machine that may be busy.
LONGEST = 6.0

Begin = Callable[[], Cell]


@pytest.fixture
def begin(make_node: MakeNode, tmp_path: Path, moment: str) -> Iterator[Begin]:
    with ExitStack() as stack:
        networks = []
        for number in (1, 2):
            made = stack.enter_context(network(number))
            if made is None:
                pytest.skip("this user may not make network namespaces")
            networks.append(made)
        here = " ".join(each.here for each in networks)
        cluster = Cluster(tmp_path, make_node, 0, 2, Redis(tmp_path / "redis", bind=here))
        stack.callback(cluster.stop)
        settings = {}
        if MOMENTS[moment] is at_the_end:
            # The playlist ends when nobody has come back for so long.
            settings["WEDLIVE_STREAMS_RECONNECT_WINDOW"] = "4s"
        elif MOMENTS[moment] is before_the_first:
            settings |= {"WEDLIVE_STREAMS_FRAGMENT": "2s", "WEDLIVE_STREAMS_WINDOW": "12s"}
        for number, each in enumerate(networks, 1):
            each.add_origin(cluster, f"origin-{number}", **settings)
        recording = record(SOURCE.file)
        published = Published(recording)
        urls = [edge.publish_url(WEDDING) for edge in cluster.edges]
        begun: list[Cell] = []

        def make() -> Cell:
            publisher = KnownPublisher(urls, recording)
            begun.append(Cell(cluster, networks, published, publisher))
            return begun[-1]

        yield make
        for cell in begun:
            cell.publisher.stop()
            for viewer in cell.viewers:
                viewer.stop()


@pytest.mark.parametrize(
    ("fault", "moment"),
    [
        pytest.param(
            fault,
            moment,
            marks=pytest.mark.interop,
            id=f"{fault} - {moment}",
        )
        for fault in FAULTS
        for moment in MOMENTS
    ],
)
def test_nobody_notices(begin: Begin, fault: str, moment: str) -> None:
    seen = Seen(fault, moment)
    go_through(begin(), seen)
    keep(TABLE, seen)
    print(seen)
    assert seen.errors == []
    if FAULTS[fault].takes_edge:
        # What was in the edge alone is lost with it; all else is there, and in its order.
        assert len(seen.losses) >= 1 or MOMENTS[moment] is at_the_end
        assert all("are missing before" in each for each in seen.wrong)
    else:
        assert seen.losses == []
        assert seen.wrong == []
        assert seen.missing == 0
    assert seen.breaks <= FAULTS[fault].breaks
    waits = MOMENTS[moment]
    # Nobody has come back for four seconds; segments of two seconds.
    more = 4 if waits is at_the_end else 1 if waits is before_the_first else 0
    assert seen.longest < LONGEST + more
