"""Four streams with their ladders, for as long as asked; then a verdict on memory.

    soak_ladder.py --wedlive BINARY --minutes 60

Prints a line a minute. Ends by itself, with status 1 when the node or a worker grew after the
warm-up, a worker was lost, or a rung's segment had to come from elsewhere.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from support import rtmp_load
from support.media import Source
from support.node import Node
from support.processes import Process
from support.rungs import ladder, workers

MIB = 1 << 20
STREAMS = 4
SOURCE = Source(seconds=60, width=640, height=360, rate=15, gop=45, b_frames=2, kbits=500)
SETTINGS = {
    **ladder(rung_360p="480x270 250k 64k", rung_240p="240x136 100k 32k"),
    "WEDLIVE_TRANSCODE_THREADS": "1",
    "WEDLIVE_STREAMS_WINDOW": "30s",
    "WEDLIVE_ENCRYPTION_METHOD": "aes-128",
}


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def grown(name: str, sizes: list[int]) -> list[str]:
    """What is wrong with a size that was taken every minute: more than 5 % (or 8 MiB) of growth.

    The means of the second and the last third are compared.
    """
    third = len(sizes) // 3
    if third == 0:
        return []
    before = sum(sizes[third : 2 * third]) / third
    after = sum(sizes[-third:]) / third
    if after - before <= max(0.05 * before, 8 * MIB):
        return []
    return [f"{name} grew from {before / MIB:.1f} to {after / MIB:.1f} MiB"]


def soak(node: Node, minutes: int, folder: Path) -> list[str]:
    """Runs the load and returns what is wrong."""
    urls = [node.publish_url(f"ladder-{number}") for number in range(STREAMS)]
    words = [sys.executable, rtmp_load.__file__, "publish", SOURCE.file, str(minutes * 60 + 60)]
    nodes, all_workers, wrong = [], [], []
    with Process("publishers", [*words, *urls], folder / "publishers.log") as publishers:
        begun = time.monotonic()
        for minute in range(1, minutes + 1):
            time.sleep(max(0.0, begun + minute * 60 - time.monotonic()))
            if publishers.ended:
                return ["the publishers ended before their time"]
            sizes = sorted(resident(pid) for pid in workers(node))
            nodes.append(resident(node.pid))
            all_workers.append(sum(sizes))
            heap = node.metrics()['wedlive_heap_bytes{part="used"}']
            text = ", ".join(f"{size / MIB:.1f}" for size in sizes)
            print(
                f"{minute:4} min  node {nodes[-1] / MIB:6.1f} MiB, heap used {heap / MIB:6.1f};"
                f" workers {text}",
                flush=True,
            )
        metrics = node.metrics()
    for name in (
        "wedlive_transcode_workers_lost_total",
        'wedlive_transcode_segments_total{from="other_rendition"}',
    ):
        print(f"{name} {metrics[name]:.0f}")
        if metrics[name]:
            wrong.append(f"{name} is {metrics[name]:.0f}")
    made = metrics['wedlive_transcode_segments_total{from="encoder"}']
    print(f"{made:.0f} segments of rungs")
    if made < STREAMS * 2 * minutes * 60 / 3 * 0.9:
        wrong.append(f"only {made:.0f} segments were made")
    return wrong + grown("the node", nodes) + grown("the workers", all_workers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wedlive", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=60)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="wedlive-soak-"))
    print(f"data and log in {folder}", flush=True)
    with Node(folder, SETTINGS, arguments.wedlive.resolve()) as node:
        wrong = soak(node, arguments.minutes, folder)
    for each in wrong:
        print(f"WRONG: {each}")
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
