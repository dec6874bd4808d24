"""Cameras of a wedding that come to several edges are on one origin, where its program is made."""

import re
import time
from pathlib import Path

import pytest
from conftest import MakeNode
from test_drain import drain

from support.cameras import Cameras, Picture, camera_of, publish
from support.cluster import Cluster
from support.cluster_watch import Viewer, date_jumps, sequences
from support.node import Node
from support.processes import Process, wait_until

WEDDING = "three"
USABLE = 'wedlive_cluster_nodes{status="usable"}'
PROGRAM = f"/hls/{WEDDING}/program/source/"

#: One small rung besides the source.
RUNGS = {
    "WEDLIVE_TRANSCODE_ENABLED": "true",
    **{f"WEDLIVE_QUALITIES_{name}": "off" for name in ("4K", "1080P", "720P", "480P", "360P")},
    "WEDLIVE_QUALITIES_240P": "160x90 100k 32k",
    "WEDLIVE_PLANS_FREE": "source, 240p",
}


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

    # A form finds the origin that has them as JSON does.
    form = {
        "Authorization": f"Bearer {cluster.edges[0].token('service', WEDDING)}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    words = f"wedding_id={WEDDING}&camera_id={ids[2]}".encode()
    for edge in cluster.edges:
        answer = edge.client().get(f"{edge.base}/api/streams/camera/switch", form, "POST", words)
        assert '"is_live":true' in answer.text, answer

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


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", ["kill", "kill of rungs", "drain", "upgrade"])
def test_the_numbers_of_a_program_go_on_elsewhere(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path, fault: str
) -> None:
    def make(**given: str) -> Node:
        return make_node(**given, **(RUNGS if "rungs" in fault else {}))

    cluster = Cluster(tmp_path, make, origins=2, edges=2)
    first, second = cluster.edges
    cleanup.append(publish(first.publish_url("duo"), Picture(0), tmp_path, "main"))
    cameras = Cameras(first, "duo")
    wait_until(lambda: cameras.ask("GET", "cameras/duo").status == 200, "it is known")
    altar = cameras.add("Altar")
    url = f"{second.publish_url('duo').rpartition('/')[0]}/{altar['stream_key']}"
    cleanup.append(publish(url, Picture(1), tmp_path, "altar"))
    wait_until(lambda: cameras.status(altar["camera_id"]) == "live", "both are live", alive=cleanup)
    # One that has only just begun can't be switched to.
    wait_until(
        lambda: sequences(first, "duo", altar["camera_id"]), "the other one has something to show"
    )
    viewers = [Viewer(first, "duo", "program/source")]
    try:
        wait_until(lambda: viewers[0].segments >= 3, "an edge has it")
        rendition = "240p" if "rungs" in fault else "source"
        viewers.append(Viewer(second, "duo", f"program/{rendition}"))
        wait_until(lambda: all(each.segments >= 3 for each in viewers), "both edges have it")
        cameras.switch(altar["camera_id"])
        newest = viewers[0].newest
        wait_until(lambda: all(each.newest > newest + 3 for each in viewers), "it goes on")
        breaks = [len(each.breaks) for each in viewers]
        for each in viewers:
            each.longest = 0
            # A rung that begins with its second segment has lost none.
            each.bad = [words for words in each.bad if words != "0 to 0 are no longer listed"]
        home = cluster.redis.ask("hget", "wl:stream:{duo}/main", "owner")
        origin = cluster.origins[int(home.removeprefix("origin-")) - 1]
        newest = viewers[0].newest
        began = second.began("duo")
        if fault.startswith("kill"):
            origin.kill()
        elif fault == "drain":
            done = drain(second, home, "--wait")
            assert done.returncode == 0, done.stderr
        else:
            origin.upgrade()
        wait_until(
            lambda: all(each.newest > newest + 8 for each in viewers),
            "it goes on",
            limit=90,
            alive=cleanup,
        )
        assert second.began("duo") == began
        epoch = cluster.redis.ask("hget", "wl:stream:{duo}/program", "epoch")
    finally:
        for each in viewers:
            each.stop()
    for each, count in zip(viewers, breaks, strict=True):
        print(f"{fault}: {each.longest:.2f} s between two new segments, to {each.newest}")
        print(f"{fault}: {len(each.breaks) - count} discontinuities more, {each.bad}")
    assert [each.bad for each in viewers] == [[], []]
    assert epoch == "2"
    for each, count in zip(viewers, breaks, strict=True):
        assert each.newest < newest + 30
        assert len(each.breaks) <= count + 1
        # Three seconds and a segment; the machine of the tests may be busy.
        assert each.longest < 6
    cluster.stop()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("way", ["kill", "drain"])
def test_the_numbers_of_a_program_go_on_though_redis_is_away(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path, way: str
) -> None:
    """Its origin goes while Redis is away: edges say how far it was, with each of its cameras."""
    cluster = Cluster(tmp_path, make_node, origins=2, edges=2)
    cameras = Cameras(cluster.edges[0], "lone")
    added = [cameras.add(name) for name in ("One", "Two")]
    for number, camera in enumerate(added):
        base = cluster.edges[number].publish_url("lone").rpartition("/")[0]
        url = f"{base}/{camera['stream_key']}"
        cleanup.append(publish(url, Picture(number), tmp_path, f"camera {number}"))
    playlist = "/hls/lone/program/source/index.m3u8"
    for edge in cluster.edges:
        wait_until(
            lambda edge=edge: edge.client().get(f"{edge.base}{playlist}").text.count("#EXTINF") > 5,
            "it is on air",
            alive=cleanup,
        )
    viewers = [Viewer(edge, "lone", "program/source") for edge in cluster.edges]
    try:
        # Not the first one that the next origin hears of, should that be the one with a priority.
        watched = Watched("lone", cluster.edges, tmp_path)
        other = 1 - picture(watched, 0)
        cameras.switch(added[other]["camera_id"])
        for edge in (0, 1):
            wait_until(lambda edge=edge: picture(watched, edge) == other, "it is shown", limit=15)
        # Further than the next origin can count before viewers have nothing more to show.
        wait_until(lambda: all(each.newest >= 20 for each in viewers), "both edges have it")
        # Edges believe nobody whose lease has a smaller number than the one before.
        first = program_origin(cluster, "lone")
        first.kill()
        wait_until(
            lambda: program_origin(cluster, "lone") is not first, "it has moved", alive=cleanup
        )
        first.start()
        wait_until(lambda: all(each.metrics()[USABLE] >= 4 for each in cluster.edges), "it is back")
        assert int(cluster.redis.ask("hget", "wl:stream:{lone}/program", "epoch")) >= 2
        home = program_origin(cluster, "lone")
        cluster.redis.kill()
        newest = max(each.newest for each in viewers)
        wait_until(lambda: all(each.newest > newest for each in viewers), "it goes on")
        newest = max(each.newest for each in viewers)
        breaks = [len(each.breaks) for each in viewers]
        for each in viewers:
            each.longest = 0.0
        if way == "kill":
            home.kill()
        else:
            assert drain(home).returncode == 0
        wait_until(
            lambda: all(each.newest > newest + 8 for each in viewers),
            "it goes on at the other origin",
            limit=60,
            alive=cleanup,
        )
        passed = max(each.newest for each in viewers) - newest
        jumps = [date_jumps(edge, "lone", "program") for edge in cluster.edges]
        assert [picture(watched, edge) for edge in (0, 1)] == [other, other]
        cluster.redis.start()
        newest = max(each.newest for each in viewers)
        wait_until(
            lambda: all(each.newest > newest + 8 for each in viewers), "it goes on with Redis"
        )
    finally:
        for each in viewers:
            each.stop()
        for each in viewers:
            print(f"{each.longest:.2f} s between two new segments, to {each.newest}; {each.bad}")
    assert [each.bad for each in viewers] == [[], []]
    assert passed < 30
    for each, count, jump in zip(viewers, breaks, jumps, strict=True):
        assert len(each.breaks) <= count + 1
        # Dates never go back.
        assert min(jump) > -0.1, jump
        # Three seconds and a segment; the machine of the tests may be busy.
        assert each.longest < 6
    cluster.stop()


def program_origin(cluster: Cluster, wedding: str) -> Node:
    """Which origin has its program, as Redis says."""
    name = cluster.redis.ask("hget", f"wl:stream:{{{wedding}}}/program", "owner")
    return cluster.origins[int(name.removeprefix("origin-")) - 1]


class Watched:
    """The addresses of a wedding that are watched at edges, and the newest segment of each."""

    def __init__(self, wedding: str, edges: list[Node], folder: Path) -> None:
        self.wedding = wedding
        self.folder = folder
        self.clients = [(edge.base, edge.client()) for edge in edges]
        self.newest: dict[tuple[int, str], str] = {}

    def look(self, edge: int, camera: str) -> int:
        """The number of the newest segment, which never goes back."""
        base, client = self.clients[edge]
        answer = client.get(f"{base}/hls/{self.wedding}/{camera}/source/index.m3u8")
        assert answer.status == 200, f"{camera} at edge {edge}: {answer}"
        name = re.findall(r"^(\d+-\S+\.ts)$", answer.text, re.MULTILINE)[-1]
        before = self.newest.get((edge, camera), "0-")
        number = int(name.partition("-")[0])
        assert number >= int(before.partition("-")[0]), f"{camera} at edge {edge}: {before}, {name}"
        self.newest[edge, camera] = name
        return number

    def picture(self, edge: int, camera: str, count: int) -> int:
        """Which camera's picture the newest segment has."""
        base, client = self.clients[edge]
        name = self.newest[edge, camera]
        answer = client.get(f"{base}/hls/{self.wedding}/{camera}/source/{name}")
        assert answer.status == 200, f"{camera} at edge {edge}: {name}: {answer}"
        file = self.folder / f"{edge}-{camera}-{name}"
        file.write_bytes(answer.body)
        return camera_of(file, count)

    def go_on(self, *places: tuple[int, str], by: int = 4) -> None:
        """Watches addresses until each has so many segments more."""
        goals = {place: self.look(*place) + by for place in places}
        wait_until(
            lambda: min([self.look(*place) - goal for place, goal in goals.items()]) >= 0,
            f"{places} go on, from {self.newest}",
            limit=20,
        )

    def for_as_long(self, seconds: float, *places: tuple[int, str]) -> None:
        """Watches these addresses alone for a while; nothing where there are none."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for place in places:
                self.look(*place)
            time.sleep(0.3)


def picture(watched: Watched, edge: int) -> int:
    """Which of two cameras' picture the program's newest segment has."""
    watched.look(edge, "program")
    return watched.picture(edge, "program", 2)


@pytest.mark.timeout(240)
def test_a_camera_that_is_added_on_air_stops_nobody(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    """What was one stream at two addresses is two from then on, whichever an edge has followed."""
    wedding, idle = "grown", 5

    def make(**given: str) -> Node:
        settings = {"WEDLIVE_STREAMS_FRAGMENT": "1s", "WEDLIVE_EDGE_LIVE_IDLE": f"{idle}s"}
        return make_node(**{**given, **settings})

    cluster = Cluster(tmp_path, make, origins=2, edges=2)
    edge = cluster.edges[0]
    cleanup.append(publish(edge.publish_url(wedding), Picture(0), tmp_path, "main"))
    watched = Watched(wedding, cluster.edges, tmp_path)
    # One edge follows the program, the other one the camera.
    known = [(0, "program"), (1, "main")]
    for number, camera in known:
        base, client = watched.clients[number]
        wait_until(
            lambda base=base, client=client, camera=camera: (
                client.get(f"{base}/hls/{wedding}/{camera}/source/index.m3u8").status == 200
            ),
            "it is on air",
            limit=20,
            alive=cleanup,
        )
    everywhere = [(number, camera) for number in (0, 1) for camera in ("program", "main")]
    watched.go_on(*known)
    watched.go_on(*everywhere)

    cameras = Cameras(edge, wedding)
    second = cameras.add("Second")
    watched.go_on(*everywhere)
    # Nobody watches, then one address each.
    watched.for_as_long(idle + 3)
    watched.go_on(*everywhere)
    watched.for_as_long(idle + 3, (0, "main"), (1, "program"))
    watched.go_on(*everywhere)
    watched.for_as_long(idle + 3, (0, "program"), (1, "main"))
    watched.go_on(*everywhere)

    url = f"{edge.publish_url(wedding).rpartition('/')[0]}/{second['stream_key']}"
    cleanup.append(publish(url, Picture(1), tmp_path, "second"))
    wait_until(
        lambda: cameras.status(second["camera_id"]) == "live", "the second is live", limit=20
    )
    for camera, colour in ((second["camera_id"], 1), ("main", 0), (second["camera_id"], 1)):
        cameras.switch(camera)
        watched.go_on(*everywhere)
        for number in (0, 1):
            assert watched.picture(number, "program", 2) == colour
            assert watched.picture(number, "main", 2) == 0
    assert all(not publisher.ended for publisher in cleanup)

    # With the main camera alone the program is that one's picture, and stays a stream of its own.
    cameras.remove(second["camera_id"])
    wait_until(lambda: cleanup[1].ended, "a camera that was removed is sent away", limit=20)
    watched.go_on(*everywhere)
    assert [watched.picture(number, "program", 2) for number in (0, 1)] == [0, 0]
    watched.for_as_long(idle + 3, (0, "main"), (1, "program"))
    watched.go_on(*everywhere)
    # Its publisher goes and comes back.
    cleanup[0].interrupt()
    cleanup.append(publish(edge.publish_url(wedding), Picture(0), tmp_path, "main again"))
    watched.go_on(*everywhere)
    assert [watched.picture(number, "program", 2) for number in (0, 1)] == [0, 0]
    assert not cleanup[2].ended
    cluster.stop()
