"""Nodes whose clocks on the wall differ: what they ask of each other, and what viewers see."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.clocks import Clocks
from support.cluster import Cluster
from support.cluster_watch import Viewer, date_jumps, owner, owner_name, publish, sequences
from support.http import Client
from support.processes import Process, wait_until


@pytest.fixture(params=[5, 59])
def cluster(
    make_node: MakeNode, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Cluster]:
    """Its first origin is ahead, its second behind; so are its edges."""
    clocks = Clocks(tmp_path)
    if not clocks.can:
        pytest.skip("there is no C compiler")
    made = Cluster(tmp_path, make_node, 0, 0)
    ahead, behind = clocks.ahead(request.param), clocks.ahead(-request.param)
    made.origins = [
        made.add("origin", f"origin-{number}", place)
        for number, place in enumerate((ahead, behind), 1)
    ]
    made.edges = [
        made.add("edge", f"edge-{number}", place) for number, place in enumerate((behind, ahead), 1)
    ]
    yield made
    made.stop()


@pytest.mark.interop
@pytest.mark.parametrize("redis", ["there", "away"])
def test_nodes_with_other_clocks_are_one_cluster(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path, redis: str
) -> None:
    publisher = publish(cluster.edges[0], "clocks", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(cluster.edges[1], "clocks")) >= 4, "live", alive=[publisher])
    viewers = [Viewer(each, "clocks") for each in cluster.edges]
    wait_until(lambda: all(each.segments >= 4 for each in viewers), "both see it")
    for node in [*cluster.origins, *cluster.edges]:
        nodes = json.loads(Client().get(f"http://127.0.0.1:{node.ports['admin']}/api/nodes").text)
        assert [each["status"] for each in nodes["nodes"]] == ["usable"] * 4
    # Calls of the API go on to an origin, whose clock is another.
    for edge in cluster.edges:
        answer = edge.client().get(f"{edge.base}/api/streams/playback/clocks")
        assert '"is_live":true' in answer.text, answer
    first = owner(cluster, "clocks")
    if redis == "away":
        cluster.redis.kill()
        newest = viewers[0].newest
        wait_until(lambda: viewers[0].newest > newest + 2, "it goes on", alive=[publisher])
    first.kill()
    newest = viewers[0].newest
    wait_until(
        lambda: all(each.newest > newest + 6 for each in viewers), "it goes on", alive=[publisher]
    )
    # Dates are by the clock of the first origin: the next one goes on from what was listed last.
    jumps = date_jumps(cluster.edges[1], "clocks")
    for each in viewers:
        each.stop()
    if redis == "away":
        cluster.redis.start()
    wait_until(
        lambda: owner_name(cluster, "clocks") not in ("", first.settings["WEDLIVE_NODE_ID"]),
        "the next one has it",
    )
    print(f"Redis {redis}: {[round(each, 2) for each in jumps]}")
    assert max(map(abs, jumps)) < 0.2
    for each in viewers:
        assert each.bad == []
        assert len(each.breaks) <= 1
        assert each.longest < 6
