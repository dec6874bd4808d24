"""Origins and edges that meet at Redis: streams are found, and go on when a node dies."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from support.browser import Browser
from support.cluster import Cluster
from support.cluster_watch import Viewer, date_jumps, owner, owner_name, publish, sequences
from support.node import Node
from support.players import ffmpeg9_decodes
from support.processes import Process, wait_until
from support.streams import wait_on_air


@pytest.mark.parametrize("how", ["kill", "drain", "freeze"])
def test_publishers_and_viewers_of_edges_notice_nothing(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path, how: str
) -> None:
    edge, other = cluster.edges
    publisher = publish(edge, "seamless", tmp_path)
    cleanup.append(publisher)
    wait_until(
        lambda: len(sequences(other, "seamless")) >= 4, "it is on the air", alive=[publisher]
    )
    viewers = [Viewer(edge, "seamless"), Viewer(other, "seamless")]
    try:
        wait_until(lambda: all(each.segments >= 4 for each in viewers), "both see it")
        first = owner(cluster, "seamless")
        breaks = [len(each.breaks) for each in viewers]
        newest = viewers[0].newest
        if how == "kill":
            first.kill()
        elif how == "freeze":
            # It accepts, and never answers.
            os.kill(first.pid, signal.SIGSTOP)
        else:
            first.stop()
        wait_until(
            lambda: all(each.newest > newest + 6 for each in viewers),
            "the stream goes on for both",
            alive=[publisher],
        )
        if how != "drain":
            assert owner(cluster, "seamless") is not first
        if how == "freeze":
            # It wakes, and believes that all is as it was.
            os.kill(first.pid, signal.SIGCONT)
            newest = viewers[0].newest
            wait_until(
                lambda: all(each.newest > newest + 8 for each in viewers),
                "the stream goes on beside it",
                alive=[publisher],
            )
    finally:
        for each in viewers:
            each.stop()
    assert not publisher.ended
    for each, before in zip(viewers, breaks, strict=True):
        assert each.bad == []
        assert len(each.breaks) <= before + 1
        # Three seconds and a segment; the machine of the tests may be busy.
        print(f"{how}: {each.longest:.2f} s between two new segments")
        assert each.longest < 6


def test_no_picture_is_missing_where_an_origin_was_killed(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge = cluster.edges[1]
    publisher = publish(cluster.edges[0], "whole", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, "whole")) >= 4, "it is on the air", alive=[publisher])
    first = owner(cluster, "whole")
    killer = threading.Timer(5, first.kill)
    killer.start()
    # Fails on any error of the decoder, a picture that refers to one that isn't there among them.
    seconds = 20
    pictures = ffmpeg9_decodes(edge.master_url("whole"), seconds, edge.certificates)
    killer.join()
    assert owner(cluster, "whole") is not first
    # The edge had all of them; a group that was announced and is sent once more is shown twice.
    assert pictures >= seconds * 30 - 3
    # What the next origin was sent once more came late, and was filmed when it was.
    jumps = date_jumps(edge, "whole")
    assert max(map(abs, jumps)) < 0.2, jumps


def test_a_browser_plays_on_where_an_origin_was_killed(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge = cluster.edges[1]
    publisher = publish(cluster.edges[0], "browser", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, "browser")) >= 4, "it is on the air", alive=[publisher])
    with Browser(tmp_path) as browser:
        browser.plays(edge.watch_url("browser"), 3)
        owner(cluster, "browser").kill()
        # Until others know that it is gone, calls of the API may fail; the picture may not.
        browser.advances(10)
    assert not publisher.ended


def statuses(edge: Node, urls: list[str], until: Callable[[], bool]) -> list[int]:
    """What the addresses answer, again and again, until something is so."""
    seen: list[int] = []
    client = edge.client()

    def asked() -> bool:
        seen.extend(client.get(url).status for url in urls)
        return until()

    wait_until(asked, "it is so")
    return seen


def test_nobody_is_told_that_a_stream_is_not_there_which_begins(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge = cluster.edges[1]
    publisher = publish(cluster.edges[0], "begins", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: owner_name(cluster, "begins") != "", "it has an origin", alive=[publisher])
    urls = [edge.master_url("begins"), f"{edge.base}/hls/begins/main/source/index.m3u8"]
    seen = statuses(edge, urls, lambda: len(sequences(edge, "begins")) >= 2)
    assert set(seen) == {200}, seen


def test_edges_that_nobody_watched_at_find_what_others_were_told_of(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    edge, cold = cluster.edges
    publisher = publish(edge, "cold", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(edge, "cold")) >= 4, "it is on the air", alive=[publisher])
    text = edge.client().get(f"{edge.base}/hls/cold/main/source/index.m3u8").text
    names = [line for line in text.splitlines() if line and not line.startswith("#")]
    answers = [cold.client().get(f"{cold.base}/hls/cold/main/source/{name}") for name in names]
    assert [each.status for each in answers] == [200] * len(names)
    assert cold.metrics()["wedlive_edge_live_streams"] == 0, "nobody has asked for a playlist"

    first = owner(cluster, "cold")
    first.kill()
    nobody = ("", first.settings["WEDLIVE_NODE_ID"])

    def is_elsewhere() -> bool:
        return owner_name(cluster, "cold") not in nobody and len(sequences(cold, "cold")) >= 2

    seen = statuses(cold, [cold.master_url("cold")], is_elsewhere)
    assert set(seen) == {200}, seen


def test_a_viewer_resumes_its_tls_session_on_any_edge(cluster: Cluster, tmp_path: Path) -> None:
    first, second = cluster.edges
    ticket = tmp_path / "session.pem"

    def reused(node: Node, *options: str) -> bool:
        place = f"localhost:{node.ports['https']}"
        words = ["openssl", "s_client", "-connect", place, "-ign_eof", *options]
        # The server closes, so that tickets have come by then.
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        done = subprocess.run(words, input=request, capture_output=True, check=False, timeout=60)
        assert b"\r\n\r\nok" in done.stdout, done.stderr
        return b"Reused, TLSv1.3" in done.stdout

    def resumes() -> bool:
        reused(first, "-sess_out", str(ticket))
        return ticket.exists() and reused(second, "-sess_in", str(ticket))

    wait_until(resumes, "the second edge takes the first one's ticket")


def test_a_stream_of_any_origin_is_found_by_every_edge(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    for number, origin in enumerate(cluster.origins):
        wedding = f"wedding-{number}"
        publisher = publish(origin, wedding, tmp_path, wedding)
        cleanup.append(publisher)
        wait_on_air(origin, wedding, 2, publisher)
        for edge in cluster.edges:
            wait_until(
                lambda edge=edge, wedding=wedding: sequences(edge, wedding) != [],  # type: ignore[misc]
                "the edge has the stream",
            )


def test_one_stream_is_one_origins(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    first, second = cluster.origins
    publisher = publish(first, "claimed", tmp_path)
    cleanup.append(publisher)
    wait_on_air(first, "claimed", 2, publisher)
    other = publish(second, "claimed", tmp_path, "other")
    cleanup.append(other)
    wait_until(lambda: other.ended, "the second publisher is refused")
    assert "already being published" in (tmp_path / "other/ffmpeg5.log").read_text()
    assert not publisher.ended


def test_another_origin_goes_on_where_one_was_killed(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    first, second = cluster.origins
    edge = cluster.edges[0]
    publisher = publish(first, "moved", tmp_path)
    cleanup.append(publisher)
    wait_on_air(first, "moved", 4, publisher)
    wait_until(lambda: len(sequences(edge, "moved")) >= 4, "the edge follows")
    first.kill()
    before = sequences(edge, "moved")
    assert before, "the edge serves what it has"

    def begun() -> bool:
        again = publish(second, "moved", tmp_path, "again")
        cleanup.append(again)
        wait_until(
            lambda: again.ended or max(sequences(edge, "moved"), default=0) > before[-1],
            "the next publisher is refused or goes on",
        )
        return not again.ended

    wait_until(begun, "the other origin takes the stream")
    text = edge.client().get(f"{edge.base}/hls/moved/main/source/index.m3u8").text
    after = sequences(edge, "moved")
    assert after == list(range(after[0], after[-1] + 1)), "numbers go on without a hole"
    assert after[0] <= before[-1] + 1, text
    assert text.count("#EXT-X-DISCONTINUITY\n") <= 1


def test_a_publisher_whose_edge_was_killed_goes_on_through_another(
    cluster: Cluster, cleanup: list[Process], tmp_path: Path
) -> None:
    first, second = cluster.edges
    publisher = publish(first, "edgeless", tmp_path)
    cleanup.append(publisher)
    wait_until(lambda: len(sequences(second, "edgeless")) >= 3, "it is on the air")
    before = sequences(second, "edgeless")
    first.kill()
    again = publish(second, "edgeless", tmp_path, "again")
    cleanup.append(again)
    wait_until(
        lambda: sequences(second, "edgeless")[-1] > before[-1] + 4,
        "it goes on in the same playlist",
        alive=[again],
    )
    after = sequences(second, "edgeless")
    assert after == list(range(after[0], after[-1] + 1))


def test_redis_may_be_away(cluster: Cluster, cleanup: list[Process], tmp_path: Path) -> None:
    origin, edge = cluster.origins[0], cluster.edges[0]
    publisher = publish(origin, "without", tmp_path)
    cleanup.append(publisher)
    wait_on_air(origin, "without", 2, publisher)
    wait_until(lambda: sequences(edge, "without") != [], "the edge follows")
    cluster.redis.kill()
    newest = sequences(edge, "without")[-1]
    wait_until(
        lambda: sequences(edge, "without")[-1] > newest + 8, "the stream goes on for viewers"
    )
    assert not publisher.ended
    cluster.redis.start()
    newest = sequences(edge, "without")[-1]
    wait_until(lambda: sequences(edge, "without")[-1] > newest + 2, "and on")
    wait_until(
        lambda: cluster.redis.ask("hget", "wl:stream:{without}/main", "owner") == "origin-1",
        "Redis knows whose it is",
    )
