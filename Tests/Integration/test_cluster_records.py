"""What nodes of a cluster keep together: keys of streams, locked weddings, cameras."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cameras import Cameras, Picture
from support.cameras import publish as publish_camera
from support.cluster import Cluster
from support.http import Response
from support.media import Source
from support.node import Node
from support.processes import Process, wait_until
from support.publishers import ffmpeg5

WEDDING = "kept"
PLAYLIST = f"/hls/{WEDDING}/main/source/index.m3u8"
KEY = re.compile(r'#EXT-X-KEY:METHOD=AES-128,URI="([^"?]+)\?token=[^"]+"')


@pytest.fixture
def cluster(make_node: MakeNode, tmp_path: Path) -> Iterator[Cluster]:
    settings = {
        "WEDLIVE_ACCESS_WATCH": "token",
        "WEDLIVE_ENCRYPTION_FRAGMENTS_PER_KEY": "2",
        "WEDLIVE_STREAMS_FRAGMENT": "1s",
        "WEDLIVE_STREAMS_WINDOW": "30s",
    }

    def make(**given: str) -> Node:
        return make_node(**{**given, **settings})

    made = Cluster(tmp_path, make, origins=2, edges=2)
    yield made
    made.stop()


def get(node: Node, path: str, token: str) -> Response:
    return node.client().get(f"{node.base}{path}?token={token}")


def publish(node: Node, folder: Path) -> Process:
    source = Source(seconds=400, gop=30, rate=30)
    return ffmpeg5(node.publish_url(WEDDING), source, node.certificates, folder)


def listed(node: Node, token: str) -> dict[str, str]:
    """The segments that its playlist lists, each with the address of its key."""
    answer = get(node, PLAYLIST, token)
    segments: dict[str, str] = {}
    key = ""
    for line in answer.text.splitlines() if answer.status == 200 else []:
        if match := KEY.match(line):
            key = match[1]
        elif line and not line.startswith("#"):
            segments[line.partition("?")[0]] = key
    return segments


def fetch(node: Node, token: str, name: str) -> bytes:
    answer = get(node, PLAYLIST.replace("index.m3u8", name), token)
    assert answer.status == 200, f"{name}: {answer}"
    return answer.body


def decrypts(node: Node, token: str, name: str, key: str, segment: bytes) -> None:
    """Fetches a segment's key, and checks that it opens it."""
    answer = get(node, key, token)
    assert (answer.status, len(answer.body)) == (200, 16), f"{name}: {answer}"
    vector = f"{int(name.partition('-')[0]):032x}"
    words = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", answer.body.hex(), "-iv", vector]
    plain = subprocess.run(words, input=segment, capture_output=True, check=True).stdout
    assert len(plain) % 188 == 0
    assert plain[::188].strip(b"G") == b""


def owner(cluster: Cluster) -> Node:
    name = cluster.redis.ask("hget", f"wl:stream:{{{WEDDING}}}/main", "owner")
    return cluster.origins[int(name.removeprefix("origin-")) - 1]


def test_what_a_dead_origin_has_encrypted_can_still_be_seen(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge, other = cluster.edges
    publisher = publish(edge, tmp_path)
    cleanup.append(publisher)
    token = edge.token("watch", WEDDING)
    wait_until(
        lambda: len(set(listed(other, token).values())) >= 3, "three keys", alive=[publisher]
    )
    first = owner(cluster)
    before = listed(other, token)
    # What a player has in its buffer; it asks for the keys later.
    segments = {name: fetch(other, token, name) for name in list(before)[-4:]}
    newest = int(list(before)[-1].partition("-")[0])
    first.kill()

    def has_gone_on() -> bool:
        names = list(listed(other, token))
        return bool(names) and int(names[-1].partition("-")[0]) > newest + 5

    wait_until(has_gone_on, "it goes on", alive=[publisher])
    assert owner(cluster) is not first
    after = listed(other, token)
    segments |= {name: fetch(other, token, name) for name in list(after)[-4:]}
    assert len(segments) == 8
    for name, segment in segments.items():
        decrypts(other, token, name, (before | after)[name], segment)
    stored = "".join(
        cluster.redis.ask("hget", key, "sealed")
        for key in cluster.redis.ask("keys", "wl:key:*").split()
    )
    assert stored
    raw = get(other, next(iter(before.values())), token).body
    assert raw.hex() not in stored.encode().hex()


def test_keys_are_had_whose_origin_died_while_redis_was_away(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge, other = cluster.edges
    publisher = publish(edge, tmp_path)
    cleanup.append(publisher)
    token = edge.token("watch", WEDDING)

    def known() -> set[str]:
        return set(listed(other, token).values())

    wait_until(lambda: len(known()) >= 2, "two keys", alive=[publisher])
    first = owner(cluster)
    old = known()
    cluster.redis.kill()
    wait_until(lambda: len(known() - old) >= 2, "two more", alive=[publisher])
    before = listed(other, token)
    segments = {name: fetch(other, token, name) for name in before}
    newest = int(list(before)[-1].partition("-")[0])
    first.kill()

    def has_gone_on() -> bool:
        names = list(listed(other, token))
        return bool(names) and int(names[-1].partition("-")[0]) > newest

    wait_until(has_gone_on, "it goes on", alive=[publisher])

    def all_decrypt() -> None:
        after = listed(other, token)
        assert set(before) & set(after)
        fetched = segments | {name: fetch(other, token, name) for name in after}
        for name, segment in fetched.items():
            decrypts(other, token, name, (before | after)[name], segment)

    all_decrypt()
    # What is back has never heard of the dead origin's last keys.
    cluster.redis.start()
    lease = f"wl:stream:{{{WEDDING}}}/main"
    wait_until(
        lambda: cluster.redis.ask("exists", lease) == "1", "Redis is told of it", alive=[publisher]
    )
    all_decrypt()


def change(node: Node, what: str) -> int:
    headers = {"Authorization": f"Bearer {node.token('service', WEDDING)}"}
    url = f"{node.base}/api/streams/{WEDDING}/{what}"
    return node.client().get(url, headers, "POST").status


def test_a_wedding_is_locked_on_every_node(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge, other = cluster.edges
    publisher = publish(edge, tmp_path)
    cleanup.append(publisher)
    token = edge.token("watch", WEDDING)
    for node in cluster.edges:
        wait_until(lambda node=node: listed(node, token) != {}, "it is on the air")  # type: ignore[misc]

    nodes = [*cluster.edges, owner(cluster)]

    def statuses() -> set[int]:
        return {get(node, PLAYLIST, token).status for node in nodes}

    def become(status: int) -> float:
        start = time.monotonic()
        wait_until(lambda: get(other, PLAYLIST, token).status == status, f"{status} there")
        took = time.monotonic() - start
        wait_until(lambda: statuses() == {status}, f"{status} everywhere")
        return took

    assert statuses() == {200}
    assert change(edge, "lock") == 200
    assert become(403) < 1
    # What was locked stays so when nodes are new, and when Redis has lost it.
    other.kill()
    other.start()
    assert get(other, PLAYLIST, token).status == 403
    cluster.redis.kill()
    cluster.redis.start()
    wait_until(lambda: cluster.redis.ask("hexists", "wl:{locks}", WEDDING) == "1", "Redis is told")
    assert statuses() == {403}
    assert change(edge, "unlock") == 200
    assert become(200) < 1


def test_a_camera_of_one_origin_publishes_through_another(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    first, second = cluster.origins
    cameras = Cameras(first, WEDDING)
    added = cameras.add("Altar")
    camera = added["camera_id"]
    there = Cameras(second, WEDDING)
    start = time.monotonic()
    wait_until(lambda: camera in [c["camera_id"] for c in there.list()["cameras"]], "it is known")
    assert time.monotonic() - start < 1
    url = f"rtmp://localhost:{second.ports['rtmp']}/live/{added['stream_key']}"
    publisher = publish_camera(url, Picture(1), tmp_path, "altar")
    cleanup.append(publisher)
    wait_until(lambda: there.status(camera) == "live", "it is live", alive=[publisher])
    # Removed on the other one, its publisher is sent away, and its key opens nothing anywhere.
    cameras.remove(camera)
    wait_until(lambda: publisher.ended, "its publisher is sent away", limit=10)
    again = publish_camera(url, Picture(1), tmp_path, "again")
    cleanup.append(again)
    wait_until(lambda: again.ended, "its key is refused", limit=20)
    assert "this camera was removed" in second.log.read_text()
