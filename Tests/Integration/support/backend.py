"""WedLive's backend as nodes call it: asked before somebody publishes, told afterwards."""

import http.server
import threading
from urllib.parse import parse_qs


class Backend(http.server.ThreadingHTTPServer):
    """Admits everybody until it `refuses`, and remembers what it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.refuses = False
        self.calls: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """A node's, which is to call it."""
        base = f"http://127.0.0.1:{self.server_address[1]}"
        return {
            "WEDLIVE_CALLBACKS_ON_PUBLISH": f"{base}/publish",
            "WEDLIVE_CALLBACKS_ON_PUBLISH_DONE": f"{base}/done",
        }

    def done(self) -> list[str]:
        """The names of the streams whose publishers have gone."""
        return [each["name"] for each in self.calls if each["call"] == "publish_done"]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Backend

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        call = {name: values[0] for name, values in parse_qs(body).items()}
        self.server.calls.append(call)
        refused = self.server.refuses and call["call"] == "publish"
        self.send_response(403 if refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
