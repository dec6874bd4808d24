"""A CDN is told what not to serve any more: by every cause, once at least, in order, whatever fails."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cdn import Moto, StrictCDN
from support.cluster import SECRETS, Cluster
from support.media import Source
from support.node import Node
from support.processes import Process, wait_until
from support.publishers import ffmpeg5
from support.streams import media_playlists

WEDDING = "ana-and-ben"
QUICK = {
    "WEDLIVE_STREAMS_RECONNECT_WINDOW": "2s",
    "WEDLIVE_ENCRYPTION_METHOD": "aes-128",
    "WEDLIVE_RECORDING_ENABLED": "true",
}


@pytest.fixture
def cdn() -> Iterator[StrictCDN]:
    made = StrictCDN()
    yield made
    made.stop()


def cluster(make: MakeNode, folder: Path, origins: int, **settings: str) -> Cluster:
    def node(**given: str) -> Node:
        return make(**{**given, **QUICK, **settings})

    return Cluster(folder, node, origins=origins, edges=0)


def call(node: Node, address: str, method: str = "POST", **body: str) -> tuple[int, dict]:
    headers = {
        "Authorization": f"Bearer {node.token('service', WEDDING)}",
        "Content-Type": "application/json",
    }
    raw = json.dumps(body).encode() if body else None
    answer = node.client().get(f"{node.base}/api/streams/{address}", headers, method, raw)
    return answer.status, json.loads(answer.text)


def purge(node: Node, wedding: str, **body: str) -> None:
    status, answer = call(node, f"{wedding}/purge", **body)
    assert status == 202, answer


def queue(node: Node) -> dict:
    status, answer = call(node, "purges", "GET")
    assert status == 200, answer
    return answer


def publish(node: Node, folder: Path) -> Process:
    source = Source(seconds=300, gop=30, rate=30)
    publisher = ffmpeg5(node.publish_url(WEDDING), source, node.certificates, folder)
    wait_until(lambda: media_playlists(node, WEDDING), "it is live", alive=[publisher])
    return publisher


def cause_all(node: Node, folder: Path) -> str:
    """Everything that makes objects wrong, in this order; the name of the recording deleted."""
    publisher = publish(node, folder)
    assert call(node, f"keys/rotate/{WEDDING}")[0] == 200
    assert call(node, f"{WEDDING}/lock")[0] == 200
    assert call(node, f"{WEDDING}/unlock")[0] == 200
    purge(node, WEDDING, path=f"/hls/{WEDDING}/main/index.m3u8")
    publisher.stop()

    def finished() -> list[dict]:
        _, answer = call(node, f"recordings/{WEDDING}", "GET")
        return [each for each in answer["recordings"] if each["state"] == "completed"]

    wait_until(finished, "it is recorded")
    wait_until(lambda: node.metrics()[ENDED] == 1, "it has ended")
    recording = finished()[0]["recording_id"]
    assert call(node, f"recordings/{recording}", "DELETE")[0] == 200
    return recording


ENDED = 'wedlive_events_total{event="stream.ended"}'


@pytest.mark.parametrize("kind", ["cloudfront", "cloudflare", "fastly", "http"])
def test_each_cause_purges(kind: str, make_node: MakeNode, cdn: StrictCDN, tmp_path: Path) -> None:
    made = cluster(make_node, tmp_path, 1, **cdn.settings(kind))
    origin = made.origins[0]
    recording = cause_all(origin, tmp_path)
    wait_until(lambda: queue(origin)["sent"] == 5, "all are sent")
    folder, path = f"/hls/{WEDDING}/", f"/hls/{WEDDING}/main/index.m3u8"
    host = "live.example"
    recorded = f"{folder}recordings/{recording}/"
    expected = {
        # Rotated, locked, the call, ended, deleted.
        "cloudfront": [f"{folder}*", path, f"{folder}*", f"{recorded}*"],
        "cloudflare": [
            f"tags {WEDDING}",
            f"files https://{host}{path}",
            f"tags {WEDDING}",
            f"prefixes {host}{recorded}",
        ],
        "fastly": [
            f"soft {WEDDING}",
            f"hard {WEDDING}",
            f"hard {host}{path}",
            f"soft {WEDDING}",
            f"hard {WEDDING}",
        ],
        "http": [
            f"soft PURGE /tags/{WEDDING} {WEDDING}",
            f"PURGE /tags/{WEDDING} {WEDDING}",
            f"PURGE {path}",
            f"soft PURGE /tags/{WEDDING} {WEDDING}",
            f"BAN {recorded}",
        ],
    }[kind]
    done = cdn.done()
    # Where a CDN knows no soft purge, the first two are the same, and sent once or twice.
    if done[:2] == [done[0]] * 2:
        done = done[1:]
    assert done == expected
    assert [each for each in cdn.calls() if "error" in each] == []
    seen = queue(origin)
    assert (seen["provider"], seen["node"], seen["queued"], seen["failed"], seen["failures"]) == (
        kind,
        "origin-1",
        0,
        0,
        [],
    )
    told = made.redis.ask("xrange", "wl:invalidations", "-", "+")
    words = told.split("\n")
    found = [words[index + 1] for index, word in enumerate(words) if word == "what"]
    assert found == [WEDDING, WEDDING, path, WEDDING, recorded]
    made.stop()


def test_cloudfront_as_others_play_it(make_node: MakeNode, tmp_path: Path) -> None:
    moto = Moto()
    made = cluster(make_node, tmp_path, 1, **moto.settings)
    recording = cause_all(made.origins[0], tmp_path)
    wait_until(lambda: queue(made.origins[0])["sent"] == 5, "all are sent")
    folder = f"/hls/{WEDDING}/"
    assert set(moto.paths()) == {
        f"{folder}*",
        f"{folder}main/index.m3u8",
        f"{folder}recordings/{recording}/*",
    }
    made.stop()
    moto.stop()


def numbered(wedding: str, count: int) -> list[str]:
    return [f"/hls/{wedding}/{number}" for number in range(count)]


def test_another_node_sends_what_a_killed_one_has_queued(
    make_node: MakeNode, cdn: StrictCDN, tmp_path: Path
) -> None:
    made = cluster(make_node, tmp_path, 2, **cdn.settings("cloudfront"))
    purge(made.origins[0], WEDDING)
    wait_until(lambda: queue(made.origins[1])["sent"] == 1, "somebody does them")
    name = queue(made.origins[1])["node"]
    holder, other = made.origins if name == "origin-1" else reversed(made.origins)
    before = len(cdn.done())
    # It sends, and is never answered.
    cdn.fail({"hang": 60})
    paths = numbered(WEDDING, 20)
    for path in paths:
        purge(holder, WEDDING, path=path)
    wait_until(lambda: any(each.get("fault") for each in cdn.calls()), "one is under way")
    holder.kill()
    cdn.fail()
    wait_until(lambda: queue(other)["queued"] == 0, "the other one sends them")
    # In their order, if some more than once.
    done = list(dict.fromkeys(cdn.done()[before:]))
    assert done == paths
    assert queue(other)["node"] == other.settings["WEDLIVE_NODE_ID"]
    assert queue(other)["sent"] == 21
    made.stop()


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "count": 4, "headers": {"Retry-After": "1"}},
        {"status": 500, "count": 4},
        {"hang": 5, "count": 2},
    ],
    ids=["429", "500", "silence"],
)
def test_a_cdn_in_trouble_is_asked_again(
    fault: dict, make_node: MakeNode, cdn: StrictCDN, tmp_path: Path
) -> None:
    cdn.fail(fault)
    made = cluster(make_node, tmp_path, 1, **cdn.settings("fastly"))
    origin = made.origins[0]
    paths = numbered(WEDDING, 10)
    for path in paths:
        purge(origin, WEDDING, path=path)
    wait_until(lambda: queue(origin)["sent"] == 10, "all are sent")
    assert cdn.done() == [f"hard live.example{path}" for path in paths]
    calls = cdn.calls()
    failed = [each["time"] for each in calls if each.get("fault")]
    assert len(failed) == fault["count"]
    assert queue(origin)["last_error"]
    if fault.get("status") == 429:
        # It is left alone for as long as it asks.
        times = [each["time"] for each in calls]
        assert min(times[place + 1] - times[place] for place in range(4)) >= 1
    made.stop()


def test_purges_wait_for_redis_and_outlive_the_node(
    make_node: MakeNode, cdn: StrictCDN, tmp_path: Path
) -> None:
    made = cluster(make_node, tmp_path, 1, **cdn.settings("cloudflare"))
    origin = made.origins[0]
    made.redis.kill()
    paths = numbered(WEDDING, 3)
    for path in paths:
        purge(origin, WEDDING, path=path)
    assert origin.metrics()['wedlive_purges_total{reason="api",result="kept"}'] == 3
    origin.kill()
    made.redis.start()
    origin.start()
    wait_until(lambda: len(cdn.done()) == 3, "they are sent")
    assert cdn.done() == [f"files https://live.example{path}" for path in paths]
    wait_until(lambda: queue(origin)["waiting_here"] == 0, "none is left")
    made.stop()


def test_a_node_by_itself_keeps_its_purges(
    make_node: MakeNode, cdn: StrictCDN, tmp_path: Path
) -> None:
    cdn.fail({"status": 503})
    node = make_node(**SECRETS, **QUICK, **cdn.settings("http"))
    paths = numbered(WEDDING, 5)
    for path in paths:
        purge(node, WEDDING, path=path)
    wait_until(lambda: queue(node)["last_error"], "it was tried")
    node.kill()
    cdn.fail()
    node.start()
    wait_until(lambda: queue(node)["queued"] == 0, "they are sent")
    assert cdn.done() == [f"PURGE {path}" for path in paths]
    assert queue(node)["sent"] == 5


def test_what_is_wrong_is_said(make_node: MakeNode, cdn: StrictCDN, tmp_path: Path) -> None:
    node = make_node(**SECRETS)
    status, answer = call(node, f"{WEDDING}/purge")
    assert (status, answer["error"]["code"]) == (409, "no_caches")
    made = cluster(make_node, tmp_path, 1, **cdn.settings("http"))
    origin = made.origins[0]
    for body, code in [
        ({"path": "/hls/another/x"}, "bad_purge"),
        ({"path": f"/hls/{WEDDING}/x", "prefix": f"/hls/{WEDDING}/"}, "bad_purge"),
        ({"path": f"/hls/{WEDDING}/a*"}, "bad_purge"),
        ({"soft": "perhaps"}, "bad_purge"),
        ({"paht": f"/hls/{WEDDING}/x"}, "bad_purge"),
    ]:
        status, answer = call(origin, f"{WEDDING}/purge", **body)
        assert (status, answer["error"]["code"]) == (400, code), body
    anybody = origin.client().get(f"{origin.base}/api/streams/{WEDDING}/purge", method="POST")
    assert anybody.status == 401
    assert origin.client().get(f"{origin.base}/api/streams/purges").status == 401
    # One that the CDN refuses is given up, and can be looked at.
    cdn.fail({"match": "refused", "status": 400})
    purge(origin, WEDDING, path=f"/hls/{WEDDING}/refused")
    purge(origin, WEDDING, path=f"/hls/{WEDDING}/taken")
    wait_until(lambda: queue(origin)["sent"] == 1, "the next one is sent")
    [failure] = queue(origin)["failures"]
    assert (failure["what"], failure["reason"]) == (f"/hls/{WEDDING}/refused", "api")
    assert "400" in failure["error"]
    made.stop()


def test_viewers_are_sent_to_the_cdn(make_node: MakeNode) -> None:
    node = make_node(**SECRETS, WEDLIVE_CDN_DOMAIN="live.example:8443")
    _, answer = call(node, f"playback/{WEDDING}", "GET")
    shown = answer["nginx_stream"]["hls_playback_url"]
    assert shown == f"https://live.example:8443/hls/{WEDDING}/index.m3u8"
    page = node.client().get(node.watch_url(WEDDING))
    assert '<meta name="wedlive-media" content="https://live.example:8443">' in page.text
    policy = page.headers["content-security-policy"]
    assert "connect-src 'self' https://live.example:8443" in policy
