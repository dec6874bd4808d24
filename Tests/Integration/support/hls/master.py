"""The rules of a master playlist, against what its variants turn out to hold."""

import json

import m3u8
from m3u8.model import StreamInfo

from ..http import Response
from ..processes import run
from .playlists import MEDIA_TYPE
from .report import Report
from .segments import Fetched
from .transport_stream import CLOCK, ticks_between


class MasterPlaylist:
    """One master playlist; `refresh` it as often as wanted, `measure` at the end."""

    def __init__(self, url: str, report: Report) -> None:
        self.url = url
        self.report = report
        self.variants: dict[str, StreamInfo] = {}

    def refresh(self, answer: Response) -> None:
        expect, where = self.report.expect, self.url
        if not expect(answer.status == 200, "master status", where, str(answer.status)):
            return
        kind = answer.headers.get("content-type", "").partition(";")[0]
        expect(kind == MEDIA_TYPE, "master type", where, kind)
        cache = answer.headers.get("cache-control", "")
        expect("max-age=" in cache, "master cache time", where, f"Cache-Control: {cache}")
        expect("access-control-allow-origin" in answer.headers, "master CORS", where, "no header")
        master = m3u8.loads(answer.text, uri=self.url)
        if not expect(master.is_variant, "master playlist", where, "it lists no variant"):
            return
        self.variants = {variant.absolute_uri: variant.stream_info for variant in master.playlists}
        for url, info in self.variants.items():
            for name in ("bandwidth", "average_bandwidth", "codecs"):
                expect(bool(getattr(info, name)), f"variant says {name}", url, "it does not")

    def measure(self, url: str, fetched: list[Fetched]) -> None:
        """Compares what the master says of a variant with the segments fetched of it."""
        info, expect = self.variants[url], self.report.expect
        whole = [one for one in fetched if one.entry.duration >= 0.5]
        if not whole:
            return
        peak = max(one.bits_per_second for one in whole)
        average = sum(one.size * 8 for one in whole) / sum(one.entry.duration for one in whole)
        expect(
            peak <= 1.25 * info.bandwidth,
            "peak within 125 % of BANDWIDTH",
            url,
            f"{peak:.0f} measured, BANDWIDTH={info.bandwidth}",
        )
        expect(
            info.bandwidth <= 1.5 * peak,
            "BANDWIDTH is measured",
            url,
            f"{peak:.0f} measured, BANDWIDTH={info.bandwidth}",
        )
        if info.average_bandwidth:
            expect(
                average <= 1.10 * info.average_bandwidth,
                "average within 110 % of AVERAGE-BANDWIDTH",
                url,
                f"{average:.0f} measured, AVERAGE-BANDWIDTH={info.average_bandwidth}",
            )
        self._codecs(url, info, whole[-1])
        if whole[-1].facts.pictures:
            self._picture(url, info, whole)

    def _codecs(self, url: str, info: StreamInfo, last: Fetched) -> None:
        truth = set()
        if len(last.facts.sps) > 3:
            truth.add("avc1." + last.facts.sps[1:4].hex())
        if last.facts.audio_object_type:
            truth.add(f"mp4a.40.{last.facts.audio_object_type}")
        said = {word.strip().lower() for word in (info.codecs or "").split(",")}
        self.report.expect(
            said == truth, "CODECS are the stream's", url, f"{sorted(said)}, really {sorted(truth)}"
        )

    def _picture(self, url: str, info: StreamInfo, whole: list[Fetched]) -> None:
        expect = self.report.expect
        fields = "stream=width,height"
        command = ["ffprobe", "-v", "error", "-of", "json", "-select_streams", "v:0"]
        found = json.loads(run([*command, "-show_entries", fields, whole[-1].file]))["streams"][0]
        size = (found["width"], found["height"])
        expect(info.resolution == size, "RESOLUTION is the stream's", url, f"{info.resolution}")
        pictures = whole[-1].facts.pictures
        if len(pictures) > 1:
            span = ticks_between(pictures[0].dts, pictures[-1].dts) / CLOCK
            rate = (len(pictures) - 1) / span
            said = float(info.frame_rate or 0)
            expect(
                abs(said - rate) <= 0.05 * rate,
                "FRAME-RATE is the stream's",
                url,
                f"{said}, really {rate:.3f}",
            )
