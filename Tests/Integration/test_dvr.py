"""Viewers who go back further than memory holds."""

import re
from pathlib import Path

import pytest

from support import players
from support.media import Source
from support.node import Node
from support.processes import wait_until
from support.publishers import ffmpeg_copy

WEDDING = "back"
SETTINGS = {
    "WEDLIVE_STREAMS_FRAGMENT": "1s",
    "WEDLIVE_STREAMS_WINDOW": "6s",
    "WEDLIVE_STREAMS_DVR_WINDOW": "60s",
    "WEDLIVE_STREAMS_RECONNECT_WINDOW": "1s",
    "WEDLIVE_STREAMS_AFTER_END": "10s",
}


def files(node: Node) -> list[Path]:
    return [path for path in (node.data / "dvr").rglob("*.ts") if path.is_file()]


def counted(node: Node) -> int:
    return int(node.metrics()['wedlive_dvr_segments_total{result="stored"}'])


@pytest.mark.timeout(200)
@pytest.mark.parametrize("method", ["off", "aes-128"])
def test_what_is_older_than_memory_comes_from_disk(make_node, tmp_path: Path, method: str) -> None:
    node = make_node(
        **SETTINGS,
        WEDLIVE_ENCRYPTION_METHOD=method,
        WEDLIVE_ENCRYPTION_FRAGMENTS_PER_KEY="3",
        WEDLIVE_ACCESS_WATCH="token",
    )
    token = node.token("watch", WEDDING)
    source = Source(seconds=45, gop=30, rate=30, b_frames=2, kbits=800, noise=True)
    base = f"{node.base}/hls/{WEDDING}/main/source/"
    client = node.client()
    live: dict[str, bytes] = {}

    def listed() -> list[str]:
        answer = client.get(f"{base}index.m3u8?token={token}")
        if answer.status != 200:
            return []
        return re.findall(r"^[^#\s]\S*\.ts", answer.text, re.MULTILINE)

    with ffmpeg_copy(node.publish_url(WEDDING), source.file, tmp_path, "-re") as publisher:

        def take() -> bool:
            for name in listed():
                if name not in live:
                    live[name] = client.get(f"{base}{name}?token={token}").body
            return len(live) >= 30

        wait_until(take, "30 segments", every=0.3, alive=[publisher])
        assert listed()[:30] == list(live)[:30]
        assert all(live.values())
        # Six seconds are in memory; the rest has the same bytes from elsewhere.
        held = node.metrics()
        assert held["wedlive_stream_memory_bytes"] < sum(map(len, live.values())) / 2, held
        assert counted(node) >= 30
        for name, bytes_then in live.items():
            assert client.get(f"{base}{name}?token={token}").body == bytes_then
        first, content = next(iter(live.items()))
        address = f"{base}{first}?token={token}"
        part = client.get(address, {"Range": "bytes=188-375"})
        assert (part.status, part.body) == (206, content[188:376])
        tag = client.get(address).headers["etag"]
        assert client.get(address, {"If-None-Match": tag}).status == 304
        assert client.get(f"{base}{first}").status == 401
        # From the very beginning, through everything that has left memory, up to now.
        master = f"{node.master_url(WEDDING)}?token={token}"
        assert players.ffmpeg_decodes(master, 25, start=0) >= 25 * 30 - 1
        publisher.succeed(limit=60)
    wait_until(lambda: not files(node), "nothing is left on disk", limit=120, every=0.5)
    assert node.metrics()["wedlive_dvr_bytes"] == 0


def test_what_a_killed_node_has_left_is_removed(make_node, tmp_path: Path) -> None:
    node = make_node(**SETTINGS)
    source = Source(seconds=60, gop=30, rate=30)
    with ffmpeg_copy(node.publish_url(WEDDING), source.file, tmp_path, "-re") as publisher:
        wait_until(lambda: len(files(node)) >= 3, "segments on disk", alive=[publisher])
        node.kill()
    assert files(node)
    node.start()
    wait_until(lambda: not files(node), "they are removed", limit=30)
