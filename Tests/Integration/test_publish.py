"""Encoders that people publish with, over RTMP and RTMPS."""

from pathlib import Path

import pytest

from support.media import Source
from support.node import Node
from support.obs import obs
from support.players import ffmpeg_decodes
from support.processes import Process
from support.publishers import PUBLISHERS, ffmpeg_copy
from support.streams import wait_on_air

SOURCE = Source(seconds=60)


@pytest.mark.parametrize("scheme", ["rtmp", "rtmps"])
@pytest.mark.parametrize("encoder", list(PUBLISHERS))
def test_what_an_encoder_publishes_plays(
    encoder: str, scheme: str, node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    wedding = f"publish-{encoder.replace(' ', '')}-{scheme}"
    url = node.publish_url(wedding, scheme)
    publisher = PUBLISHERS[encoder](url, SOURCE, node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, wedding, 3, publisher)
    assert ffmpeg_decodes(node.master_url(wedding), 2) >= 50


@pytest.mark.interop
@pytest.mark.parametrize("scheme", ["rtmp", "rtmps"])
def test_what_obs_publishes_plays(
    scheme: str, node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    wedding = f"publish-obs-{scheme}"
    publisher = obs(node.publish_url(wedding, scheme), SOURCE, node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, wedding, 3, publisher)
    assert ffmpeg_decodes(node.master_url(wedding), 2) >= 50


def test_the_token_may_travel_in_the_query(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    token = node.token("publish", "in-query")
    url = f"rtmp://localhost:{node.ports['rtmp']}/live/in-query?token={token}"
    publisher = ffmpeg_copy(url, SOURCE.file, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, "in-query", 2, publisher)


@pytest.mark.parametrize("refused", ["garbage", "another scope", "expired", "another wedding"])
def test_a_bad_token_is_refused_and_never_logged(refused: str, node: Node, tmp_path: Path) -> None:
    token = {
        "garbage": lambda: "eyJhbGciOiJIUzI1NiJ9.e30.c2VjcmV0LXRva2Vu",
        "another scope": lambda: node.token("watch", "refused"),
        "expired": lambda: node.token("publish", "refused", "--expires", "-1h"),
        "another wedding": lambda: node.token("publish", "other"),
    }[refused]()
    url = f"rtmp://localhost:{node.ports['rtmp']}/live/refused?token={token}"
    publisher = ffmpeg_copy(url, SOURCE.file, tmp_path)
    assert publisher.wait() != 0
    client = node.client()
    assert client.get(node.master_url("refused")).status == 404
    client.close()
    assert token not in node.log.read_text()
    assert token.rpartition(".")[2] not in node.log.read_text(), "the signature was logged"


@pytest.mark.parametrize(
    "source",
    [Source(seconds=20, video=False), Source(seconds=20, audio=False)],
    ids=["sound only", "pictures only"],
)
def test_half_a_program_is_a_program(
    source: Source, node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    wedding = "only-sound" if source.audio else "only-pictures"
    publisher = ffmpeg_copy(node.publish_url(wedding), source.file, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, wedding, 3, publisher)
