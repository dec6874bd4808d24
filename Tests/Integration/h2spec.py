"""h2spec against `wedlive edge`, over TLS: an object of a cache, and a live playlist; then a verdict.

    h2spec.py --wedlive BINARY --h2spec BINARY

h2spec is https://github.com/summerwind/h2spec; it is not part of this project. Fails where fewer than
LEAST of its tests pass, strict ones included, at either address.
"""

import argparse
import http.server
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from support.media import Source
from support.node import Node
from support.processes import wait_until
from support.publishers import ffmpeg5
from support.streams import wait_on_air

#: Of 146; what was reached once, and is not to be lost.
LEAST = 145
SUMMARY = re.compile(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed")
SECRETS = {
    "WEDLIVE_AUTH_SECRET": "the secret of all tokens in these tests",
    "WEDLIVE_CLUSTER_SECRET": "what all nodes of these tests know of each other",
}


class Upstream(http.server.BaseHTTPRequestHandler):
    """Has an object that may be kept, and takes whatever is posted to it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        # h2spec wants more than a window of one byte can take.
        self.answer(b"kept" * 5_000, "public, max-age=3600")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(b"taken", "no-store")

    def answer(self, body: bytes, cache_control: str) -> None:
        self.send_response(200)
        self.send_header("Cache-Control", cache_control)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def judge(h2spec: Path, port: int, path: str, what: str) -> bool:
    """Runs all of it against one address, prints what failed, and returns whether enough passed."""
    command = [str(h2spec), "--tls", "--insecure", "--strict", "--timeout", "5"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--path", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    found = SUMMARY.search(done.stdout)
    if found is None:
        print(f"h2spec: {what}: no verdict\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return False
    tests, passed, skipped, _ = map(int, found.groups())
    _, _, failures = done.stdout.partition("Failures:")
    if failures:
        print(failures.strip())
    print(f"h2spec: {what}: {passed} of {tests} pass, {skipped} skipped")
    return passed >= LEAST


def cached_object(binary: Path, h2spec: Path, folder: Path) -> bool:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {"WEDLIVE_EDGE_UPSTREAMS": f"http://127.0.0.1:{server.server_address[1]}"}
    try:
        with Node(folder / "edge", settings, binary, role="edge") as edge:
            asked = [edge.client().get(f"{edge.base}/object") for _ in range(2)]
            assert [answer.headers.get("x-cache-status") for answer in asked] == ["MISS", "HIT"]
            return judge(h2spec, edge.ports["https"], "/object", "an object of a cache")
    finally:
        server.shutdown()


def live_playlist(binary: Path, h2spec: Path, folder: Path) -> bool:
    with ExitStack() as stack:
        origin = stack.enter_context(Node(folder / "origin", SECRETS, binary))
        settings = {
            **SECRETS,
            "WEDLIVE_EDGE_UPSTREAMS": origin.base,
            "WEDLIVE_EDGE_CA": str(origin.certificates.authority),
        }
        edge = stack.enter_context(Node(folder / "live-edge", settings, binary, role="edge"))
        publisher = ffmpeg5(
            origin.publish_url("live"), Source(seconds=600), origin.certificates, folder
        )
        stack.callback(publisher.stop)
        wait_on_air(origin, "live", 3, publisher)
        path = "/hls/live/main/source/index.m3u8"
        client = edge.client()
        wait_until(lambda: client.get(edge.base + path).status == 200, "the edge has its playlist")
        return judge(h2spec, edge.ports["https"], path, "a live playlist")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--wedlive", type=Path, required=True)
    parser.add_argument("--h2spec", required=True)
    arguments = parser.parse_args()
    found = shutil.which(arguments.h2spec or "h2spec")
    if found is None:
        print(f"h2spec: there is no program at {arguments.h2spec or 'h2spec'}", file=sys.stderr)
        return 2
    binary, h2spec = arguments.wedlive.resolve(), Path(found).resolve()
    with tempfile.TemporaryDirectory(prefix="wedlive-h2spec-") as folder:
        enough = [test(binary, h2spec, Path(folder)) for test in (cached_object, live_playlist)]
    if not all(enough):
        print(f"h2spec: at least {LEAST} must pass at each address")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
