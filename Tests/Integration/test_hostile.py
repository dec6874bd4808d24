"""What must not matter: rubbish, dawdlers and the silent, on every port, while others publish."""

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.media import Source
from support.node import Node
from support.processes import Process, wait_until
from support.publishers import ffmpeg5
from support.streams import media_playlists, wait_on_air

WEDDING = "undisturbed"
IMPATIENT = {
    "WEDLIVE_TLS_HANDSHAKE_TIMEOUT": "1s",
    "WEDLIVE_HTTP_HEADER_TIMEOUT": "1s",
    "WEDLIVE_RTMP_HANDSHAKE_TIMEOUT": "1s",
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that gives nobody much time, with a program on the air."""
    folder = tmp_path_factory.mktemp("hostile")
    settings = {"WEDLIVE_STREAMS_FRAGMENT": "1s", "WEDLIVE_STREAMS_WINDOW": "10s", **IMPATIENT}
    with Node(folder, settings) as impatient:
        url = impatient.publish_url(WEDDING)
        with ffmpeg5(url, Source(seconds=600), impatient.certificates, folder) as publisher:
            wait_on_air(impatient, WEDDING, 3, publisher)
            yield impatient


@pytest.fixture(autouse=True)
def undisturbed(node: Node) -> Iterator[None]:
    """After each test the program is still going on, and no descriptor is left behind."""
    before = descriptors(node)
    yield
    newest = wait_until(lambda: last_segment(node), "there is a segment", limit=20)
    wait_until(
        lambda: last_segment(node) not in (None, newest), "another segment is published", limit=20
    )
    wait_until(lambda: descriptors(node) <= before + 4, f"{before} descriptors again", limit=30)
    assert node.ready()


def descriptors(node: Node) -> int:
    return len(os.listdir(f"/proc/{node.pid}/fd"))


def last_segment(node: Node) -> str | None:
    """None where this machine was too slow for so impatient a node."""
    client = node.client()
    try:
        return client.get(media_playlists(node, WEDDING)[0]).text.splitlines()[-1]
    except OSError:
        return None
    finally:
        client.close()


def connect(node: Node, port: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", node.ports[port]), 20)


def closed_by_server(connection: socket.socket) -> bool:
    """Reads to the end; true when the server ended it within the socket's time limit."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    finally:
        connection.close()
    return True


PORTS = ["rtmp", "rtmps", "https", "http", "admin"]


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize(
    "rubbish",
    [os.urandom(4096), bytes(4096), b"\xff" * 4096, b"\x16\x03\x01\xff\xff" + bytes(4096)],
    ids=["random", "zeros", "ones", "endless hello"],
)
def test_rubbish_is_shown_the_door(rubbish: bytes, port: str, node: Node) -> None:
    connection = connect(node, port)
    try:
        connection.sendall(rubbish)
    except ConnectionError:
        connection.close()
        return
    assert closed_by_server(connection)


@pytest.mark.parametrize("port", PORTS)
def test_the_silent_are_not_waited_for(port: str, node: Node) -> None:
    assert closed_by_server(connect(node, port))


@pytest.mark.parametrize("port", ["http", "https"])
def test_a_header_that_dawdles_is_not_waited_for(port: str, node: Node) -> None:
    connection = connect(node, port)
    if port == "https":
        connection = trusting(node).wrap_socket(connection, server_hostname="localhost")
    connection.settimeout(0.3)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")

    def given_up() -> bool:
        try:
            connection.sendall(b"X-Slow: a\r\n")
            return not connection.recv(4096)
        except TimeoutError:
            return False
        except OSError:
            return True

    wait_until(given_up, "the server has given up", limit=20, every=0.01)
    connection.close()


@pytest.mark.parametrize(
    "request_text",
    [
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost: a\r\nName : value\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nName: value\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\n\r\n",
    ],
    ids=[
        "both lengths",
        "two lengths",
        "space before colon",
        "folded",
        "bare line feeds",
        "no host",
    ],
)
def test_ambiguous_requests_are_refused(request_text: str, node: Node) -> None:
    raw = connect(node, "https")
    with trusting(node).wrap_socket(raw, server_hostname="localhost") as connection:
        connection.sendall(request_text.encode())
        said = b""
        while part := connection.recv(4096):
            said += part
    assert said.startswith(b"HTTP/1.1 400"), said[:200]


def test_an_endless_header_is_refused(node: Node) -> None:
    raw = connect(node, "https")
    with trusting(node).wrap_socket(raw, server_hostname="localhost") as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        try:
            for number in range(2000):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 100))
            said = connection.recv(4096)
        except OSError:
            return
    assert said.split(b" ")[1] in (b"400", b"431"), said[:200]


def test_a_crowd_of_half_open_connections_is_borne(node: Node) -> None:
    crowd = [connect(node, port) for port in PORTS for _ in range(50)]
    for connection in crowd[::2]:
        connection.send(b"\x16" if connection.getpeername()[1] == node.ports["https"] else b"\x03")
    assert node.ready()
    for connection in crowd:
        connection.close()


def test_no_old_tls(node: Node) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError), connect(node, "https") as raw:  # noqa: PT011
        old.wrap_socket(raw, server_hostname="localhost")


def trusting(node: Node) -> ssl.SSLContext:
    return node.tls(("http/1.1",))


def test_memory_stays_bounded(node: Node, tmp_path: Path, cleanup: list[Process]) -> None:
    """Players that read nothing, for a while, beside a program of a few Mbit/s."""

    def resident() -> int:
        status = Path(f"/proc/{node.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    heavy = Source(seconds=120, width=640, height=360, kbits=4000, noise=True)
    publisher = ffmpeg5(node.publish_url("heavy"), heavy, node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, "heavy", 9, publisher)
    before = resident()
    idle = []
    for _ in range(20):
        raw = connect(node, "https")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection = trusting(node).wrap_socket(raw, server_hostname="localhost")
        for url in media_playlists(node, "heavy"):
            for line in _segments(node, url):
                connection.sendall(f"GET {line} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        idle.append(connection)
    newest = last_segment(node)
    wait_until(lambda: last_segment(node) != newest, "time has passed")
    grown = resident() - before
    for connection in idle:
        connection.close()
    assert grown < 64 << 20, f"{grown >> 20} MiB for 20 clients that read nothing"


def _segments(node: Node, url: str) -> list[str]:
    client = node.client()
    try:
        lines = client.get(url).text.splitlines()
    finally:
        client.close()
    folder = url.rpartition("/")[0].partition("//")[2].partition("/")[2]
    return [f"/{folder}/{line}" for line in lines if line and line[0] != "#"]
