"""The rules that one media playlist must keep from refresh to refresh."""

import itertools
import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

import m3u8

from ..http import Response
from .report import Report

MEDIA_TYPE = "application/vnd.apple.mpegurl"


@dataclass(frozen=True)
class Entry:
    """One segment as a playlist lists it. `discontinuity` counts all signalled before it."""

    sequence: int
    url: str
    duration: float
    discontinuity: int
    date: datetime | None
    key: str | None

    @property
    def end(self) -> datetime | None:
        return self.date + timedelta(seconds=self.duration) if self.date else None


class MediaPlaylist:
    """Follows one media playlist. `entries` is everything that it ever listed."""

    def __init__(self, url: str, report: Report, frame: float = 1 / 30) -> None:
        self.url = url
        self.report = report
        self.frame = frame
        self.entries: dict[int, Entry] = {}
        self.window: list[Entry] = []
        self.target = 0.0
        self.refreshes = 0
        self.ended = False
        self.real_time = True
        #: How far dates may be ahead of the clock: a program shows some moments twice.
        self.lead = 0.0
        self.changed_at = time.monotonic()
        self._text = ""
        self._first = 0
        self._discontinuity = 0
        self._span: dict[int, float] = {}

    def refresh(self, answer: Response) -> tuple[list[Entry], list[tuple[Entry, float]]]:
        """Checks one answer.

        Returns the segments that are new in it, and those that left it, each with how long it
        must stay fetchable from now.
        """
        where = f"{self.url} refresh {self.refreshes}"
        self.refreshes += 1
        expect = self.report.expect
        if not expect(answer.status == 200, "playlist status", where, str(answer.status)):
            return [], []
        text = answer.text
        changed = text != self._text
        expect(
            not self.ended or not changed,
            "ended playlist is final",
            where,
            "it changed after the end",
        )
        if changed:
            self.changed_at = time.monotonic()
        self._text = text
        self._check_headers(answer, where)
        self._check_text(text, where)
        entries = self._parse(text, where)
        if entries is None:
            return [], []
        return self._compare(entries, where)

    def _check_headers(self, answer: Response, where: str) -> None:
        expect, headers = self.report.expect, answer.headers
        kind = headers.get("content-type", "").partition(";")[0].strip()
        expect(kind == MEDIA_TYPE, "playlist type", where, kind)
        cache = headers.get("cache-control", "")
        ages = [
            int(word[8:]) for word in cache.replace(" ", "").split(",") if word[:8] == "max-age="
        ]
        limit = max(1.0, self.target / 2) if self.target else math.inf
        expect(
            bool(ages) and ages[0] <= limit,
            "playlist cache time",
            where,
            f"Cache-Control: {cache or 'none'} with a target duration of {self.target:g}",
        )
        origin = headers.get("access-control-allow-origin")
        expect(origin is not None, "playlist CORS", where, "no Access-Control-Allow-Origin")

    def _check_text(self, text: str, where: str) -> None:
        expect, lines = self.report.expect, text.splitlines()
        expect(lines[:1] == ["#EXTM3U"], "first line", where, str(lines[:1]))
        tags = [line.partition(":")[0] for line in lines if line.startswith("#EXT")]
        for once in (
            "#EXT-X-VERSION",
            "#EXT-X-TARGETDURATION",
            "#EXT-X-MEDIA-SEQUENCE",
            "#EXT-X-DISCONTINUITY-SEQUENCE",
            "#EXT-X-INDEPENDENT-SEGMENTS",
        ):
            expect(tags.count(once) == 1, f"one {once[1:]}", where, f"{tags.count(once)} of them")
        first = next((i for i, tag in enumerate(tags) if tag == "#EXTINF"), len(tags))
        head = tags[:first]
        for early in ("#EXT-X-MEDIA-SEQUENCE", "#EXT-X-DISCONTINUITY-SEQUENCE"):
            expect(
                early not in tags or early in head, "header tags first", where, f"{early} too late"
            )

    def _parse(self, text: str, where: str) -> list[Entry] | None:
        expect = self.report.expect
        try:
            playlist = m3u8.loads(text, uri=self.url)
        except Exception as refused:  # whatever the parser does not like is a violation
            expect(False, "playlist parses", where, repr(refused))
            return None
        expect(True, "playlist parses", where, "")
        expect(not playlist.is_variant, "media playlist", where, "it is a master playlist")
        target = float(playlist.target_duration or 0)
        expect(
            self.target in (0.0, target),
            "constant target duration",
            where,
            f"{self.target:g} became {target:g}",
        )
        self.target = target
        self.ended = bool(playlist.is_endlist)
        discontinuity = playlist.discontinuity_sequence or 0
        entries = []
        for number, segment in enumerate(playlist.segments):
            # A discontinuity before the first segment counts too: the sequence number is that of
            # the segment itself only when its tag is gone with the segment before it.
            discontinuity += bool(segment.discontinuity)
            entries.append(
                Entry(
                    sequence=playlist.media_sequence + number,
                    url=urljoin(self.url, segment.uri),
                    duration=segment.duration,
                    discontinuity=discontinuity,
                    date=segment.current_program_date_time,
                    key=segment.key.uri if segment.key and segment.key.method != "NONE" else None,
                )
            )
        expect(
            playlist.discontinuity_sequence is None
            or playlist.discontinuity_sequence >= self._discontinuity,
            "discontinuity sequence never goes back",
            where,
            f"{self._discontinuity} became {playlist.discontinuity_sequence}",
        )
        self._discontinuity = max(self._discontinuity, playlist.discontinuity_sequence or 0)
        self._check_entries(entries, where)
        return entries

    def _check_entries(self, entries: list[Entry], where: str) -> None:
        expect = self.report.expect
        urls = [entry.url for entry in entries]
        expect(len(set(urls)) == len(urls), "names are unique", where, "a name is listed twice")
        for entry in entries:
            there = f"{where} segment {entry.sequence}"
            expect(
                math.floor(entry.duration + 0.5) <= self.target,
                "rounded EXTINF within target duration",
                there,
                f"{entry.duration} > {self.target:g}",
            )
            expect(entry.date is not None, "program date time", there, "none")
            scheme = urlsplit(entry.url).scheme
            expect(
                scheme == urlsplit(self.url).scheme, "no mixed content", there, f"{scheme} segment"
            )
        for before, after in itertools.pairwise(entries):
            there = f"{where} segment {after.sequence}"
            if before.end is None or after.date is None:
                continue
            late = (after.date - before.end).total_seconds()
            if after.discontinuity == before.discontinuity:
                expect(
                    abs(late) <= self.frame,
                    "dates run on",
                    there,
                    f"{late:+.3f} s off its neighbour",
                )
            else:
                expect(late > -0.5, "dates never go back", there, f"{late:+.3f} s")

    def _compare(
        self, entries: list[Entry], where: str
    ) -> tuple[list[Entry], list[tuple[Entry, float]]]:
        expect = self.report.expect
        first = entries[0].sequence if entries else self._first
        expect(
            first >= self._first,
            "media sequence never goes back",
            where,
            f"{self._first} became {first}",
        )
        last = entries[-1].sequence if entries else -1
        known = max(self.entries, default=-1)
        expect(last >= known, "segments never vanish from the end", where, f"{known} became {last}")
        if self.entries:
            expect(
                first <= known + 1, "no sequence number is skipped", where, f"{known} then {first}"
            )
        new = []
        for entry in entries:
            before = self.entries.get(entry.sequence)
            if before is None:
                self.entries[entry.sequence] = entry
                new.append(entry)
                continue
            expect(
                before == entry,
                "a sequence number never changes meaning",
                f"{where} segment {entry.sequence}",
                f"{before} became {entry}",
            )
        names: dict[str, int] = {}
        for entry in self.entries.values():
            earlier = names.setdefault(entry.url, entry.sequence)
            if earlier != entry.sequence:
                expect(
                    False,
                    "a name never changes meaning",
                    where,
                    f"{entry.url} is {earlier} as well",
                )
        span = sum(entry.duration for entry in entries)
        for entry in entries:
            self._span[entry.sequence] = max(span, self._span.get(entry.sequence, 0.0))
        removed = [
            (entry, entry.duration + self._span.get(entry.sequence, span))
            for entry in self.window
            if entry.sequence < first
        ]
        if removed:
            expect(
                len(entries) >= 6 and span >= 3 * self.target,
                "window of six segments",
                where,
                f"{len(entries)} segments, {span:.1f} s",
            )
        if new and self.real_time and self.window and entries[-1].end is not None:
            age = (datetime.now(entries[-1].end.tzinfo) - entries[-1].end).total_seconds()
            expect(
                -1.0 - self.lead <= age <= 5 * self.target + 3,
                "dates are the wall clock's",
                where,
                f"the newest segment ended {age:.1f} s ago",
            )
        self._first = max(first, self._first)
        self.window = entries
        return new, removed
