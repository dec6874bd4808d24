"""A stream's end is told once, by who has it last, or by another origin where that one is gone."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.backend import Backend
from support.cameras import Cameras, Picture
from support.cameras import publish as publish_camera
from support.cluster import Cluster
from support.cluster_watch import Viewer, owner, owner_name, publish, sequences
from support.node import Node
from support.processes import Process, gone, wait_until
from support.rtmp import Connection, Refused

WEDDING = "moved"
QUICK = {
    "WEDLIVE_STREAMS_RECONNECT_WINDOW": "3s",
    # One that is drained is there for longer than that.
    "WEDLIVE_SHUTDOWN_DRAIN": "6s",
    "WEDLIVE_CLUSTER_BEAT": "500ms",
}
#: For tests in which somebody has to come back in time, however busy the machine is.
PATIENT = {"WEDLIVE_STREAMS_RECONNECT_WINDOW": "10s"}
ENDED = 'wedlive_events_total{event="stream.ended"}'
SOFT = 'wedlive_edge_purges_total{mode="soft"}'


@pytest.fixture
def backend() -> Iterator[Backend]:
    made = Backend()
    yield made
    made.stop()


def purges(made: Cluster) -> list[str]:
    """What edges were told to forget, by all nodes."""
    words = made.redis.ask("xrange", "wl:invalidations", "-", "+").split("\n")
    return [words[index + 1] for index, word in enumerate(words) if word == "what"]


def ended(node: Node) -> float:
    return node.metrics().get(ENDED, 0)


def states(node: Node) -> list[str]:
    """What a node says of its streams."""
    return [each["state"] for each in json.loads(node.admin("/api/status").text)["streams"]]


def move(how: str, first: Node, viewer: Viewer) -> None:
    """Has another have what a node has, and returns when that has closed what it had."""
    newest = viewer.newest
    if how == "upgrade":
        before = first.upgrade()
        wait_until(lambda: viewer.newest > newest + 4, "it goes on")
        wait_until(lambda: gone(before), "the process before has ended")
        return
    if how == "drain":
        os.kill(first.pid, signal.SIGTERM)
        wait_until(lambda: viewer.newest > newest + 4, "it goes on")
        wait_until(lambda: first.process is not None and first.process.ended, "it has ended")
        return
    os.kill(first.pid, signal.SIGSTOP)
    wait_until(lambda: viewer.newest > newest + 4, "it goes on")
    os.kill(first.pid, signal.SIGCONT)
    wait_until(lambda: states(first) == ["ended"], "it has closed what it had")


@pytest.mark.parametrize("how", ["upgrade", "drain", "freeze"])
def test_only_who_has_a_stream_says_that_it_has_ended(
    how: str, make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    made = Cluster(
        tmp_path,
        lambda **given: make_node(**{**given, **QUICK}),
        origins=1 if how == "upgrade" else 2,
        edges=1,
    )
    edge = made.edges[0]
    publisher = publish(edge, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, WEDDING)) >= 4, "it is on the air", alive=[publisher])
    viewer = Viewer(edge, WEDDING)
    try:
        wait_until(lambda: viewer.segments >= 4, "it is seen", alive=[publisher])
        first = owner(made, WEDDING)
        move(how, first, viewer)
        newest = viewer.newest
        wait_until(lambda: viewer.newest > newest + 2, "it goes on and on", alive=[publisher])
    finally:
        viewer.stop()
    assert purges(made) == []
    assert edge.metrics().get(SOFT, 0) == 0
    assert first.said("stream numbers not kept") == []
    last = owner(made, WEDDING)
    if how != "drain":
        assert ended(first) == 0
    # Who has it says so, once.
    publisher.stop()
    wait_until(lambda: ended(last) == 1, "it has ended")
    wait_until(lambda: edge.metrics().get(SOFT, 0) == 1, "edges are told")
    assert purges(made) == [WEDDING]
    if how == "freeze":
        assert first is not last
        assert ended(first) == 0
    made.stop()


def test_a_process_that_was_replaced_ends_nothing_while_redis_is_away(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """Nobody can say then where the stream has gone that it left to the next one."""
    made = Cluster(tmp_path, lambda **given: make_node(**{**given, **QUICK}), origins=1, edges=1)
    origin, edge = made.origins[0], made.edges[0]
    publisher = publish(edge, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, WEDDING)) >= 4, "it is on the air", alive=[publisher])
    made.redis.kill()
    wait_until(lambda: origin.metrics()["wedlive_redis_connected"] == 0, "Redis is gone")
    before = origin.upgrade()
    wait_until(
        lambda: origin.said("stream closed that is elsewhere"), "it is closed", alive=[publisher]
    )
    made.redis.start()
    wait_until(lambda: gone(before), "the process before has ended", alive=[publisher])
    wait_until(lambda: owner_name(made, WEDDING) != "", "Redis is back", alive=[publisher])
    publisher.stop()
    wait_until(lambda: ended(origin) == 1, "it has ended")
    wait_until(lambda: edge.metrics().get(SOFT, 0) == 1, "edges are told")
    assert purges(made) == [WEDDING]
    made.stop()


@pytest.mark.parametrize("state", ["live", "waiting"])
def test_the_end_is_told_of_a_stream_whose_origin_was_killed(
    state: str, make_node: MakeNode, cleanup: list[Process], backend: Backend, tmp_path: Path
) -> None:
    quick = {
        **QUICK,
        **backend.settings,
        "WEDLIVE_CLUSTER_LEASE": "2s",
        "WEDLIVE_CLUSTER_ENDS_EVERY": "200ms",
    }
    made = Cluster(tmp_path, lambda **given: make_node(**{**given, **quick}), origins=2, edges=1)
    (first, second), edge = made.origins, made.edges[0]
    # To the origin itself: an edge would go on with it at the other one.
    publisher = publish(first, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, WEDDING)) >= 3, "it is on the air", alive=[publisher])
    if state == "waiting":
        publisher.stop()
        wait_until(lambda: len(backend.done()) == 1, "its publisher has gone")
    first.kill()
    publisher.kill()
    wait_until(lambda: ended(second) == 1, "it has ended", limit=60)
    wait_until(lambda: edge.metrics().get(SOFT, 0) == 1, "edges are told")
    wait_until(lambda: len(backend.done()) == 1, "so is the backend")
    assert (backend.done() == [WEDDING]) == (state == "live")
    wait_until(lambda: made.redis.ask("zcard", "wl:ends") == "0", "that it was told is known")
    assert ended(second) == 1
    assert purges(made) == [WEDDING]
    # It goes on with whoever publishes it, and ends once more.
    again = publish(second, WEDDING, tmp_path, "again")
    cleanup.append(again)
    wait_until(lambda: owner_name(made, WEDDING) == "origin-2", "it is back", alive=[again])
    again.stop()
    wait_until(lambda: ended(second) == 2, "it has ended again")
    made.stop()


@pytest.mark.parametrize("at", ["origin", "edge"])
def test_who_is_refused_after_the_end_doesnt_have_it_told_again(
    at: str, make_node: MakeNode, cleanup: list[Process], backend: Backend, tmp_path: Path
) -> None:
    """The platform has closed the wedding, and its encoder comes back all the same."""
    quick = {
        **QUICK,
        **backend.settings,
        "WEDLIVE_CLUSTER_LEASE": "2s",
        # It comes back before the end is noted.
        "WEDLIVE_CLUSTER_ENDS_EVERY": "4s",
    }
    made = Cluster(tmp_path, lambda **given: make_node(**{**given, **quick}), origins=1, edges=1)
    origin, edge = made.origins[0], made.edges[0]
    publisher = publish(origin, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, WEDDING)) >= 3, "it is on the air", alive=[publisher])
    publisher.stop()
    wait_until(lambda: ended(origin) == 1, "it has ended")
    backend.refuses = True
    with pytest.raises(Refused):
        Connection((origin if at == "origin" else edge).publish_url(WEDDING), True)
    wait_until(lambda: made.redis.ask("zcard", "wl:ends") == "0", "that it was told is known")
    assert ended(origin) == 1
    assert purges(made) == [WEDDING]
    made.stop()


@pytest.mark.parametrize("at", ["origin", "edge"])
def test_an_encoder_that_is_refused_again_and_again_puts_no_end_off(
    at: str, make_node: MakeNode, cleanup: list[Process], backend: Backend, tmp_path: Path
) -> None:
    quick = {
        **QUICK,
        **backend.settings,
        "WEDLIVE_CLUSTER_LEASE": "2s",
        "WEDLIVE_CLUSTER_ENDS_EVERY": "200ms",
    }
    made = Cluster(tmp_path, lambda **given: make_node(**{**given, **quick}), origins=2, edges=1)
    (first, second), edge = made.origins, made.edges[0]
    publisher = publish(first, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, WEDDING)) >= 3, "it is on the air", alive=[publisher])
    first.kill()
    publisher.kill()
    backend.refuses = True
    url = (second if at == "origin" else edge).publish_url(WEDDING)

    def has_ended_meanwhile() -> bool:
        with contextlib.suppress(Refused, OSError):
            Connection(url, True).close()
        return ended(second) == 1

    wait_until(has_ended_meanwhile, "it has ended", limit=60)
    made.stop()


def test_a_stream_that_another_origin_had_for_a_moment_ends_once(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """Before there was a segment of it."""
    patient = {**QUICK, **PATIENT}
    made = Cluster(tmp_path, lambda **given: make_node(**{**given, **patient}), origins=2, edges=1)
    (first, second), edge = made.origins, made.edges[0]
    publisher = publish(first, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, WEDDING)) >= 3, "it is on the air", alive=[publisher])
    publisher.stop()
    wait_until(lambda: first.said("stream.stopped"), "its publisher has gone")
    Connection(second.publish_url(WEDDING), True).close()
    wait_until(lambda: ended(second) == 1, "it has ended")
    wait_until(lambda: states(first) == ["ended"], "where it was before, too")
    assert ended(first) == 0
    wait_until(lambda: edge.metrics().get(SOFT, 0) == 1, "edges are told")
    assert purges(made) == [WEDDING]
    made.stop()


def standalone_on_air(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path, **settings: str
) -> tuple[Node, Process]:
    """A node without a cluster, and who publishes there."""
    node = make_node(WEDLIVE_ACCESS_WATCH="public", **{**QUICK, **settings})
    publisher = publish(node, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(node, WEDDING)) >= 3, "it is on the air", alive=[publisher])
    return node, publisher


def test_who_came_back_for_a_moment_leaves_a_stream_that_ends(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """Nothing was made of it by the process that ends it."""
    node, publisher = standalone_on_air(make_node, cleanup, tmp_path)
    node.upgrade()
    publisher.kill()
    began = len(node.said("stream.started"))
    again = publish(node, WEDDING, tmp_path, "again")
    cleanup.append(again)
    wait_until(lambda: len(node.said("stream.started")) > began, "it is back", alive=[again])
    again.kill()
    has_ended(node)


def has_ended(node: Node) -> None:
    """Returns when the node and its viewers know of it."""
    wait_until(lambda: ended(node) == 1, "it has ended")
    for path in ("main/source", "program/source"):
        address = f"{node.base}/hls/{WEDDING}/{path}/index.m3u8"

        def is_told(address: str = address) -> bool:
            answer = node.client().get(address)
            assert answer.status == 200, answer
            return answer.text.endswith("#EXT-X-ENDLIST\n")

        wait_until(is_told, "viewers are told so", limit=5)
    assert node.client().get(node.master_url(WEDDING)).status == 200


def test_a_stream_ends_whose_publisher_the_next_process_refuses(
    make_node: MakeNode, cleanup: list[Process], backend: Backend, tmp_path: Path
) -> None:
    """The process before has left it to that one by then."""
    # The process before is there for longer than the window.
    settings = {**PATIENT, "WEDLIVE_SHUTDOWN_DRAIN": "15s", **backend.settings}
    node, publisher = standalone_on_air(make_node, cleanup, tmp_path, **settings)
    node.upgrade()
    publisher.kill()
    wait_until(lambda: node.said("stream.stopped"), "its publisher has gone")
    backend.refuses = True
    again = publish(node, WEDDING, tmp_path, "again")
    cleanup.append(again)
    wait_until(lambda: node.said("publish.refused"), "its publisher is refused")
    assert node.said("stream left to the next process") != []
    has_ended(node)


def test_what_a_killed_node_had_on_the_air_began_when_it_did(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(WEDLIVE_ACCESS_WATCH="public")
    publisher = publish(node, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(node, WEDDING)) >= 2, "it is on the air", alive=[publisher])
    began = node.began(WEDDING)
    newest = max(sequences(node, WEDDING))
    node.kill()
    publisher.kill()
    node.start()
    again = publish(node, WEDDING, tmp_path, "again")
    cleanup.append(again)
    wait_until(
        lambda: max(sequences(node, WEDDING), default=0) > newest, "it goes on", alive=[again]
    )
    assert node.began(WEDDING) == began


@pytest.mark.parametrize("how", ["kill", "stop", "upgrade"])
def test_the_end_is_told_of_what_a_node_by_itself_had_when_it_was_gone(
    how: str, make_node: MakeNode, cleanup: list[Process], backend: Backend, tmp_path: Path
) -> None:
    """Its publisher stays away, and the next process of the node says so."""
    node, publisher = standalone_on_air(make_node, cleanup, tmp_path, **backend.settings)
    if how == "upgrade":
        before = node.upgrade()
        os.kill(before, signal.SIGKILL)
    elif how == "kill":
        node.kill()
    else:
        node.stop()
    publisher.kill()
    if how != "upgrade":
        node.start()
    wait_until(lambda: ended(node) == 1, "it has ended")
    # A node that was stopped has said so itself, which the next process doesn't know.
    told = 2 if how == "stop" else 1
    wait_until(lambda: len(backend.done()) == told, "the backend knows that its publisher has gone")
    again = publish(node, WEDDING, tmp_path, "again")
    cleanup.append(again)
    wait_until(lambda: len(sequences(node, WEDDING)) >= 2, "it is back", alive=[again])
    again.stop()
    wait_until(lambda: ended(node) == 2, "it has ended again")
    assert len(backend.done()) == told + 1


def test_a_standalone_node_says_once_that_a_stream_has_ended(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node, publisher = standalone_on_air(make_node, cleanup, tmp_path)
    before = node.upgrade()
    # It comes back, to the new process.
    publisher.stop()
    again = publish(node, WEDDING, tmp_path, "again")
    cleanup.append(again)
    wait_until(lambda: node.said("stream left to the next process"), "it is left", alive=[again])
    wait_until(lambda: gone(before), "the process before has ended", alive=[again])
    assert ended(node) == 0
    assert node.said("stream numbers not kept") == []
    again.stop()
    wait_until(lambda: ended(node) == 1, "it has ended")


class Split:
    """A wedding with cameras at an origin each, the first of which makes its program."""

    def __init__(self, make: MakeNode, folder: Path, others: int) -> None:
        self.cluster = Cluster(
            folder, lambda **given: make(**{**given, **QUICK}), origins=2 + others, edges=1
        )
        self.edge = self.cluster.edges[0]
        self.folder = folder
        self.cameras = Cameras(self.edge, WEDDING)
        self.keys = [self.cameras.add(name)["stream_key"] for name in ("One", "Two")]

    def url(self, camera: int, origin: int) -> str:
        address = self.cluster.origins[origin].publish_url(WEDDING).rpartition("/")[0]
        return f"{address}/{self.keys[camera]}"

    def publish(self, camera: int, origin: int) -> Process:
        url = self.url(camera, origin)
        return publish_camera(url, Picture(camera), self.folder, f"camera {camera}")

    def come_back(self, camera: int, origin: int) -> None:
        """It is admitted, and goes for good before it has sent anything."""
        admitted: list[Connection] = []

        def is_admitted() -> bool:
            try:
                admitted.append(Connection(self.url(camera, origin), publish=True))
            except (Refused, OSError):
                # Who had it is not known to be gone yet.
                return False
            return True

        wait_until(is_admitted, "it is back", limit=30)
        admitted[0].close()


@pytest.mark.parametrize("others", [0, 1])
def test_a_program_of_which_nothing_was_shown_ends_where_nobody_else_has_a_camera(
    others: int, make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """Its origin dies, and the camera that it showed is back at another one for a moment."""
    wedding = Split(make_node, tmp_path, others)
    edge = wedding.edge
    cleanup.append(wedding.publish(0, 0))
    wait_until(lambda: len(sequences(edge, WEDDING, "program")) >= 3, "it is shown", alive=cleanup)
    if others:
        cleanup.append(wedding.publish(1, 2))
        wait_until(lambda: wedding.cluster.origins[2].said("stream.started"), "the other is there")
    viewer = Viewer(edge, WEDDING, "program/source")
    try:
        wait_until(lambda: viewer.segments >= 3, "it is seen", alive=cleanup)
        wedding.cluster.origins[0].kill()
        cleanup[0].kill()
        wedding.come_back(0, 1)
        newest = viewer.newest

        def has_gone_on() -> bool:
            assert not viewer.is_over
            return viewer.newest > newest + 4

        if others:
            wait_until(has_gone_on, "it goes on with the other", limit=40, alive=cleanup[1:])
        else:
            # Not only when its edge has heard of it from nobody for a minute.
            wait_until(lambda: viewer.is_over, "it has ended", limit=40)
    finally:
        viewer.stop()
    # One that is published at another origin is missing where that has yet to begin the program.
    assert others or viewer.bad == []
    wedding.cluster.stop()
