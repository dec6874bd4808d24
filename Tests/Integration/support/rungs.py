"""The rungs of a ladder, compared with their source."""

from itertools import pairwise
from pathlib import Path

import pytest

from .hls.watcher import Variant, Watcher
from .media import Packet, packets
from .node import Node

QUALITIES = ("4k", "1080p", "720p", "480p", "360p", "240p")

#: FLV counts milliseconds, transport streams 1/90000 s; each rounds once.
ROUNDING = 0.002


def ladder(**sizes: str) -> dict[str, str]:
    """A node's settings for a ladder of just these qualities: `rung_360p="320x180 300k 64k"`.

    An empty size leaves a quality as it is by default.
    """
    settings = {"WEDLIVE_TRANSCODE_ENABLED": "true"}
    for name in QUALITIES:
        size = sizes.get(f"rung_{name}", "off")
        if size:
            settings[f"WEDLIVE_QUALITIES_{name.upper()}"] = size
    return settings


def rungs(watcher: Watcher) -> dict[str, Variant]:
    """The variants by the name that their addresses have."""
    return {url.split("/")[-2]: variant for url, variant in watcher.variants.items()}


def segments(variant: Variant) -> dict[int, tuple[float, object]]:
    """Duration and date of each segment, by number."""
    entries = variant.playlist.entries
    return {number: (entry.duration, entry.date) for number, entry in entries.items()}


def times(found: list[Packet]) -> list[float]:
    return sorted(packet.pts for packet in found)


def workers(node: Node) -> list[int]:
    """The transcode workers that a node has now."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"transcode-worker" in words and int(parent) == node.pid:
            found.append(int(entry.name))
    return found


def compare(watcher: Watcher, folder: Path, names: set[str]) -> None:
    """Fails unless every rung has the source's segments, and its pictures at its times.

    Leaves each rendition whole in `folder`, by its name.
    """
    found = rungs(watcher)
    assert set(found) == names
    assert not watcher.report.violations, f"\n{watcher.report}"
    source = found.pop("source")
    joined = source.segments.join(folder / "source.ts")
    shown = times(packets(joined, "v:0"))
    heard = times(packets(joined, "a:0"))
    for name, rung in found.items():
        assert segments(rung) == segments(source)
        assert sorted(rung.segments.fetched) == sorted(source.segments.fetched)
        own = rung.segments.join(folder / f"{name}.ts")
        pictures = packets(own, "v:0")
        assert times(pictures) == pytest.approx(shown, abs=ROUNDING)
        assert all(after.dts > before.dts for before, after in pairwise(pictures))
        sounds = times(packets(own, "a:0"))
        # An encoder of its own begins and ends within a frame or two of 1024 samples.
        assert sounds[0] == pytest.approx(heard[0], abs=0.06)
        assert sounds[-1] == pytest.approx(heard[-1], abs=0.06)
        gaps = [after - before for before, after in pairwise(sounds)]
        assert max(gaps) < 1.5 * 1024 / 48000
        for number, fetched in rung.segments.fetched.items():
            first = packets(fetched.file, "v:0")
            assert first[0].key, f"{name} {number} begins with a keyframe"
            assert sum(packet.key for packet in first) == 1, f"{name} {number} has one keyframe"
