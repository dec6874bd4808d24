"""Streams as real encoders send them on a bad day: the playlist stays valid, the stream goes on."""

from pathlib import Path

import pytest

from support.hls.watcher import Watcher
from support.media import Source, picture_checksums
from support.node import Node
from support.rtmp import Connection, record

SOURCE = Source(seconds=8)
OTHER = Source(seconds=8, width=640, height=360)


def watcher(node: Node, wedding: str, folder: Path) -> Watcher:
    """One that does not mind when media time and the clock disagree."""
    return Watcher(node.client(), node.master_url(wedding), folder, real_time=False)


@pytest.fixture
def short_lived(make_node) -> Node:
    """A node whose programs end soon after their publisher."""
    return make_node(WEDLIVE_STREAMS_RECONNECT_WINDOW="2s")


@pytest.mark.parametrize("wrap", [0xFFFFFF, 1 << 31, 1 << 32], ids=["24 bit", "31 bit", "32 bit"])
def test_timestamps_cross_a_wrap(wrap: int, short_lived: Node, tmp_path: Path) -> None:
    """The source's pictures all come out, and nothing marks the place."""
    with watcher(short_lived, "wrap", tmp_path) as watched:
        connection = Connection(short_lived.publish_url("wrap"), publish=True)
        connection.publish(record(SOURCE.file), base=wrap - 4000)
        connection.close()
        watched.wait_for_end()
    assert not watched.report.violations, f"\n{watched.report}"
    entries = watched.only.playlist.entries.values()
    assert {entry.discontinuity for entry in entries} == {0}
    joined = watched.only.segments.join(tmp_path / "joined.ts")
    assert picture_checksums(joined) == picture_checksums(SOURCE.file)


@pytest.mark.parametrize("jump", [3_600_000, -8_000, -3_600_000], ids=["on", "again", "back"])
def test_timestamps_jump(jump: int, short_lived: Node, tmp_path: Path) -> None:
    with watcher(short_lived, "jump", tmp_path) as watched:
        connection = Connection(short_lived.publish_url("jump"), publish=True)
        recording = record(SOURCE.file)
        connection.publish(recording, base=7_200_000)
        connection.publish(recording, base=7_200_000 + recording.length + jump, preamble=False)
        connection.close()
        watched.wait_for_end()
    assert not watched.report.violations, f"\n{watched.report}"
    assert watched.count() >= 12, "the stream went on after the jump"
    pictures = sum(len(each.facts.pictures) for each in watched.only.segments.fetched.values())
    assert pictures >= 0.95 * 2 * SOURCE.seconds * SOURCE.rate


def test_the_picture_changes_size(short_lived: Node, tmp_path: Path) -> None:
    with watcher(short_lived, "resized", tmp_path) as watched:
        connection = Connection(short_lived.publish_url("resized"), publish=True)
        first, second = record(SOURCE.file), record(OTHER.file)
        connection.publish(first)
        connection.publish(second, base=first.length)
        connection.close()
        watched.wait_for_end()
    broken = watched.report.rules_broken() - {
        # judged by the last segment; the master says what holds now, which this does not follow
        "peak within 125 % of BANDWIDTH",
        "average within 110 % of AVERAGE-BANDWIDTH",
        "BANDWIDTH is measured",
    }
    assert not broken, f"\n{watched.report}"
    entries = watched.only.playlist.entries
    assert entries[max(entries)].discontinuity >= 1, "a new size without a discontinuity"
