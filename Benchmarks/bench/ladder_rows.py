"""The quality ladder: what encoding costs, how late its segments are, what encrypting them costs."""

import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from support import rtmp_load
from support.media import CACHE, Source
from support.processes import Process, run, wait_until
from support.publishers import ffmpeg_copy
from support.rungs import ladder

from .meter import Meter, family
from .nginx import RTMPNginx
from .row import Contestant, Reach, Row
from .rtmp_rows import Publishers
from .wedlive import Wedlive

OURS = "wedlive"


@dataclass(frozen=True)
class Rung:
    """One quality: a size in pixels, bit rates in kbit/s."""

    name: str
    width: int
    height: int
    video: int
    audio: int

    @property
    def size(self) -> str:
        """As a node's settings have it."""
        return f"{self.width}x{self.height} {self.video}k {self.audio}k"

    def encoders(self) -> list[str]:
        """ffmpeg's options for the same encoders: x264 as wedlive sets it up, a keyframe every 2 s."""
        # fmt: off
        return [
            "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high",
            "-b:v", f"{self.video}k", "-maxrate", f"{self.video * 11 // 10}k",
            "-bufsize", f"{self.video * 3 // 2}k", "-g", "60", "-keyint_min", "60",
            "-sc_threshold", "0", "-c:a", "aac", "-b:a", f"{self.audio}k", "-ac", "2",
        ]
        # fmt: on


RUNGS = [
    Rung("720p", 1280, 720, 2800, 128),
    Rung("480p", 854, 480, 1400, 96),
    Rung("360p", 640, 360, 800, 64),
    Rung("240p", 426, 240, 400, 64),
]
FFMPEG = ["ffmpeg", "-v", "error", "-nostdin", "-y"]


def settings(rungs: list[Rung]) -> dict[str, str]:
    """A node's, for just these rungs and segments of 2 s."""
    return {
        **ladder(**{f"rung_{rung.name}": rung.size for rung in rungs}),
        "WEDLIVE_STREAMS_FRAGMENT": "2s",
        "WEDLIVE_STREAMS_RECONNECT_WINDOW": "1s",
    }


class Unpinned(Wedlive):
    """A node on all cores: encoders have threads of their own."""

    def __init__(self, name: str, folder: Path, binary: Path, **more: str) -> None:
        super().__init__(name, folder, binary, **more)
        self._core = None


class FFmpeg:
    """Commands that each read the recorded source in real time and write HLS; not a server."""

    def __init__(self, name: str, folder: Path, commands: list[list[str | Path]]) -> None:
        self.name = name
        self.pid = os.getpid()
        self._folder = folder
        self._commands = commands

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def spend(self) -> float:
        """CPU seconds of all the commands, side by side."""
        before = _children()
        with ExitStack() as stack:
            running = [
                stack.enter_context(Process(self.name, command, self._folder / f"{number}.log"))
                for number, command in enumerate(self._commands)
            ]
            for process in running:
                process.succeed(limit=120)
        return _children() - before


class Ladder(Row):
    """CPU of four rungs below a 720p source."""

    name = "ladder"
    title = "quality ladder: 720p30 to 720p, 480p, 360p and 240p, x264 veryfast"
    unit = "CPU s per s of the stream"
    how = (
        "30 s published in real time; the node and its worker, from the publisher's first byte to the"
        " last segment of each rung. The ffmpegs read the same file in real time and write HLS, those for"
        " each rung side by side; nobody is pinned to a core"
    )
    EACH, SPLIT = "one ffmpeg for each rung", "one ffmpeg, split and scale"
    reaches = (Reach(OURS, EACH, 0.75), Reach(OURS, SPLIT, 1.0))
    warm = False

    @property
    def source(self) -> Source:
        return Source(
            seconds=self.count(30), width=1280, height=720, gop=60, b_frames=2, kbits=4500
        )

    def start(self, stack: ExitStack) -> list[Contestant]:
        folder = self.context.folder / self.name
        contestants: list[Contestant] = []
        if self.context.binary is not None:
            self.node = Unpinned(OURS, folder / OURS, self.context.binary, **settings(RUNGS))
            self.node.start()
            stack.callback(self.node.stop)
            contestants.append(self.node)
        contestants.append(FFmpeg(self.EACH, folder / "each", list(self._each(folder / "each"))))
        contestants.append(FFmpeg(self.SPLIT, folder / "split", [self._split(folder / "split")]))
        return contestants

    def _each(self, folder: Path) -> Iterator[list[str | Path]]:
        for rung in RUNGS:
            scale = ["-vf", f"scale={rung.width}:{rung.height}"]
            yield [
                *FFMPEG,
                "-re",
                "-i",
                self.source.file,
                *scale,
                *rung.encoders(),
                *_hls(folder, rung),
            ]

    def _split(self, folder: Path) -> list[str | Path]:
        outlets = "".join(f"[v{index}]" for index in range(len(RUNGS)))
        chains = [
            f"[v{index}]scale={rung.width}:{rung.height}[o{index}]"
            for index, rung in enumerate(RUNGS)
        ]
        graph = ";".join([f"[0:v]split={len(RUNGS)}{outlets}", *chains])
        words: list[str | Path] = [*FFMPEG, "-re", "-i", self.source.file]
        words += ["-filter_complex", graph]
        for index, rung in enumerate(RUNGS):
            words += ["-map", f"[o{index}]", "-map", "0:a", *rung.encoders(), *_hls(folder, rung)]
        return words

    def measure(self, contestant: Contestant) -> float:
        if isinstance(contestant, FFmpeg):
            return contestant.spend() / self.source.seconds
        meter = Meter(contestant.pid).start()
        url = self.node.publish_url("ladder")
        ffmpeg_copy(url, self.source.file, self.node.folder, "-re").succeed(120)
        wait_until(lambda: len(family(contestant.pid)) == 1, "the worker is gone", limit=30)
        spent = meter.read()
        metrics = self.node.metrics()
        assert metrics['wedlive_transcode_segments_total{from="other_rendition"}'] == 0
        assert "transcode.step" not in self.node.log.read_text(), "it stepped down: not comparable"
        return spent / self.source.seconds


class PlanNginx(RTMPNginx):
    """The plan's way: nginx-rtmp starts an ffmpeg for the rung, which sends it back for HLS."""

    def __init__(self, name: str, folder: Path, rung: Rung) -> None:
        super().__init__(name, folder, hls=True)
        self._rung = rung

    def _applications(self) -> str:
        rung = self._rung
        own = f"rtmp://127.0.0.1:{self.port}"
        scale = f"-vf scale={rung.width}:{rung.height}"
        words = " ".join([*FFMPEG, "-i", f"{own}/live/$name", scale, *rung.encoders()])
        return f"""
        application live {{
            live on;
            exec {words} -f flv {own}/hls/$name;
        }}
        application hls {{
            live on;
            {self._packaging("2s")}
        }}"""


class Latency(Row):
    """How long after its last picture was sent an encoded segment is listed."""

    name = "latency"
    title = "delay from a segment's last picture to its place in the playlist, 720p30 to 360p"
    unit = "ms"
    how = (
        "one stream in real time for 24 s, 2 s segments, each known by its brightness; median of its"
        " segments. The playlist is asked for every 10 ms, nginx's read from its file"
    )
    PLAN = "nginx-rtmp and ffmpeg"
    reaches = (Reach(OURS, PLAN, 1.0),)
    warm = False
    RUNG = RUNGS[2]

    def start(self, stack: ExitStack) -> list[Contestant]:
        folder = self.context.folder / self.name
        contestants: list[Contestant] = []
        if self.context.binary is not None:
            contestants.append(
                Unpinned(OURS, folder / OURS, self.context.binary, **settings([self.RUNG]))
            )
        contestants.append(PlanNginx(self.PLAN, folder / "nginx", self.RUNG))
        for contestant in contestants:
            contestant.start()
            stack.callback(contestant.stop)
        self.number = 0
        return contestants

    def measure(self, contestant: Contestant) -> float:
        self.number += 1
        stream = f"late{self.number}"
        seconds = 24
        log = self.context.folder / self.name / f"{stream}.log"
        url = contestant.publish_url(stream)
        words = [sys.executable, rtmp_load.__file__, "publish", _steps(), str(seconds), url]
        listed: dict[str, tuple[float, bytes]] = {}
        with Process("publisher", words, log) as publisher:
            wait_until(lambda: "ready" in log.read_text(), "it publishes", every=0.005)
            begun = time.monotonic()
            fetch = self._fetcher(contestant, stream)
            while not publisher.ended and time.monotonic() - begun < seconds - 1:
                text = fetch("index.m3u8").decode()
                now = time.monotonic()
                for name in re.findall(r"^(?!#)\S+\.ts\S*$", text, re.MULTILINE):
                    if name not in listed:
                        listed[name] = (now, fetch(name))
                time.sleep(0.01)
        delays = []
        for when, content in listed.values():
            step = _step(content, self.context.folder / self.name / "segment.ts")
            delays.append((when - begun - (step + 1) * STEP_SECONDS) * 1000)
        assert len(delays) >= 4, f"{contestant.name} listed {len(delays)} segments"
        return statistics.median(delays)

    def _fetcher(self, contestant: Contestant, stream: str):
        if isinstance(contestant, PlanNginx):
            folder = contestant.folder / "hls" / stream
            return lambda name: (folder / name).read_bytes() if (folder / name).exists() else b""
        client = contestant.client()
        base = f"{contestant.base}/hls/{stream}/main/{self.RUNG.name}/"

        def fetch(name: str) -> bytes:
            answer = client.get(base + name)
            return answer.body if answer.status == 200 else b""

        return fetch


STEP_SECONDS = 2
STEPS = 24


def _steps() -> Path:
    """A recorded source whose picture gets brighter by 8 of 255 every 2 s, with a keyframe there."""
    path = CACHE / f"steps-{STEP_SECONDS}-{STEPS}.flv"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        seconds = STEP_SECONDS * STEPS
        light = f"geq=lum='24+8*floor(T/{STEP_SECONDS})':cb=128:cr=128"
        # fmt: off
        run([
            *FFMPEG, "-f", "lavfi",
            "-i", f"color=size=1280x720:rate=30:duration={seconds},format=yuv420p,{light}",
            "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}",
            "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "2000k",
            "-x264-params", "nal-hrd=cbr:vbv-maxrate=2000:vbv-bufsize=2000",
            "-g", str(30 * STEP_SECONDS), "-sc_threshold", "0", "-c:a", "aac", "-ac", "2",
            "-f", "flv", str(path.with_suffix(".partial")),
        ], limit=300)
        # fmt: on
        path.with_suffix(".partial").rename(path)
    return path


def _step(segment: bytes, file: Path) -> int:
    """Which of the steps a segment shows, by its last picture."""
    file.write_bytes(segment)
    words = [*FFMPEG, "-i", file, "-vf", "scale=2:2", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"]
    pictures = subprocess.run(words, capture_output=True, check=True, timeout=60).stdout
    return round((pictures[-6] - 24) / 8)  # four of Y, one of U, one of V


class Encryption(Publishers):
    """CPU per GB of segments, plain and encrypted."""

    name = "aes"
    title = "RTMP to HLS, plain and with AES-128"
    unit = "CPU s per GB"
    how = "60 publishers of 2 Mbit/s in real time for 10 s; the difference is the encryption's"
    ENCRYPTED, PLAIN, FLOOR = "wedlive, AES-128", "wedlive, plain", "openssl speed aes-128-cbc"
    peers = ()
    reaches = (Reach(ENCRYPTED, PLAIN),)

    def start(self, stack: ExitStack) -> list[Contestant]:
        folder = self.context.folder / self.name
        contestants: list[Contestant] = []
        for name, method in ((self.ENCRYPTED, "aes-128"), (self.PLAIN, "off")):
            if self.context.binary is None:
                continue
            values = {
                "WEDLIVE_STREAMS_WINDOW": "60s",
                "WEDLIVE_STREAMS_RECONNECT_WINDOW": "1s",
                "WEDLIVE_ENCRYPTION_METHOD": method,
            }
            node = Wedlive(name, folder / method, self.context.binary, **values)
            node.start()
            stack.callback(node.stop)
            contestants.append(node)
        contestants.append(FFmpeg(self.FLOOR, folder, []))
        self.urls = {
            node.name: [node.publish_url(f"stream-{i}") for i in range(self.streams)]
            for node in contestants
            if isinstance(node, Wedlive)
        }
        return contestants

    def measure(self, contestant: Contestant) -> float:
        if contestant.name == self.FLOOR:
            words = ["openssl", "speed", "-mr", "-seconds", "1", "-bytes", "65536"]
            said = run([*words, "-evp", "aes-128-cbc"], limit=60)
            return 1e9 / float(re.search(r"^\+F:.*:([\d.]+)$", said, re.MULTILINE)[1])
        gigabytes = 2.03e6 / 8 / 1e9
        return super().measure(contestant) / 100 / gigabytes


def _hls(folder: Path, rung: Rung) -> list[str | Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return ["-f", "hls", "-hls_time", "2", "-hls_list_size", "30", folder / f"{rung.name}.m3u8"]


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
