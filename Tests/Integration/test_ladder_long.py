"""The plan's whole ladder below a 1080p source, and a worker that is killed again and again."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from support.browser import Browser
from support.hls.watcher import Watcher
from support.media import Source, packets, probe
from support.processes import wait_until
from support.publishers import ffmpeg_copy
from support.rungs import compare, ladder, rungs, workers

#: By name: the size, and kbit/s of pictures and sound.
PLAN = {
    "1080p": ((1920, 1080), 5000, 192),
    "720p": ((1280, 720), 2800, 128),
    "480p": ((854, 480), 1400, 96),
    "360p": ((640, 360), 800, 64),
    "240p": ((426, 240), 400, 64),
}


@pytest.mark.interop
@pytest.mark.timeout(1200)
def test_the_plans_ladder_below_1080p(make_node, tmp_path: Path) -> None:
    node = make_node(
        WEDLIVE_TRANSCODE_ENABLED="true",
        WEDLIVE_STREAMS_FRAGMENT="1s",
        WEDLIVE_STREAMS_RECONNECT_WINDOW="3s",
        WEDLIVE_TRANSCODE_PATIENCE="10",
        WEDLIVE_TRANSCODE_HANG_TIMEOUT="60s",
    )
    source = Source(seconds=104, width=1920, height=1080, gop=30, kbits=7000, noise=True)
    watcher = Watcher(node.client(), node.master_url("full"), tmp_path, 1 / 30, real_time=False)
    with watcher:
        # Two cores don't encode all of it in real time beside the viewer who checks it.
        publisher = ffmpeg_copy(node.publish_url("full"), source.file, tmp_path, "-readrate", "0.3")
        publisher.succeed(limit=600)
        watcher.wait_for_end()
    compare(watcher, tmp_path, {"source", *PLAN})
    assert "transcode.step" not in node.log.read_text(), "it was too slow for the figures to count"
    measured = {}
    for name, (size, video, audio) in PLAN.items():
        assert len(rungs(watcher)[name].segments.fetched) >= 100
        file = tmp_path / f"{name}.ts"
        stream = probe(
            str(file), "-select_streams", "v:0", "-show_entries", "stream=width,height",
        )["streams"][0]  # fmt: skip
        assert (stream["width"], stream["height"]) == size
        pictures = sum(packet.size for packet in packets(file, "v:0")) * 8 / 104 / 1000
        sounds = sum(packet.size for packet in packets(file, "a:0")) * 8 / 104 / 1000
        measured[name] = (round(pictures), round(sounds))
        assert pictures == pytest.approx(video, rel=0.1), measured
        # A tone needs fewer bits than it may have.
        assert sounds <= audio * 1.1, measured
    print("kbit/s of pictures and sound:", json.dumps(measured))


@pytest.mark.interop
@pytest.mark.timeout(600)
def test_five_minutes_of_workers_that_are_killed(make_node, tmp_path: Path) -> None:
    node = make_node(
        **ladder(rung_360p="", rung_240p=""),
        WEDLIVE_STREAMS_RECONNECT_WINDOW="3s",
        WEDLIVE_STREAMS_WINDOW="60s",
    )
    source = Source(seconds=300, width=640, height=360, gop=60, b_frames=2, kbits=1200)
    killed = 0
    watcher = Watcher(node.client(), node.master_url("killed"), tmp_path, 1 / source.rate)
    with watcher:
        publisher = ffmpeg_copy(node.publish_url("killed"), source.file, tmp_path, "-re")
        watcher.wait_for(1)
        watcher.publisher_is(True)
        due = time.monotonic() + 20
        while not publisher.ended:
            time.sleep(0.2)
            if time.monotonic() < due:
                continue
            due += 20
            for worker in workers(node):
                os.kill(worker, signal.SIGKILL)
                killed += 1
        watcher.publisher_is(False)
        publisher.succeed(limit=60)
        watcher.wait_for_end()
    assert killed >= 13
    compare(watcher, tmp_path, {"source", "360p", "240p"})
    metrics = node.metrics()
    assert metrics['wedlive_transcode_segments_total{from="other_rendition"}'] == 0
    print(
        f"{killed} workers killed, {len(rungs(watcher)['source'].segments.fetched)} segments each"
    )


@pytest.mark.interop
@pytest.mark.timeout(400)
def test_chromium_switches_down_and_up_without_a_stall(make_node, tmp_path: Path) -> None:
    node = make_node(
        **ladder(rung_360p="", rung_240p="320x180 150k 32k"),
        WEDLIVE_TRANSCODE_PRESET="ultrafast",
        WEDLIVE_STREAMS_FRAGMENT="2s",
        WEDLIVE_STREAMS_WINDOW="30s",
    )
    source = Source(seconds=240, width=1280, height=720, gop=60, kbits=2500, noise=True)
    client = node.client()
    with ffmpeg_copy(node.publish_url("switch"), source.file, tmp_path, "-re") as publisher:
        wait_until(
            lambda: client.get(node.master_url("switch")).text.count("RESOLUTION=") == 3,
            "all rungs are listed",
            alive=[publisher],
        )
        # A stream that has just begun has nothing yet that a player could have in reserve.
        playlist = f"{node.base}/hls/switch/main/source/index.m3u8"
        wait_until(
            lambda: client.get(playlist).text.count("#EXTINF") >= 8, "it is in progress", every=0.5
        )
        with Browser(tmp_path) as browser:
            browser.open(node.watch_url("switch"))
            browser.advances(3)
            wait_until(lambda: browser.state()["width"] == 1280, "the source", every=0.5)
            browser.note()
            # The source needs 330 kB/s.
            browser.throttle(250)
            wait_until(lambda: browser.state()["width"] < 1280, "a lower one", 90, every=0.5)
            browser.advances(10)
            browser.throttle(None)
            wait_until(lambda: browser.state()["width"] == 1280, "back again", 90, every=0.5)
            browser.advances(5)
            noted = browser.noted()
            assert (noted["loads"], noted["back"]) == (0, 0)
            assert noted["longest"] < 1_000, f"it stood still for {noted['longest']:.0f} ms"
            assert browser.errors() == []
