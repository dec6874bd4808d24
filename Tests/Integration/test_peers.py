"""Nodes of a cluster know each other by certificates and by their secret; nobody else is one of them."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeNode

from support.cluster import SECRETS, Cluster
from support.media import Source
from support.node import Node, wedlive_binary
from support.peers import PASS, Authority, knock, peers_port, proof
from support.processes import Process, run, wait_until
from support.publishers import ffmpeg5

WEDDING = "ours"
LIVE = f"/cluster/live/{WEDDING}/main"
PLAYLIST = f"/hls/{WEDDING}/main/source/index.m3u8"


class Certified:
    """Two origins and an edge."""

    def __init__(self, folder: Path, make_node: MakeNode) -> None:
        self.authority = Authority(folder / "authority")

        def make(**given: str) -> Node:
            return make_node(**{**given, **self.authority.settings(given["WEDLIVE_NODE_ID"])})

        self.cluster = Cluster(folder, make, origins=2, edges=1)
        self.origins, [self.edge] = self.cluster.origins, self.cluster.edges

    def holder(self) -> Node:
        name = self.cluster.redis.ask("hget", f"wl:stream:{{{WEDDING}}}/main", "owner")
        return next(node for node in self.origins if node.settings["WEDLIVE_NODE_ID"] in name)


@pytest.fixture
def certified(make_node: MakeNode, tmp_path: Path) -> Iterator[Certified]:
    made = Certified(tmp_path, make_node)
    yield made
    made.cluster.stop()


def segments(node: Node) -> list[str]:
    answer = node.client().get(node.base + PLAYLIST)
    return [line for line in answer.text.splitlines() if line and not line.startswith("#")]


def publish(node: Node, folder: Path) -> Process:
    return ffmpeg5(
        node.publish_url(WEDDING), Source(seconds=300, gop=30, rate=30), node.certificates, folder
    )


def test_a_cluster_goes_on_under_certificates(certified: Certified, tmp_path: Path) -> None:
    publisher = publish(certified.edge, tmp_path)
    wait_until(lambda: len(segments(certified.edge)) >= 3, "it is live", alive=[publisher])
    holder = certified.holder()
    # Nodes are told of that port alone.
    told = json.loads(certified.edge.admin("/api/nodes").text)["nodes"]
    nodes = [*certified.origins, certified.edge]
    assert {each["address"] for each in told} == {f"localhost:{peers_port(node)}" for node in nodes}
    answer = certified.edge.client().get(certified.edge.base + PLAYLIST)
    [segment] = segments(certified.edge)[:1]
    assert answer.status == 200
    folder = PLAYLIST.rpartition("/")[0]
    assert certified.edge.client().get(f"{certified.edge.base}{folder}/{segment}").status == 200
    # A call of the API goes to an origin, and counts for its client.
    playback = f"{certified.edge.base}/api/streams/playback/{WEDDING}"
    assert '"is_live":true' in certified.edge.client().get(playback).text
    before = segments(certified.edge)
    killed = time.monotonic()
    holder.kill()
    wait_until(lambda: segments(certified.edge)[-1] not in before, "it goes on", alive=[publisher])
    assert time.monotonic() - killed < 6
    publisher.stop()


def test_nobody_else_is_a_node(certified: Certified, tmp_path: Path) -> None:
    publisher = publish(certified.edge, tmp_path)
    wait_until(lambda: len(segments(certified.edge)) >= 2, "it is live", alive=[publisher])
    holder = certified.holder()
    ours = certified.authority.node("origin-3")
    assert knock(holder, LIVE, ours) == 200
    # The certificate without the secret.
    assert knock(holder, LIVE, ours, "no pass") == 403
    # The secret without a certificate, or with another authority's, or with one that is over.
    assert knock(holder, LIVE, None) is None
    forged = Authority(tmp_path / "forged").node("origin-3")
    assert knock(holder, LIVE, forged) is None
    assert knock(holder, LIVE, expired(certified.authority, tmp_path)) is None
    # All of it at the viewers' ports.
    headers = {"Authorization": f"Bearer {PASS}"}
    public = holder.client().get(holder.base + LIVE, headers)
    assert (public.status, "listen.peers" in public.text) == (403, True)
    # An edge asks its origins as a node, and does so for nobody.
    through = certified.edge.client().get(certified.edge.base + LIVE, headers)
    assert (through.status, "not_a_peer" in through.text) == (403, True)
    drained = certified.edge.client().get(
        f"{certified.edge.base}/cluster/drain", headers, method="POST"
    )
    assert drained.status == 403
    # What a viewer may have is not at the nodes' port for those who are none.
    assert knock(certified.edge, "/healthz", None) is None
    assert knock(certified.edge, "/healthz", ours) == 200
    publisher.stop()


def expired(authority: Authority, folder: Path) -> tuple[Path, Path]:
    """A node's certificate that was good for a while last year."""
    key, request, made = (folder / f"expired.{kind}" for kind in ("key", "csr", "pem"))
    extensions = folder / "expired.ext"
    extensions.write_text("extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:localhost\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run(["openssl", "req", "-new", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=x"])
    signer = ["-CA", authority.file, "-CAkey", authority.folder / "ca.key", "-CAcreateserial"]
    words = ["-in", request, *signer, "-extfile", extensions, "-out", made, "-days", "-1"]
    run(["openssl", "x509", "-req", *words])
    return made, key


def test_a_node_with_a_certificate_of_another_name_is_not_used(
    certified: Certified,
) -> None:
    words = ["--node", "origin-9", "--dns", "elsewhere.example"]
    run([wedlive_binary(), "certs", "--out", certified.authority.folder, *words])
    settings = certified.authority.settings("origin-9")
    third = certified.cluster.add("origin", "origin-9", **settings)

    def status() -> dict[str, str]:
        nodes = json.loads(certified.edge.admin("/api/nodes").text)["nodes"]
        return {each["id"]: each["status"] for each in nodes}

    wait_until(lambda: status().get("origin-9") == "down", "it is seen, and not believed")
    assert [status()[name] for name in ("origin-1", "origin-2", "edge-1")] == ["usable"] * 3
    assert third.ready()


@pytest.mark.parametrize("kind", ["certified", "secret alone"])
def test_who_knows_the_secret_takes_no_stream_over(
    kind: str, make_node: MakeNode, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "authority")

    def make(**given: str) -> Node:
        more = authority.settings(given["WEDLIVE_NODE_ID"]) if kind == "certified" else {}
        return make_node(**{**given, **more})

    made = Cluster(tmp_path, make, origins=2, edges=0)
    first, second = made.origins
    publisher = publish(first, tmp_path)
    wait_until(lambda: len(segments(first)) >= 2, "it is live", alive=[publisher])
    epoch = made.redis.ask("hget", f"wl:stream:{{{WEDDING}}}/main", "epoch")
    claim = f"{WEDDING}/main goes on after {epoch} "
    token = second.token("publish", WEDDING, "--subject", "thief")
    address = f"rtmps://localhost:{second.ports['rtmps']}/live/{token}"
    thief = ffmpeg5(
        f"{address}?resume={epoch}&proof={proof(claim)}",
        Source(seconds=60, gop=30, rate=30),
        second.certificates,
        tmp_path,
    )

    def owner() -> str:
        return made.redis.ask("hget", f"wl:stream:{{{WEDDING}}}/main", "owner")

    if kind == "certified":
        wait_until(lambda: thief.ended or "origin-2" in owner(), "it is decided")
        assert "origin-1" in owner()
        assert not publisher.ended
    else:
        # So that the test above means something: with nothing but the secret it is the thief's.
        wait_until(lambda: "origin-2" in owner(), "it is taken over")
    made.stop()


def test_certificates_are_read_anew(certified: Certified) -> None:
    origin = certified.origins[0]
    ours = certified.authority.node("origin-3")

    def served() -> str:
        certificate, key = ours
        words = ["-cert", certificate, "-key", key, "-CAfile", certified.authority.file]
        address = f"localhost:{peers_port(origin)}"
        return subprocess.run(
            ["openssl", "s_client", "-connect", address, *words],
            input=b"",
            capture_output=True,
            check=False,
        ).stdout.decode()

    def shown(text: str) -> str:
        return text[text.index("-----BEGIN") : text.index("-----END")]

    before = shown(served())
    certified.authority.node("origin-1", "--force")
    wait_until(lambda: shown(served()) != before, "the new one is served")
    assert knock(origin, "/healthz", ours) == 200
    assert '"status":"usable"' in certified.origins[1].admin("/api/nodes").text


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    ours, other = Authority(tmp_path / "ours"), Authority(tmp_path / "other")
    other.node("origin-1")
    wrong = {**SECRETS, **ours.settings("origin-1"), "WEDLIVE_CLUSTER_CA": str(other.file)}
    wrong |= {"WEDLIVE_REDIS_URL": "redis://127.0.0.1:1/0", "WEDLIVE_LISTEN_ADMIN": "off"}
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    for words in (["check", "--role", "origin", empty], ["origin", "--data", tmp_path / "data"]):
        command = [str(each) for each in [wedlive_binary(), *words]]
        done = subprocess.run(command, env=wrong, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1
        said = done.stdout + done.stderr
        assert all(str(each) in said for each in (ours.node("origin-1")[0], other.file)), said
        assert "is of no authority in" in said, said
    right = {**wrong, "WEDLIVE_CLUSTER_CA": str(ours.file)}
    run([wedlive_binary(), "check", "--role", "origin", empty], env=right)


def test_certs_never_overwrites(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.node("origin-1")
    root, own = authority.file.read_bytes(), certificate.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600

    def again(*options: str) -> subprocess.CompletedProcess:
        words = ["--out", tmp_path, "--node", "origin-1", "--dns", "localhost", *options]
        return subprocess.run(
            [wedlive_binary(), "certs", *words], capture_output=True, text=True, check=False
        )

    refused = again()
    assert refused.returncode != 0
    assert "origin-1.pem is there already; --force" in refused.stderr
    assert certificate.read_bytes() == own
    assert again("--force").returncode == 0
    assert certificate.read_bytes() != own
    # The authority is every other node's, too.
    assert authority.file.read_bytes() == root
    text = run(["openssl", "x509", "-in", certificate, "-noout", "-text"])
    assert "TLS Web Server Authentication, TLS Web Client Authentication" in text
    (tmp_path / "ca.key").unlink()
    assert "ca.key cannot be read" in again("--force").stderr
