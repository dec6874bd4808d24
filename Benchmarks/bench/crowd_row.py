"""A crowd that waits for an object which nobody has yet."""

import os
import statistics
from contextlib import ExitStack
from pathlib import Path

from support.crowd import CROWD, SlowOrigin, gather
from support.ports import free_port
from support.processes import Failed, Process, wait_until
from support.waiting import PlainViewer

from .edge_rows import OURS, PROXY, Edge
from .meter import CLIENT_CORE, SERVER_CORE, family
from .nginx import Nginx, listens
from .row import Contestant, Reach, Row

VARNISH = "Varnish"


class LockingNginx(Nginx):
    """nginx with `proxy_cache_lock`, which holds all but the first until the object is there."""

    def __init__(self, folder: Path, origin: SlowOrigin) -> None:
        super().__init__(PROXY, folder)
        self.port = free_port()
        self._origin = origin

    def start(self) -> None:
        self._start(
            f"""
http {{
    access_log off;
    proxy_cache_path {self.folder}/cache keys_zone=bench:16m max_size=1g use_temp_path=off;
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        location / {{
            proxy_pass http://127.0.0.1:{self._origin.port};
            proxy_cache bench;
            proxy_cache_lock on;
            proxy_cache_lock_age 60s;
            proxy_cache_lock_timeout 60s;
        }}
    }}
}}
""",
            self.port,
        )


class Varnish:
    """varnishd, which sends on what it has of an object that still comes."""

    name = VARNISH

    def __init__(self, folder: Path, origin: SlowOrigin) -> None:
        self.port = free_port()
        self.folder = folder
        self._origin = origin
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        # The child does the work; the manager that was started looks after it.
        return family(self._process.pid)[-1]

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # fmt: off
        words = ["varnishd", "-F", "-j", "none", "-n", self.folder, "-a", f"127.0.0.1:{self.port}",
                 "-b", f"127.0.0.1:{self._origin.port}", "-s", "malloc,256m", "-T", "none",
                 "-p", f"thread_pool_min={CROWD}", "-p", "thread_pools=1",
                 "-p", "first_byte_timeout=60"]
        # fmt: on
        self._process = Process(VARNISH, words, self.folder / "varnish.log", core=SERVER_CORE)
        wait_until(lambda: listens(self.port), "Varnish listens", alive=[self._process])

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()


class Crowd(Row):
    """How long after the origin's first byte half of a crowd has theirs."""

    name = "crowd"
    title = f"edge: {CROWD:,} viewers wait for one object that nobody has yet"
    unit = "ms to half of them"
    how = (
        f"{CROWD:,} connections of HTTP/1.1 ask for an object of 300 kB, then its origin answers:"
        " milliseconds from the origin's first byte until half of them have theirs; a time, not a"
        " cost, with one core for each server. wedlive and Varnish ask the origin once, nginx is"
        " told to"
    )
    reaches = (Reach(OURS, VARNISH, 1.0), Reach(OURS, PROXY))

    def start(self, stack: ExitStack) -> list[Contestant]:
        folder = self.context.folder / self.name
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {CLIENT_CORE})
        stack.callback(os.sched_setaffinity, 0, cores)
        self.origin = SlowOrigin()
        stack.callback(self.origin.stop)
        self.ports: dict[str, int] = {}
        contestants: list[Contestant] = []
        if self.context.binary is not None:
            edge = Edge(
                folder / "edge",
                self.context.binary,
                WEDLIVE_EDGE_UPSTREAMS=self.origin.address,
                WEDLIVE_HTTP_REDIRECT="false",
            )
            self.ports[OURS] = edge.ports[PlainViewer.listener]
            contestants.append(edge)
        for peer in (LockingNginx(folder / "nginx", self.origin), Varnish(folder, self.origin)):
            self.ports[peer.name] = peer.port
            contestants.append(peer)
        for contestant in contestants:
            contestant.start()
            stack.callback(contestant.stop)
        return contestants

    def measure(self, contestant: Contestant) -> float:
        path = f"/{len(self.origin.asked)}-segment.ts"
        before = len(self.origin.asked)
        seen = gather(
            PlainViewer,
            self.ports[contestant.name],
            contestant.pid,
            self.origin,
            path,
            self.count(CROWD),
        )
        asked = len(self.origin.asked) - before
        if asked != 1:
            raise Failed(f"{contestant.name} asked the origin {asked} times for one object")
        return statistics.median(seen.waits)
