"""Four streams with all that a node makes of them, for as long as asked; then a verdict on memory.

    soak_ladder.py --wedlive BINARY --minutes 60

Each has its ladder, is encrypted, recorded and kept for seeking back; two are the cameras of one
wedding, whose program is switched every 10 s. Every 5 minutes a recording is ended, made a movie,
stored and deleted. Prints a line a minute. Ends by itself, with status 1 when the node or a worker
grew after the warm-up, a worker was lost, a recording failed, or a rung's segment had to come from
elsewhere.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from support import rtmp_load
from support.cameras import Cameras, publish_url
from support.media import Source
from support.memory import MIB, grown, resident
from support.node import Node
from support.processes import Process
from support.rungs import ladder, workers

STREAMS = 4
SOURCE = Source(seconds=60, width=640, height=360, rate=15, gop=45, b_frames=2, kbits=500)
SETTINGS = {
    **ladder(rung_360p="480x270 250k 64k", rung_240p="240x136 100k 32k"),
    "WEDLIVE_TRANSCODE_THREADS": "1",
    "WEDLIVE_STREAMS_WINDOW": "30s",
    "WEDLIVE_ENCRYPTION_METHOD": "aes-128",
    "WEDLIVE_STREAMS_DVR_WINDOW": "5m",
    "WEDLIVE_RECORDING_ENABLED": "true",
    "WEDLIVE_RECORDING_MAX_SIZE": "8m",
}
SWITCH_EVERY = 10
RECORDINGS_EVERY = 5 * 60


class Recordings:
    """Ends a wedding's recording now and then, and deletes what has become of it."""

    def __init__(self, node: Node, wedding: str) -> None:
        self.api = Cameras(node, wedding)
        self.wedding = wedding
        self.deleted = 0

    def turn(self) -> list[str]:
        """Deletes what is done, ends what runs, begins the next; says what has failed."""
        failed = []
        for each in self.api.call("GET", f"recordings/{self.wedding}")["recordings"]:
            if each["state"] == "failed":
                failed.append(f"recording {each['recording_id']} failed: {each}")
            elif each["state"] == "completed":
                self.api.call("DELETE", f"recordings/{each['recording_id']}")
                self.deleted += 1
        for verb in ("stop", "start"):
            self.api.call("POST", f"recording/{verb}", {"wedding_id": self.wedding})
        return failed


def soak(node: Node, minutes: int, folder: Path) -> list[str]:
    """Runs the load and returns what is wrong."""
    cameras = Cameras(node, "ladder-cameras")
    added = [cameras.add(f"Camera {number}") for number in (1, 2)]
    alone = [f"ladder-{number}" for number in range(STREAMS - len(added))]
    urls = [node.publish_url(wedding) for wedding in alone]
    urls += [publish_url(node, camera) for camera in added]
    recordings = Recordings(node, alone[0])
    words = [sys.executable, rtmp_load.__file__, "publish", SOURCE.file, str(minutes * 60 + 60)]
    nodes, all_workers, wrong = [], [], []
    with Process("publishers", [*words, *urls], folder / "publishers.log") as publishers:
        begun = time.monotonic()
        for second in range(SWITCH_EVERY, minutes * 60 + 1, SWITCH_EVERY):
            time.sleep(max(0.0, begun + second - time.monotonic()))
            if publishers.ended:
                return ["the publishers ended before their time"]
            cameras.switch(added[second // SWITCH_EVERY % 2]["camera_id"])
            if second % RECORDINGS_EVERY == 0:
                wrong += recordings.turn()
            if second % 60:
                continue
            sizes = sorted(resident(pid) for pid in workers(node))
            nodes.append(resident(node.pid))
            all_workers.append(sum(sizes))
            heap = node.metrics()['wedlive_heap_bytes{part="used"}']
            text = ", ".join(f"{size / MIB:.1f}" for size in sizes)
            print(
                f"{second // 60:4} min  node {nodes[-1] / MIB:6.1f} MiB,"
                f" heap used {heap / MIB:6.1f}; workers {text}",
                flush=True,
            )
        metrics = node.metrics()
    print(f"{recordings.deleted} recordings were made, stored and deleted")
    if recordings.deleted < minutes * 60 // RECORDINGS_EVERY - 2:
        wrong.append(f"only {recordings.deleted} recordings were completed")
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
