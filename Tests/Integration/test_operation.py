"""Starting, stopping and starting again, as an operator does it."""

import os
import re
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import pytest

from support.certificates import make_certificates
from support.hls.watcher import Watcher
from support.media import Source
from support.node import LISTENERS, Node, wedlive_binary
from support.processes import Process, environment, wait_until
from support.publishers import ffmpeg5, ffmpeg_copy
from support.streams import media_playlists, wait_on_air

ESTABLISHED = 1  # a state of tcp(7)


def test_port_0_picks_a_free_port_and_prints_it(tmp_path: Path, cleanup: list[Process]) -> None:
    env = {f"WEDLIVE_LISTEN_{name.upper()}": "127.0.0.1:0" for name in LISTENERS}
    words = [wedlive_binary(), "standalone", "--data", tmp_path / "data"]
    process = Process("wedlive", words, tmp_path / "wedlive.log", env=env)
    cleanup.append(process)

    def printed() -> set[str]:
        ports = set(re.findall(r"127\.0\.0\.1:(\d+)", process.log_text()))
        return ports if len(ports) >= len(LISTENERS) else set()

    assert "0" not in wait_until(printed, "all ports are printed", alive=[process])


def test_sigterm_ends_it_cleanly(make_node, tmp_path: Path, cleanup: list[Process]) -> None:
    node = make_node()
    publisher = ffmpeg5(node.publish_url("stop"), Source(), node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, "stop", 2, publisher)
    assert node.stop() == 0
    assert publisher.wait(20) >= 0, "the publisher was let go"


def test_a_viewer_who_reads_nothing_keeps_no_publisher(
    make_node, tmp_path: Path, cleanup: list[Process]
) -> None:
    node = make_node()
    publisher = ffmpeg5(node.publish_url("slow"), Source(), node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, "slow", 1, publisher)
    playlist = media_playlists(node, "slow")[0]
    segment = next(
        line for line in node.client().get(playlist).text.splitlines() if not line.startswith("#")
    )
    target = urlsplit(urljoin(playlist, segment)).path.encode()
    # HTTP/2 with a window of nothing: GET, https, the path and the authority as literals.
    fields = b"\x82\x87\x04" + bytes([len(target)]) + target + b"\x01\x09localhost"
    window = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\x00\x04\x00\x00\x00\x00"
    headers = len(fields).to_bytes(3) + b"\x01\x05\x00\x00\x00\x01" + fields
    with (
        socket.create_connection(("localhost", node.ports["https"])) as plain,
        node.tls(("h2",)).wrap_socket(plain, server_hostname="localhost") as viewer,
    ):
        viewer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + window + headers)
        assert viewer.recv(9), "the server's settings"
        os.kill(node.pid, signal.SIGTERM)
        wait_until(lambda: "stream.stopped" in node.log.read_text(), "the publisher is let go")
        assert viewer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED
    assert node.stop() == 0


def test_health_is_answered_on_every_http_port(node: Node) -> None:
    client = node.client()
    for path in ("/healthz", "/readyz"):
        assert node.admin(path).status == 200
        assert client.get(node.base + path).status == 200
        assert client.get(f"http://localhost:{node.ports['http']}{path}").status == 200
    answer = client.get(f"http://localhost:{node.ports['http']}/watch/x?a=b")
    client.close()
    assert answer.status in (301, 308)
    assert answer.headers["location"].startswith("https://")


def test_what_can_only_be_read_takes_no_other_method(node: Node) -> None:
    client = node.client()
    admin = f"http://localhost:{node.ports['admin']}"
    pages = ("/", "/stat", "/stat.css", "/api/status", "/metrics", "/healthz", "/readyz")
    addresses = [admin + path for path in pages]
    addresses += [node.base + path for path in ("/watch/x", "/watch/x/two", "/healthz", "/readyz")]
    addresses.append(f"http://localhost:{node.ports['http']}/healthz")
    for address in addresses:
        assert client.get(address).status == 200, address
        assert client.get(address, method="HEAD").status == 200, address
        options = client.get(address, method="OPTIONS")
        assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS"), address
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
            answer = client.get(address, method=method, body=b"x=1")
            assert answer.status == 405, f"{method} {address}"
            assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    # A verb is no page.
    control = f"{admin}/control/drop/publisher?app=live&name=nobody"
    assert [client.get(control, method=each).status for each in ("GET", "POST")] == [200, 200]
    refused = client.get(control, method="DELETE")
    assert (refused.status, refused.headers["allow"]) == (405, "GET, POST")
    assert client.get(f"{admin}/nothing", method="POST").status == 404
    client.close()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A disk of its own at `folder`; the test is skipped where none may be mounted."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_told_and_streams_go_on(
    make_node, tmp_path: Path, cleanup: list[Process]
) -> None:
    data = tmp_path / "node-0" / "data"
    with small_disk(data, "2m"):
        node = make_node()
        publisher = ffmpeg5(node.publish_url("before"), Source(), node.certificates, tmp_path)
        cleanup.append(publisher)
        wait_on_air(node, "before", 1, publisher)
        filler = data / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        wait_until(lambda: node.admin("/readyz").status == 503, "it says so", alive=[publisher])
        words = node.admin("/readyz").text
        assert f"The data folder {data} can't be written" in words, words
        assert node.admin("/healthz").status == 200
        late = ffmpeg5(node.publish_url("late"), Source(), node.certificates, tmp_path)
        cleanup.append(late)
        wait_on_air(node, "late", 1, late)
        filler.unlink()
        wait_until(node.ready, "it says that all is well again", alive=[publisher, late])
        assert node.stop() == 0


def test_metrics_count_the_publisher(node: Node, tmp_path: Path, cleanup: list[Process]) -> None:
    publisher = ffmpeg5(node.publish_url("counted"), Source(), node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, "counted", 1, publisher)
    metrics = node.metrics()
    assert all(re.match(r"(wedlive|nginx_rtmp|process)_", name) for name in metrics), metrics
    streams = [value for name, value in metrics.items() if name.startswith("nginx_rtmp_streams")]
    assert sum(streams) >= 1
    document = ElementTree.fromstring(node.admin("/stat").text)
    stream = next(each for each in document.iter("stream") if each.findtext("name") == "counted")
    (client,) = stream.iter("client")
    assert int(client.findtext("timestamp")) > 0
    assert abs(int(client.findtext("avsync"))) < 1000


def test_the_secret_is_for_its_owner_alone(make_node) -> None:
    node = make_node()
    secrets = [path for path in node.data.rglob("*") if path.is_file() and "secret" in path.name]
    assert secrets, "the secret made at the first start is kept in the data folder"
    for path in secrets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_numbers_go_on_after_a_kill(make_node, tmp_path: Path) -> None:
    """kill -9 of the node; the encoder comes back to the next process on the same folder."""
    node = make_node()
    source = Source(seconds=60)
    url = node.publish_url("numbers")
    before = Watcher(node.client(), node.master_url("numbers"), tmp_path / "before")
    with before, ffmpeg5(url, source, node.certificates, tmp_path):
        before.wait_for(5)
    node.kill()
    node.start()
    client = node.client()
    for address in (node.master_url("numbers"), f"{node.base}/hls/numbers/main/index.m3u8"):
        answer = client.get(address)
        assert (answer.status, answer.headers["retry-after"]) == (503, "2"), answer.text
    client.close()
    with ffmpeg5(url, source, node.certificates, tmp_path) as publisher:
        wait_on_air(node, "numbers", 1, publisher)
        with Watcher(node.client(), node.master_url("numbers"), tmp_path / "after") as after:
            after.wait_for(3)
    assert not after.report.violations, f"\n{after.report}"
    old, new = before.only.playlist.entries, after.only.playlist.entries
    assert min(set(new) - set(old)) > max(old), "a number was given twice"
    assert max(new) > max(old)
    newest = max(entry.discontinuity for entry in new.values())
    assert newest > max(entry.discontinuity for entry in old.values())


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("WEDLIVE_LISTEN_RTMP", "not-a-port", "listen.rtmp"),
        ("WEDLIVE_STREAMS_FRAGMENT", "3 fortnights", "streams.fragment"),
        ("WEDLIVE_STREAMS_FRAGMNT", "3s", "WEDLIVE_STREAMS_FRAGMNT"),
        ("WEDLIVE_TLS_CERTIFICATE", "/nonexistent/certificate.pem", "/nonexistent/certificate.pem"),
        ("WEDLIVE_TLS_CERTIFICATE", "/dev/null", "/dev/null"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(
    setting: str, value: str, named: str, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path)
    files = {
        "WEDLIVE_TLS_CERTIFICATE": str(certificates.certificate),
        "WEDLIVE_TLS_KEY": str(certificates.key),
    }
    refused = start_refused(tmp_path, {**files, setting: value})
    assert named in refused
    assert len(refused.strip().splitlines()) == 1, refused


def test_a_key_of_another_role_is_warned_of_once(make_node) -> None:  # type: ignore[no-untyped-def]
    node = make_node(WEDLIVE_RELAY_QUEUE="2m", WEDLIVE_CLUSTER_BEAT="7s")
    warned = {each["setting"]: each["role"] for each in node.said("key of another role")}
    assert warned == {"relay.queue": "standalone", "cluster.beat": "standalone"}
    assert len(node.said("key of another role")) == 2


def test_a_port_in_use_is_one_clear_line(node: Node, tmp_path: Path) -> None:
    taken = str(node.ports["rtmp"])
    refused = start_refused(tmp_path, {"WEDLIVE_LISTEN_RTMP": f"127.0.0.1:{taken}"})
    assert taken in refused
    assert len(refused.strip().splitlines()) == 1, refused


def start_refused(folder: Path, settings: dict[str, str]) -> str:
    """What a node that must not start says on standard error."""
    quiet = {f"WEDLIVE_LISTEN_{name.upper()}": "127.0.0.1:0" for name in LISTENERS}
    done = subprocess.run(
        [wedlive_binary(), "standalone", "--data", folder / "data"],
        env=environment({**quiet, **settings}),
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode > 0, done.stdout + done.stderr
    return done.stderr


def test_a_descriptor_is_given_back_for_each_publisher(node: Node, tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir(f"/proc/{node.pid}/fd"))

    url = node.publish_url("descriptors")
    file = Source(seconds=2).file
    ffmpeg_copy(url, file, tmp_path).succeed()
    before = descriptors()
    for _ in range(3):
        ffmpeg_copy(url, file, tmp_path).succeed()
    wait_until(lambda: descriptors() <= before, f"there are {before} descriptors again")
