"""The edge: hits from memory and from disk, and fills."""

import os
from contextlib import ExitStack
from pathlib import Path

from support.certificates import Certificates
from support.node import Node
from support.ports import free_port
from support.processes import Failed, wait_until

from .h2load import h2load
from .meter import CLIENT_CORE, SERVER_CORE, Meter, thread_seconds
from .nginx import TUNED, Nginx, WebNginx
from .row import Contestant, Reach, Row

OURS, PROXY, STATIC = "wedlive edge", "nginx proxy_cache", "nginx tuned"
OBJECT = 2 << 20


class Origin(Nginx):
    """Plain HTTP, on the client's core: what the caches stand in front of."""

    def __init__(self, folder: Path) -> None:
        super().__init__("origin", folder)
        self.port = free_port()
        self.root = folder / "root"
        self.root.mkdir(parents=True)

    core = CLIENT_CORE

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._start(
            f"""
http {{
    access_log off;
    types {{ video/mp2t ts; }}
    keepalive_requests 100000000;
    server {{
        listen 127.0.0.1:{self.port};
        root {self.root};
        add_header Cache-Control "public, max-age=3600";
    }}
}}
""",
            self.port,
        )


class ProxyNginx(Nginx):
    """nginx with `proxy_cache`, as the plan has it, in front of the same origin."""

    def __init__(self, folder: Path, origin: Origin, certificates: Certificates) -> None:
        super().__init__(PROXY, folder)
        self.port = free_port()
        self._origin = origin
        self._certificates = certificates

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._start(
            f"""
http {{
    access_log off;
    keepalive_requests 100000000;
    keepalive_timeout 3600s;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {self._certificates.certificate};
    ssl_certificate_key {self._certificates.key};
    proxy_cache_path {self.folder}/cache keys_zone=bench:16m max_size=8g use_temp_path=off;
    proxy_buffers 8 256k;
    proxy_buffer_size 64k;
    proxy_busy_buffers_size 512k;
    {TUNED}
    upstream origin {{ server 127.0.0.1:{self._origin.port}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{self.port} ssl http2;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache bench;
            proxy_cache_lock on;
            proxy_cache_valid 200 1h;
        }}
    }}
}}
""",
            self.port,
        )


class Edge(Node):
    """`wedlive edge` on the server's core."""

    def __init__(self, folder: Path, binary: Path, **settings: str) -> None:
        quiet = {"WEDLIVE_LOOPS_COUNT": "1", "WEDLIVE_HTTP_IDLE_TIMEOUT": "1h"}
        super().__init__(folder, {**quiet, **settings}, binary, core=SERVER_CORE, role="edge")
        self.name = OURS

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{self.ports['https']}"

    def stop(self) -> int:
        return super().stop() if self.process is not None else 0


class EdgeRow(Row):
    """Rows whose contestants cache what one origin has."""

    objects = 1
    memory = "1g"

    def start(self, stack: ExitStack) -> list[Contestant]:
        folder = self.context.folder / self.name
        origin = Origin(folder / "origin")
        self.paths = [f"/{number}.ts" for number in range(self.count(self.objects))]
        for path in self.paths:
            (origin.root / path.lstrip("/")).write_bytes(os.urandom(OBJECT))
        origin.start()
        stack.callback(origin.stop)
        self.bases: dict[str, str] = {}
        contestants = self.contestants(folder, origin)
        for contestant in contestants:
            contestant.start()
            stack.callback(contestant.stop)
        return contestants

    def contestants(self, folder: Path, origin: Origin) -> list[Contestant]:
        """Those that take part, not started yet; `bases` knows their addresses."""
        contestants: list[Contestant] = []
        if self.context.binary is not None:
            edge = Edge(
                folder / "edge",
                self.context.binary,
                WEDLIVE_EDGE_UPSTREAMS=origin.url,
                WEDLIVE_EDGE_MEMORY=self.memory,
            )
            self.bases[OURS] = edge.base
            contestants.append(edge)
        proxy = ProxyNginx(folder / "proxy", origin, self.context.certificates)
        self.bases[PROXY] = proxy.base
        return [*contestants, proxy, *self.others(folder, origin)]

    def others(self, folder: Path, origin: Origin) -> list[Contestant]:
        return []

    def urls(self, contestant: Contestant) -> list[str]:
        return [self.bases[contestant.name] + path for path in self.paths]


class EdgeHits(EdgeRow):
    """CPU per GB of what the cache has in memory."""

    name = "edge"
    title = "edge: 2 MiB objects from memory, HTTP/2 + TLS 1.3"
    unit = "CPU-s/GB"
    how = "h2load: 1,500 requests for one cached object, 4 connections of 8 streams"
    reaches = (Reach(OURS, STATIC, 0.30), Reach(OURS, PROXY))

    def others(self, folder: Path, origin: Origin) -> list[Contestant]:
        static = WebNginx(STATIC, folder / "static", TUNED, self.context.certificates)
        url = static.put(self.paths[0], (origin.root / self.paths[0].lstrip("/")).read_bytes())
        self.bases[STATIC] = url.removesuffix(self.paths[0])
        return [static]

    def measure(self, contestant: Contestant) -> float:
        meter = Meter(contestant.pid).start()
        received = h2load(self.urls(contestant)[0], self.count(1500), clients=4, streams=8)
        return meter.read() / (received / 1e9)


class TwoLoops(EdgeRow):
    """What a second loop costs: the same CPU per GB from twice the cores is twice the throughput."""

    name = "edge-loops"
    title = "edge: two loops beside one, 2 MiB objects from memory, HTTP/2 + TLS 1.3"
    unit = "CPU-s/GB"
    how = (
        "h2load: 1,500 requests for one cached object, 32 connections of 2 streams; the client has a"
        " core of the two, so what counts is the work: where two loops take 1.11 times the CPU of one"
        " for the same bytes, they send 1.8 times as many from twice the cores. Each loop did a third"
        " of it at least"
    )
    ONE, TWO = "one loop", "two loops"
    reaches = (Reach(TWO, ONE, 1.11),)
    #: Which loop gets a connection is the kernel's choice.
    least_share, tries = 1 / 3, 10

    def contestants(self, folder: Path, origin: Origin) -> list[Contestant]:
        assert self.context.binary is not None, "this row is wedlive's alone"
        edges: list[Contestant] = []
        for name, loops in ((self.ONE, 1), (self.TWO, 2)):
            edge = Edge(
                folder / name.replace(" ", "-"),
                self.context.binary,
                WEDLIVE_EDGE_UPSTREAMS=origin.url,
                WEDLIVE_EDGE_MEMORY=self.memory,
                WEDLIVE_LOOPS_COUNT=str(loops),
            )
            edge.name, edge.core = name, None
            self.bases[name] = edge.base
            edges.append(edge)
        return edges

    def measure(self, contestant: Contestant) -> float:
        for _ in range(self.tries):
            before = thread_seconds(contestant.pid, "loop-")
            meter = Meter(contestant.pid).start()
            received = h2load(self.urls(contestant)[0], self.count(1500), clients=32, streams=2)
            spent = meter.read()
            after = thread_seconds(contestant.pid, "loop-")
            shares = [seconds - before[thread] for thread, seconds in after.items()]
            if len(shares) == 1 or min(shares) >= self.least_share * sum(shares):
                return spent / (received / 1e9)
        raise Failed(f"{contestant.name}: in {self.tries} tries one loop did nearly all")


class DiskHits(EdgeRow):
    """CPU per GB of what is on disk alone."""

    name = "edge-disk"
    title = "edge: 2 MiB objects from disk, HTTP/2 + TLS 1.3"
    unit = "CPU-s/GB"
    how = (
        "h2load: 300 objects in turn, three times over, 1 connection of 16 streams; wedlive has room"
        " for 7 of them in memory, files are in the page cache"
    )
    objects = 300
    memory = "16m"
    reaches = (Reach(OURS, PROXY, 1.0),)

    def measure(self, contestant: Contestant) -> float:
        urls = self.urls(contestant)
        if not hasattr(self, "filled"):
            self.filled: set[str] = set()
        if contestant.name not in self.filled:
            self.filled.add(contestant.name)
            # One connection: each asks for all, from the first on.
            h2load(urls, len(urls), clients=1, streams=4)
            if isinstance(contestant, Edge):
                wait_until(
                    lambda: contestant.metrics().get("wedlive_edge_disk_objects", 0) >= len(urls),
                    "all is on disk",
                )
        meter = Meter(contestant.pid).start()
        received = h2load(urls, 3 * len(urls), clients=1, streams=16)
        return meter.read() / (received / 1e9)


class Fills(EdgeRow):
    """CPU per GB of what has to be fetched first."""

    name = "edge-fill"
    title = "edge: 2 MiB objects that nobody has asked for yet, HTTP/2 + TLS 1.3"
    unit = "CPU-s/GB"
    how = "h2load: 200 objects, each once, 1 connection of 16 streams; others in each round"
    objects = 200
    reaches = (Reach(OURS, PROXY, 1.0),)

    def measure(self, contestant: Contestant) -> float:
        if not hasattr(self, "rounds"):
            self.rounds = 0
        self.rounds += 1
        urls = [f"{url}?{self.rounds}" for url in self.urls(contestant)]
        meter = Meter(contestant.pid).start()
        received = h2load(urls, len(urls), clients=1, streams=16)
        return meter.read() / (received / 1e9)
