"""Cameras of a cluster's wedding that were removed, and publishers that were sent away, stay away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cameras import Cameras, Picture, publish
from support.cluster import Cluster
from support.cluster_watch import Viewer
from support.node import Node
from support.processes import Process, wait_until

WEDDING = "fewer"


class Ceremony:
    """A wedding of several cameras, whose program is watched at both edges."""

    def __init__(self, cluster: Cluster, folder: Path, cleanup: list[Process]) -> None:
        self.cluster, self.folder, self.cleanup = cluster, folder, cleanup
        self.cameras = Cameras(cluster.edges[0], WEDDING)
        #: What the API has said of each camera, and who publishes it.
        self.added: dict[str, dict[str, str]] = {}
        self.publishers: dict[str, Process] = {}
        self.viewers: list[Viewer] = []

    def add(self, name: str, edge: Node) -> str:
        """Adds a camera, and publishes it."""
        self.added[name] = self.cameras.add(name)
        self.publish(name, edge)
        camera = self.added[name]["camera_id"]
        wait_until(lambda: self.cameras.status(camera) == "live", f"{name} is live", limit=20)
        return camera

    def publish(self, name: str, edge: Node) -> Process:
        key = self.added[name]["stream_key"]
        url = f"{edge.publish_url(WEDDING).rpartition('/')[0]}/{key}"
        number = list(self.added).index(name) + 1
        process = publish(url, Picture(number), self.folder, f"{name}-{len(self.cleanup)}")
        self.cleanup.append(process)
        self.publishers[name] = process
        return process

    def watch(self) -> None:
        for edge in self.cluster.edges:
            url = f"{edge.base}/hls/{WEDDING}/program/source/index.m3u8"
            wait_until(
                lambda edge=edge, url=url: edge.client().get(url).text.count("#EXTINF") > 2,
                "the program is on air",
            )
        self.viewers = [Viewer(edge, WEDDING, "program/source") for edge in self.cluster.edges]

    def goes_on(self, what: str) -> None:
        newest = max(each.newest for each in self.viewers)
        wait_until(lambda: all(each.newest > newest + 4 for each in self.viewers), what, limit=20)

    def owner(self, camera: str) -> str:
        return self.cluster.redis.ask("hget", f"wl:stream:{{{WEDDING}}}/{camera}", "owner")

    @property
    def homes(self) -> set[str]:
        """Where the wedding, its program, and all cameras that publish now are."""
        live = [each for each, process in self.publishers.items() if not process.ended]
        names = [self.added[each]["camera_id"] if each != "main" else each for each in live]
        home = self.cluster.redis.ask("get", f"wl:home:{{{WEDDING}}}")
        return {home, *(self.owner(each) for each in ["program", *names])}


@pytest.fixture
def ceremony(make_node: MakeNode, cleanup: list[Process], tmp_path: Path) -> Iterator[Ceremony]:
    cluster = Cluster(tmp_path, make_node, origins=2, edges=2)
    made = Ceremony(cluster, tmp_path, cleanup)
    main = publish(cluster.edges[0].publish_url(WEDDING), Picture(0), tmp_path, "main")
    cleanup.append(main)
    made.publishers["main"] = main
    wait_until(lambda: made.cameras.ask("GET", f"cameras/{WEDDING}").status == 200, "it is known")
    yield made
    for each in made.viewers:
        each.stop()
    cluster.stop()


@pytest.mark.timeout(240)
def test_who_was_sent_away_takes_nothing_along(ceremony: Ceremony) -> None:
    first, second = ceremony.cluster.edges
    altar = ceremony.add("altar", second)
    choir = ceremony.add("choir", first)
    ceremony.watch()
    ceremony.cameras.switch(altar)
    ceremony.goes_on("the altar is shown")
    [home] = ceremony.homes
    program = f"wl:stream:{{{WEDDING}}}/program"
    epoch = ceremony.cluster.redis.ask("hget", program, "epoch")
    origin = ceremony.cluster.origins[int(home.removeprefix("origin-")) - 1]

    # The one that is shown is removed.
    ceremony.cameras.remove(altar)
    wait_until(lambda: ceremony.publishers["altar"].ended, "its publisher is sent away", limit=10)
    ceremony.goes_on("another one is shown")
    assert ceremony.cameras.active != altar
    assert ceremony.owner(altar) == home
    # Another one's publisher is dropped, and may come back.
    dropped = origin.admin(f"/control/drop/publisher?app=live&name={WEDDING}/{choir}")
    assert dropped.text == "1\n"
    wait_until(lambda: ceremony.publishers["choir"].ended, "it is dropped", limit=10)
    assert ceremony.owner(choir) == home

    # Those that come later are where the others are, whichever edge they come to.
    ceremony.publish("choir", second)
    wait_until(lambda: ceremony.cameras.status(choir) == "live", "it is back", limit=20)
    for name, edge in (("late", first), ("later", second)):
        camera = ceremony.add(name, edge)
        wait_until(lambda: ceremony.homes == {home}, f"{name} is where the others are")
        ceremony.cameras.switch(camera)
        ceremony.goes_on(f"{name} is shown")
    wait_until(lambda: ceremony.homes == {home}, "all are in one place")
    again = ceremony.publish("altar", first)
    wait_until(lambda: again.ended, "the key of the one that was removed is refused", limit=20)
    assert "this camera was removed" in origin.log.read_text()
    ceremony.goes_on("it goes on")
    for each in ceremony.viewers:
        each.stop()
        print(f"{each.longest:.2f} s between two new segments")
        assert each.bad == []
        assert each.longest < 6
    assert ceremony.cluster.redis.ask("hget", program, "epoch") == epoch
    live = [each for name, each in ceremony.publishers.items() if name != "altar"]
    assert not any(each.ended for each in live)


@pytest.mark.timeout(240)
def test_a_removed_camera_stays_so_where_redis_has_lost_all(ceremony: Ceremony) -> None:
    first, second = ceremony.cluster.edges
    altar = ceremony.add("altar", second)
    choir = ceremony.add("choir", first)
    ceremony.watch()
    ceremony.cameras.remove(altar)
    wait_until(lambda: ceremony.publishers["altar"].ended, "its publisher is sent away", limit=10)
    ceremony.goes_on("it goes on")
    redis = ceremony.cluster.redis
    assert redis.ask("flushall") == "OK"
    # All read the wedding's cameras anew.
    ceremony.cameras.switch(choir)
    for edge in (first, second):
        again = ceremony.publish("altar", edge)
        wait_until(lambda again=again: again.ended, "its key is refused", limit=20)
    kept = f"wl:cameras:{{{WEDDING}}}"
    wait_until(lambda: redis.ask("hexists", kept, f"removed:{altar}") == "1", "Redis is told")
    assert redis.ask("hexists", kept, f"order:{altar}") == "0"
    assert redis.ask("hexists", kept, f"order:{choir}") == "1"
    for origin in ceremony.cluster.origins:
        known = [each["camera_id"] for each in Cameras(origin, WEDDING).list()["cameras"]]
        assert choir in known
        assert altar not in known
    ceremony.goes_on("it goes on")
    assert ceremony.cameras.active == choir
    assert not any(ceremony.publishers[name].ended for name in ("main", "choir"))
