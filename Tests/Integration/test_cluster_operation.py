"""What a cluster tells its operator and those who ask its API: status, readiness, addresses."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import Cluster
from support.cluster_watch import Viewer, owner_name, publish, sequences
from support.node import Node
from support.processes import Process, run, wait_until
from support.rtmp import Connection, Refused


def removed(folder: Path) -> bool:
    """Removes a folder of a node that may be writing there; whether it is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def test_status_is_the_same_of_every_node(cluster: Cluster) -> None:
    for node in [*cluster.origins, *cluster.edges]:
        words = [node.binary, "status", "--node", f"127.0.0.1:{node.ports['admin']}"]

        def all_usable(words: list[object] = words) -> bool:
            nodes = json.loads(run([*words, "--json"]))["nodes"]
            roles = [each["role"] for each in nodes if each["status"] == "usable"]
            return sorted(roles) == ["edge", "edge", "origin", "origin"]

        wait_until(all_usable, "it sees four nodes")
        assert "origin-2" in run(words)


def test_an_edge_says_who_may_not_publish(cluster: Cluster) -> None:
    edge = cluster.edges[0]
    url = f"rtmp://localhost:{edge.ports['rtmp']}/live/{edge.token('watch', 'w1')}"
    with pytest.raises(Refused):
        Connection(url, publish=True)
    wait_until(lambda: edge.said("publish.refused"), "it says so")
    assert "for watch, not for publish" in edge.said("publish.refused")[0]["reason"]


def test_a_node_with_another_secret_is_told_of(cluster: Cluster) -> None:
    cluster.add("origin", "odd", WEDLIVE_CLUSTER_SECRET="another one than the others have")
    wait_until(
        lambda: any("cluster.secret" in line for line in cluster.origins[0].log.open()),
        "it says so",
    )


def test_a_node_with_another_secret_for_tokens_is_told_of(cluster: Cluster) -> None:
    odd = cluster.add("edge", "odd", WEDLIVE_AUTH_SECRET="another one than all others have")
    origin = cluster.origins[0]
    words = [odd.binary, "status", "--node", f"127.0.0.1:{origin.ports['admin']}"]
    said = "Another auth.secret than that of origin-1: at odd."
    wait_until(lambda: said in run(words), "it says so")
    nodes = json.loads(run([*words, "--json"]))["nodes"]
    assert [each["id"] for each in nodes if each["hasOtherSecret"]] == ["odd"]
    wait_until(
        lambda: any("auth.secret" in line and "at odd" in line for line in origin.log.open()),
        "the log does, too",
    )


def test_status_counts_viewers_and_not_connections(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge, other = cluster.edges
    publisher = publish(edge, "counted", tmp_path)
    cleanup.append(publisher)
    # Connections that ask for no stream are nobody who watches.
    idle = [other.client() for _ in range(5)]
    for client in idle:
        assert client.get(f"{other.base}/healthz").status == 200
    viewer = Viewer(edge, "counted")
    words = [edge.binary, "status", "--node", f"127.0.0.1:{other.ports['admin']}", "--json"]

    def counts() -> dict[str, int]:
        return {each["id"]: each["viewers"] for each in json.loads(run(words))["nodes"]}

    expected = {"edge-1": 1, "edge-2": 0, "origin-1": 0, "origin-2": 0}
    try:
        wait_until(lambda: counts() == expected, f"it says {expected}", alive=[publisher])
        assert edge.metrics()["wedlive_viewers"] == 1
    finally:
        viewer.stop()
    wait_until(lambda: counts()["edge-1"] == 0, "the viewer has gone", alive=[publisher])


def test_status_counts_publishers_where_they_are_and_where_their_streams_are(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge = cluster.edges[0]
    publisher = publish(edge, "counted", tmp_path)
    cleanup.append(publisher)
    words = [edge.binary, "status", "--node", f"127.0.0.1:{edge.ports['admin']}", "--json"]

    def counts() -> dict[str, tuple[int, bool]]:
        return {
            each["role"]: (each["publishers"], each["bitsInPerSecond"] > 100_000)
            for each in json.loads(run(words))["nodes"]
            if each["publishers"] > 0
        }

    expected = {"edge": (1, True), "origin": (1, True)}
    wait_until(lambda: counts() == expected, f"it says {expected}", alive=[publisher], limit=20)
    publisher.kill()
    wait_until(lambda: counts() == {}, "it has gone")


def test_an_edge_is_ready_once_it_has_known_an_origin(make_node: MakeNode, tmp_path: Path) -> None:
    made = Cluster(tmp_path, make_node, origins=0, edges=1)
    edge = made.edges[0]
    answer = edge.admin("/readyz")
    assert answer.status == 503
    assert "knows no origin yet" in answer.text
    # It lives, and the cluster has it.
    assert edge.admin("/healthz").status == 200
    words = [edge.binary, "status", "--node", f"127.0.0.1:{edge.ports['admin']}"]
    assert "No origin can be used" in run(words)
    origin = made.add("origin", "origin-1")
    wait_until(lambda: edge.admin("/readyz").status == 200, "it is ready with an origin")
    assert edge.client().get(f"{edge.base}/readyz").status == 200
    assert edge.metrics()["wedlive_edge_origins"] == 1
    assert "No origin can be used" not in run(words)
    # All edges have lost the same one: a balancer is to have some left.
    origin.kill()
    wait_until(lambda: edge.metrics()["wedlive_edge_origins"] == 0, "it knows that there is none")
    assert edge.said("no origin can be reached")
    assert edge.admin("/readyz").status == 200
    made.stop()


def test_an_origin_without_its_data_folder_is_the_last_choice(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge = cluster.edges[0]
    well, ill = cluster.origins
    words = [edge.binary, "status", "--node", f"127.0.0.1:{edge.ports['admin']}"]

    def seen() -> dict[str, object]:
        nodes = json.loads(run([*words, "--json"]))["nodes"]
        return next(each for each in nodes if each["id"] == "origin-2")

    kept = tmp_path / "kept"
    ill.data.rename(kept)
    wait_until(lambda: ill.admin("/readyz").status == 503, "it says so itself")
    # That something fails they may hear from itself, and what only from its record.
    said = f"The data folder {ill.data} can't be written"
    wait_until(lambda: said in str(seen()["fault"]), "the others know")
    assert seen()["status"] == "faulty"
    assert "origin-2: The data folder" in run(words)
    assert edge.metrics()['wedlive_cluster_nodes{status="faulty"}'] == 1
    # The other one has more to do with each of them.
    for number in range(3):
        publisher = publish(edge, f"w{number}", tmp_path, f"w{number}")
        cleanup.append(publisher)
        wait_until(lambda w=f"w{number}": sequences(edge, w), "it is on the air", alive=[publisher])
        assert owner_name(cluster, f"w{number}") == "origin-1"
    # Who can be taken is taken.
    well.kill()
    late = publish(edge, "late", tmp_path, "late")
    cleanup.append(late)
    wait_until(lambda: owner_name(cluster, "late") == "origin-2", "it is taken", alive=[late])
    kept.rename(ill.data)
    wait_until(lambda: seen()["status"] == "usable", "it is well again", alive=[late])
    assert seen()["fault"] is None


def test_an_edge_without_its_data_folder_is_ready_and_says_so(cluster: Cluster) -> None:
    edge, other = cluster.edges
    words = [other.binary, "status", "--node", f"127.0.0.1:{other.ports['admin']}"]
    wait_until(lambda: removed(edge.data), "its folder is gone")
    said = (200, "ready: the data folder can't be written; all goes on without it\n")

    def says() -> tuple[int, str]:
        answer = edge.client().get(f"{edge.base}/readyz")
        return answer.status, answer.text

    wait_until(lambda: says() == said, "it says so")
    wait_until(lambda: "edge-1: the data folder" in run(words), "the others know")
    assert "start it again" in run(words)
    assert "start it again" in json.loads(edge.admin("/api/status").text)["remark"]
    wait_until(lambda: edge.said("data folder not written"), "the log says it, too")


def test_publishers_and_viewers_are_sent_to_edges(cluster: Cluster) -> None:
    def credentials(node: Node, host: str = "localhost") -> dict[str, str]:
        answer = run(
            [
                "curl",
                "-sS",
                "--insecure",
                "--connect-to",
                f"{host}:443:127.0.0.1:{node.ports['https']}",
                "--oauth2-bearer",
                node.token("service", "sent"),
                "--json",
                '{"wedding_id": "sent"}',
                f"https://{host}/api/streams/credentials/generate",
            ]
        )
        answered = json.loads(answer)
        return {**answered["nginx_stream"], "rtmps_url": answered["rtmps_url"]}

    def ports(node: Node) -> tuple[int, int]:
        return node.ports["rtmp"], node.ports["rtmps"]

    edges = {ports(edge) for edge in cluster.edges}
    for edge in cluster.edges:
        rtmp, rtmps = ports(edge)
        # The name that the caller used, as the edge has none of its own.
        told = credentials(edge, "live.example")
        assert told["rtmp_url"] == f"rtmp://live.example:{rtmp}/live"
        assert told["rtmps_url"] == f"rtmps://live.example:{rtmps}/live"
        assert told["hls_playback_url"] == "https://live.example/hls/sent/index.m3u8"
    for origin in cluster.origins:
        told = credentials(origin)
        assert int(told["rtmp_url"].split(":")[2].split("/")[0]) in {rtmp for rtmp, _ in edges}
        web = int(told["hls_playback_url"].split(":")[2].split("/")[0])
        assert web in {edge.ports["https"] for edge in cluster.edges}
    # A balancer's name comes first; of an edge, for those who ask it.
    named = cluster.add(
        "edge", "edge-3", WEDLIVE_PUBLIC_HTTPS="watch.example", WEDLIVE_PUBLIC_RTMP="in.example:935"
    )
    told = credentials(named, "live.example")
    assert told["rtmp_url"] == "rtmp://in.example:935/live"
    assert told["rtmps_url"] == f"rtmps://live.example:{ports(named)[1]}/live"
    assert told["hls_playback_url"] == "https://watch.example/hls/sent/index.m3u8"


def test_admin_ports_name_what_they_have(cluster: Cluster) -> None:
    for node in [cluster.origins[0], cluster.edges[0]]:
        nothing = node.admin("/nowhere")
        assert nothing.status == 404
        words = json.loads(nothing.text)["error"]["message"].split("there is ")[1]
        paths = words.removesuffix(".").split()
        assert {"/", "/metrics", "/readyz", "/drain", "/api/nodes"} <= set(paths), paths
        for path in paths:
            # What changes something wants a POST, or names of what.
            missing = node.admin(path).status == 404
            assert missing == (path == "/control/"), path
        page = node.admin("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "wedlive status" in page.text
