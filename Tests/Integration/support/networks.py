"""A network of its own for one process, whose cable can be pulled, wholly or in one direction."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .cluster import Cluster
from .node import Node, Place
from .processes import Failed, run
from .workers import OWN

#: An address that nobody has: frames sent there are dropped by whoever gets them.
NOBODY = "02:00:00:00:00:01"


class Network:
    """A network namespace, and a cable from it to this machine's.

    Its addresses are of 198.18.0.0/15, which is kept for such tests (RFC 2544).
    """

    def __init__(self, number: int) -> None:
        self._name = f"wl{os.getpid() % 100_000}n{number}"
        self._cable, self._far = f"{self._name}a", f"{self._name}b"
        base = f"198.18.{OWN % 256}"
        self.here, self.there = f"{base}.{4 * number + 1}", f"{base}.{4 * number + 2}"
        run(["ip", "netns", "add", self._name])
        ends = ["type", "veth", "peer", "name", self._far, "netns", self._name]
        run(["ip", "link", "add", self._cable, *ends])
        run(["ip", "address", "add", f"{self.here}/30", "dev", self._cable])
        run(["ip", "link", "set", self._cable, "up"])
        self._inside("ip", "address", "add", f"{self.there}/30", "dev", self._far)
        self._inside("ip", "link", "set", self._far, "up")
        self._inside("ip", "link", "set", "lo", "up")

    @property
    def place(self) -> Place:
        """For a node that shall live in it."""
        return Place(self.there, ("ip", "netns", "exec", self._name))

    def cut(self) -> None:
        """Nothing comes through any more; nobody is told."""
        self.silence()
        self.deafen()

    def silence(self) -> None:
        """What is sent from inside is lost; what is sent there arrives."""
        self._inside(*self._lost(self.here, self._far))

    def deafen(self) -> None:
        """What is sent there is lost; what is sent from inside arrives."""
        run(self._lost(self.there, self._cable))

    def slow(self, rate: str) -> None:
        """What is sent from inside comes no faster than so, such as `1mbit`, until it is mended."""
        words = ["tc", "qdisc", "replace", "dev", self._far, "root", "tbf"]
        self._inside(*words, "rate", rate, "burst", "4kb", "latency", "5s")

    def arrived(self) -> int:
        """How many bytes have come out of it."""
        return int(Path(f"/sys/class/net/{self._cable}/statistics/rx_bytes").read_text())

    def reset(self) -> None:
        """All connections with the other side are reset, at both ends."""
        self._inside("ss", "-K", "dst", self.here)

    def mend(self) -> None:
        """All comes through again."""
        _ignoring([*self.place.enter, "tc", "qdisc", "del", "dev", self._far, "root"])
        _ignoring(["ip", "neigh", "del", self.there, "dev", self._cable])
        _ignoring([*self.place.enter, "ip", "neigh", "del", self.here, "dev", self._far])

    def add_origin(self, cluster: Cluster, name: str, **settings: str) -> Node:
        """One more origin of a cluster, inside; its Redis has to listen on this side's address."""
        url = f"redis://{self.here}:{cluster.redis.port}/0"
        own = {"WEDLIVE_REDIS_URL": url, "WEDLIVE_CLUSTER_ADDRESS": self.there}
        made = cluster.add("origin", name, self.place, **own, **settings)
        cluster.origins.append(made)
        return made

    def remove(self) -> None:
        _ignoring(["ip", "netns", "del", self._name])
        _ignoring(["ip", "link", "del", self._cable])

    def _inside(self, *words: str) -> None:
        run([*self.place.enter, *words])

    @staticmethod
    def _lost(address: str, device: str) -> list[str]:
        words = ["ip", "neigh", "replace", address, "lladdr", NOBODY]
        return [*words, "dev", device, "nud", "permanent"]


def _ignoring(words: list[str]) -> None:
    try:
        run(words)
    except Failed:
        return


@contextmanager
def network(number: int = 1) -> Iterator[Network | None]:
    """One, or nothing where this user may not make any."""
    try:
        made = Network(number)
    except Failed:
        yield None
        return
    try:
        yield made
    finally:
        made.remove()
