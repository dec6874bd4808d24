"""Follows a live program as a player does, and judges everything that it is given."""

import hashlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from ..http import Client
from ..processes import Failed, wait_until
from .master import MasterPlaylist
from .playlists import Entry, MediaPlaylist
from .report import Report
from .segments import Segments

#: How long before its time is over a removed segment is fetched again.
LATE = 1.0


@dataclass
class Variant:
    """One rendition: its playlist, its segments, and when each removed one may go."""

    playlist: MediaPlaylist
    segments: Segments
    leaving: list[tuple[Entry, float]]  # with the moment until which it must be there
    due: float = 0.0
    refreshed_at: float = 0.0

    @property
    def next_turn(self) -> float:
        """When to refresh it, or to fetch a removed segment as late as it must still be there."""
        return min([self.due, *(until - LATE for _, until in self.leaving)])


class Watcher:
    """A viewer with a notebook. Use as a context: it watches in a thread of its own until left.

    `real_time` off: the publisher is not paced, so dates and delays say nothing.
    """

    def __init__(
        self,
        client: Client,
        master_url: str,
        folder: Path,
        frame: float = 1 / 30,
        real_time: bool = True,
        lead: float = 0.0,
    ) -> None:
        self.report = Report()
        self.variants: dict[str, Variant] = {}
        self.failure: BaseException | None = None
        self._client = client
        self._master = MasterPlaylist(master_url, self.report)
        self._folder = folder
        self._frame = frame
        self._real_time = real_time
        self._lead = lead
        self._live = threading.Event()
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        self._leave.set()
        self._thread.join()
        self._client.close()
        if kind is None and self.failure is not None:
            raise Failed(f"the watcher broke: {self.failure!r}") from self.failure

    def publisher_is(self, live: bool) -> None:
        """Tells it whether new segments are to be expected in time."""
        for variant in self.variants.values():
            variant.playlist.changed_at = time.monotonic()
        if live:
            self._live.set()
        else:
            self._live.clear()

    def count(self) -> int:
        """How many segments of the first variant were fetched."""
        first = next(iter(self.variants.values()), None)
        return len(first.segments.fetched) if first else 0

    def wait_for(self, segments: int, limit: float = 120.0) -> None:
        """Returns when the first variant has had that many segments."""
        wait_until(
            lambda: self.failure or self.count() >= segments,
            f"{segments} segments were seen (there are {self.count()} when this began)",
            limit,
        )

    def wait_for_end(self, limit: float = 120.0) -> None:
        """Returns when every playlist has its EXT-X-ENDLIST."""

        def ended() -> bool:
            playlists = [variant.playlist for variant in self.variants.values()]
            return bool(playlists) and all(playlist.ended for playlist in playlists)

        wait_until(lambda: self.failure or ended(), "the playlists have ended", limit)

    @property
    def only(self) -> Variant:
        """The one variant of a program that has no other."""
        if len(self.variants) != 1:
            raise Failed(f"{len(self.variants)} variants, not 1: {list(self.variants)}")
        return next(iter(self.variants.values()))

    def _watch(self) -> None:
        try:
            wait_until(
                lambda: self._leave.is_set() or self._client.get(self._master.url).status == 200,
                f"{self._master.url} is there",
            )
            while not self._leave.is_set():
                self._turn()
                turn = min((each.next_turn for each in self.variants.values()), default=0.0)
                self._leave.wait(max(0.05, turn - time.monotonic()))
            self._finish()
        except BaseException as failure:  # handed to the test's thread by __exit__
            self.failure = failure

    def _turn(self) -> None:
        if not self.variants or self._any_refreshes() % 10 == 0:
            self._master.refresh(self._client.get(self._master.url))
            for url in self._master.variants:
                if url not in self.variants:
                    self._add(url)
        for variant in self.variants.values():
            if variant.due <= time.monotonic():
                self._refresh(variant)
            self._recheck(variant, everything=False)

    def _any_refreshes(self) -> int:
        return max(variant.playlist.refreshes for variant in self.variants.values())

    def _add(self, url: str) -> None:
        playlist = MediaPlaylist(url, self.report, self._frame)
        playlist.real_time = self._real_time
        playlist.lead = self._lead
        folder = self._folder / hashlib.sha256(url.encode()).hexdigest()[:8]
        self.variants[url] = Variant(playlist, Segments(folder, self.report, self._frame), [])

    def _refresh(self, variant: Variant) -> None:
        playlist, segments = variant.playlist, variant.segments
        started = time.monotonic()
        coding = "gzip" if playlist.refreshes % 2 else "identity"
        answer = self._client.get(playlist.url, {"Accept-Encoding": coding})
        said = answer.headers.get("content-encoding", "identity")
        self.report.expect(said == coding, "playlist coding as asked", playlist.url, said)
        vary = answer.headers.get("vary", "").lower()
        self.report.expect(
            "accept-encoding" in vary, "playlist varies by coding", playlist.url, f"Vary: {vary}"
        )
        new, removed = playlist.refresh(answer)
        for entry in new:
            segments.add(entry, self._client.get(entry.url))
            if entry.sequence % 5 == 0:
                self._range(entry, segments)
        # It was still listed at the refresh before: it left after that, we cannot know when.
        variant.leaving += [(entry, variant.refreshed_at + stays) for entry, stays in removed]
        variant.refreshed_at = started
        target = playlist.target or 1.0
        variant.due = started + (target if new else target / 2)
        if self._live.is_set() and self._real_time and not playlist.ended:
            late = time.monotonic() - playlist.changed_at
            self.report.expect(
                late <= 1.5 * target + 1.0,
                "a new segment within 1.5 target durations",
                playlist.url,
                f"none for {late:.1f} s",
            )

    def _range(self, entry: Entry, segments: Segments) -> None:
        """A player's ranged requests get what the whole answer would have held."""
        fetched = segments.fetched.get(entry.sequence)
        if fetched is None:
            return
        whole = fetched.file.read_bytes()
        for words, part in (("0-", whole), ("188-375", whole[188:376]), ("-188", whole[-188:])):
            answer = self._client.get(entry.url, {"Range": f"bytes={words}"})
            self.report.expect(
                answer.status == 206 and answer.body == part,
                "ranges are the segment's",
                entry.url,
                f"bytes={words}: {answer}",
            )

    def _recheck(self, variant: Variant, everything: bool) -> None:
        """Fetches removed segments again, as late as they must still be there."""
        kept = []
        for entry, until in variant.leaving:
            if everything or until - LATE <= time.monotonic():
                answer = self._client.get(entry.url)
                if time.monotonic() < until:  # else this machine was too busy to ask in time
                    variant.segments.again(entry, answer, "after it left the playlist")
            else:
                kept.append((entry, until))
        variant.leaving = kept

    def _finish(self) -> None:
        if self.variants:
            self._master.refresh(self._client.get(self._master.url))
        for url, variant in self.variants.items():
            self._recheck(variant, everything=True)
            for entry in variant.playlist.window:
                answer = self._client.get(entry.url)
                variant.segments.again(entry, answer, "while it is listed")
            if url in self._master.variants:
                self._master.measure(url, list(variant.segments.fetched.values()))
        self._across()

    def _across(self) -> None:
        """Renditions share boundaries, numbers and discontinuities."""
        first, *others = list(self.variants.values()) or [None]
        for other in others:
            for sequence, theirs in other.segments.fetched.items():
                ours = first.segments.fetched.get(sequence)
                if ours is not None:
                    self.report.expect(
                        ours.facts.first_pts == theirs.facts.first_pts
                        and ours.entry.discontinuity == theirs.entry.discontinuity,
                        "renditions share boundaries",
                        theirs.entry.url,
                        f"{theirs.facts.first_pts} beside {ours.facts.first_pts}",
                    )
