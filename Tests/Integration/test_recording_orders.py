"""What was ordered of a stream goes along with it, to whichever process or node has it next."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import MakeNode

from support.cluster import Cluster
from support.cluster_watch import owner, owner_name, publish, sequences
from support.node import Node
from support.processes import Process, gone, wait_until

WEDDING = "ordered"
ORDERED = {
    "WEDLIVE_ACCESS_WATCH": "public",
    "WEDLIVE_RECORDING_ENABLED": "false",
    "WEDLIVE_STREAMS_RECONNECT_WINDOW": "2s",
    "WEDLIVE_STREAMS_FRAGMENT": "1s",
}


def call(node: Node, verb: str, **more: str) -> tuple[int, dict[str, Any]]:
    headers = {
        "Authorization": f"Bearer {node.token('service', WEDDING)}",
        "Content-Type": "application/json",
    }
    body = json.dumps({"wedding_id": WEDDING, **more}).encode()
    path = f"{node.base}/api/streams/recording/{verb}"
    answer = node.client().get(path, headers, "POST", body)
    return answer.status, json.loads(answer.text)


def recordings(node: Node) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {node.token('service', WEDDING)}"}
    answer = node.client().get(f"{node.base}/api/streams/recordings/{WEDDING}", headers)
    listed = json.loads(answer.text)["recordings"]
    assert isinstance(listed, list)
    return listed


def records(node: Node, name: str) -> bool:
    """Whether a node of that name makes a recording by now, as another one sees it."""
    return any(
        each["node"] == name and each["state"] == "recording" and each["duration"] > 1
        for each in recordings(node)
        if each["reachable"]
    )


@pytest.mark.parametrize("how", ["kill", "upgrade"])
def test_an_order_goes_along_with_its_stream(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path, how: str
) -> None:
    cluster = Cluster(tmp_path, lambda **own: make_node(**{**own, **ORDERED}), origins=2, edges=1)
    (edge,) = cluster.edges
    publisher = publish(edge, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, WEDDING)) > 2, "it is on the air", alive=[publisher])
    first, name = owner(cluster, WEDDING), owner_name(cluster, WEDDING)
    status, answer = call(edge, "start")
    assert status == 200, answer
    wait_until(lambda: records(edge, name), "it is recorded", alive=[publisher])
    if how == "kill":
        first.kill()
        (second,) = (node for node in cluster.origins if node is not first)
        name = f"origin-{cluster.origins.index(second) + 1}"
    else:
        second = first
        before = first.upgrade()
        wait_until(lambda: gone(before), "the process before has ended")
    begun = {each["recording_id"] for each in answer["recordings"]}
    wait_until(
        lambda: [
            each
            for each in recordings(second)
            if each["recording_id"] not in begun
            and each["node"] == name
            and each["state"] == "recording"
            and each["duration"] > 2
        ],
        "what comes there is recorded",
        alive=[publisher],
    )
    status, answer = call(edge, "stop")
    assert status == 200, answer
    assert len(answer["recordings"]) == 1, answer
    stopped = answer["recordings"][0]["recording_id"]

    def state() -> str:
        return next(
            str(each["state"]) for each in recordings(second) if each["recording_id"] == stopped
        )

    wait_until(lambda: state() != "recording", "it is over", alive=[publisher])
    assert cluster.redis.ask("get", f"wl:order:{{{WEDDING}}}/main") == "0"
    publisher.interrupt()
    # With the stream's end the order is over.
    wait_until(
        lambda: cluster.redis.ask("exists", f"wl:order:{{{WEDDING}}}/main") == "0",
        "nothing is ordered any more",
    )
    cluster.stop()


def test_an_order_is_done_by_the_origin_where_the_stream_begins(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path, lambda **own: make_node(**{**own, **ORDERED}), origins=2, edges=1)
    (edge,) = cluster.edges
    asked, other = cluster.origins
    status, answer = call(asked, "start", camera_id="program")
    assert (status, answer["error"]["code"]) == (400, "bad_name"), answer
    status, answer = call(asked, "start", camera_id="nobodys")
    assert (status, answer["error"]["code"]) == (404, "no_camera"), answer
    status, answer = call(asked, "start")
    assert status == 202, answer
    assert "recorded when it begins" in answer["message"]
    asked.stop()
    publisher = publish(edge, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: records(other, "origin-2"), "it is recorded", alive=[publisher])
    cluster.stop()


def test_an_order_holds_over_an_upgrade_and_a_start_anew(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    # For as long after the end of what was recorded the next publisher may take to come: with the
    # stream's end the order is over.
    node = make_node(**{**ORDERED, "WEDLIVE_STREAMS_RECONNECT_WINDOW": "10s"})
    status, answer = call(node, "start")
    assert status == 202, answer
    before = node.upgrade()
    wait_until(lambda: gone(before), "the process before has ended")
    publisher = publish(node, WEDDING, tmp_path)
    cleanup.append(publisher)
    wait_until(
        lambda: [each["state"] for each in recordings(node)] == ["recording"],
        "it is recorded by the process that was not asked",
        alive=[publisher],
    )
    node.kill()
    node.start()
    wait_until(
        lambda: "recording" not in [each["state"] for each in recordings(node)],
        "what was recorded until then is over",
    )
    publisher = publish(node, WEDDING, tmp_path, "again")
    cleanup.append(publisher)
    wait_until(
        lambda: "recording" in [each["state"] for each in recordings(node)],
        "it is recorded by the node that was started again",
        alive=[publisher],
    )
    status, answer = call(node, "stop")
    assert status == 200, answer
