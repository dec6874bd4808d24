"""A cluster of real processes on loopback: Redis, origins and edges."""

import os
from collections.abc import Callable
from pathlib import Path

from .node import Node, Place
from .ports import free_port
from .processes import Failed, Process, run, wait_until

SECRETS = {
    "WEDLIVE_AUTH_SECRET": "the secret of all tokens in these tests",
    "WEDLIVE_CLUSTER_SECRET": "what all nodes of these tests know of each other",
}


def ask(port: int, *words: str) -> str:
    """What a server of Redis answers; nothing while it can't be reached."""
    try:
        return run(["redis-cli", "-p", str(port), *words]).strip()
    except Failed:
        return ""


class Redis:
    """A redis-server of its own, without anything on disk."""

    def __init__(self, folder: Path, primary: "Redis | None" = None, bind: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._more = ["--bind", "127.0.0.1", *bind.split()]
        if bind:
            self._more += ["--protected-mode", "no"]
        if primary is not None:
            self._more += ["--replicaof", "127.0.0.1", str(primary.port)]
        self.process: Process | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        words = ["redis-server", "--port", str(self.port), "--dir", str(self.folder)]
        words += ["--save", "", "--appendonly", "no"]
        self.process = Process(
            "redis", [*words, *self._more], self.folder / "redis.log", env=dict(os.environ)
        )
        wait_until(lambda: self.ask("ping") == "PONG", "redis answers", alive=[self.process])

    def ask(self, *words: str) -> str:
        return ask(self.port, *words)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()


class Sentinel:
    """One Sentinel, which is enough for a quorum of one."""

    def __init__(self, folder: Path, primary: Redis) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        settings = folder / "sentinel.conf"
        settings.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor weddings 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds weddings 1000\n"
            "sentinel failover-timeout weddings 10000\n"
        )
        self.process = Process("sentinel", ["redis-sentinel", settings], folder / "sentinel.log")
        wait_until(
            lambda: "slaves=1" in ask(self.port, "info", "sentinel"),
            "the Sentinel knows the replica",
            alive=[self.process],
        )

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.port}/weddings/0"

    def primary(self) -> int:
        """The port of the server that it names."""
        said = ask(self.port, "sentinel", "get-master-addr-by-name", "weddings")
        return int(said.split()[-1])


class Cluster:
    """Nodes that meet at one Redis; certificates are one authority's."""

    def __init__(
        self,
        folder: Path,
        make: Callable[..., Node],
        origins: int,
        edges: int,
        redis: Redis | None = None,
        url: str | None = None,
    ) -> None:
        self.redis = redis or Redis(folder / "redis")
        self.url = url or self.redis.url
        self._make = make
        self.origins = [self.add("origin", f"origin-{number}") for number in range(1, origins + 1)]
        self.edges = [self.add("edge", f"edge-{number}") for number in range(1, edges + 1)]

    def add(self, role: str, name: str, place: Place | None = None, **settings: str) -> Node:
        """Starts one more node."""
        values = {
            **SECRETS,
            "WEDLIVE_NODE_ID": name,
            "WEDLIVE_REDIS_URL": self.url,
            "WEDLIVE_ACCESS_WATCH": "public",
            "WEDLIVE_HTTP_REDIRECT": "false",
            # Each node's certificate is of an authority of its own here.
            "WEDLIVE_CLUSTER_TLS": "false",
            **settings,
        }
        return self._make(role=role, place=place, **values)

    def stop(self) -> None:
        self.redis.kill()
