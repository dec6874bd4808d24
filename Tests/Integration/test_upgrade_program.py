"""SIGUSR2 while cameras of one wedding are live: which process shows its program."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from conftest import MakeNode

from support.cameras import Cameras, Picture, publish, publish_url
from support.cluster_watch import Viewer
from support.processes import Process, gone, wait_until
from support.reloads import Reloads
from support.upgraded_wedding import SHORT, Wedding


def split(wedding: Wedding) -> None:
    """The node is upgraded, and the camera that isn't shown comes to the new process."""
    wedding.node.upgrade()
    wedding.goes_on()
    wedding.lose(1)
    wedding.come(1)
    wedding.wait_for_all()
    # The camera has shown something there by now.
    longest = wedding.goes_on()
    print(f"{longest:.1f} s")
    assert longest < SHORT
    assert wedding.picture == 0
    assert wedding.active == wedding.ids[0]


def test_a_program_stays_with_the_camera_that_it_shows_and_is_switched(
    wedding: Callable[..., Wedding],
) -> None:
    both = wedding()
    split(both)
    answer = Cameras(both.node, "both").switch(both.ids[1])
    assert answer["previous_camera_id"] == both.ids[0]
    both.shows(1)
    longest = both.goes_on()
    print(f"{longest:.1f} s")
    assert longest < SHORT
    assert both.active == both.ids[1]
    assert both.viewer.bad == []


def test_a_program_goes_to_the_camera_that_is_left(wedding: Callable[..., Wedding]) -> None:
    both = wedding(WEDLIVE_CAMERAS_RETURN="when_live")
    split(both)
    both.lose(0)
    both.shows(1)
    longest = both.goes_on()
    print(f"{longest:.1f} s")
    assert longest < SHORT
    assert both.active == both.ids[1]
    # The rule holds for the one that was lost, whatever process it comes to.
    both.come(0)
    both.shows(0)
    assert both.goes_on() < SHORT
    assert both.viewer.bad == []


def test_a_program_goes_with_the_camera_that_it_shows(wedding: Callable[..., Wedding]) -> None:
    both = wedding()
    before = both.node.upgrade()
    both.goes_on()
    # It comes while it is still on the air: nothing is lost, so nothing else is shown.
    first = both.publishers[0]
    both.come(0)
    wait_until(lambda: first.ended, "its connection to the process before is ended")
    longest = both.goes_on()
    print(f"{longest:.1f} s")
    assert both.picture == 0
    assert both.active == both.ids[0]
    status = json.loads(both.node.admin("/api/status").text)
    assert [each["switches"] for each in status["programs"]] == [0]
    both.lose(1)
    both.come(1)
    wait_until(lambda: gone(before), "the process before has ended", limit=90)
    assert both.goes_on() < SHORT
    assert both.picture == 0
    assert both.viewer.bad == []


def test_blocking_reloads_move_with_the_program(
    wedding: Callable[..., Wedding], cleanup: list[Process], tmp_path: Path
) -> None:
    both = wedding(WEDLIVE_STREAMS_FRAGMENT="4s", WEDLIVE_STREAMS_WINDOW="60s")
    begin = both.viewer.newest + 1
    players = {
        version: Reloads(
            both.node, "both/program/source", f"--http{version}", range(begin, begin + 6), tmp_path
        )
        for version in ("1.1", "2")
    }
    cleanup += [each.process for each in players.values()]
    wait_until(lambda: both.viewer.newest > begin, "it is watched")
    both.node.upgrade()
    both.come(0)
    for version, each in players.items():
        each.end()
        each.check(version, 4)
    assert both.node.said("program left to the next process")
    assert both.viewer.bad == []


def test_a_program_goes_on_when_the_process_that_has_it_ends(
    wedding: Callable[..., Wedding],
) -> None:
    both = wedding(WEDLIVE_STREAMS_WINDOW="6s", WEDLIVE_SHUTDOWN_UPGRADE="25s")
    before = both.node.pid
    split(both)
    # Publishers may stay for so long, and what was listed is kept for one window more.
    wait_until(lambda: both.publishers[0].ended, "its publisher is sent away", limit=60)
    both.shows(1)
    longest = both.goes_on()
    print(f"{longest:.1f} s")
    assert longest < SHORT
    wait_until(lambda: gone(before), "the process before has ended")
    assert both.viewer.bad == []


def test_a_camera_that_a_killed_process_had_is_shown_where_it_comes_to(
    wedding: Callable[..., Wedding],
) -> None:
    both = wedding()
    split(both)
    second = both.node.upgrade()
    both.goes_on()
    os.kill(second, signal.SIGKILL)
    wait_until(lambda: both.publishers[1].ended, "its connection has ended")
    both.come(1)
    both.wait_for_all()
    both.goes_on()
    assert both.picture == 0
    Cameras(both.node, "both").switch(both.ids[1])
    both.shows(1)
    assert both.goes_on() < SHORT
    assert both.viewer.bad == []


def test_a_program_of_several_cameras_never_goes_back_over_an_upgrade(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """A node by itself; none of the cameras is the main one."""
    node = make_node(WEDLIVE_ACCESS_WATCH="public", WEDLIVE_STREAMS_RECONNECT_WINDOW="20s")
    cameras = Cameras(node, "both")
    urls = [publish_url(node, cameras.add(name)) for name in ("One", "Two")]
    publishers: list[Process] = []
    for number, url in enumerate(urls):
        publishers.append(publish(url, Picture(number), tmp_path, f"camera {number}"))
        cleanup.append(publishers[-1])
    playlist = f"{node.base}/hls/both/program/source/index.m3u8"
    wait_until(lambda: node.client().get(playlist).text.count("#EXTINF") >= 4, "it is on the air")
    viewer = Viewer(node, "both", "program/source")
    try:
        wait_until(lambda: viewer.newest >= 4, "it is watched")
        node.upgrade()
        newest = viewer.newest
        wait_until(lambda: viewer.newest > newest + 3, "it goes on", alive=publishers)
        # One comes to the new process, the other stays with the old one.
        publishers[0].interrupt()
        cleanup.append(publish(urls[0], Picture(0), tmp_path, "camera 0 again"))
        for _ in range(2):
            newest, viewer.longest = viewer.newest, 0.0
            wait_until(lambda n=newest: viewer.newest > n + 5, "it goes on still", limit=60)  # type: ignore[misc]
        publishers[1].interrupt()
        cleanup.append(publish(urls[1], Picture(1), tmp_path, "camera 1 again"))
        newest = viewer.newest
        wait_until(lambda: viewer.newest > newest + 5, "it goes on in the new process", limit=60)
    finally:
        viewer.stop()
    print(f"longest {viewer.longest:.1f} s; {viewer.bad}")
    assert viewer.bad == []


def test_a_program_goes_on_where_it_was_when_its_node_is_started_again(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(WEDLIVE_ACCESS_WATCH="public")
    cameras = Cameras(node, "again")
    urls = [publish_url(node, cameras.add(name)) for name in ("One", "Two")]

    def begin(round: int) -> list[Process]:
        names = [f"camera {number}.{round}" for number in range(2)]
        return [publish(urls[each], Picture(each), tmp_path, names[each]) for each in range(2)]

    def numbers() -> list[int]:
        answer = node.client().get(f"{node.base}/hls/again/program/source/index.m3u8")
        if answer.status != 200:
            return []
        lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
        return [int(line.split("-")[0]) for line in lines]

    cleanup += begin(0)
    wait_until(lambda: len(numbers()) >= 4, "it is on the air")
    before = numbers()
    assert node.stop() == 0
    node.start()
    cleanup += begin(1)
    wait_until(lambda: len(numbers()) >= 3, "it is on the air again")
    # What was running when the node was stopped is a segment, too; and the other camera's may be.
    print(f"{before} then {numbers()}")
    assert max(before) < min(numbers()) <= max(before) + 4
