"""What is watched is what was sent: every picture, every sound, when it was."""

from itertools import pairwise
from pathlib import Path

import pytest

from support.hls.watcher import Watcher
from support.media import Source, audio_checksums, packets, picture_checksums
from support.node import Node
from support.publishers import ffmpeg_copy

#: FLV counts milliseconds, transport streams 1/90000 s; each rounds once.
ROUNDING = 0.002


def watch_all(node: Node, wedding: str, source: Source, folder: Path, *pace: str) -> Watcher:
    """Publishes the whole source once and follows it to its EXT-X-ENDLIST."""
    real_time = pace == ("-re",)
    watcher = Watcher(
        node.client(), node.master_url(wedding), folder, 1 / source.rate, real_time=real_time
    )
    with watcher:
        publisher = ffmpeg_copy(node.publish_url(wedding), source.file, folder, *pace)
        publisher.succeed(limit=60 + 2 * source.seconds)
        watcher.wait_for_end()
    return watcher


def compare(source: Source, watcher: Watcher, folder: Path) -> None:
    """Fails unless the segments, joined, hold exactly the source."""
    assert not watcher.report.violations, f"\n{watcher.report}"
    variant = watcher.only
    numbers = sorted(variant.segments.fetched)
    assert all(after == before + 1 for before, after in pairwise(numbers))
    joined = variant.segments.join(folder / "joined.ts")

    assert picture_checksums(joined) == picture_checksums(source.file)
    assert audio_checksums(joined) == audio_checksums(source.file)

    sent = {kind: packets(source.file, f"{kind}:0") for kind in "va"}
    seen = {kind: packets(joined, f"{kind}:0") for kind in "va"}
    moved = seen["v"][0].pts - sent["v"][0].pts
    for kind in "va":
        assert len(seen[kind]) == len(sent[kind])
        for before, after in zip(sent[kind], seen[kind], strict=True):
            assert after.pts - before.pts == pytest.approx(moved, abs=ROUNDING)
            assert after.dts - before.dts == pytest.approx(moved, abs=ROUNDING)

    frame = 1 / source.rate
    drift = [seen["v"][end].pts - seen["a"][end].pts for end in (0, -1)]
    drift_sent = [sent["v"][end].pts - sent["a"][end].pts for end in (0, -1)]
    assert drift == pytest.approx(drift_sent, abs=frame)
    listed = sum(entry.duration for entry in variant.playlist.entries.values())
    # the last segment lasts as long as its longest track; AAC's last frames outlast the picture
    assert source.seconds - 2 * frame <= listed <= source.seconds + 0.1


@pytest.mark.timeout(240)
def test_a_hundred_segments_hold_what_was_sent(make_node, tmp_path: Path) -> None:
    node = make_node(WEDLIVE_STREAMS_RECONNECT_WINDOW="3s")
    source = Source(seconds=102, b_frames=2)
    watcher = watch_all(node, "frames", source, tmp_path, "-readrate", "3")
    assert watcher.count() >= 100
    compare(source, watcher, tmp_path)


@pytest.mark.interop
@pytest.mark.timeout(900)
def test_a_hundred_segments_of_three_seconds_hold_what_was_sent(make_node, tmp_path: Path) -> None:
    node = make_node(
        WEDLIVE_STREAMS_FRAGMENT="3s",
        WEDLIVE_STREAMS_WINDOW="60s",
        WEDLIVE_STREAMS_RECONNECT_WINDOW="10s",
    )
    source = Source(seconds=330, width=640, height=360, gop=90, b_frames=2)
    watcher = watch_all(node, "frames-long", source, tmp_path, "-re")
    assert watcher.count() >= 100
    compare(source, watcher, tmp_path)
