"""Segments that only invited viewers can decrypt."""

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import players
from support.browser import Browser
from support.http import Response
from support.media import Source, probe
from support.node import Node
from support.processes import wait_until
from support.publishers import ffmpeg5

WEDDING = "private"
KEY = re.compile(r'#EXT-X-KEY:METHOD=AES-128,URI="([^"?]+)\?token=[^"]+"')


@dataclass(frozen=True)
class Private:
    node: Node
    token: str

    @property
    def master(self) -> str:
        return f"{self.node.master_url(WEDDING)}?token={self.token}"

    def get(self, path: str, token: str | None) -> Response:
        query = f"?token={token}" if token else ""
        return self.node.client().get(self.node.base + path + query)

    def playlist(self) -> str:
        answer = self.get(f"/hls/{WEDDING}/main/source/index.m3u8", self.token)
        return answer.text if answer.status == 200 else ""


@pytest.fixture
def private(make_node, tmp_path: Path) -> Iterator[Private]:
    """A stream whose viewers need tokens, on the air with at least three keys."""
    node = make_node(
        WEDLIVE_ACCESS_WATCH="token",
        WEDLIVE_ENCRYPTION_FRAGMENTS_PER_KEY="2",
        WEDLIVE_STREAMS_FRAGMENT="1s",
    )
    source = Source(seconds=400, gop=30, rate=30)
    with ffmpeg5(node.publish_url(WEDDING), source, node.certificates, tmp_path) as publisher:
        private = Private(node, node.token("watch", WEDDING))
        wait_until(
            lambda: len(set(KEY.findall(private.playlist()))) >= 3,
            "three keys are in the playlist",
            alive=[publisher],
        )
        yield private


def test_players_with_a_token_decrypt_it(private: Private, tmp_path: Path) -> None:
    assert players.ffmpeg_decodes(private.master, 8) >= 200
    assert players.ffmpeg9_decodes(private.master, 4, private.node.certificates) >= 100
    players.gstreamer_plays(private.master, 90, private.node.certificates, tmp_path)


def test_the_browser_decrypts_it(private: Private, tmp_path: Path) -> None:
    with Browser(tmp_path) as browser:
        browser.plays(f"{private.node.watch_url(WEDDING)}?token={private.token}", 6)


@pytest.mark.interop
def test_vlc_decrypts_it(private: Private, tmp_path: Path) -> None:
    players.vlc_plays(private.master, 100, private.node.certificates, tmp_path)


@pytest.mark.interop
@pytest.mark.timeout(600)
def test_five_minutes_of_keys_that_change(private: Private, tmp_path: Path) -> None:
    """A browser shows every second of them, and ffmpeg decodes all, while keys change every 2 s."""
    seconds = 290
    with Browser(tmp_path) as browser, ThreadPoolExecutor(1) as pool:
        decoded = pool.submit(players.ffmpeg_decodes, private.master, seconds)
        browser.plays(f"{private.node.watch_url(WEDDING)}?token={private.token}", 6)
        browser.note()
        browser.advances(seconds - 30)
        noted = browser.noted()
        assert (noted["loads"], noted["back"]) == (0, 0)
        assert noted["longest"] < 1_000, f"the picture stood still for {noted['longest']:.0f} ms"
        assert browser.errors() == []
        assert decoded.result(timeout=120) == seconds * 30
    keys = private.node.metrics()
    made = sum(value for name, value in keys.items() if name.startswith("wedlive_stream_keys"))
    print(f"{seconds} s with a key every 2 s: no stall; {made:.0f} keys asked for")


def test_no_key_without_a_token_of_the_wedding(private: Private) -> None:
    path = KEY.findall(private.playlist())[-1]
    answer = private.get(path, private.token)
    assert (answer.status, len(answer.body)) == (200, 16)
    assert answer.headers["cache-control"] == "private, no-store"
    assert private.get(path, None).status == 401
    assert private.get(path, private.token[:-4] + "AAAA").status == 401
    assert private.get(path, private.node.token("watch", "another")).status == 403


def test_openssl_decrypts_a_segment(private: Private, tmp_path: Path) -> None:
    lines = private.playlist().splitlines()
    at = next(number for number, line in enumerate(lines) if KEY.match(line))
    name = next(line for line in lines[at:] if not line.startswith("#")).partition("?")[0]
    key = private.get(KEY.match(lines[at])[1], private.token).body.hex()
    vector = f"{int(name.partition('-')[0]):032x}"
    segment = private.get(f"/hls/{WEDDING}/main/source/{name}", private.token).body
    words = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", key, "-iv", vector]
    plain = subprocess.run(words, input=segment, capture_output=True, check=True).stdout
    assert len(plain) % 188 == 0
    assert plain[::188].strip(b"G") == b""
    file = tmp_path / "segment.ts"
    file.write_bytes(plain)
    seen = {stream["codec_name"] for stream in probe(str(file), "-show_streams")["streams"]}
    assert seen == {"h264", "aac"}


def test_keys_outlive_a_kill(private: Private) -> None:
    path = KEY.findall(private.playlist())[-1]
    before = private.get(path, private.token).body
    private.node.kill()
    private.node.start()
    assert private.get(path, private.token).body == before


def test_a_locked_wedding_opens_to_few(private: Private) -> None:
    node = private.node
    service = node.token("service", WEDDING)
    unlocked = node.token("watch", WEDDING, "--unlocked")
    playlist = f"/hls/{WEDDING}/main/source/index.m3u8"
    key = KEY.findall(private.playlist())[-1]
    name = next(line for line in private.playlist().splitlines() if ".ts" in line).split("?")[0]
    addresses = (playlist, key, f"/hls/{WEDDING}/main/source/{name}")

    def change(what: str) -> int:
        url = f"{node.base}/api/streams/{WEDDING}/{what}"
        headers = {"Authorization": f"Bearer {service}"}
        return node.client().get(url, headers, "POST").status

    def statuses(token: str) -> set[int]:
        return {private.get(address, token).status for address in addresses}

    assert statuses(private.token) == {200}
    assert change("lock") == 200
    wait_until(lambda: statuses(private.token) == {403}, "it is locked")
    assert statuses(unlocked) == {200}
    assert change("unlock") == 200
    wait_until(lambda: statuses(private.token) == {200}, "it is open again")
