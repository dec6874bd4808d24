"""RTMP publishers on their way through an edge to an origin."""

from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from support.cluster import SECRETS, Redis
from support.ports import free_port
from support.processes import Process, wait_until

from .edge_rows import Edge
from .meter import CLIENT_CORE, SERVER_CORE
from .nginx import Nginx, listens
from .row import Contestant, Reach
from .rtmp_rows import SECONDS, RTMPRow
from .wedlive import Wedlive


class StreamNginx(Nginx):
    """nginx' `stream` module: bytes from one socket to another."""

    def __init__(self, name: str, folder: Path, target: int) -> None:
        super().__init__(name, folder)
        self.port = free_port()
        self._target = target

    def _modules(self) -> str:
        return "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n"

    def start(self) -> None:
        self._start(
            f"""
stream {{
    server {{ listen 127.0.0.1:{self.port}; proxy_pass 127.0.0.1:{self._target}; }}
}}
""",
            self.port,
        )


class HAProxy:
    """HAProxy in TCP mode, with splicing."""

    def __init__(self, name: str, folder: Path, target: int) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._target = target
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        file = self.folder / "haproxy.cfg"
        file.write_text(
            f"""
global
    nbthread 1
    maxconn 4096
defaults
    mode tcp
    option splice-auto
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen rtmp
    bind 127.0.0.1:{self.port}
    server origin 127.0.0.1:{self._target}
"""
        )
        words = ["haproxy", "-db", "-f", file]
        self._process = Process(self.name, words, self.folder / "haproxy.log", core=SERVER_CORE)
        wait_until(lambda: listens(self.port), f"{self.name} listens", alive=[self._process])

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()


class Relay(RTMPRow):
    """CPU per publisher that is handed on to an origin."""

    name = "relay"
    title = "RTMP publisher of 2 Mbit/s on its way through a proxy (wedlive understands RTMP)"
    unit = "% of a core"
    how = "60 publishers in real time for 10 s; the origin is on the client's core"
    STREAM, TCP = "nginx stream", "HAProxy"
    reaches = (Reach("wedlive edge", STREAM, 1.0), Reach("wedlive edge", TCP, 1.0))
    #: Of the edge alone.
    settings: ClassVar[dict[str, str]] = {}

    def start(self, stack: ExitStack) -> list[Contestant]:
        assert self.context.binary is not None, "the origin is wedlive"
        folder = self.context.folder / self.name
        redis = Redis(folder / "redis")
        stack.callback(redis.kill)
        settings = {
            **SECRETS,
            "WEDLIVE_REDIS_URL": redis.url,
            "WEDLIVE_HTTP_REDIRECT": "false",
            "WEDLIVE_CLUSTER_TLS": "false",
            "WEDLIVE_STREAMS_RECONNECT_WINDOW": "1s",
        }
        origin = Wedlive(
            "origin", folder / "origin", self.context.binary, **settings, WEDLIVE_NODE_ID="origin-1"
        )
        origin.role, origin.core = "origin", CLIENT_CORE
        origin.start()
        stack.callback(origin.stop)
        self.origin = origin
        settings |= {"WEDLIVE_NODE_ID": "edge-1", **self.settings}
        edge = Edge(folder / "edge", self.context.binary, **settings)
        target = origin.ports["rtmp"]
        others = [
            StreamNginx(self.STREAM, folder / "nginx", target),
            HAProxy(self.TCP, folder / "haproxy", target),
        ]
        contestants: list[Contestant] = [edge, *others]
        for contestant in contestants:
            contestant.start()
            stack.callback(contestant.stop)
        ports = {edge.name: edge.ports["rtmp"]} | {each.name: each.port for each in others}
        self.urls = {
            name: [
                f"rtmp://127.0.0.1:{port}/live/{origin.token('publish', f'{name[0]}{name[-1]}-{number}')}"
                for number in range(self.streams)
            ]
            for name, port in ports.items()
        }
        return contestants

    def measure(self, contestant: Contestant) -> float:
        with self.publishers(contestant, self.streams, SECONDS + 5) as load:
            self.spent(contestant, 1, load)
            return self.spent(contestant, SECONDS - 2, load) / self.streams * 100


class TCPRelay(Relay):
    """CPU per GB of publishers that nobody on the way understands."""

    name = "relay-tcp"
    title = "RTMP publishers of 2 Mbit/s on their way through a TCP proxy (`rtmp.proxy: tcp`)"
    unit = "CPU-s/GB"
    settings: ClassVar[dict[str, str]] = {"WEDLIVE_RTMP_PROXY": "tcp"}

    def measure(self, contestant: Contestant) -> float:
        with self.publishers(contestant, self.streams, SECONDS + 5) as load:
            self.spent(contestant, 1, load)
            before = self.received
            cost = self.spent(contestant, SECONDS - 2, load) * (SECONDS - 2)
            return cost / ((self.received - before) / 1e9)

    @property
    def received(self) -> float:
        return self.origin.metrics()["wedlive_rtmp_received_bytes_total"]
