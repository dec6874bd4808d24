"""The rungs below the source: the same cuts, the same pictures at the same times, whatever happens."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from support import players
from support.hls.watcher import Watcher
from support.media import Source, probe
from support.processes import Failed, Process, wait_until
from support.publishers import ffmpeg_copy
from support.rungs import compare, ladder, workers

NAMES = {"source", "360p", "240p"}
SETTINGS = {
    **ladder(rung_360p="320x180 300k 64k", rung_240p="160x90 100k 32k"),
    "WEDLIVE_STREAMS_RECONNECT_WINDOW": "3s",
    "WEDLIVE_STREAMS_WINDOW": "60s",
}


@pytest.mark.timeout(240)
def test_rungs_have_the_pictures_of_the_source(make_node, tmp_path: Path) -> None:
    node = make_node(**SETTINGS)
    source = Source(seconds=30, width=320, height=180, gop=60, b_frames=2, kbits=500, noise=True)
    watcher = Watcher(node.client(), node.master_url("rungs"), tmp_path, 1 / source.rate)
    with watcher:
        publisher = ffmpeg_copy(node.publish_url("rungs"), source.file, tmp_path, "-re")
        publisher.succeed(limit=120)
        watcher.wait_for_end()
    compare(watcher, tmp_path, NAMES)
    sizes = {"360p": (320, 180), "240p": (160, 90)}
    for name, (width, height) in sizes.items():
        stream = probe(
            str(tmp_path / f"{name}.ts"), "-select_streams", "v:0", "-show_entries",
            "stream=width,height",
        )["streams"][0]  # fmt: skip
        assert (stream["width"], stream["height"]) == (width, height)
    metrics = node.metrics()
    assert metrics['wedlive_transcode_segments_total{from="other_rendition"}'] == 0
    assert workers(node) == []


@pytest.mark.timeout(240)
def test_a_worker_that_is_killed_is_replaced_and_nothing_is_missing(
    make_node, tmp_path: Path
) -> None:
    node = make_node(**SETTINGS, WEDLIVE_TRANSCODE_FAILURES="50")
    source = Source(seconds=40, width=320, height=180, gop=60, b_frames=2)
    killed = 0
    watcher = Watcher(node.client(), node.master_url("killed"), tmp_path, 1 / source.rate)
    with watcher:
        publisher = ffmpeg_copy(node.publish_url("killed"), source.file, tmp_path, "-re")
        watcher.wait_for(1)
        watcher.publisher_is(True)
        while not publisher.ended:
            for worker in workers(node):
                os.kill(worker, signal.SIGKILL)
                killed += 1
            time.sleep(4.7)
        watcher.publisher_is(False)
        publisher.succeed(limit=60)
        watcher.wait_for_end()
    assert killed >= 6
    compare(watcher, tmp_path, NAMES)
    assert node.metrics()['wedlive_transcode_segments_total{from="other_rendition"}'] == 0


@pytest.mark.timeout(120)
def test_a_worker_that_hangs_is_replaced(make_node, tmp_path: Path) -> None:
    # A busy machine makes up for what was missed later than a segment would wait for.
    node = make_node(
        **SETTINGS, WEDLIVE_TRANSCODE_HANG_TIMEOUT="2s", WEDLIVE_TRANSCODE_PATIENCE="8"
    )
    source = Source(seconds=30, width=320, height=180, gop=60)
    watcher = Watcher(node.client(), node.master_url("hung"), tmp_path, 1 / source.rate)
    with watcher:
        publisher = ffmpeg_copy(node.publish_url("hung"), source.file, tmp_path, "-re")
        watcher.wait_for(1)
        (worker,) = workers(node)
        os.kill(worker, signal.SIGSTOP)
        wait_until(
            lambda: worker not in workers(node) and workers(node), "another worker", limit=30
        )
        publisher.succeed(limit=60)
        watcher.wait_for_end()
    compare(watcher, tmp_path, NAMES)


@pytest.mark.timeout(120)
def test_plans_limit_what_is_made_and_what_is_watched(make_node, tmp_path: Path) -> None:
    node = make_node(
        **SETTINGS,
        WEDLIVE_ACCESS_WATCH="token",
        WEDLIVE_PLANS_FREE="240p",
        WEDLIVE_ENCRYPTION_METHOD="off",
    )
    source = Source(seconds=60, width=320, height=180, gop=60)
    client = node.client()

    def listed(wedding: str, *plan: str) -> set[str]:
        """The renditions in the master playlist of a viewer."""
        token = node.token("watch", wedding, *plan)
        answer = client.get(f"{node.master_url(wedding)}?token={token}")
        lines = answer.text.splitlines() if answer.status == 200 else []
        return {line.split("/")[-2] for line in lines if line.startswith("/hls/")}

    def status(wedding: str, rendition: str, *plan: str) -> int:
        """What a viewer gets who guesses a rendition's address."""
        token = node.token("watch", wedding, *plan)
        url = f"{node.base}/hls/{wedding}/main/{rendition}/index.m3u8?token={token}"
        return client.get(url).status

    def publish(wedding: str, plan: str) -> Process:
        token = node.token("publish", wedding, "--plan", plan)
        url = f"rtmp://localhost:{node.ports['rtmp']}/live/{token}"
        (tmp_path / wedding).mkdir()
        return ffmpeg_copy(url, source.file, tmp_path / wedding, "-re")

    everything = {"source", "360p", "240p"}
    with publish("premium", "premium") as premium, publish("free", "free") as free:
        wait_until(lambda: listed("premium") == everything, "all rungs", alive=[premium])
        wait_until(lambda: listed("free") == {"240p"}, "the free rung", alive=[free])
        assert listed("premium", "--plan", "premium") == everything
        assert listed("premium", "--plan", "free") == {"240p"}
        assert listed("free", "--plan", "premium") == {"240p"}
        for rendition in everything:
            assert status("premium", rendition, "--plan", "premium") == 200
            free_status = 200 if rendition == "240p" else 403
            assert status("premium", rendition, "--plan", "free") == free_status
        assert status("free", "source", "--plan", "premium") == 403
        assert status("free", "360p", "--plan", "premium") == 404
        # A choice is remembered: the master playlists of this viewer begin with it.
        token = node.token("watch", "premium", "--subject", "ana")
        choice = json.dumps({"wedding_id": "premium", "quality": "240p"}).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        select = f"{node.base}/api/streams/quality/select"
        answer = client.get(select, headers, "POST", choice)
        assert answer.status == 200, answer
        for address in ("hls/premium/index.m3u8", "api/streams/playlist/premium.m3u8"):
            text = client.get(f"{node.base}/{address}?token={token}").text
            first = next(line for line in text.splitlines() if line.startswith("/hls/"))
            assert first.split("/")[-2] == "240p"
        assert client.get(f"{node.base}/api/streams/playlist/premium.m3u8").status == 401
        # RTMP plays the source, so it is for those who have that.
        for wedding, plan, has in (
            ("premium", "premium", True),
            ("premium", "free", False),
            ("free", "premium", False),
        ):
            token = node.token("watch", wedding, "--plan", plan)
            try:
                players.ffmpeg_decodes(f"{node.play_url(wedding)}?token={token}", 1)
                plays = True
            except Failed:
                plays = False
            assert plays == has, (wedding, plan)
        # A segment's address that somebody passed on.
        playlist = client.get(
            f"{node.base}/hls/premium/main/source/index.m3u8?token={node.token('watch', 'premium')}"
        )
        name = next(line for line in playlist.text.splitlines() if ".ts" in line).split("?")[0]
        token = node.token("watch", "premium", "--plan", "free")
        url = f"{node.base}/hls/premium/main/source/{name}?token={token}"
        assert client.get(url).status == 403


@pytest.mark.timeout(60)
def test_no_rung_has_more_than_the_source(make_node, tmp_path: Path) -> None:
    node = make_node(**SETTINGS)
    # The encoder says 120 kbit/s: 360p, of the source's own size, would only be a copy of it.
    source = Source(seconds=60, width=320, height=180, gop=60, kbits=120, noise=True)
    with ffmpeg_copy(node.publish_url("low"), source.file, tmp_path, "-re") as publisher:
        client = node.client()

        def listed() -> dict[str, int]:
            text = client.get(node.master_url("low")).text
            pairs = re.findall(r"BANDWIDTH=(\d+),AVERAGE.*\n/hls/low/program/(\w+)/", text)
            return {name: int(bandwidth) for bandwidth, name in pairs}

        wait_until(lambda: len(listed()) > 1, "a rung is listed", alive=[publisher])
        assert set(listed()) == {"source", "240p"}


@pytest.mark.timeout(180)
def test_only_what_is_watched_is_encoded(make_node, tmp_path: Path) -> None:
    settings = {**SETTINGS, "WEDLIVE_PLANS_FREE": "source, 360p, 240p"}
    node = make_node(
        **settings,
        WEDLIVE_TRANSCODE_ON_DEMAND="true",
        WEDLIVE_TRANSCODE_IDLE_AFTER="5s",
        WEDLIVE_STREAMS_FRAGMENT="2s",
    )
    source = Source(seconds=80, width=640, height=360, gop=60, kbits=800)
    client = node.client()

    def made(origin: str) -> int:
        return int(node.metrics()[f'wedlive_transcode_segments_total{{from="{origin}"}}'])

    def newest_width(rendition: str) -> int:
        """The width of the pictures in a rendition's latest segment."""
        base = f"{node.base}/hls/asked/main/{rendition}/"
        name = [
            line for line in client.get(base + "index.m3u8").text.splitlines() if ".ts" in line
        ][-1]
        file = tmp_path / "newest.ts"
        file.write_bytes(client.get(base + name).body)
        streams = probe(str(file), "-select_streams", "v:0", "-show_entries", "stream=width")
        return int(streams["streams"][0]["width"])

    with ffmpeg_copy(node.publish_url("asked"), source.file, tmp_path, "-re") as publisher:
        # Both stand in the master playlist, with what their encoders are.
        master = node.master_url("asked")
        wait_until(
            lambda: client.get(master).text.count("RESOLUTION=") == 3, "rungs", alive=[publisher]
        )
        # Nobody watches: no more is encoded, and no playlist stands still.
        wait_until(lambda: made("other_rendition") >= 8, "segments of the source", limit=40)
        before = made("encoder")
        wait_until(lambda: made("other_rendition") >= 14, "more of them", limit=40)
        assert made("encoder") == before
        assert len(workers(node)) == 1
        # A viewer comes: its rung is encoded from the next cut on, and no other.
        wait_until(lambda: newest_width("240p") == 160, "its own pictures", limit=20)
        encoded = made("encoder")
        wait_until(
            lambda: newest_width("240p") == 160 and made("encoder") >= encoded + 3,
            "its own, again and again",
            limit=20,
        )
        assert newest_width("source") == 640
        # It goes, and so does the encoder.
        wait_until(
            lambda: (before := made("encoder")) and not time.sleep(5) and made("encoder") == before,
            "the encoder rests",
            limit=40,
        )
        publisher.succeed(limit=80)
    assert node.metrics()["wedlive_transcode_workers_lost_total"] == 0
