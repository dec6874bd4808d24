"""An edge that knows streams: its viewers get what the origin's get, and cost it nothing."""

import contextlib
import socket
import threading
import time
from pathlib import Path

import pytest
from conftest import MakeNode

from support.http import Client
from support.media import Source
from support.node import Node
from support.players import ffmpeg9_decodes
from support.processes import Process, wait_until
from support.publishers import ffmpeg5
from support.streams import wait_on_air

SECRETS = {
    "WEDLIVE_AUTH_SECRET": "the secret of all tokens in these tests",
    "WEDLIVE_CLUSTER_SECRET": "what all nodes of these tests know of each other",
}


def edge_of(make_node: MakeNode, origin: Node, **settings: str) -> Node:
    """An edge with that origin behind it."""
    return make_node(
        role="edge",
        **SECRETS,
        WEDLIVE_EDGE_UPSTREAMS=origin.base,
        WEDLIVE_EDGE_CA=str(origin.certificates.authority),
        **settings,
    )


def on_air(node: Node, wedding: str, folder: Path, token: str = "") -> Process:
    publisher = ffmpeg5(node.publish_url(wedding), Source(seconds=600), node.certificates, folder)
    if not token:
        wait_on_air(node, wedding, 3, publisher)
        return publisher

    def listed() -> bool:
        url = f"{node.base}/hls/{wedding}/main/source/index.m3u8?token={token}"
        return node.client().get(url).text.count("#EXTINF") >= 3

    wait_until(listed, f"{wedding} is on the air", alive=[publisher])
    return publisher


def media_url(node: Node, wedding: str, token: str = "") -> str:
    query = f"?token={token}" if token else ""
    master = node.client().get(node.master_url(wedding) + query)
    assert master.status == 200, master
    [line] = [line for line in master.text.splitlines() if line and not line.startswith("#")]
    return f"{node.base}{line}"


def segments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("watch", ["public", "token"])
def test_viewers_get_the_origins_playlists_and_segments(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path, watch: str
) -> None:
    origin = make_node(**SECRETS, WEDLIVE_ACCESS_WATCH=watch)
    edge = edge_of(make_node, origin, WEDLIVE_ACCESS_WATCH=watch)
    token = origin.token("watch", "live") if watch == "token" else ""
    cleanup.append(on_air(origin, "live", tmp_path, token))
    query = f"?token={token}" if token else ""
    assert ffmpeg9_decodes(edge.master_url("live") + query, 5, edge.certificates) >= 140
    here, there = edge.client(), origin.client()
    texts: list[tuple[str, str]] = []

    def same() -> bool:
        texts.append(
            (
                here.get(media_url(edge, "live", token)).text,
                there.get(media_url(origin, "live", token)).text,
            )
        )
        return texts[-1][0] == texts[-1][1]

    wait_until(same, "the edge has the origin's very playlist")
    for name in segments(texts[-1][0])[-3:]:
        path = f"/hls/live/main/source/{name}"
        answer = here.get(edge.base + path)
        assert answer.status == 200, answer
        assert answer.body == there.get(origin.base + path).body
    if token:
        assert here.get(edge.master_url("live")).status == 401
        name = segments(texts[-1][0])[-1].split("?")[0]
        assert here.get(f"{edge.base}/hls/live/main/source/{name}").status == 401


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.interop)])
def test_with_viewers_no_segment_is_a_miss(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path, count: int
) -> None:
    origin = make_node(**SECRETS, WEDLIVE_ACCESS_WATCH="public")
    edge = edge_of(make_node, origin, WEDLIVE_ACCESS_WATCH="public")
    cleanup.append(on_air(origin, "pushed", tmp_path))
    # Where the wedding's own playlist leads: its program, which is the only camera's.
    url = media_url(edge, "pushed")
    assert "/program/" in url
    folder, other = url.rsplit("/", 1)[0], f"{edge.base}/hls/pushed/main/source"
    client = edge.client()
    known = segments(client.get(url).text)
    for name in known:
        client.get(f"{folder}/{name}")
    sequence = int(known[-1].split("-")[0])
    fresh = 0
    while fresh < count:
        text = client.get(f"{url}?_HLS_msn={sequence + 1}").text
        newest = segments(text)[-1]
        assert int(newest.split("-")[0]) > sequence, "a held reload is answered with what is new"
        sequence = int(newest.split("-")[0])
        # On its way before anybody was told of it, at the camera's address and at the program's.
        for place in (folder, other):
            answer = client.get(f"{place}/{newest}")
            assert answer.status == 200
            assert answer.headers["x-cache-status"] == "HIT", place
        fresh += 1
    assert edge.metrics()["wedlive_edge_live_pushed_total"] >= fresh


def test_a_hundred_viewers_of_a_new_stream_cost_one_question(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    origin = make_node(**SECRETS, WEDLIVE_ACCESS_WATCH="public")
    edge = edge_of(make_node, origin, WEDLIVE_ACCESS_WATCH="public")
    cleanup.append(on_air(origin, "crowd", tmp_path))
    url = media_url(origin, "crowd").replace(origin.base, edge.base)
    answers: list[int] = []

    def watch() -> None:
        client = edge.client()
        answers.append(client.get(url).status)

    crowd = [threading.Thread(target=watch) for _ in range(100)]
    for viewer in crowd:
        viewer.start()
    for viewer in crowd:
        viewer.join()
    assert answers == [200] * 100
    assert edge.metrics()["wedlive_edge_live_streams"] <= 2


def test_what_nobody_publishes_is_404_and_begins_when_it_does(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    origin = make_node(**SECRETS, WEDLIVE_ACCESS_WATCH="public")
    edge = edge_of(make_node, origin, WEDLIVE_ACCESS_WATCH="public")
    client = edge.client()
    assert client.get(edge.master_url("later")).status == 404
    cleanup.append(on_air(origin, "later", tmp_path))
    wait_until(lambda: client.get(edge.master_url("later")).status == 200, "the edge has it, too")


def test_an_origin_that_dies_takes_nothing_from_viewers_that_the_edge_has(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    origin = make_node(**SECRETS, WEDLIVE_ACCESS_WATCH="public")
    edge = edge_of(make_node, origin, WEDLIVE_ACCESS_WATCH="public")
    cleanup.append(on_air(origin, "lost", tmp_path))
    url = media_url(edge, "lost")
    client = edge.client()
    before = client.get(url).text
    names = segments(before)
    for name in names:
        assert client.get(f"{edge.base}/hls/lost/main/source/{name}").status == 200
    origin.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        answer = client.get(url)
        assert answer.status == 200
        newest = int(segments(answer.text)[-1].split("-")[0])
        assert newest >= int(names[-1].split("-")[0])
        for name in names[-2:]:
            assert client.get(f"{edge.base}/hls/lost/main/source/{name}").status == 200
        time.sleep(0.2)


def test_who_may_not_watch_costs_no_origin_anything(make_node: MakeNode) -> None:
    origin = make_node(**SECRETS, WEDLIVE_ACCESS_WATCH="token")
    edge = edge_of(make_node, origin, WEDLIVE_ACCESS_WATCH="token")
    client = edge.client()
    for number in range(50):
        for camera in ("", "main/source/"):
            url = f"{edge.base}/hls/nobody-{number}/{camera}index.m3u8"
            assert client.get(url).status == 401
    assert edge.metrics()["wedlive_edge_live_streams"] == 0
    assert edge.metrics()["wedlive_edge_live_failures_total"] == 0


def test_an_edge_with_too_many_names_says_so(make_node: MakeNode) -> None:
    # It takes connections, and never answers.
    silent = socket.create_server(("127.0.0.1", 0))
    edge = make_node(
        role="edge",
        **SECRETS,
        WEDLIVE_EDGE_UPSTREAMS=f"http://127.0.0.1:{silent.getsockname()[1]}",
        WEDLIVE_ACCESS_WATCH="public",
        WEDLIVE_EDGE_LIVE_UNANSWERED="10",
    )
    statuses: list[int] = []

    def ask(number: int) -> None:
        with contextlib.suppress(OSError):
            url = f"{edge.base}/hls/nobody-{number}/index.m3u8"
            statuses.append(Client(edge.tls(), timeout=2).get(url).status)

    asked = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for each in asked:
        each.start()
    wait_until(lambda: statuses.count(503) >= 20, "those beyond are told to try again")
    assert edge.metrics()["wedlive_edge_live_streams"] == 10
    assert edge.metrics()["wedlive_edge_live_refused_total"] >= 20
    for each in asked:
        each.join()
    silent.close()


def test_strangers_get_nothing_of_what_nodes_tell_each_other(make_node: MakeNode) -> None:
    origin = make_node(**SECRETS)
    client = origin.client()
    for path in ["/cluster/live/w/main", "/cluster/hls/w/main/source/1-a.ts", "/cluster/"]:
        assert client.get(origin.base + path).status == 403
        forged = {"Authorization": "Bearer 0000"}
        assert client.get(origin.base + path, forged).status == 403
