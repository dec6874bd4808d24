"""Sources whose every frame is known, made once with ffmpeg and kept between runs."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from .processes import run

CACHE = Path(__file__).resolve().parents[3] / ".build" / "media"


@dataclass(frozen=True)
class Source:
    """What is encoded: a moving test picture and a tone, H.264 and AAC unless said otherwise."""

    seconds: float = 60
    width: int = 320
    height: int = 180
    rate: int = 30
    gop: int = 30
    b_frames: int = 0
    kbits: int = 0  # constant video bitrate; 0: whatever ultrafast makes
    audio: bool = True
    video: bool = True
    noise: bool = False  # pictures that a constant bitrate can be filled with

    @property
    def file(self) -> Path:
        """The FLV file, made if it is not there yet."""
        name = hashlib.sha256(repr(self).encode()).hexdigest()[:16]
        path = CACHE / f"{name}.flv"
        if not path.exists():
            self._make(path)
        return path

    def live_arguments(self) -> list[str]:
        """ffmpeg's arguments that make this source in real time, up to the output format."""
        return ["-re", *self._inputs(), *self._encoders()]

    def _make(self, path: Path) -> None:
        CACHE.mkdir(parents=True, exist_ok=True)
        # Another process may be making it, too; whose name comes last stays.
        partial = path.with_suffix(f".{os.getpid()}.partial")
        words = ["ffmpeg", "-v", "error", "-y", *self._inputs(), *self._encoders()]
        run([*words, "-flvflags", "no_duration_filesize", "-f", "flv", partial], limit=600)
        partial.rename(path)

    def _inputs(self) -> list[str]:
        words: list[str] = []
        if self.video:
            picture = f"testsrc2=size={self.width}x{self.height}:rate={self.rate}"
            picture += f":duration={self.seconds}"
            if self.noise:
                picture += ",noise=alls=60:allf=t+u"
            words += ["-f", "lavfi", "-i", picture]
        if self.audio:
            tone = f"sine=frequency=440:sample_rate=48000:duration={self.seconds}"
            words += ["-f", "lavfi", "-i", tone]
        return words

    def _encoders(self) -> list[str]:
        words: list[str] = []
        if self.video:
            words += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
            words += ["-g", str(self.gop), "-keyint_min", str(self.gop), "-sc_threshold", "0"]
            words += ["-bf", str(self.b_frames)]
            if not self.b_frames:
                words += ["-tune", "zerolatency"]
            if self.kbits:
                rate = f"{self.kbits}k"
                words += ["-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate]
                words += ["-x264-params", "nal-hrd=cbr"]
        if self.audio:
            words += ["-c:a", "aac", "-b:a", "128k", "-ac", "2"]
        return words


@dataclass(frozen=True)
class Packet:
    """One packet as ffprobe reports it; times in seconds."""

    pts: float
    dts: float
    key: bool
    size: int


def probe(url: str, *options: str, limit: float = 60) -> dict:
    """ffprobe's JSON about a URL or file."""
    return json.loads(run(["ffprobe", "-v", "error", "-of", "json", *options, url], limit))


def packets(path: Path, stream: str) -> list[Packet]:
    """Every packet of a stream (`v:0` or `a:0`) in file order."""
    fields = "packet=pts_time,dts_time,flags,size"
    found = probe(str(path), "-select_streams", stream, "-show_entries", fields, limit=300)
    return [
        Packet(
            float(entry["pts_time"]),
            float(entry["dts_time"]),
            "K" in entry["flags"],
            int(entry["size"]),
        )
        for entry in found["packets"]
    ]


def picture_checksums(path: Path) -> list[str]:
    """A checksum of every decoded picture, in the order shown."""
    return _checksums(path, ["-map", "0:v:0", "-fps_mode", "passthrough"])


def audio_checksums(path: Path) -> list[str]:
    """A checksum of every AAC frame as coded, without any ADTS header."""
    convert = [] if path.suffix == ".flv" else ["-bsf:a", "aac_adtstoasc"]
    return _checksums(path, ["-map", "0:a:0", "-c", "copy", *convert])


def _checksums(path: Path, options: list[str]) -> list[str]:
    words = ["ffmpeg", "-v", "error", "-i", path, *options, "-f", "framemd5", "-"]
    printed = run(words, limit=600).splitlines()
    # stream, dts, pts, duration, size, checksum; then side data, which is the demuxer's own
    return [line.split(",")[5].strip() for line in printed if not line.startswith("#")]
