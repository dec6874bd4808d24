"""The rules that the segments of one rendition must keep, alone and beside their neighbours."""

import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path

from ..http import Response
from .playlists import Entry
from .report import Report
from .transport_stream import CLOCK, Segment, read_segment, ticks_between


@dataclass(frozen=True)
class Fetched:
    """A segment as it was fetched the first time; the bytes are in `file`."""

    entry: Entry
    facts: Segment
    size: int
    digest: str
    file: Path

    @property
    def bits_per_second(self) -> float:
        return self.size * 8 / self.entry.duration if self.entry.duration else 0.0


class Segments:
    """All segments of one rendition, in order of arrival, kept as files in `folder`."""

    def __init__(self, folder: Path, report: Report, frame: float = 1 / 30) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.report = report
        self.frame = frame
        self.fetched: dict[int, Fetched] = {}

    def add(self, entry: Entry, answer: Response) -> None:
        """Checks a segment fetched for the first time, and against the one before it."""
        where = entry.url
        if not self.report.expect(
            answer.status == 200, "segment status", where, str(answer.status)
        ):
            return
        self._check_headers(answer, where)
        facts = read_segment(answer.body)
        file = self.folder / f"{entry.sequence:08}.ts"
        file.write_bytes(answer.body)
        digest = hashlib.sha256(answer.body).hexdigest()
        added = Fetched(entry, facts, len(answer.body), digest, file)
        self._check_alone(added)
        before = self.fetched.get(entry.sequence - 1)
        if before is not None:
            self._check_neighbours(before, added)
        self.fetched[entry.sequence] = added

    def again(self, entry: Entry, answer: Response, when: str) -> None:
        """Checks that a segment fetched once more is there and the same."""
        expect = self.report.expect
        rule = f"segment still there {when}"
        if expect(answer.status == 200, rule, entry.url, str(answer.status)):
            first = self.fetched.get(entry.sequence)
            same = hashlib.sha256(answer.body).hexdigest()
            expect(
                first is None or first.digest == same, "segments never change", entry.url, "it did"
            )

    def join(self, path: Path) -> Path:
        """All segments one after the other, as a player would feed its demuxer."""
        with path.open("wb") as joined:
            for sequence in sorted(self.fetched):
                joined.write(self.fetched[sequence].file.read_bytes())
        return path

    def _check_headers(self, answer: Response, where: str) -> None:
        expect, headers = self.report.expect, answer.headers
        kind = headers.get("content-type", "")
        expect(kind == "video/mp2t", "segment type", where, kind)
        cache = {word.strip() for word in headers.get("cache-control", "").split(",")}
        expect(
            {"public", "max-age=31536000", "immutable"} <= cache,
            "segment cache time",
            where,
            f"Cache-Control: {headers.get('cache-control')}",
        )
        expect(headers.get("accept-ranges") == "bytes", "segment ranges", where, "not offered")
        expect(
            headers.get("access-control-allow-origin") is not None, "segment CORS", where, "none"
        )

    def _check_alone(self, added: Fetched) -> None:
        expect, facts, where = self.report.expect, added.facts, added.entry.url
        for fault in facts.faults:
            expect(False, "transport stream", where, fault)
        expect(True, "transport stream", where, "")
        if not expect(facts.first_pts is not None, "segment has media", where, "nothing in it"):
            return
        if facts.pictures:
            expect(facts.pictures[0].key, "starts with an IDR", where, "another picture is first")
        for units, name in ((facts.pictures, "pictures"), (facts.sounds, "sounds")):
            for earlier, later in itertools.pairwise(units):
                step = ticks_between(earlier.dts, later.dts)
                if step <= 0:
                    expect(False, "timestamps run on", where, f"{name}: DTS steps {step}")
            expect(True, "timestamps run on", where, "")
        for earlier, later in zip(facts.pcrs, facts.pcrs[1:], strict=False):
            step = ticks_between(earlier, later) / CLOCK
            expect(0 <= step <= 0.1, "PCR every 100 ms", where, f"{step:.3f} s between two")
        if expect(bool(facts.pcrs), "PCR is there", where, "none"):
            lead = ticks_between(facts.pcrs[0], (facts.pictures or facts.sounds)[0].dts)
            expect(lead >= 0, "PCR before DTS", where, f"DTS {lead} ticks after the PCR")
        if facts.pictures and facts.sounds:
            apart = ticks_between(facts.pictures[0].pts, facts.sounds[0].pts) / CLOCK
            expect(
                abs(apart) <= 0.5, "sound beside its picture", where, f"{apart:+.3f} s at the start"
            )

    def _check_neighbours(self, before: Fetched, after: Fetched) -> None:
        expect, where = self.report.expect, after.entry.url
        if before.facts.first_pts is None or after.facts.first_pts is None:
            return
        if before.entry.discontinuity != after.entry.discontinuity:
            return
        for pid, counter in after.facts.first_counter.items():
            last = before.facts.last_counter.get(pid)
            if last is not None:
                expect(
                    counter == (last + 1) & 15,
                    "continuity counters run on",
                    where,
                    f"pid {pid}: {last} then {counter}",
                )
        truth = ticks_between(before.facts.first_pts, after.facts.first_pts) / CLOCK
        expect(
            abs(truth - before.entry.duration) <= self.frame,
            "EXTINF within a frame of the truth",
            before.entry.url,
            f"{before.entry.duration:.3f} s, but the next starts after {truth:.3f} s",
        )
        for name in ("pictures", "sounds"):
            earlier, later = getattr(before.facts, name), getattr(after.facts, name)
            if not earlier or not later:
                continue
            step = ticks_between(earlier[-1].dts, later[0].dts) / CLOCK
            expect(
                0 < step <= 2 * self.frame + 0.01,
                "timestamps run on between segments",
                where,
                f"{name}: {step:+.3f} s",
            )
