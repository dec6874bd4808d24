"""Cameras of a wedding that come to several edges are on one origin, where its program is made."""

import re
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cameras import Cameras, Picture, camera_of, publish
from support.cluster import Cluster
from support.node import Node
from support.processes import Process, wait_until

WEDDING = "three"
PROGRAM = f"/hls/{WEDDING}/program/source/"


def shown(node: Node, folder: Path, count: int) -> tuple[int, int]:
    """The number of the program's newest segment at a node, and whose picture it has."""
    client = node.client()
    answer = client.get(f"{node.base}{PROGRAM}index.m3u8")
    assert answer.status == 200, f"{node.base}: {answer}"
    name = re.findall(r"^(\d+-\S+\.ts)$", answer.text, re.MULTILINE)[-1]
    segment = client.get(f"{node.base}{PROGRAM}{name}")
    assert segment.status == 200, f"{name}: {segment}"
    file = folder / f"shown-{name}"
    file.write_bytes(segment.body)
    return int(name.partition("-")[0]), camera_of(file, count)


@pytest.mark.timeout(240)
def test_cameras_of_a_wedding_meet_and_move_together(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    def make(**given: str) -> Node:
        return make_node(**{**given, "WEDLIVE_STREAMS_FRAGMENT": "1s"})

    cluster = Cluster(tmp_path, make, origins=2, edges=2)
    cameras = Cameras(cluster.edges[0], WEDDING)
    added = [cameras.add(f"Camera {number}") for number in range(3)]
    ids = [camera["camera_id"] for camera in added]
    # All at once, to both edges.
    for number, camera in enumerate(added):
        edge = cluster.edges[number % 2]
        url = f"{edge.publish_url(WEDDING).rpartition('/')[0]}/{camera['stream_key']}"
        cleanup.append(publish(url, Picture(number), tmp_path, f"camera {number}"))

    def owners() -> set[str]:
        key = f"wl:stream:{{{WEDDING}}}/"
        return {cluster.redis.ask("hget", key + camera, "owner") for camera in ids}

    def on_air() -> bool:
        listed = cameras.ask("GET", f"cameras/{WEDDING}")
        return listed.status == 200 and listed.text.count('"live"') >= len(ids)

    wait_until(on_air, "all are live", alive=cleanup)
    [home] = owners()
    number = -1
    for turn in (1, 2, 0, 2):
        cameras.switch(ids[turn])
        for edge in cluster.edges:
            wait_until(
                lambda edge=edge, turn=turn: shown(edge, tmp_path, 3)[1] == turn,
                f"camera {turn} is shown",
                limit=15,
                alive=cleanup,
            )
        before, number = number, shown(cluster.edges[1], tmp_path, 3)[0]
        assert number > before

    # Its origin dies: all of them are on the other one, and so is the program.
    cluster.origins[int(home.removeprefix("origin-")) - 1].kill()
    wait_until(lambda: owners() == {"origin-1", "origin-2"} - {home}, "all have moved", limit=20)
    for edge in cluster.edges:
        wait_until(
            lambda edge=edge: shown(edge, tmp_path, 3)[0] > number + 4, "it goes on", limit=30
        )
    wait_until(on_air, "all are live", alive=cleanup)
    cameras.switch(ids[1])
    for edge in cluster.edges:
        wait_until(lambda edge=edge: shown(edge, tmp_path, 3)[1] == 1, "it follows", limit=15)
    assert all(not publisher.ended for publisher in cleanup)
    cluster.stop()
