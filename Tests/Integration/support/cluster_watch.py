"""Publishers and viewers of a cluster, and what viewers may never see."""

import http.client
import itertools
import threading
import time
from datetime import datetime
from pathlib import Path

from .cluster import Cluster
from .http import Client
from .media import Source
from .node import Node
from .processes import Process
from .publishers import ffmpeg5


def publish(node: Node, wedding: str, folder: Path, name: str = "publisher") -> Process:
    (folder / name).mkdir(exist_ok=True)
    source = Source(seconds=600)
    return ffmpeg5(node.publish_url(wedding), source, node.certificates, folder / name)


def sequences(node: Node, wedding: str, camera: str = "main") -> list[int]:
    """The numbers of the segments that its playlist lists; none while there is no playlist."""
    answer = node.client().get(f"{node.base}/hls/{wedding}/{camera}/source/index.m3u8")
    if answer.status != 200:
        return []
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    return [int(line.split("-")[0]) for line in lines]


def listed(node: Node, wedding: str, camera: str = "main") -> list[tuple[float, float]]:
    """When each listed segment begins by its date, in seconds since 1970, and how long it is."""
    text = node.client().get(f"{node.base}/hls/{wedding}/{camera}/source/index.m3u8").text
    found: list[tuple[float, float]] = []
    date = ""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "#EXT-X-PROGRAM-DATE-TIME":
            date = value.replace("Z", "+00:00")
        elif name == "#EXTINF" and date:
            found.append((datetime.fromisoformat(date).timestamp(), float(value.rstrip(","))))
            date = ""
        elif name == "#EXTINF" and found:
            # A gap has no date of its own, and takes its time.
            found[-1] = (found[-1][0], found[-1][1] + float(value.rstrip(",")))
    assert len(found) > 1, text
    return found


def date_jumps(node: Node, wedding: str, camera: str = "main") -> list[float]:
    """By how many seconds the date of each listed segment is later than the end of the one before."""
    pairs = itertools.pairwise(listed(node, wedding, camera))
    return [after - before - length for (before, length), (after, _) in pairs]


def owner_name(cluster: Cluster, wedding: str) -> str:
    """The name of the origin that has its stream; nothing where Redis doesn't say."""
    return cluster.redis.ask("hget", f"wl:stream:{{{wedding}}}/main", "owner")


def owner(cluster: Cluster, wedding: str) -> Node:
    """The origin that has its stream."""
    return cluster.origins[int(owner_name(cluster, wedding).removeprefix("origin-")) - 1]


class Viewer:
    """Reads a playlist again and again, and notes what no viewer may see."""

    #: Whether it begins with all that is listed first, not with the last three of that.
    takes_all = False

    def __init__(self, edge: Node, wedding: str, path: str = "main/source") -> None:
        self.url = f"{edge.base}/hls/{wedding}/{path}/index.m3u8"
        self.edge = edge
        self.bad: list[str] = []
        self.newest = -1
        #: How many segments it has got: what is with its edge, others need not have any more.
        self.segments = 0
        self.at = time.monotonic()
        #: The longest time between two new segments, and how many discontinuities were listed.
        self.longest = 0.0
        self.breaks: set[str] = set()
        #: Whether its playlist has said that there will be no more.
        self.is_over = False
        self._fetched = -1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        client = self.edge.client()
        while not self._stop.wait(0.1):
            try:
                self._look(client)
            except (OSError, http.client.HTTPException) as error:
                # Refused, or broken off: an honest error, and one all the same.
                client.close()
                if not self._stop.is_set():
                    self.bad.append(f"{self.url}: {error!r}")

    def _look(self, client: Client) -> None:
        """Asks for the playlist once, and for all that is new in it."""
        answer = client.get(self.url)
        if answer.status != 200:
            self.bad.append(f"playlist: {answer}")
            return
        lines = answer.text.splitlines()
        names = [line for line in lines if line and not line.startswith("#")]
        for index, line in enumerate(lines):
            if line == "#EXT-X-DISCONTINUITY":
                self.breaks.add(next(each for each in lines[index:] if each in names))
        oldest, newest = (int(names[each].split("-")[0]) for each in (0, -1))
        if oldest > max(self.newest - 1, 0) and self.newest >= 0:
            self.bad.append(f"{self.newest - 1} to {oldest - 1} are no longer listed")
        if newest < self.newest:
            self.bad.append(f"went back from {self.newest} to {newest}")
        if newest > self.newest:
            now = time.monotonic()
            if self.newest >= 0:
                self.longest = max(self.longest, now - self.at)
            self.newest, self.at = newest, now
        for name in names if self._fetched >= 0 or self.takes_all else names[-3:]:
            number = int(name.split("-")[0])
            if number <= self._fetched:
                continue
            segment = client.get(self.url.replace("index.m3u8", name))
            # One that broke off is asked for again.
            self._fetched = number
            self.segments += 1
            if segment.status != 200:
                self.bad.append(f"segment: {segment}")
            else:
                self.take(name, segment.body)
        self.is_over = "#EXT-X-ENDLIST" in lines

    def take(self, name: str, body: bytes) -> None:
        """A new segment has come; those whose name is in `breaks` follow a discontinuity."""

    def leave(self) -> None:
        """Looks no more; a request that is under way is let go."""
        self._stop.set()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
