"""What a cluster says of what nobody is left to tell."""

from support.cluster import Cluster
from support.processes import wait_until

#: What an edge can't answer by itself.
ASKED = (
    "/hls/never/index.m3u8",
    "/hls/never/main/index.m3u8",
    "/hls/never/main/source/index.m3u8",
    "/hls/never/main/source/7-0123456789abcdef.ts",
    "/api/streams/playback/never",
    "/watch/never",
)


def test_without_origins_an_edge_says_when_to_ask_again(cluster: Cluster) -> None:
    edge = cluster.edges[0]
    client = edge.client()
    wait_until(lambda: edge.metrics()["wedlive_edge_origins"] == 2, "it knows both")
    assert [client.get(edge.base + path).status for path in ASKED[:4]] == [404] * 4
    for origin in cluster.origins:
        origin.kill()
    wait_until(lambda: edge.metrics()["wedlive_edge_origins"] == 0, "it has lost both")
    for path in ASKED:
        answer = client.get(edge.base + path)
        assert answer.status == 503, f"{answer}: {answer.text}"
        assert int(answer.headers["retry-after"]) in range(1, 10), path
        assert answer.headers["cache-control"] == "no-store"
    cluster.origins[1].start()
    wait_until(
        lambda: [client.get(edge.base + path).status for path in ASKED[:4]] == [404] * 4,
        "there is somebody who knows that there is no such stream",
    )
    client.close()
