"""RTMP sessions of real clients, recorded."""

import socket
import subprocess
import threading
import time
from pathlib import Path

from .place import LONGEST, write
from .process import run

#: What both sides say before the first chunk.
HANDSHAKE = 1 + 2 * 1536


class Relay(threading.Thread):
    """Carries one connection to a server, and keeps what both sides said; without one it listens."""

    def __init__(self, upstream: int | None) -> None:
        super().__init__(daemon=True)
        self.upstream = upstream
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.up = b""
        self.down = b""
        self.start()

    def run(self) -> None:
        client, _ = self.listener.accept()
        if self.upstream is None:
            while data := client.recv(65_536):
                self.up += data
            return
        server = socket.create_connection(("127.0.0.1", self.upstream))
        threading.Thread(target=self.carry_down, args=(server, client), daemon=True).start()
        while data := client.recv(65_536):
            self.up += data
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    def carry_down(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(65_536):
                self.down += data
                client.sendall(data)
        except OSError:
            pass


def rtmp(wedlive: str, film: Path, folder: Path) -> None:
    environment = {
        "WEDLIVE_LISTEN_RTMP": "127.0.0.1:19351",
        "WEDLIVE_LISTEN_RTMPS": "off",
        "WEDLIVE_LISTEN_HTTPS": "127.0.0.1:0",
        "WEDLIVE_LISTEN_HTTP": "off",
        "WEDLIVE_LISTEN_ADMIN": "127.0.0.1:0",
        "WEDLIVE_ACCESS_WATCH": "public",
        "PATH": "/usr/bin:/bin",
    }
    node = subprocess.Popen(
        [wedlive, "standalone", "--data", str(folder / "data")],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", 19351)).close()
                break
            except OSError:
                time.sleep(0.2)
        token = subprocess.run(
            [wedlive, "token", "publish", "--wedding", "w1", "--data", str(folder / "data")],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        publish = f"rtmp://127.0.0.1:{{}}/live/{token}"
        clients = {
            "ffmpeg-publish": f"ffmpeg -loglevel error -re -i {film} -c copy -f flv {publish}",
            "librtmp-play": "rtmpdump -q --stop 1 -o /dev/null -r rtmp://127.0.0.1:{}/live/w1",
            "gstreamer-publish": f"gst-launch-1.0 -q filesrc location={film} ! "
            f"rtmp2sink location={publish}",
        }
        for name, command in clients.items():
            relay = Relay(19351)
            publisher = None
            if name.endswith("play"):
                publisher = threading.Thread(
                    target=run,
                    args=(clients["ffmpeg-publish"].format(19351),),
                )
                publisher.start()
                time.sleep(1)
            run(command.format(relay.port), seconds=6)
            if publisher:
                publisher.join()
            time.sleep(1)
            write("rtmp", name, relay.up[:LONGEST])
            write("rtmp-client", name, relay.down[:LONGEST])
            write("chunks", f"{name}-client", relay.up[HANDSHAKE : HANDSHAKE + 4096])
            write("chunks", f"{name}-server", relay.down[HANDSHAKE : HANDSHAKE + 4096])
    finally:
        node.terminate()
        node.wait()
