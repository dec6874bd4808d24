"""Cameras of one wedding: added over the API, published with ffmpeg, told apart by their picture."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .media import CACHE
from .node import Node
from .processes import Failed, Process, run

#: A wall colour for each camera, as its mean luma and chroma tell it apart.
COLOURS = ("0xD03030", "0x30B030", "0x3050D0", "0xE0E0E0", "0x202020", "0xC0A020")


@dataclass(frozen=True)
class Picture:
    """A source of one colour with something that moves in it, and a tone of its own."""

    number: int
    seconds: int = 120
    width: int = 320
    height: int = 180
    rate: int = 30
    gop: int = 30

    @property
    def file(self) -> Path:
        name = f"camera-{self.number}-{self.seconds}-{self.width}x{self.height}-{self.gop}.flv"
        path = CACHE / name
        if path.exists():
            return path
        CACHE.mkdir(parents=True, exist_ok=True)
        # Another process may be making it, too; whose name comes last stays.
        partial = path.with_suffix(f".{os.getpid()}.partial")
        box = "[0:v][2:v]overlay=x='mod(n*4,main_w-40)':y=main_h/2-20[v]"
        # fmt: off
        run([
            "ffmpeg", "-v", "error", "-y",
            "-f", "lavfi", "-i",
            f"color={COLOURS[self.number]}:size={self.width}x{self.height}:rate={self.rate}"
            f":duration={self.seconds}",
            "-f", "lavfi", "-i",
            f"sine=frequency={330 + 110 * self.number}:sample_rate=48000:duration={self.seconds}",
            "-f", "lavfi", "-i", f"color=black:size=40x40:rate={self.rate}:duration={self.seconds}",
            "-filter_complex", box, "-map", "[v]", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
            "-pix_fmt", "yuv420p", "-g", str(self.gop), "-keyint_min", str(self.gop),
            "-sc_threshold", "0", "-c:a", "aac", "-b:a", "96k", "-ac", "2",
            "-flvflags", "no_duration_filesize", "-f", "flv", partial,
        ], limit=600)
        # fmt: on
        partial.rename(path)
        return path


def camera_of(segment: Path, count: int, at: float = 0) -> int:
    """Which camera a file's picture is of, so many seconds after its first."""
    # Said, as what is short may be taken for something else.
    kind = "flv" if segment.suffix == ".flv" else "mpegts"
    raw = subprocess.run(
        [
            "ffmpeg", "-v", "error", "-f", kind, "-ss", str(at), "-i", segment, "-frames:v", "1", "-vf", "scale=8:8",
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
        ],
        capture_output=True, check=True, timeout=30,
    ).stdout  # fmt: skip
    pixels = list(zip(raw[0::3], raw[1::3], raw[2::3], strict=True))
    middle = sorted(pixels)[len(pixels) // 2]
    wanted = [tuple(int(colour[i : i + 2], 16) for i in (2, 4, 6)) for colour in COLOURS[:count]]
    distances = [sum((a - b) ** 2 for a, b in zip(middle, each, strict=True)) for each in wanted]
    return distances.index(min(distances))


class Cameras:
    """The API's side of one wedding's cameras."""

    def __init__(self, node: Node, wedding: str) -> None:
        self.node = node
        self.wedding = wedding
        self._service = node.token("service", wedding)
        self._client = node.client()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the API answers; fails where that is not a 200."""
        answer = self.ask(method, path, body)
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer}: {answer.text}")
        return json.loads(answer.text)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._service}", "Content-Type": "application/json"}
        content = json.dumps(body).encode() if body is not None else None
        return self._client.get(f"{self.node.base}/api/streams/{path}", headers, method, content)

    def add(self, name: str, **more: Any) -> dict[str, Any]:
        body = {"wedding_id": self.wedding, "camera_name": name, **more}
        return self.call("POST", "camera/add", body)

    def remove(self, camera: str) -> dict[str, Any]:
        return self.call("DELETE", f"camera/{camera}")

    def switch(self, camera: str) -> dict[str, Any]:
        body = {"wedding_id": self.wedding, "camera_id": camera}
        return self.call("POST", "camera/switch", body)

    def list(self) -> dict[str, Any]:
        return self.call("GET", f"cameras/{self.wedding}")

    def status(self, camera: str) -> str:
        return next(c["status"] for c in self.list()["cameras"] if c["camera_id"] == camera)

    @property
    def active(self) -> str | None:
        return self.list().get("active_camera_id")


def publish(url: str, picture: Picture, folder: Path, name: str) -> Process:
    """ffmpeg, sending a camera's picture in real time, over and over."""
    words = [
        "ffmpeg", "-v", "info", "-nostats", "-nostdin", "-re", "-stream_loop", "-1",
        "-i", picture.file, "-map", "0", "-c", "copy", "-f", "flv", url,
    ]  # fmt: skip
    return Process(name, words, folder / f"{name.replace(' ', '-')}.log")


def publish_url(node: Node, added: dict[str, Any]) -> str:
    """Where a camera that was added publishes to, as the API said, on this node's port."""
    return f"{added['rtmp_url']}/{added['stream_key']}"
