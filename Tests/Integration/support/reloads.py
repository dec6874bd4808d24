"""Blocking playlist reloads over one kept connection, as a low-latency player makes them."""

import itertools
from pathlib import Path

from .node import Node
from .processes import Process, wait_until


class Reloads:
    """Asks for one segment after the other as soon as it is made; for each of them three times.

    A process that leaves its stream may answer once without it, for a player to ask anew, and one that
    has yet to hear of the stream from that may, too.
    """

    _rounds = 3

    def __init__(
        self, node: Node, playlist: str, version: str, numbers: range, folder: Path
    ) -> None:
        self._numbers = numbers
        self._folder = folder / f"reloads{version}"
        self._folder.mkdir()
        glob = f"_HLS_msn=[{numbers[0]}-{numbers[-1]}]&round=[1-{self._rounds}]"
        # What it says of one is to be there at once.
        words = ["stdbuf", "-oL", "curl", version, "-s", "-S"]
        words += ["--cacert", str(node.certificates.authority), "-o", f"{self._folder}/#1-#2.m3u8"]
        words += ["-w", "%{http_version} %{http_code} %{num_connects} %{time_total}\\n"]
        words += [f"{node.base}/hls/{playlist}/index.m3u8?{glob}"]
        self.process = Process(f"curl {version}", words, self._folder / "curl.log")

    @property
    def answers(self) -> list[list[str]]:
        """HTTP version, status, new connections and seconds of each request so far."""
        return [line.split() for line in self.process.log_text().splitlines()]

    def end(self) -> None:
        """Waits for the last of them."""
        wait_until(lambda: self.process.ended, "all reloads are answered", limit=120)
        print(self.process.name, self.answers)

    @property
    def longest(self) -> float:
        """For how many seconds one was held at most."""
        return max(float(answer[3]) for answer in self.answers)

    @property
    def newest(self) -> list[int]:
        """The number of the newest segment in each answer."""
        found = []
        for number, turn in itertools.product(self._numbers, range(self._rounds)):
            lines = (self._folder / f"{number}-{turn + 1}.m3u8").read_text().splitlines()
            names = [line for line in lines if line and not line.startswith("#")]
            found.append(int(names[-1].split("-")[0]))
        return found

    def check(self, version: str, target: float) -> None:
        """Each was answered in time and with no number left out."""
        assert {answer[0] for answer in self.answers} == {version}
        assert {answer[1] for answer in self.answers} == {"200"}
        # One connection to each process.
        assert sum(int(answer[2]) for answer in self.answers) == 2
        newest = self.newest
        assert newest == sorted(newest)
        last = newest[self._rounds - 1 :: self._rounds]
        assert all(found >= number for found, number in zip(last, self._numbers, strict=True))
        # One segment's time, or what is left of it and another one; a reload that is given up takes
        # three, and the machine of the tests may be busy.
        assert self.longest < 2.25 * target
