"""nginx, as Debian packs it, as a web server and (with its RTMP module) as a media server."""

import socket
from pathlib import Path

from support.certificates import Certificates
from support.ports import free_port
from support.processes import Process, wait_until

from .meter import SERVER_CORE

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")

#: What makes nginx's HTTP/2 cheap here. Files come from tmpfs in every flavour.
TUNED = """
    sendfile off;
    output_buffers 2 256k;
    http2_chunk_size 128k;
"""
CACHED = (
    TUNED
    + """
    open_file_cache max=1000 inactive=600s;
    open_file_cache_valid 600s;
"""
)
DEFAULTS = ""
FLAVOURS = {"nginx tuned": TUNED, "nginx tuned, cached": CACHED, "nginx defaults": DEFAULTS}


class Nginx:
    """One nginx with one worker, in the foreground, on the server's core unless it says otherwise."""

    core = SERVER_CORE

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def _start(self, configuration: str, port: int) -> None:
        file = self.folder / "nginx.conf"
        common = f"""
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 16384;
pid {self.folder}/nginx.pid;
error_log {self.folder}/error.log warn;
events {{ worker_connections 8192; }}
"""
        file.write_text(f"{self._modules()}{common}{configuration}")
        words = ["nginx", "-p", self.folder, "-e", self.folder / "error.log", "-c", file]
        self._process = Process(self.name, words, self.folder / "nginx.log", core=self.core)
        wait_until(lambda: listens(port), f"{self.name} listens", alive=[self._process])

    def _modules(self) -> str:
        return ""


class WebNginx(Nginx):
    """Serves a folder over HTTP/2 and TLS 1.3 with the same certificate as the others."""

    def __init__(self, name: str, folder: Path, settings: str, certificates: Certificates) -> None:
        super().__init__(name, folder)
        self.port = free_port()
        self.root = folder / "root"
        self._settings = settings
        self._certificates = certificates

    def put(self, path: str, content: bytes) -> str:
        """Places a file and returns its URL."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return f"https://127.0.0.1:{self.port}/{path.lstrip('/')}"

    def start(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self._start(
            f"""
http {{
    access_log off;
    types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; }}
    keepalive_requests 100000000;
    keepalive_timeout 3600s;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {self._certificates.certificate};
    ssl_certificate_key {self._certificates.key};
    {self._settings}
    server {{
        listen 127.0.0.1:{self.port} ssl http2;
        root {self.root};
    }}
}}
""",
            self.port,
        )


class RTMPNginx(Nginx):
    """nginx-rtmp; with `hls` it also packages, as the plan's configuration has it."""

    def __init__(self, name: str, folder: Path, hls: bool) -> None:
        super().__init__(name, folder)
        self.port = free_port()
        self._hls = hls

    def publish_url(self, stream: str) -> str:
        return f"rtmp://127.0.0.1:{self.port}/live/{stream}"

    play_url = publish_url

    def start(self) -> None:
        self._start(
            f"""
rtmp {{
    server {{
        listen 127.0.0.1:{self.port};
        chunk_size 4096;
        {self._applications()}
    }}
}}
""",
            self.port,
        )

    def _applications(self) -> str:
        return f"""
        application live {{
            live on;
            {self._packaging("3s") if self._hls else ""}
        }}"""

    def _packaging(self, fragment: str) -> str:
        return f"""
            hls on;
            hls_nested on;
            hls_path {self.folder}/hls;
            hls_fragment {fragment};
            hls_playlist_length 60s;"""

    def _modules(self) -> str:
        return f"load_module {MODULE};\n"


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
