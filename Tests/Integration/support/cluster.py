"""A cluster of real processes on loopback: Redis, origins and edges."""

import os
from collections.abc import Callable
from pathlib import Path

from .node import Node
from .ports import free_port
from .processes import Process, run, wait_until

SECRETS = {
    "WEDLIVE_AUTH_SECRET": "the secret of all tokens in these tests",
    "WEDLIVE_CLUSTER_SECRET": "what all nodes of these tests know of each other",
}


class Redis:
    """A redis-server of its own, without anything on disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.process: Process | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = Process(
            "redis", [*words, "--appendonly", "no"], self.folder / "redis.log", env=dict(os.environ)
        )
        wait_until(lambda: self.ask("ping") == "PONG", "redis answers", alive=[self.process])

    def ask(self, *words: str) -> str:
        try:
            return run(["redis-cli", "-p", str(self.port), *words]).strip()
        except Exception:
            return ""

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()


class Cluster:
    """Nodes that meet at one Redis; certificates are one authority's."""

    def __init__(self, folder: Path, make: Callable[..., Node], origins: int, edges: int) -> None:
        self.redis = Redis(folder / "redis")
        self._make = make
        self.origins = [self.add("origin", f"origin-{number}") for number in range(1, origins + 1)]
        self.edges = [self.add("edge", f"edge-{number}") for number in range(1, edges + 1)]

    def add(self, role: str, name: str) -> Node:
        """Starts one more node."""
        return self._make(
            role=role,
            **SECRETS,
            WEDLIVE_NODE_ID=name,
            WEDLIVE_REDIS_URL=self.redis.url,
            WEDLIVE_ACCESS_WATCH="public",
            WEDLIVE_HTTP_REDIRECT="false",
            # Each node's certificate is of an authority of its own here.
            WEDLIVE_CLUSTER_TLS="false",
        )

    def stop(self) -> None:
        self.redis.kill()
