"""A live program judged on every refresh, through publishers that drop and come back."""

from pathlib import Path

import pytest

from support.hls.watcher import Watcher
from support.media import Source
from support.node import Node
from support.processes import Process
from support.publishers import ffmpeg5


class Program:
    """A watched program whose publisher can be made to vanish and to return."""

    def __init__(self, node: Node, wedding: str, folder: Path, source: Source) -> None:
        self.node, self.wedding, self.folder, self.source = node, wedding, folder, source
        self.url = node.publish_url(wedding)
        self.watcher = Watcher(
            node.client(), node.master_url(wedding), folder, frame=1 / source.rate
        )
        self.publisher: Process | None = None

    def publish(self) -> None:
        """Starts a publisher and returns when two of its segments have been seen."""
        self.publisher = ffmpeg5(self.url, self.source, self.node.certificates, self.folder)
        self.watcher.wait_for(self.watcher.count() + 2)
        self.watcher.publisher_is(live=True)

    def drop(self) -> None:
        """The publisher's process is gone without a goodbye."""
        self.watcher.publisher_is(live=False)
        assert self.publisher is not None
        self.publisher.kill()

    def run(self, spells: list[int]) -> None:
        """Publishes as many times as there are spells, each until so many segments were seen."""
        with self.watcher:
            try:
                for number, spell in enumerate(spells):
                    if number:
                        self.drop()
                    self.publish()
                    self.watcher.wait_for(self.watcher.count() + spell, limit=120 + 6 * spell)
            finally:
                self.drop()

    def judge(self, drops: int) -> None:
        report = self.watcher.report
        assert not report.violations, f"\n{report}"
        entries = self.watcher.only.playlist.entries
        assert entries[max(entries)].discontinuity == drops, "one discontinuity for each drop"
        removed = report.looked.get("segment still there after it left the playlist", 0)
        assert removed > 0, "no segment left the playlist, so the run was too short to judge"


@pytest.mark.timeout(240)
def test_a_playlist_keeps_the_rules_through_a_drop(node: Node, tmp_path: Path) -> None:
    program = Program(node, "judged", tmp_path, Source(seconds=300, b_frames=2))
    program.run([14, 14])
    program.judge(drops=1)


@pytest.mark.interop
@pytest.mark.timeout(1200)
def test_a_playlist_keeps_the_rules_for_ten_minutes(make_node, tmp_path: Path) -> None:
    """The plan's defaults: fragments of 3 s, a window of 60 s; two drops."""
    node = make_node(WEDLIVE_STREAMS_FRAGMENT="3s", WEDLIVE_STREAMS_WINDOW="60s")
    program = Program(node, "judged-long", tmp_path, Source(seconds=900, gop=90, b_frames=2))
    program.run([66, 66, 66])
    program.judge(drops=2)
