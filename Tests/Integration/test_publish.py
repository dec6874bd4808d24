"""Encoders that people publish with, over RTMP and RTMPS."""

from pathlib import Path

import pytest
from conftest import SECRET

from support.media import Source
from support.node import Node
from support.obs import obs
from support.players import ffmpeg_decodes
from support.processes import Process
from support.publishers import PUBLISHERS, ffmpeg_copy
from support.streams import wait_on_air
from support.tokens import sign

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


TOKENS = {
    "good": {},
    "another scope": {"scope": "watch"},
    "another wedding": {"wedding": "other"},
    "expired": {"ends_in": -3600},
    "not yet valid": {"starts_in": 3600, "ends_in": 7200},
    "another secret": {"secret": "another secret of more than thirty-two letters"},
    "no token at all": None,
}


@pytest.mark.parametrize("kind", list(TOKENS))
def test_only_a_good_token_publishes_and_none_is_logged(
    kind: str, node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    wedding = f"token-{kind.replace(' ', '-')}"
    claims = {"secret": SECRET, "wedding": wedding, "camera": "main", "scope": "publish"}
    change = TOKENS[kind]
    token = "eyJhbGciOiJub25lIn0.e30.bm9uZQ" if change is None else sign(**{**claims, **change})
    url = f"rtmp://localhost:{node.ports['rtmp']}/live/{wedding}?token={token}"
    publisher = ffmpeg_copy(url, SOURCE.file, tmp_path)
    cleanup.append(publisher)
    if kind == "good":
        wait_on_air(node, wedding, 1, publisher)
    else:
        assert publisher.wait(30) != 0
        client = node.client()
        assert client.get(node.master_url(wedding)).status == 404
        client.close()
    log = node.log.read_text()
    assert token not in log
    assert token.rpartition(".")[2] not in log, "the signature was logged"


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
