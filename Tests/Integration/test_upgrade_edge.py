"""An edge of a cluster over an upgrade: what others see of what its process before still has."""

from pathlib import Path

from support.cluster import Cluster
from support.cluster_watch import publish, sequences
from support.processes import Process, wait_until


def test_publishers_of_the_process_before_count_until_they_have_gone(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge = cluster.edges[0]
    publisher = publish(edge, "kept", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, "kept")) >= 2, "on the air", alive=[publisher])

    def told(field: str) -> str:
        return cluster.redis.ask("hget", "wl:node:{edge-1}", field)

    before = told("incarnation")
    wait_until(lambda: told("publishers") == "1", "it is counted", alive=[publisher])
    edge.upgrade()
    wait_until(lambda: told("incarnation") not in ("", before), "the new process is the node")
    metric = "wedlive_elder_rtmp_connections"
    wait_until(lambda: edge.metrics()[metric] == 1, "it asks", alive=[publisher])
    wait_until(lambda: told("publishers") == "1", "it is counted still", alive=[publisher])
    wait_until(lambda: int(told("bitrate_in")) > 50_000, "with what it sends", alive=[publisher])
    publisher.stop()
    wait_until(lambda: told("publishers") == "0", "it is gone")
