"""Viewers who know what was published, and compare every byte they get."""

import hashlib
import threading
import time
from datetime import datetime

from .cluster_watch import Viewer
from .exact import Follower, Published
from .node import Node


class Bytes:
    """The segments that viewers got, by stream and name: the same at every edge."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digests: dict[str, bytes] = {}

    def is_same(self, name: str, body: bytes) -> bool:
        digest = hashlib.sha256(body).digest()
        with self._lock:
            known = self._digests.setdefault(name, digest)
            if len(self._digests) > 2_000:
                del self._digests[next(iter(self._digests))]
        return known == digest


class ExactViewer(Viewer):
    """A viewer who knows what was published."""

    def __init__(
        self,
        edge: Node,
        wedding: str,
        published: Published,
        all_bytes: Bytes,
        from_start: bool = False,
        path: str = "main/source",
    ) -> None:
        self.follower = Follower(published, from_start)
        # What came before it began, an outage of three seconds among it, it is to have as well.
        self.takes_all = from_start
        self._all = all_bytes
        self._wedding = wedding
        self.wrong: list[str] = []
        #: When it had each segment.
        self.times: list[float] = []
        self._printed = 0
        super().__init__(edge, wedding, path)

    def take(self, name: str, body: bytes) -> None:
        self.times.append(time.monotonic())
        place = f"{self.edge.settings['WEDLIVE_NODE_ID']}, {self._wedding}/{name}"
        if not self._all.is_same(f"{self._wedding}/{name}", body):
            self.wrong.append(f"{place}: another edge has other bytes")
        found = self.follower.take(body, name in self.breaks)
        self.wrong += [f"{place}: {each}" for each in found]
        for each in self.wrong[self._printed :]:
            print(f"          {datetime.now():%H:%M:%S} {each}", flush=True)
        self._printed = len(self.wrong)
