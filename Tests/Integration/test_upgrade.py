"""SIGUSR2: another process goes on with the node, and nobody notices."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cameras import Picture
from support.cameras import publish as film
from support.cluster import Cluster
from support.cluster_watch import Viewer, owner, publish, sequences
from support.http import Client
from support.node import Node, wedlive_binary
from support.processes import Process, gone, wait_until
from support.reloads import Reloads


class Callers:
    """Connect anew for each request, as fast as they can, and note what fails."""

    def __init__(self, node: Node, count: int = 4) -> None:
        self.bad: list[str] = []
        self.answers = 0
        self._node = node
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        context = self._node.tls()
        place = ("127.0.0.1", self._node.ports["https"])
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        while not self._stop.is_set():
            try:
                with (
                    socket.create_connection(place, 30) as plain,
                    context.wrap_socket(plain, server_hostname="localhost") as secure,
                ):
                    secure.sendall(request)
                    answer = b""
                    while more := secure.recv(4096):
                        answer += more
                if not answer.startswith(b"HTTP/1.1 200"):
                    self.bad.append(repr(answer[:80]))
                self.answers += 1
            except OSError as error:
                self.bad.append(repr(error))

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def http2_requests(node: Node, folder: Path) -> Process:
    """Requests one after the other over one HTTP/2 connection, opened anew where that is ended."""
    # What it says of one is to be there at once.
    words = [
        "stdbuf",
        "-oL",
        "curl",
        "--http2",
        "-s",
        "-S",
        "--cacert",
        str(node.certificates.authority),
        "-o",
    ]
    words += [
        "/dev/null",
        "-w",
        "%{http_version} %{http_code} %{num_connects}\\n",
        "--rate",
        "50/s",
    ]
    return Process("curl", [*words, f"{node.base}/healthz?[1-100000]"], folder / "curl.log")


@pytest.fixture
def own_binary(tmp_path: Path) -> Path:
    """A path to the program at which another one can be put."""
    path = tmp_path / "bin" / "wedlive"
    path.parent.mkdir()
    path.symlink_to(wedlive_binary())
    return path


@pytest.fixture
def node(tmp_path: Path, own_binary: Path) -> Iterator[Node]:
    with Node(tmp_path / "node", binary=own_binary) as made:
        yield made


def put(binary: Path, text: str) -> None:
    """Puts a shell script where the program is."""
    new = binary.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o755)
    new.rename(binary)


def test_two_upgrades_in_a_row_refuse_nobody(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    callers = Callers(node)
    over_http2 = http2_requests(node, tmp_path)
    cleanup.append(over_http2)
    replaced = []

    def connections() -> int:
        lines = over_http2.log_text().splitlines()[:-1]
        return sum(int(line.split()[2]) for line in lines)

    try:
        wait_until(lambda: over_http2.log_text().count("200") > 20, "requests are answered")
        for _ in range(2):
            wait_until(lambda now=callers.answers: callers.answers > now + 50, "calls come")  # type: ignore[misc]
            replaced.append(node.upgrade())
            wait_until(lambda: connections() == len(replaced) + 1, "it goes on at the new process")
            wait_until(lambda now=callers.answers: callers.answers > now + 50, "calls come")  # type: ignore[misc]
        wait_until(lambda: all(gone(each) for each in replaced), "those before have ended")
    finally:
        callers.stop()
    assert callers.bad == []
    assert not over_http2.ended
    over_http2.stop()
    assert {line[:5] for line in over_http2.log_text().splitlines()[:-1]} == {"2 200"}
    assert node.stop() == 0


def test_sessions_are_resumed_by_the_next_process(node: Node, tmp_path: Path) -> None:
    ticket = tmp_path / "session.pem"
    place = f"localhost:{node.ports['https']}"
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    def reused(*options: str) -> bool:
        words = ["openssl", "s_client", "-connect", place, "-ign_eof", *options]
        done = subprocess.run(words, input=request, capture_output=True, check=False, timeout=60)
        return b"Reused, TLSv1.3" in done.stdout

    reused("-sess_out", str(ticket))
    wait_until(ticket.exists, "there is a ticket")
    node.upgrade()
    assert reused("-sess_in", str(ticket))


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\nexit 3\n", "has ended with exit status 3"),
        ("#!/bin/sh\nexec sleep 600\n", "was not ready within"),
        ("no program at all", "Exec format error"),
    ],
)
def test_a_program_that_does_not_start_changes_nothing(
    tmp_path: Path, own_binary: Path, script: str, words: str
) -> None:
    settings = {"WEDLIVE_SHUTDOWN_UPGRADE_START": "3s"}
    with Node(tmp_path / "node", settings, binary=own_binary) as node:
        process = node.pid
        put(own_binary, script)
        callers = Callers(node, 2)
        try:
            os.kill(process, signal.SIGUSR2)
            wait_until(lambda: node.said("not upgraded; this process goes on"), "it says so")
            wait_until(lambda now=callers.answers: callers.answers > now + 50, "calls come")  # type: ignore[misc]
        finally:
            callers.stop()
        assert callers.bad == []
        assert words in node.said("not upgraded; this process goes on")[0]["error"]
        # It can still be upgraded to what starts.
        own_binary.unlink()
        own_binary.symlink_to(wedlive_binary())
        assert node.upgrade() == process


def test_a_configuration_that_is_wrong_changes_nothing(tmp_path: Path, own_binary: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret that is long enough for anybody")
    settings = {"WEDLIVE_AUTH_SECRET_FILE": str(secret)}
    with Node(tmp_path / "node", settings, binary=own_binary) as node:
        secret.write_text("short")
        os.kill(node.pid, signal.SIGUSR2)
        wait_until(lambda: node.said("not upgraded; this process goes on"), "it says so")
        assert "auth.secret_file" in node.log.read_text()
        assert node.ready()


@pytest.fixture
def cluster(make_node: MakeNode, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path, make_node, origins=1, edges=2)
    yield made
    made.stop()


@pytest.mark.parametrize("which", ["origin", "edge of the publisher", "edge of a viewer"])
def test_publishers_and_viewers_notice_nothing_of_an_upgrade(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path, which: str
) -> None:
    edge, other = cluster.edges
    publisher = publish(edge, "upgraded", tmp_path)
    cleanup.append(publisher)
    wait_until(
        lambda: len(sequences(other, "upgraded")) >= 4, "it is on the air", alive=[publisher]
    )
    viewers = [Viewer(edge, "upgraded"), Viewer(other, "upgraded")]
    upgraded = {"origin": owner(cluster, "upgraded"), "edge of a viewer": other}.get(which, edge)
    callers = Callers(upgraded, 2)
    try:
        wait_until(lambda: all(each.segments >= 4 for each in viewers), "both see it")
        breaks = [len(each.breaks) for each in viewers]
        newest = viewers[0].newest
        before = upgraded.upgrade()
        wait_until(
            lambda: all(each.newest > newest + 8 for each in viewers),
            "the stream goes on for both",
            alive=[publisher],
        )
        if which != "edge of the publisher":
            wait_until(lambda: gone(before), "the process before has ended")
        else:
            assert not gone(before)
    finally:
        callers.stop()
        for each in viewers:
            each.stop()
    assert not publisher.ended
    assert callers.bad == []
    for each, count in zip(viewers, breaks, strict=True):
        assert each.bad == []
        assert len(each.breaks) <= count + 1
        print(f"{which}: {each.longest:.2f} s between two new segments")
        # Three seconds and a segment; the machine of the tests may be busy.
        assert each.longest < 6
    if which == "edge of the publisher":
        # Its connection is counted at the new process.
        wait_until(
            lambda: upgraded.metrics()["wedlive_elder_rtmp_connections"] == 1, "it is counted"
        )
        status = json.loads(upgraded.admin("/api/status").text)
        assert (status["pid"], status["rtmp_connections"]) == (upgraded.pid, 1)
        publisher.interrupt()
        wait_until(lambda: gone(before), "the process before has ended with its publisher")


def test_viewers_of_a_standalone_node_watch_on_by_way_of_the_new_process(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(WEDLIVE_ACCESS_WATCH="public", WEDLIVE_STREAMS_RECONNECT_WINDOW="20s")
    publisher = publish(node, "alone", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(node, "alone")) >= 4, "it is on the air", alive=[publisher])
    viewer = Viewer(node, "alone")
    try:
        for _ in range(2):
            newest = viewer.newest
            first = node.upgrade()
            wait_until(lambda n=newest: viewer.newest > n + 5, "it goes on", alive=[publisher])  # type: ignore[misc]
        # For longer than a question to the process before is left open.
        newest, viewer.longest = viewer.newest, 0.0
        wait_until(lambda: viewer.newest > newest + 26, "it goes on and on", alive=[publisher])
        assert viewer.longest < 5
        # Somebody who comes now, to the third process.
        assert len(sequences(node, "alone")) >= 4
        # The operator and the API hear of what the first one still has.
        shown = json.loads(node.admin("/api/status").text)["streams"]
        assert [(each["wedding"], each["state"]) for each in shown] == [("alone", "live")]
        assert "<name>alone</name>" in node.admin("/stat").text
        answer = node.client().get(f"{node.base}/api/streams/playback/alone")
        assert json.loads(answer.text)["is_live"] is True
        qualities = node.client().get(f"{node.base}/api/streams/qualities/alone")
        assert qualities.status == 200
        publisher.interrupt()
        # Who comes back is the new process's, and its numbers go on.
        newest = viewer.newest
        again = publish(node, "alone", tmp_path, "again")
        cleanup.append(again)
        wait_until(lambda: viewer.newest > newest + 3, "it goes on there", alive=[again])
        wait_until(lambda: gone(first), "those before have ended")
    finally:
        viewer.stop()
    # What was listed stays listed, and no number is passed over.
    assert viewer.bad == []


def test_blocking_reloads_move_with_the_stream(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(
        WEDLIVE_ACCESS_WATCH="public",
        WEDLIVE_STREAMS_FRAGMENT="4s",
        WEDLIVE_STREAMS_WINDOW="60s",
    )
    url = node.publish_url("alone")
    first = film(url, Picture(0), tmp_path, "first")
    cleanup.append(first)
    wait_until(lambda: len(sequences(node, "alone")) >= 2, "it is on the air", alive=[first])
    begin = max(sequences(node, "alone")) + 1
    numbers = range(begin, begin + 6)
    both = {
        version: Reloads(node, "alone/main/source", f"--http{version}", numbers, tmp_path)
        for version in ("1.1", "2")
    }
    cleanup += [each.process for each in both.values()]
    wait_until(lambda: max(sequences(node, "alone")) > begin, "it is watched", alive=[first])
    # The process before makes no other segment: what is asked for is the next one's.
    began = node.began("alone")
    node.upgrade()
    moved = film(url, Picture(0), tmp_path, "moved")
    cleanup.append(moved)
    wait_until(lambda: bool(node.said("stream left to the next process")), "it moves")
    # It is live for the API all along.
    client = node.client()
    newest = max(sequences(node, "alone"))
    while max(sequences(node, "alone")) == newest:
        playback = client.get(f"{node.base}/api/streams/playback/alone")
        assert json.loads(playback.text)["is_live"] is True
        assert client.get(f"{node.base}/api/streams/qualities/alone").status == 200
        assert not moved.ended
    assert node.began("alone") == began
    for version, each in both.items():
        each.end()
        each.check(version, 4)


def test_a_publisher_that_comes_back_again_and_again_keeps_its_numbers(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(WEDLIVE_ACCESS_WATCH="public", WEDLIVE_STREAMS_RECONNECT_WINDOW="20s")
    # Keeps the process before.
    stays = publish(node, "stays", tmp_path, "stays")
    publisher = publish(node, "alone", tmp_path)
    cleanup += [stays, publisher]
    wait_until(lambda: len(sequences(node, "alone")) >= 4, "it is on the air", alive=[publisher])
    viewer = Viewer(node, "alone")
    try:
        wait_until(lambda: viewer.newest >= 3, "it is watched", alive=[publisher])
        # The new process has heard nothing yet of what the one before has listed.
        node.upgrade()
        # The first comes from the process before, the second and third from this one.
        for round in range(3):
            publisher.interrupt()
            newest = viewer.newest
            publisher = publish(node, "alone", tmp_path, f"again {round}")
            cleanup.append(publisher)
            wait_until(lambda n=newest: viewer.newest > n + 2, "it goes on", alive=[publisher])  # type: ignore[misc]
            assert not stays.ended
    finally:
        viewer.stop()
    assert viewer.bad == []


def test_a_stream_has_one_publisher_over_an_upgrade(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(WEDLIVE_ACCESS_WATCH="public")
    publisher = publish(node, "one", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(node, "one")) >= 3, "it is on the air", alive=[publisher])
    node.upgrade()
    # Another key of the same stream: who is on the air stays there, with whatever process that is.
    second = publish(node, "one", tmp_path, "second")
    cleanup.append(second)
    wait_until(lambda: second.ended, "it is refused", alive=[publisher])
    newest = max(sequences(node, "one"))
    wait_until(lambda: max(sequences(node, "one")) > newest + 1, "it goes on", alive=[publisher])
    # A key that goes before it takes it over.
    token = node.token("publish", "one", "--priority", "5")
    url = f"rtmp://localhost:{node.ports['rtmp']}/live/{token}"
    third = film(url, Picture(0), tmp_path, "third")
    cleanup.append(third)
    wait_until(lambda: publisher.ended, "it is taken over", alive=[third])
    newest = max(sequences(node, "one"))
    wait_until(lambda: max(sequences(node, "one")) > newest + 2, "it goes on there", alive=[third])
    assert max(sequences(node, "one")) < newest + 20


def test_weddings_stay_locked_over_an_upgrade(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(WEDLIVE_ACCESS_WATCH="public")
    publisher = publish(node, "locked", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(node, "locked")) >= 2, "it is on the air", alive=[publisher])
    service = {"Authorization": f"Bearer {node.token('service', 'locked')}"}

    def change(client: Client, verb: str) -> int:
        path = f"{node.base}/api/streams/locked/{verb}"
        return client.get(path, method="POST", headers=service).status

    def is_shown() -> bool:
        return len(sequences(node, "locked")) >= 2

    # Connections that the process before has from before.
    elder = [node.client() for _ in range(2)]
    for client in elder:
        assert client.get(f"{node.base}/healthz").status == 200
    assert change(elder[0], "lock") == 200
    node.upgrade()
    # The publisher is still the process' before, and viewers are the new one's.
    assert not is_shown()
    assert change(node.client(), "unlock") == 200
    wait_until(is_shown, "the new process shows it", alive=[publisher])
    # What the process before is asked holds for the new one, too.
    assert change(elder[1], "lock") == 200
    wait_until(lambda: not is_shown(), "it is locked for both", alive=[publisher])
