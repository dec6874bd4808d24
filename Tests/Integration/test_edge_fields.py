"""What an edge tells viewers of itself and of the servers behind it: once, and no addresses."""

import http.client
import http.server
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from conftest import MakeNode

from support.node import Node
from support.processes import wait_until


class Strict(http.server.ThreadingHTTPServer):
    """An upstream that names itself, and wants to be asked by TLS alone."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Strict-Transport-Security", "max-age=7")
        self.send_header("Content-Length", "5")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"hello")

    do_POST = do_GET
    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Strict]:
    server = Strict()
    yield server
    server.shutdown()
    server.server_close()


def fields(node: Node, method: str, path: str) -> Counter[str]:
    """How often each field stands in an answer, by its name in lower case."""
    context = node.tls()
    connection = http.client.HTTPSConnection("localhost", node.ports["https"], context=context)
    connection.request(method, path)
    answer = connection.getresponse()
    assert answer.status == 200
    connection.close()
    return Counter(name.lower() for name, _ in answer.getheaders())


def test_no_field_comes_twice(make_node: MakeNode, upstream: Strict) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=f"http://{upstream.place}")
    for method, path in (("GET", "/a"), ("GET", "/a"), ("HEAD", "/b"), ("POST", "/c")):
        found = fields(edge, method, path)
        assert found["strict-transport-security"] == 1, (method, found)
        assert max(found.values()) == 1, (method, found)


def test_where_an_upstream_is_stands_in_the_log_alone(
    make_node: MakeNode, upstream: Strict
) -> None:
    edge = make_node(role="edge", WEDLIVE_EDGE_UPSTREAMS=f"http://{upstream.place}")
    port = str(upstream.server_address[1])
    upstream.shutdown()
    upstream.server_close()
    client = edge.client()
    for method in ("GET", "POST"):
        answer = client.get(f"{edge.base}/film", method=method)
        assert answer.status == 502
        assert "The origin gave no answer; ask again" in answer.text
        assert port not in answer.text
        assert "127.0.0.1" not in answer.text
    wait_until(lambda: edge.said("an upstream gave no answer"), "the log says it")
    (line,) = edge.said("an upstream gave no answer")
    assert port in line["upstream"]
    assert "onnect" in line["error"]
