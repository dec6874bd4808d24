"""Segments are sent at the rate that a plan, or a live stream's quality, has: bytes are counted."""

import subprocess
import time
from pathlib import Path

import pytest
from conftest import SECRET, MakeNode

from support.cluster_watch import publish, sequences
from support.node import Node
from support.processes import Process, wait_until

#: Of the test's stream, so that bytes take time.
FRAGMENT = {
    "WEDLIVE_STREAMS_FRAGMENT": "2s",
    "WEDLIVE_STREAMS_WINDOW": "20s",
    "WEDLIVE_AUTH_SECRET": SECRET,
}


def segments(node: Node, wedding: str, token: str = "") -> list[str]:
    """Addresses of the segments that its playlist lists."""
    base = f"{node.base}/hls/{wedding}/main/source/"
    answer = node.client().get(f"{base}index.m3u8{token}")
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    return [base + line for line in lines]


def fetch(node: Node, urls: list[str], version: str) -> tuple[int, float]:
    """Bytes, and the seconds that they took, over one connection."""
    words = ["curl", version, "-s", "-S", "--fail", "--cacert", str(node.certificates.authority)]
    for url in urls:
        words += ["-o", "/dev/null", url]
    start = time.monotonic()
    done = subprocess.run(
        [*words, "-w", "%{size_download}\n"], capture_output=True, text=True, check=True
    )
    return sum(map(int, done.stdout.split())), time.monotonic() - start


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_plan_has_its_rate(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path, version: str
) -> None:
    node = make_node(
        **FRAGMENT,
        WEDLIVE_ACCESS_WATCH="token",
        WEDLIVE_PACING_FREE="800k",
        WEDLIVE_PACING_BURST="16k",
        WEDLIVE_ENCRYPTION_METHOD="off",
        WEDLIVE_PLANS_FREE="source",
    )
    publisher = publish(node, "paced", tmp_path)
    cleanup.append(publisher)

    def token(plan: str) -> str:
        return "?token=" + node.token("watch", "paced", "--plan", plan)

    free, premium = token("free"), token("premium")
    wait_until(lambda: len(segments(node, "paced", free)) >= 4, "segments", alive=[publisher])
    count, seconds = fetch(node, segments(node, "paced", free)[-3:], version)
    expected = count / 100_000
    print(f"{version}: {count} bytes in {seconds:.2f} s, expected {expected:.2f} s")
    assert count > 150_000
    # All but the burst at 100,000 bytes a second; nothing but a busy machine makes it slower.
    assert seconds >= (count - 32_000) / 100_000
    assert seconds <= 2 * expected + 5
    count, seconds = fetch(node, segments(node, "paced", premium)[-3:], version)
    assert seconds < count / 100_000


def test_a_live_segment_is_sent_evenly_and_a_viewer_starts_at_once(
    make_node: MakeNode, cleanup: list[Process], tmp_path: Path
) -> None:
    node = make_node(
        **FRAGMENT,
        WEDLIVE_ACCESS_WATCH="public",
        WEDLIVE_PACING_LIVE="120",
        WEDLIVE_PACING_START="4s",
    )
    publisher = publish(node, "even", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(node, "even")) >= 4, "segments", alive=[publisher])
    first, second, *rest = segments(node, "even")[-4:]
    # Two of two seconds are within the first four.
    count, seconds = fetch(node, [first], "--http2")
    assert seconds < 1, count
    # The others take as long as they play, less a fifth.
    count, seconds = fetch(node, [first, second, *rest], "--http2")
    print(f"{count} bytes in {seconds:.2f} s")
    assert seconds >= (8 - 4 - 1) / 1.2 / 2
    waits = node.metrics()["wedlive_http_paced_waits_total"]
    assert waits > 10
