"""Nodes for the tests, and their last words when a test fails."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cluster import Cluster
from support.node import Node, Place, wedlive_binary
from support.processes import Process
from support.upgraded_wedding import Wedding

#: Short fragments, so that a test sees several in a few seconds.
QUICK = {"WEDLIVE_STREAMS_FRAGMENT": "1s", "WEDLIVE_STREAMS_WINDOW": "10s"}

#: What the shared node signs and verifies tokens with.
SECRET = "a secret of the tests that is long enough"

#: About how many seconds files take that have few tests, and long ones.
LONG = {
    "test_cluster.py": 310,
    "test_cluster_cameras.py": 290,
    "test_cluster_outages.py": 250,
    "test_ladder.py": 230,
    "test_upgrade.py": 200,
    "test_live_edge.py": 130,
    "test_cluster_recordings.py": 120,
    "test_tcp_proxy.py": 85,
    "test_cluster_removed.py": 60,
    "test_frames.py": 45,
    "test_drain.py": 25,
}

MakeNode = Callable[..., Node]
_nodes: list[Node] = []


def pytest_report_header() -> str:
    return f"wedlive: {wedlive_binary()}"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One node with quick settings, shared by the tests that change none."""
    with Node(tmp_path_factory.mktemp("node"), {**QUICK, "WEDLIVE_AUTH_SECRET": SECRET}) as shared:
        _nodes.append(shared)
        yield shared
        _nodes.remove(shared)


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[MakeNode]:
    """Starts nodes with settings of their own: `make_node(WEDLIVE_STREAMS_FRAGMENT="3s")`."""
    started: list[Node] = []

    def make(role: str = "standalone", place: Place | None = None, **settings: str) -> Node:
        folder = tmp_path / f"node-{len(started)}"
        made = Node(folder, {**QUICK, **settings}, role=role, place=place)
        started.append(made)
        _nodes.append(made)
        made.start()
        return made

    yield make
    for each in started:
        each.__exit__()
        _nodes.remove(each)


@pytest.fixture
def cleanup() -> Iterator[list[Process]]:
    """Processes put in here are ended with the test, in reverse order."""
    processes: list[Process] = []
    yield processes
    for process in reversed(processes):
        process.interrupt()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: where several run at a time, nobody waits for one that has begun last."""
    tests = Counter(item.path.name for item in items)

    def seconds(item: pytest.Item) -> int:
        return LONG.get(item.path.name, 5 * tests[item.path.name])

    items.sort(key=lambda item: (-seconds(item), item.path.name))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for each in _nodes:
            if each.process is not None:
                report.sections.append((str(each.process), each.process.log_tail(40)))


@pytest.fixture
def cluster(make_node: MakeNode, tmp_path: Path) -> Iterator[Cluster]:
    """Redis, two origins and two edges."""
    made = Cluster(tmp_path, make_node, origins=2, edges=2)
    yield made
    made.stop()


@pytest.fixture
def wedding(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> Iterator[Callable[..., Wedding]]:
    made: list[Wedding] = []

    def make(count: int = 2, **settings: str) -> Wedding:
        quick = {
            "WEDLIVE_ACCESS_WATCH": "public",
            "WEDLIVE_STREAMS_FRAGMENT": "1s",
            "WEDLIVE_STREAMS_RECONNECT_WINDOW": "20s",
        }
        node = make_node(**{**quick, **settings})
        made.append(Wedding(node, tmp_path, cleanup, count))
        return made[-1]

    yield make
    for each in made:
        each.viewer.stop()
