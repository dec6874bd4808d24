"""What was received is on disk, whole, whatever ends the stream, the node, the disk or the storage."""

import functools
import json
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.media import Source, packets, probe
from support.node import Node
from support.processes import Process, wait_until
from support.publishers import ffmpeg5
from support.s3 import S3
from support.streams import media_playlists

WEDDING = "ana-and-ben"
RECORDED = {"WEDLIVE_RECORDING_ENABLED": "true", "WEDLIVE_STREAMS_RECONNECT_WINDOW": "2s"}


def parts(node: Node) -> list[Path]:
    """The FLV files of all recordings, oldest first."""
    return sorted((node.data / "recordings").glob("rec_*/*.flv"), key=lambda path: path.name)


def rows(node: Node) -> list[dict]:
    """The recordings as they are kept, oldest first."""
    with sqlite3.connect(node.data / "records.sqlite", timeout=10) as database:
        database.row_factory = sqlite3.Row
        found = database.execute("SELECT * FROM recordings ORDER BY started").fetchall()
    return [{**dict(row), "document": json.loads(row["document"])} for row in found]


def seconds(path: Path | str) -> float:
    """How long the pictures of a file last, by what is in it."""
    seen = packets(Path(path), "v:0")
    return seen[-1].pts - seen[0].pts


def received(node: Node) -> float:
    """How long the stream has been received, in seconds."""
    streams = json.loads(node.admin("/api/status").text)["streams"]
    return streams[0]["time_ms"] / 1000 if streams else 0


@functools.cache
def service(node: Node) -> str:
    """A service token, made once."""
    return node.token("service", WEDDING)


def call(node: Node, path: str, method: str = "GET", **body: str) -> tuple[int, dict]:
    """A call of the API as the backend makes it."""
    headers = {"Authorization": f"Bearer {service(node)}"}
    raw = None
    if body:
        headers["Content-Type"] = "application/json"
        raw = json.dumps(body).encode()
    answer = node.client().get(f"{node.base}/api/streams/{path}", headers, method, raw)
    return answer.status, json.loads(answer.text)


def recordings(node: Node) -> list[dict]:
    status, answer = call(node, f"recordings/{WEDDING}")
    assert status == 200, answer
    return answer["recordings"]


def states(node: Node) -> list[str]:
    return [recording["state"] for recording in recordings(node)]


def recorded(node: Node) -> float:
    """How long all recordings are, in seconds."""
    return sum(recording["duration"] for recording in recordings(node))


def publish_until(node: Node, tmp_path: Path, length: float, **source: int) -> Process:
    """Publishes, and returns when so many seconds more were recorded."""
    before = recorded(node)
    publisher = ffmpeg5(
        node.publish_url(WEDDING),
        Source(**{"seconds": 600, "gop": 30, "rate": 30, **source}),
        node.certificates,
        tmp_path,
    )
    wait_until(
        lambda: recorded(node) > before + length,
        f"{length} seconds came",
        limit=length + 60,
        alive=[publisher],
    )
    return publisher


def test_a_kill_loses_less_than_a_second(make_node, tmp_path: Path) -> None:
    node = make_node(**RECORDED)
    with publish_until(node, tmp_path, 6):
        before = received(node)
        node.kill()
    # As if it had been killed in the middle of a write.
    with parts(node)[0].open("ab") as file:
        file.write(b"\x09\x00\x10\x00 the beginning of a tag")
    node.start()
    wait_until(lambda: rows(node)[0]["state"] != "recording", "the recording is over")
    (part,) = rows(node)[0]["document"]["parts"]
    assert part["end"] == "interrupted"
    assert part["bytes"] == parts(node)[0].stat().st_size
    assert seconds(parts(node)[0]) > before - 1


def test_what_is_stopped_and_begun_at_once_is_two_recordings(make_node, tmp_path: Path) -> None:
    """A start does not take back the stop before it, however soon it follows."""
    node = make_node(**RECORDED)
    with publish_until(node, tmp_path, 2):
        for number in range(2, 8):
            stopped = recordings(node)[-1]["recording_id"]
            for verb in ("stop", "start"):
                status, answer = call(node, f"recording/{verb}", "POST", wedding_id=WEDDING)
                assert status in (200, 202), answer
            wait_until(
                lambda number=number: (
                    len(recordings(node)) == number and recordings(node)[-1]["duration"] > 0
                ),
                f"recording {number} has begun",
            )
            (ended,) = (each for each in recordings(node) if each["recording_id"] == stopped)
            assert ended["state"] != "recording"
    wait_until(lambda: states(node) == ["completed"] * 7, "all of them are made", limit=60)


def test_one_recording_over_drops_splits_and_stops(make_node, tmp_path: Path) -> None:
    node = make_node(
        **{
            **RECORDED,
            "WEDLIVE_STREAMS_RECONNECT_WINDOW": "30s",
            "WEDLIVE_RECORDING_MAX_SIZE": "1m",
        }
    )
    with publish_until(node, tmp_path, 5, kbits=2000):
        pass
    time.sleep(3)
    with publish_until(node, tmp_path, 4, kbits=2000):
        node.stop()
    time.sleep(3)
    node.start()
    with publish_until(node, tmp_path, 3, kbits=2000):
        pass
    status, answer = call(node, "recording/stop", "POST", wedding_id=WEDDING)
    assert status == 200, answer
    wait_until(lambda: states(node) == ["completed"], "it is completed")
    (recording,) = recordings(node)
    ends = [part["end"] for part in rows(node)[0]["document"]["parts"]]
    assert ends.count("publisher_left") == 3
    assert "split" in ends
    assert sum(gap["reason"] == "reconnect" for gap in recording["gaps"]) == 2
    # All of it is in the movie, and no more than that.
    movie = parts(node)[0].parent / "recording.mp4"
    total = sum(len(packets(part, "v:0")) for part in parts(node))
    assert len(packets(movie, "v:0")) == total
    assert abs(recording["duration"] - sum(seconds(part) + 1 / 30 for part in parts(node))) < 0.5


def test_each_quality_is_a_recording(make_node, tmp_path: Path) -> None:
    node = make_node(
        **RECORDED,
        WEDLIVE_TRANSCODE_ENABLED="true",
        WEDLIVE_RECORDING_QUALITIES="source,240p",
    )
    with publish_until(node, tmp_path, 10, width=640, height=360):
        pass
    wait_until(lambda: states(node) == ["completed"] * 2, "both are completed")
    found = {recording["quality"]: recording for recording in recordings(node)}
    assert {name: each["video"]["height"] for name, each in found.items()} == {
        "source": 360,
        "240p": 240,
    }
    # Picture for picture the same.
    counts = {part.name.split("_")[0]: len(packets(part, "v:0")) for part in parts(node)}
    assert len(counts) == 2
    assert len(set(counts.values())) == 1, counts


def play(node: Node, recording: dict, tmp_path: Path) -> float:
    """Plays a recording's HLS to its end; returns how long its pictures lasted."""
    path = tmp_path / f"played-{time.monotonic_ns()}.mp4"
    words = ["ffmpeg", "-v", "error", "-y", "-tls_verify", "0", "-allowed_extensions", "ALL"]
    words += ["-i", recording["playback_url"], "-c", "copy", path]
    subprocess.run(words, check=True, timeout=120)
    return seconds(path)


@pytest.fixture
def s3() -> Iterator[S3]:
    service = S3()
    yield service
    service.stop()


def survive(node: Node, s3: S3, tmp_path: Path, received_for: float, away_for: float) -> None:
    """Kills the node while it records, and takes S3 away for a while; in the end all is there, once."""
    with publish_until(node, tmp_path, received_for, kbits=3000):
        before = received(node)
        node.kill()
    s3.stop()
    gone = time.monotonic()
    node.start()
    wait_until(
        lambda: any(each.get("error") for each in recordings(node)),
        "the storage is found to be away",
        limit=120,
    )
    (recording,) = recordings(node)
    assert recording["state"] == "processing"
    assert recording["step"] == "upload"
    folder = node.data / "recordings" / recording["recording_id"]
    # Killed once more while it waits: it goes on with what was made.
    made = (folder / "recording.mp4").stat().st_mtime_ns
    node.kill()
    node.start()
    while time.monotonic() - gone < away_for:
        # Nothing is deleted early.
        assert len(list(folder.glob("*.flv"))) == 1
        assert (folder / "recording.mp4").stat().st_mtime_ns == made
        time.sleep(1)
    s3.start()
    back = time.monotonic()
    wait_until(lambda: states(node) == ["completed"], "it is completed", limit=120)
    took = time.monotonic() - back
    wait_until(lambda: not folder.exists(), "what is here is deleted")
    (recording,) = recordings(node)
    puts = s3.puts()
    names = sorted(name.rpartition("/")[2] for name in puts)
    pictures = [f"thumbnail-{number}.jpg" for number in range(1, 6)]
    files = ["hls.mp4", "index.m3u8", "recording.mp4", "sprite.jpg", "sprite.vtt", *pictures]
    assert names == sorted(files)
    assert set(puts.values()) == {1}, puts
    assert s3.uploads() == 0
    prefix = f"{WEDDING}/{recording['recording_id']}"
    movie = s3.download(f"{prefix}/recording.mp4", tmp_path / "movie.mp4")
    length = seconds(movie)
    assert length > before - 1
    assert abs(recording["duration"] - length) < 0.5
    assert recording["file_size"] == movie.stat().st_size
    for picture in recording["thumbnails"]:
        assert node.client().get(picture).body.startswith(b"\xff\xd8")
    # Through the node, from the storage.
    assert abs(play(node, recording, tmp_path) - length) < 0.5
    print(
        f"received {before:.1f} s before the kill, in the movie {length:.1f} s; S3 away for "
        f"{away_for:.0f} s, completed {took:.1f} s after it was back; each of {len(puts)} objects put once"
    )


def test_kills_and_a_storage_that_is_away(make_node, s3: S3, tmp_path: Path) -> None:
    survive(make_node(**RECORDED, **s3.environment), s3, tmp_path, 8, 12)


@pytest.mark.interop
@pytest.mark.timeout(1200)
def test_kills_and_a_storage_that_is_away_for_long(make_node, s3: S3, tmp_path: Path) -> None:
    survive(make_node(**RECORDED, **s3.environment), s3, tmp_path, 60, 300)


def test_what_is_uploaded_can_be_deleted(make_node, s3: S3, tmp_path: Path) -> None:
    node = make_node(
        **RECORDED, **s3.environment, WEDLIVE_ACCESS_WATCH="token", WEDLIVE_RECORDING_RESERVE="1m"
    )
    with publish_until(node, tmp_path, 3):
        (recording,) = recordings(node)
        path = f"recordings/{recording['recording_id']}"
        status, answer = call(node, path, "DELETE")
        assert (status, answer["error"]["code"]) == (409, "is_recording")
        stopped = node.admin(f"/control/record/stop?app=live&name={WEDDING}")
        assert stopped.text.strip() == recording["recording_id"]
    wait_until(lambda: states(node) == ["completed"], "it is completed")
    (recording,) = recordings(node)
    playlist = recording["playback_url"]
    assert node.client().get(playlist).status == 401
    token = node.token("watch", WEDDING)
    assert f"hls.mp4?token={token}" in node.client().get(f"{playlist}?token={token}").text
    other = node.token("watch", "another")
    assert node.client().get(f"{playlist}?token={other}").status == 403
    assert call(node, path, "DELETE") == (
        200,
        {"recording_id": recording["recording_id"], "deleted": True},
    )
    assert node.client().get(f"{playlist}?token={token}").status == 404
    assert recordings(node) == []
    assert s3.client.list_objects_v2(Bucket=s3.bucket)["KeyCount"] == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB, where that may be made."""
    path = tmp_path / "small"
    path.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=48m", "wedlive-test", path]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True).returncode != 0:
        pytest.skip("no file system may be mounted here")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def test_a_full_disk_stops_no_stream(make_node, small_disk: Path, tmp_path: Path) -> None:
    node = make_node(
        **RECORDED,
        WEDLIVE_RECORDING_PATH=str(small_disk),
        WEDLIVE_RECORDING_RESERVE="1m",
    )
    filler = small_disk / "filler"
    filler.write_bytes(bytes(44 << 20))

    def ended(code: str) -> float:
        return node.metrics().get(f'wedlive_recording_parts_total{{end="{code}"}}', 0)

    def written() -> list[Path]:
        return sorted(small_disk.glob("rec_*/*.flv"))

    def newest() -> str:
        lines = node.client().get(media_playlists(node, WEDDING)[0]).text.splitlines()
        return lines[-1]

    with publish_until(node, tmp_path, 1, kbits=4000) as publisher:
        wait_until(lambda: ended("disk_full") == 1, "the disk is full", alive=[publisher])
        (first,) = written()
        size = first.stat().st_size
        segment = newest()
        wait_until(lambda: newest() != segment, "the stream goes on", alive=[publisher])
        assert first.stat().st_size == size
        assert "recording.reserve" in recordings(node)[0]["reason"]
        status = json.loads(node.admin("/api/status").text)["recordings"]
        assert "disk is full" in status[0]["trouble"]
        filler.unlink()
        wait_until(lambda: len(written()) == 2, "recording goes on by itself", alive=[publisher])
        more = recorded(node) + 2
        wait_until(lambda: recorded(node) > more, "more came", alive=[publisher])
    wait_until(lambda: states(node) == ["completed"], "it is completed")
    (recording,) = recordings(node)
    assert recording["parts"] == 2
    for part in written():
        probed = probe(str(part), "-show_entries", "packet=pts", "-select_streams", "v")
        assert len(probed["packets"]) > 30
    events = node.metrics()
    assert events['wedlive_events_total{event="error.occurred"}'] >= 1
    assert events['wedlive_events_total{event="recording.completed"}'] == 1


def test_a_stream_is_recorded_that_was_asked_for_before_it_began(make_node, tmp_path: Path) -> None:
    node = make_node(WEDLIVE_STREAMS_RECONNECT_WINDOW="2s")
    status, answer = call(node, "recording/start", "POST", wedding_id=WEDDING)
    assert (status, answer["recordings"]) == (202, []), answer
    with publish_until(node, tmp_path, 2) as publisher:
        (recording,) = recordings(node)
        name = recording["recording_id"]
        status, answer = call(node, "recording/complete", "POST", recording_id=name)
        assert (status, answer["recording_id"]) == (200, name), answer
        wait_until(lambda: states(node) == ["completed"], "it is completed", alive=[publisher])
    folder = node.data / "recordings" / name
    lines = [json.loads(line) for line in (folder / "parts.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == [path.name for path in parts(node)]
    assert lines[0]["started"] >= recording["started_at"] * 1000
