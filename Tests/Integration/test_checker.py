"""The checker itself: it is silent about ffmpeg's own HLS, and finds each fault put into it.

Needs no server: answers are made here from what ffmpeg's muxer wrote.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.hls.playlists import Entry, MediaPlaylist
from support.hls.report import Report
from support.hls.segments import Segments
from support.hls.transport_stream import PACKET, read_segment
from support.http import Response
from support.media import Source
from support.processes import run

URL = "https://host/hls/w/main/source/index.m3u8"
SOURCE = Source(seconds=12, b_frames=2)
PLAYLIST_HEADERS = {
    "content-type": "application/vnd.apple.mpegurl",
    "cache-control": "max-age=1, stale-while-revalidate=1",
    "access-control-allow-origin": "*",
}
SEGMENT_HEADERS = {
    "content-type": "video/mp2t",
    "cache-control": "public, max-age=31536000, immutable",
    "access-control-allow-origin": "*",
    "accept-ranges": "bytes",
}


@pytest.fixture(scope="module")
def muxed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 12 one-second segments and their playlist, by ffmpeg's hls muxer."""
    folder = tmp_path_factory.mktemp("muxed")
    # fmt: off
    run(["ffmpeg", "-v", "error", "-i", SOURCE.file, "-map", "0", "-c", "copy", "-f", "hls",
         "-hls_time", "1", "-hls_list_size", "0", "-hls_playlist_type", "event",
         "-hls_flags", "independent_segments+program_date_time",
         "-hls_segment_filename", folder / "%d.ts", folder / "index.m3u8"])
    # fmt: on
    return folder


@pytest.fixture
def lines(muxed: Path) -> list[str]:
    """The playlist without its end, as a live one would stand; target duration 2, so 1.04 fits."""
    text = (muxed / "index.m3u8").read_text().replace("#EXT-X-PLAYLIST-TYPE:EVENT\n", "")
    text = text.replace("#EXT-X-ENDLIST\n", "")
    text = text.replace("SEQUENCE:0\n", "SEQUENCE:0\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n")
    return text.splitlines()


def playlist(lines: list[str], first: int, last: int) -> str:
    """The window of segments `first` to `last`, exclusive."""
    start = next(i for i, line in enumerate(lines) if line.startswith("#EXTINF"))
    head, body = lines[:start], lines[start:]
    head = [re.sub(r"(MEDIA-SEQUENCE:)\d+", rf"\g<1>{first}", line) for line in head]
    return "\n".join([*head, *body[3 * first : 3 * last]]) + "\n"


def answer(text: str, **headers: str) -> Response:
    return Response(URL, 200, {**PLAYLIST_HEADERS, **headers}, text.encode())


@pytest.fixture
def follower() -> MediaPlaylist:
    followed = MediaPlaylist(URL, Report())
    followed.real_time = False
    return followed


def follow(follower: MediaPlaylist, *texts: str) -> set[str]:
    for text in texts:
        follower.refresh(answer(text))
    return follower.report.rules_broken()


def test_a_sliding_window_is_no_violation(follower: MediaPlaylist, lines: list[str]) -> None:
    windows = [playlist(lines, max(0, last - 6), last) for last in range(1, 13)]
    assert follow(follower, *windows) == set(), str(follower.report)
    assert len(follower.entries) == 12


Change = Callable[[str], str]
PLAYLIST_FAULTS: dict[str, Change] = {
    "constant target duration": lambda text: text.replace("DURATION:1\n", "DURATION:2\n"),
    "media sequence never goes back": lambda text: text.replace("SEQUENCE:1\n", "SEQUENCE:0\n", 1),
    "a sequence number never changes meaning": lambda text: text.replace("3.ts", "33.ts"),
    "a name never changes meaning": lambda text: text.replace("8.ts", "0.ts"),
    "names are unique": lambda text: text.replace("8.ts", "7.ts"),
    "program date time": lambda text: re.sub(r"#EXT-X-PROGRAM.*\n", "", text),
    "rounded EXTINF within target duration": lambda text: re.sub(
        r"EXTINF:[\d.]+,\n(.*\n8\.ts)", r"EXTINF:1.6,\n\1", text
    ),
    "dates run on": lambda text: re.sub(r":(\d\d)\.(\d{3})\+0000\n8", r":59.9\g<2>+0000\n8", text),
    "one EXT-X-DISCONTINUITY-SEQUENCE": lambda text: re.sub(
        r"#EXT-X-DISCONTINUITY-S.*\n", "", text
    ),
    "one EXT-X-INDEPENDENT-SEGMENTS": lambda text: text.replace(
        "#EXT-X-INDEPENDENT-SEGMENTS\n", ""
    ),
    "playlist parses": lambda text: text.replace("#EXTINF:", "#EXTINF:x"),
    "segments never vanish from the end": lambda text: text[: text.rindex("#EXTINF")][
        : text[: text.rindex("#EXTINF")].rindex("#EXTINF")
    ],
    "window of six segments": lambda text: re.sub(
        r"(#EXTINF.*\n.*\n\d+\.ts\n){4}",
        "",
        text.replace("SEQUENCE:1\n", "SEQUENCE:5\n", 1),
        count=1,
    ),
    "no sequence number is skipped": lambda text: text.replace("SEQUENCE:1\n", "SEQUENCE:30\n", 1),
    "discontinuity sequence never goes back": lambda text: text,
}


@pytest.mark.parametrize("rule", list(PLAYLIST_FAULTS))
def test_a_fault_in_a_playlist_is_found(
    rule: str, follower: MediaPlaylist, lines: list[str]
) -> None:
    first = (
        playlist(lines, 0, 8) if rule != "media sequence never goes back" else playlist(lines, 1, 8)
    )
    if rule == "discontinuity sequence never goes back":
        first = first.replace("DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:3")
    second = playlist(lines, 1, 9)
    changed = PLAYLIST_FAULTS[rule](second)
    assert changed != second or rule.startswith("discontinuity"), "the fault was not put in"
    assert rule in follow(follower, first, changed), str(follower.report)


def test_headers_of_a_playlist_are_judged(follower: MediaPlaylist, lines: list[str]) -> None:
    text = playlist(lines, 0, 6)
    follower.refresh(answer(text, **{"cache-control": "max-age=60", "content-type": "text/plain"}))
    follower.refresh(answer(text, **{"cache-control": "max-age=60"}))
    assert {"playlist cache time", "playlist type"} <= follower.report.rules_broken()


@pytest.fixture
def pieces(
    muxed: Path, lines: list[str], follower: MediaPlaylist
) -> tuple[dict[int, Entry], dict[int, bytes]]:
    """What `judge` needs: the entries, and each segment's bytes."""
    follow(follower, playlist(lines, 0, 12))
    data = {number: (muxed / f"{number}.ts").read_bytes() for number in range(12)}
    return follower.entries, data


def judge(pieces: tuple, folder: Path, only: range = range(12)) -> set[str]:
    entries, data = pieces
    segments = Segments(folder, Report())
    for number in only:
        url = entries[number].url
        segments.add(entries[number], Response(url, 200, SEGMENT_HEADERS, data[number]))
    # ffmpeg writes its PCRs wider apart than Apple allows; ours are judged on a live node
    return segments.report.rules_broken() - {"PCR every 100 ms"}


def test_ffmpegs_segments_are_no_violation(pieces: tuple, tmp_path: Path) -> None:
    assert judge(pieces, tmp_path) == set()


def packets_of(data: bytes, pid: int) -> list[int]:
    """Offsets of a pid's packets."""
    return [
        at
        for at in range(0, len(data), PACKET)
        if ((data[at + 1] & 0x1F) << 8 | data[at + 2]) == pid
    ]


def without(data: bytes, offset: int) -> bytes:
    return data[:offset] + data[offset + PACKET :]


def test_a_lost_packet_is_found(pieces: tuple, tmp_path: Path) -> None:
    entries, data = pieces
    data[4] = without(data[4], packets_of(data[4], 256)[3])
    assert "transport stream" in judge((entries, data), tmp_path)


def test_a_lost_first_packet_is_found_beside_its_neighbour(pieces: tuple, tmp_path: Path) -> None:
    entries, data = pieces
    data[4] = without(data[4], packets_of(data[4], 257)[-1])
    assert "continuity counters run on" in judge((entries, data), tmp_path)


def test_a_segment_that_starts_without_an_idr_is_found(pieces: tuple, tmp_path: Path) -> None:
    entries, data = pieces
    video = packets_of(data[4], 256)
    starts = [at for at in video if data[4][at + 1] & 0x40]
    for at in reversed([at for at in video if at < starts[1]]):
        data[4] = without(data[4], at)
    broken = judge((entries, data), tmp_path)
    assert {"starts with an IDR", "EXTINF within a frame of the truth"} <= broken


def test_a_lost_segment_is_found(pieces: tuple, tmp_path: Path) -> None:
    entries, data = pieces
    shifted = {number: data[number + 1 if number >= 4 else number] for number in range(11)}
    broken = judge((entries, shifted), tmp_path, range(11))
    assert "EXTINF within a frame of the truth" in broken
    assert "timestamps run on between segments" in broken


def test_a_wrong_duration_is_found(pieces: tuple, tmp_path: Path) -> None:
    entries, data = pieces
    entries[4] = replace(entries[4], duration=entries[4].duration + 0.04)
    assert judge((entries, data), tmp_path) == {"EXTINF within a frame of the truth"}


@pytest.mark.parametrize("length", [0, 1, 187, 188, 189, 1000])
def test_rubbish_is_a_fault_and_no_crash(length: int) -> None:
    for rubbish in (b"\x47" * length, bytes(length)):
        facts = read_segment(rubbish)
        assert facts.faults or facts.first_pts is None
