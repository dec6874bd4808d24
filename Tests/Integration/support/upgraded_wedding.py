"""Cameras of one wedding whose publishers are with different processes of one node."""

from pathlib import Path

from .cameras import Cameras, Picture, camera_of, publish, publish_url
from .cluster_watch import Viewer
from .http import Client
from .node import Node
from .processes import Process, wait_until

#: Seconds without a new segment: two of them, and what the machine of the tests adds.
SHORT = 4.0


class Watching(Viewer):
    """Reads the program and remembers its segments by their numbers."""

    def __init__(self, node: Node, wedding: str, path: str) -> None:
        self.bodies: dict[int, bytes] = {}
        super().__init__(node, wedding, path)

    def take(self, name: str, body: bytes) -> None:
        self.bodies[int(name.split("-")[0])] = body

    def _look(self, client: Client) -> None:
        super()._look(client)
        if self.is_over:
            self.bad.append("it is over")


class Wedding:
    """Cameras of one wedding on a node by itself, all live, of which the first is shown."""

    def __init__(self, node: Node, folder: Path, cleanup: list[Process], count: int = 2) -> None:
        self.node = node
        self._folder = folder
        self._cleanup = cleanup
        cameras = Cameras(node, "both")
        added = [cameras.add(name) for name in ("One", "Two", "Three")[:count]]
        self.ids = [each["camera_id"] for each in added]
        self._urls = [publish_url(node, each) for each in added]
        self._rounds = 0
        self.publishers = [self._begin(number) for number in range(count)]
        self.wait_for_all()
        cameras.switch(self.ids[0])
        self.playlist = f"{node.base}/hls/both/program/source/index.m3u8"
        wait_until(lambda: self._listed() >= 3, "it is on the air", alive=self.publishers)
        self.viewer = Watching(node, "both", "program/source")
        wait_until(lambda: max(self.viewer.bodies, default=0) >= 4, "it is watched")
        self.shows(0)

    def _listed(self) -> int:
        return self.node.client().get(self.playlist).text.count("#EXTINF")

    def _begin(self, number: int) -> Process:
        self._rounds += 1
        name = f"camera {number}.{self._rounds}"
        process = publish(self._urls[number], Picture(number), self._folder, name)
        self._cleanup.append(process)
        return process

    def wait_for_all(self) -> None:
        # A connection of its own: that of a process before may have been ended.
        cameras = Cameras(self.node, "both")
        wait_until(
            lambda: {cameras.status(each) for each in self.ids} == {"live"},
            "all are live",
            alive=self.publishers,
        )

    def lose(self, number: int) -> None:
        self.publishers[number].interrupt()

    def come(self, number: int) -> None:
        """Its publisher connects anew, to whatever process accepts now."""
        self.publishers[number] = self._begin(number)

    def _picture(self, segment: int) -> int:
        file = self._folder / "newest.ts"
        file.write_bytes(self.viewer.bodies[segment])
        return camera_of(file, len(self.ids))

    @property
    def picture(self) -> int:
        """The camera that viewers of the program see."""
        return self._picture(max(self.viewer.bodies))

    def shows(self, number: int, limit: float = 60) -> None:
        """Waits until viewers see a camera."""
        wait_until(lambda: self.picture == number, f"camera {number} is shown", limit=limit)

    def first(self, number: int, after: int) -> int:
        """The first segment that shows a camera, of those with a larger number."""
        later = sorted(each for each in self.viewer.bodies if each > after)
        return next(each for each in later if self._picture(each) == number)

    @property
    def active(self) -> str | None:
        return Cameras(self.node, "both").active

    def goes_on(self, count: int = 5) -> float:
        """Waits for new segments; the longest time that none was new, in seconds."""
        newest = self.viewer.newest
        wait_until(lambda: self.viewer.newest > newest + count, "the program goes on", limit=60)
        longest, self.viewer.longest = self.viewer.longest, 0.0
        return longest
