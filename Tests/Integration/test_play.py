"""Players that people watch with, on one live program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import players
from support.media import Source, probe
from support.node import Node
from support.processes import Process, run, wait_until
from support.publishers import ffmpeg5
from support.streams import wait_on_air

WEDDING = "players"


@pytest.fixture(scope="module")
def program(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The master playlist of a program that is on the air for as long as the tests here."""
    folder = tmp_path_factory.mktemp("program")
    url = node.publish_url(WEDDING)
    with ffmpeg5(url, Source(seconds=900), node.certificates, folder) as publisher:
        wait_on_air(node, WEDDING, 6, publisher)
        yield node.master_url(WEDDING)


def test_ffprobe_sees_both_streams(program: str) -> None:
    streams = probe(program, "-show_streams")["streams"]
    assert {stream["codec_name"] for stream in streams} == {"h264", "aac"}
    assert (streams[0]["width"], streams[0]["height"]) == (320, 180)


def test_ffmpeg_5_plays(program: str) -> None:
    assert players.ffmpeg_decodes(program, 3) >= 80


def test_ffmpeg_9_plays_and_trusts_the_certificate(program: str, node: Node) -> None:
    assert players.ffmpeg9_decodes(program, 3, node.certificates) >= 80


def test_gstreamer_plays(program: str, node: Node, tmp_path: Path) -> None:
    players.gstreamer_plays(program, 90, node.certificates, tmp_path)


@pytest.mark.interop
def test_vlc_plays(program: str, node: Node, tmp_path: Path) -> None:
    players.vlc_plays(program, 90, node.certificates, tmp_path)


def test_rtmp_players_get_pictures_at_once(program: str, node: Node) -> None:
    url = f"{node.play_url(WEDDING)}?token={node.token('watch', WEDDING)}"
    assert players.ffmpeg_decodes(url, 2) >= 50


def test_rtmpdump_plays(program: str, node: Node, tmp_path: Path) -> None:
    url = f"{node.play_url(WEDDING)}?token={node.token('watch', WEDDING)}"
    file = tmp_path / "dumped.flv"
    words = ["rtmpdump", "--quiet", "--live", "-r", url, "-o", file]
    with Process("rtmpdump", words, tmp_path / "rtmpdump.log") as dump:
        wait_until(
            lambda: file.exists() and file.stat().st_size > 200_000, "it has dumped", alive=[dump]
        )
    seen = {each["codec_name"] for each in probe(str(file), "-show_streams")["streams"]}
    assert seen == {"h264", "aac"}


def test_the_browser_side_needs_http_2(program: str, node: Node) -> None:
    # fmt: off
    words = ["curl", "--silent", "--fail", "--http2", "--cacert", node.certificates.authority,
             "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}", program]
    # fmt: on
    assert run(words) == "2 200"
