"""What the new process is asked, it has done in the one before, too, where the publisher still is."""

import glob
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import MakeNode

from support.cameras import Cameras, Picture, publish_url
from support.cameras import publish as film
from support.cluster_watch import publish, sequences
from support.node import Node
from support.processes import Process, gone, wait_until


def live_node(
    make_node: MakeNode, cleanup: list[Process], folder: Path, wedding: str, **settings: str
) -> tuple[Node, Process]:
    """A node that was replaced while somebody publishes, who is still with the process before."""
    node = make_node(WEDLIVE_ACCESS_WATCH="public", **settings)
    publisher = publish(node, wedding, folder)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(node, wedding)) >= 2, "it is on the air", alive=[publisher])
    return node, publisher


def call(node: Node, wedding: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    headers = {
        "Authorization": f"Bearer {node.token('service', wedding)}",
        "Content-Type": "application/json",
    }
    content = json.dumps(body).encode() if body is not None else None
    answer = node.client().get(f"{node.base}/api/streams/{path}", headers, method, content)
    return answer.status, json.loads(answer.text)


def test_an_operator_drops_a_publisher_of_the_process_before(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node, publisher = live_node(make_node, cleanup, tmp_path, "dropped")
    node.upgrade()
    assert node.admin("/control/drop/publisher?app=live&name=dropped").text == "1\n"
    wait_until(lambda: publisher.ended, "its publisher is gone")


def keys(node: Node, wedding: str) -> list[str]:
    text = node.client().get(f"{node.base}/hls/{wedding}/main/source/index.m3u8").text
    return re.findall(r'URI="([^"]+)"', text)


def test_keys_of_a_stream_of_the_process_before_are_rotated(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node, publisher = live_node(
        make_node,
        cleanup,
        tmp_path,
        "rotated",
        WEDLIVE_ENCRYPTION_METHOD="aes-128",
        WEDLIVE_ENCRYPTION_FRAGMENTS_PER_KEY="1000",
    )
    node.upgrade()
    before = keys(node, "rotated")
    assert len(set(before)) == 1
    status, answer = call(node, "rotated", "POST", "keys/rotate/rotated")
    assert (status, answer["streams"]) == (200, 1), answer
    wait_until(
        lambda: set(keys(node, "rotated")) - set(before), "another key is used", alive=[publisher]
    )


def test_cameras_are_switched_added_and_removed_in_the_process_before(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(WEDLIVE_ACCESS_WATCH="public")
    cameras = Cameras(node, "both")
    added = [cameras.add(name) for name in ("One", "Two")]
    one, two = (each["camera_id"] for each in added)
    publishers = [
        film(publish_url(node, each), Picture(number), tmp_path, f"camera {number}")
        for number, each in enumerate(added)
    ]
    cleanup += publishers
    wait_until(
        lambda: [cameras.status(each) for each in (one, two)] == ["live", "live"],
        "both are live",
        alive=publishers,
    )
    wait_until(lambda: cameras.active in (one, two), "one is shown")
    cameras.switch(one)
    node.upgrade()
    cameras = Cameras(node, "both")
    assert [cameras.status(each) for each in (one, two)] == ["live", "live"]
    assert cameras.active == one

    def shown() -> str:
        programs = json.loads(node.admin("/api/status").text)["programs"]
        return next(each["camera"] for each in programs if each["wedding"] == "both")

    assert cameras.switch(two)["previous_camera_id"] == one
    wait_until(lambda: shown() == two, "the other one is shown", alive=publishers)
    three = cameras.add("Three")["camera_id"]
    # It is none of those that the program of the process before can show.
    refused = cameras.ask("POST", "camera/switch", {"wedding_id": "both", "camera_id": three})
    assert refused.status == 409, refused.text
    cameras.remove(two)
    wait_until(lambda: publishers[1].ended, "a camera that was removed is sent away")
    wait_until(lambda: shown() == one, "the first one is shown again", alive=publishers[:1])


def test_recordings_of_the_process_before_are_begun_and_ended(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node, publisher = live_node(make_node, cleanup, tmp_path, "taped")
    node.upgrade()

    def recordings() -> dict[str, dict[str, Any]]:
        status, answer = call(node, "taped", "GET", "recordings/taped")
        assert status == 200
        return {each["recording_id"]: each for each in answer["recordings"]}

    body = {"wedding_id": "taped"}
    status, answer = call(node, "taped", "POST", "recording/start", body)
    assert status == 200, answer
    first = answer["recording_id"]
    assert recordings()[first]["state"] == "recording"
    # It is not for the new process to delete what the one before writes.
    status, answer = call(node, "taped", "DELETE", f"recordings/{first}")
    assert (status, answer["error"]["code"]) == (409, "is_recording"), answer
    newest = max(sequences(node, "taped"))
    wait_until(lambda: max(sequences(node, "taped")) > newest + 2, "something is recorded")
    status, answer = call(node, "taped", "POST", "recording/stop", body)
    assert (status, answer["recording_id"]) == (200, first), answer
    wait_until(lambda: recordings()[first]["state"] == "completed", "it is made", limit=60)
    # Who comes to the new process can watch what the process before has made.
    movie = f"{node.base}/hls/recordings/{first}/index.m3u8"
    playback = recordings()[first].get("playback_url", movie)
    wait_until(lambda: node.client().get(playback).status == 200, "it can be watched")
    # By its number on the operator's page as well, and then it is gone for both.
    assert call(node, "taped", "DELETE", f"recordings/{first}")[0] in (200, 202)
    assert first not in recordings()
    assert not publisher.ended


@pytest.mark.parametrize("first", ["publisher", "process"])
def test_a_recording_goes_on_over_an_upgrade(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path, first: str
) -> None:
    node, publisher = live_node(
        make_node,
        cleanup,
        tmp_path,
        "kept",
        WEDLIVE_RECORDING_ENABLED="true",
        WEDLIVE_STREAMS_RECONNECT_WINDOW="3s",
    )

    def recordings() -> list[dict[str, Any]]:
        answer = call(node, "kept", "GET", "recordings/kept")[1]["recordings"]
        assert isinstance(answer, list)
        return answer

    before = recordings()
    assert [each["state"] for each in before] == ["recording"]
    processes = [node.upgrade()]
    newest = max(sequences(node, "kept"))
    wait_until(lambda: max(sequences(node, "kept")) > newest + 3, "it goes on", alive=[publisher])
    now = recordings()
    assert [(each["recording_id"], each["state"]) for each in now] == [
        (before[0]["recording_id"], "recording")
    ]

    def grows() -> bool:
        """As the API and the operator's page tell it, from the process that writes it."""
        (shown,) = json.loads(node.admin("/api/status").text)["recordings"]
        sizes.append((recordings()[0]["file_size"], shown["bytes"]))
        return all(last > first > 0 for first, last in zip(sizes[0], sizes[-1], strict=True))

    sizes: list[tuple[int, int]] = []
    wait_until(grows, "its size is told", alive=[publisher], limit=20)
    assert recordings()[0]["duration"] > 1
    if first == "process":
        # A second upgrade: what two processes before this one write is none of the third's.
        processes.append(node.upgrade())
        wait_until(lambda: max(sequences(node, "kept")) > newest + 6, "it goes on")
        assert [each["state"] for each in recordings()] == ["recording"]
    publisher.interrupt()
    wait_until(
        lambda: [each["state"] for each in recordings()] == ["completed"], "it is made", limit=90
    )
    done = recordings()[0]
    assert done["recording_id"] == before[0]["recording_id"]
    assert done["duration"] > 3

    def is_there() -> bool:
        return node.client().get(done["playback_url"]).status == 200

    wait_until(is_there, "it can be watched")
    wait_until(lambda: all(gone(each) for each in processes), "those before have ended")
    wait_until(is_there, "it can be watched still")


def test_what_viewers_can_go_back_to_is_there_as_long_as_its_process(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node, publisher = live_node(
        make_node,
        cleanup,
        tmp_path,
        "back",
        WEDLIVE_STREAMS_FRAGMENT="1s",
        WEDLIVE_STREAMS_WINDOW="6s",
        WEDLIVE_STREAMS_DVR_WINDOW="60s",
        WEDLIVE_STREAMS_RECONNECT_WINDOW="2s",
    )
    wait_until(lambda: len(sequences(node, "back")) >= 12, "some are on the disk")
    folder = node.data / "dvr"

    def files() -> list[Path]:
        # A folder may be removed meanwhile, which `rglob` doesn't bear.
        return [Path(each) for each in glob.glob(f"{folder}/**/*.ts", recursive=True)]

    elder = node.upgrade()
    newest = max(sequences(node, "back"))
    wait_until(lambda: max(sequences(node, "back")) > newest + 3, "it goes on", alive=[publisher])
    playlist = f"{node.base}/hls/back/main/source/index.m3u8"
    names = [each for each in node.client().get(playlist).text.splitlines() if each[:1] != "#"]
    assert len(names) >= 15
    for name in names:
        assert node.client().get(playlist.replace("index.m3u8", name)).status == 200, name
    # Who comes back goes on in a folder of the new process.
    publisher.interrupt()
    again = publish(node, "back", tmp_path, "again")
    cleanup.append(again)
    wait_until(lambda: gone(elder), "the process before has ended", limit=90, alive=[again])
    own = folder / f"process-{node.pid}"
    wait_until(lambda: len(files()) > 2, "some are on the disk", alive=[again])
    wait_until(
        lambda: all(own in each.parents for each in files()),
        "what the process before had is gone",
        alive=[again],
    )
    assert len(files()) > 0


def test_what_the_process_before_does_is_counted(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node, publisher = live_node(
        make_node, cleanup, tmp_path, "counted", WEDLIVE_STREAMS_RECONNECT_WINDOW="2s"
    )

    def received() -> int:
        return int(json.loads(node.admin("/api/status").text)["traffic"]["bytes_in"])

    def counted(name: str) -> float:
        return node.metrics().get(name, -1)

    first = received()
    before = node.upgrade()
    # What its publisher had sent until then, and what it sends from then on.
    wait_until(lambda: received() >= first, "what was sent before the upgrade is counted")
    wait_until(lambda: counted("wedlive_elder_streams") == 1, "its stream is counted")
    assert counted("nginx_rtmp_streams") == 1
    assert counted("wedlive_elder_processes") == 1
    assert counted("wedlive_elder_rtmp_connections") == 1
    now = counted("wedlive_elder_received_bytes_total")
    wait_until(
        lambda: counted("wedlive_elder_received_bytes_total") > now + 50_000,
        "what comes is counted",
        alive=[publisher],
    )
    last = [received(), counted("wedlive_elder_received_bytes_total")]
    publisher.interrupt()
    wait_until(lambda: gone(before), "the process before has ended", limit=60)
    wait_until(lambda: counted("wedlive_elder_processes") == 0, "it is known to have ended")
    assert counted("nginx_rtmp_streams") == 0
    assert [received(), counted("wedlive_elder_received_bytes_total")] >= last
    assert received() >= last[0]


def test_what_nobody_has_is_not_asked_for_where_the_process_before_was(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """Anybody may listen there once it has gone, and would see tokens."""
    quick = {"WEDLIVE_STREAMS_RECONNECT_WINDOW": "1s"}
    node, publisher = live_node(make_node, cleanup, tmp_path, "over", **quick)
    asked = ["/hls/none/main/source/1-abc.ts", "/hls/none/recordings/none/index.m3u8"]

    def answers() -> list[int]:
        client = node.client()
        return [client.get(f"{node.base}{path}?token=x").status for path in asked]

    assert answers() == [404, 404]
    before = node.upgrade()
    assert answers() == [404, 404], "while both are there"
    publisher.interrupt()
    wait_until(lambda: gone(before), "the process before has ended")
    assert answers() == [404, 404], "when it is alone"
