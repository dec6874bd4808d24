"""HAProxy in front of edges, as `cluster/local/haproxy.cfg` has it, on free ports.

Only its checks are other ones: they go to admin ports, without TLS.
"""

import socket
import threading
from pathlib import Path

from .media import Source
from .node import Node
from .ports import free_port
from .processes import Process, wait_until
from .publishers import ffmpeg5


class Balancer:
    """TCP to whichever edge is ready."""

    def __init__(self, folder: Path, edges: list[Node]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.rtmp, self.https, self.stats = free_port(), free_port(), folder / "stats"
        lines = [
            "global",
            f"    stats socket {self.stats} mode 600 level admin",
            "defaults",
            "    mode tcp",
            "    timeout connect 3s",
            "    option redispatch 1",
            "    timeout client 5m",
            "    timeout server 5m",
            "    timeout check 1s",
            "    default-server inter 1s fall 2 rise 1",
        ]
        for name in ("rtmp", "https"):
            lines += [
                f"listen {name}",
                f"    bind 127.0.0.1:{getattr(self, name)}",
                "    balance leastconn",
                "    option httpchk GET /readyz",
                "    http-check expect status 200",
            ]
            lines += [
                f"    server {each.settings['WEDLIVE_NODE_ID']} 127.0.0.1:{each.ports[name]}"
                f" check port {each.ports['admin']}"
                for each in edges
            ]
        settings = folder / "haproxy.cfg"
        settings.write_text("\n".join(lines) + "\n")
        self.process = Process(
            "haproxy", ["haproxy", "-db", "-f", settings], folder / "haproxy.log"
        )
        wait_until(
            lambda: self.stats.exists() and self._up() == len(edges),
            "the balancer sees all edges",
            alive=[self.process],
        )

    def republish(
        self, url: str, folder: Path, stop: threading.Event, cleanup: list[Process]
    ) -> None:
        """Publishes as OBS does: connects again, until told to stop."""
        number = 0
        source = Source(seconds=600)
        while not stop.is_set():
            own = folder / f"publisher-{number}"
            own.mkdir()
            number += 1
            process = ffmpeg5(url, source, None, own)  # type: ignore[arg-type]
            cleanup.append(process)
            while not process.ended and not stop.wait(0.1):
                pass

    def carrier(self, edges: list[Node]) -> Node:
        """The edge that the publisher is connected to."""
        rows = self._rows("rtmp")
        name = next(each[1] for each in rows if each[1][:4] == "edge" and int(each[4]) > 0)
        return next(each for each in edges if each.settings["WEDLIVE_NODE_ID"] == name)

    def _up(self) -> int:
        return sum(1 for each in self._rows("rtmp") if each[1][:4] == "edge" and each[17] == "UP")

    def _rows(self, proxy: str) -> list[list[str]]:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(str(self.stats))
            asked.sendall(b"show stat\n")
            said = asked.makefile().read()
        return [line.split(",") for line in said.splitlines() if line.startswith(f"{proxy},")]
