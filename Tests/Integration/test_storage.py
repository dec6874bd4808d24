"""The storage of recordings: moto for S3, a Bot API server of our own (none of Telegram's can be asked), a folder."""

import hashlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.media import Source, packets
from support.node import wedlive_binary
from support.processes import environment, wait_until
from support.publishers import ffmpeg5
from support.s3 import S3
from support.storage_server import TOKEN

SERVER = Path(__file__).parent / "support" / "storage_server.py"


def storage(
    *words: str | Path, ok: bool = True, **settings: str
) -> subprocess.CompletedProcess[str]:
    env = environment({f"WEDLIVE_STORAGE_{name}": value for name, value in settings.items()})
    done = subprocess.run(
        [wedlive_binary(), "storage", *map(str, words)],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done


def movie(path: Path, size: int) -> Path:
    path.write_bytes(random.Random(size).randbytes(size))
    return path


@pytest.fixture
def s3() -> Iterator[S3]:
    service = S3()
    yield service
    service.stop()


@pytest.fixture
def scripted() -> Iterator[str]:
    """The address of `storage_server.py`."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    process.stdin.close()
    process.wait(timeout=20)


@pytest.mark.parametrize("kind", ["local", "s3", "telegram"])
def test_check_tries_all_that_a_node_will_do(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "local":
        settings = {"KIND": "local", "PATH": str(tmp_path / "kept")}
    elif kind == "s3":
        settings = request.getfixturevalue("s3").settings
    else:
        secret = tmp_path / "token"
        secret.write_text(TOKEN + "\n")
        settings = {
            "KIND": "telegram",
            "TELEGRAM_API": request.getfixturevalue("scripted"),
            "TELEGRAM_BOT_TOKEN_FILE": str(secret),
            "TELEGRAM_CHAT_ID": "@weddings",
        }
    done = storage("check", **settings)
    assert done.stdout.endswith("storage: OK\n")


def test_a_large_file_comes_back_from_s3_as_it_was_put(s3: S3, tmp_path: Path) -> None:
    source = movie(tmp_path / "movie.mp4", 12 << 20)
    done = storage(
        "put", source, "anna & ben/1/recording.mp4", **s3.settings, PUBLIC_URL="https://cdn.example"
    )
    said = json.loads(done.stdout)
    assert len(said["parts"]) == 3
    assert said["checksum"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert s3.sha256("anna & ben/1/recording.mp4") == said["checksum"]
    head = s3.client.head_object(Bucket=s3.bucket, Key="anna & ben/1/recording.mp4")
    assert head["ContentType"] == "video/mp4"
    (tmp_path / "object.json").write_text(done.stdout)
    storage("get", tmp_path / "object.json", tmp_path / "back.mp4", **s3.settings)
    assert (tmp_path / "back.mp4").read_bytes() == source.read_bytes()
    storage("delete", tmp_path / "object.json", **s3.settings)
    assert "Contents" not in s3.client.list_objects_v2(Bucket=s3.bucket)


def test_a_killed_upload_goes_on_with_the_parts_that_are_there(s3: S3, tmp_path: Path) -> None:
    source = movie(tmp_path / "movie.mp4", 60 << 20)
    kept = tmp_path / "checkpoint.json"
    words = [wedlive_binary(), "storage", "put", str(source), "r.mp4", "--checkpoint", str(kept)]
    env = environment({f"WEDLIVE_STORAGE_{name}": value for name, value in s3.settings.items()})

    def parts() -> list[dict]:
        return json.loads(kept.read_text())["parts"] if kept.exists() else []

    killed = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_until(lambda: len(parts()) >= 3, "three parts are there", every=0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=20)
    before = parts()
    assert 3 <= len(before) < 12, "the kill came too late to show anything"
    upload = json.loads(kept.read_text())["uploadID"]
    said = json.loads(storage("put", source, "r.mp4", "--checkpoint", kept, **s3.settings).stdout)
    # The same upload went on: it is not there any more, and no other one was begun.
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=s3.bucket)
    assert [part["reference"] for part in said["parts"]][: len(before)] == [
        p["reference"] for p in before
    ]
    assert s3.sha256("r.mp4") == hashlib.sha256(source.read_bytes()).hexdigest()
    assert upload
    assert not kept.exists()


def test_a_service_that_is_away_in_the_middle_is_gone_on_with(
    scripted: str, tmp_path: Path
) -> None:
    source = movie(tmp_path / "movie.mp4", 17 << 20)
    settings = {
        "KIND": "s3",
        "S3_ENDPOINT": scripted,
        "S3_BUCKET": "weddings",
        "S3_ACCESS_KEY": "AKIATEST",
        "S3_SECRET_KEY": "s3cret/key+",
        "S3_PART_SIZE": "5m",
    }

    def ask(path: str, body: list | None = None) -> str:
        data = None if body is None else json.dumps(body).encode()
        return urllib.request.urlopen(scripted + path, data, timeout=20).read().decode()

    kept = tmp_path / "checkpoint.json"
    ask("/_faults", [{"match": "partNumber=3", "do": "cut", "times": 1_000}])
    failed = storage("put", source, "r.mp4", "--checkpoint", kept, ok=False, **settings)
    assert "can't be reached" in failed.stderr
    assert len(json.loads(kept.read_text())["parts"]) == 2
    ask("/_faults", [])
    ask("/_log")
    storage("put", source, "r.mp4", "--checkpoint", kept, **settings)
    sent = [line for line in ask("/_log").splitlines() if line.startswith("PUT")]
    assert [line.partition("partNumber=")[2][0] for line in sent] == ["3", "4"]


def test_an_upload_waits_out_a_short_absence(s3: S3, tmp_path: Path) -> None:
    source = movie(tmp_path / "movie.mp4", 1 << 20)
    s3.stop()
    threading.Thread(target=lambda: (time.sleep(1.5), s3.start())).start()
    storage("put", source, "r.mp4", **s3.settings)
    assert s3.sha256("r.mp4") == hashlib.sha256(source.read_bytes()).hexdigest()


def test_a_recording_goes_to_a_service_that_was_away_and_only_then_from_the_disk(
    s3: S3, make_node, tmp_path: Path
) -> None:
    settings = {f"WEDLIVE_STORAGE_{name}": value for name, value in s3.settings.items()}
    s3.stop()
    node = make_node(
        **settings, WEDLIVE_RECORDING_ENABLED="true", WEDLIVE_STREAMS_RECONNECT_WINDOW="1s"
    )

    def record() -> dict:
        with sqlite3.connect(node.data / "records.sqlite", timeout=10) as database:
            found = database.execute("SELECT state, document FROM recordings").fetchone()
        return {"state": found[0], **json.loads(found[1])} if found else {"state": None}

    source = Source(seconds=6, gop=30, rate=30)
    with ffmpeg5(node.publish_url("ana-and-ben"), source, node.certificates, tmp_path) as publisher:
        wait_until(lambda: publisher.ended, "the stream is over")
    folder = node.data / "recordings"
    metrics = lambda: node.admin("/metrics").text  # noqa: E731
    wait_until(
        lambda: 'call="put",result="unreachable"' in metrics(),
        "an upload was tried",
        alive=[node.process],
    )
    made = sorted(path.name for path in folder.glob("rec_*/*.mp4"))
    assert "recording.mp4" in made
    assert record()["state"] != "completed"
    node.kill()
    s3.start()
    node.start()
    wait_until(lambda: record()["state"] == "completed", "it is uploaded", alive=[node.process])
    wait_until(lambda: not list(folder.glob("rec_*/*.mp4")), "it is gone from the disk")
    kept = {
        item["Key"]: item["Size"]
        for item in s3.client.list_objects_v2(Bucket=s3.bucket)["Contents"]
    }
    (movie,) = (key for key in kept if key.endswith("/recording.mp4"))
    s3.client.download_file(s3.bucket, movie, str(tmp_path / "back.mp4"))
    seen = packets(tmp_path / "back.mp4", "v:0")
    assert len(seen) == pytest.approx(180, abs=2)
    for name in ("thumbnail-1.jpg", "sprite.jpg", "sprite.vtt", "hls.mp4"):
        assert any(key.endswith("/" + name) for key in kept), sorted(kept)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"S3_BUCKET": "other-bucket"}, ["NoSuchBucket", "storage.s3.bucket"]),
        ({"S3_ENDPOINT": "http://127.0.0.1:9"}, ["can't be reached"]),
        ({"S3_BUCKET": "x/../y"}, ["storage.s3.bucket", "is no name of a bucket"]),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, str], words: list[str], s3: S3) -> None:
    done = storage("check", ok=False, **{**s3.settings, **change})
    for word in words:
        assert word in done.stderr


def test_memory_does_not_grow_with_the_file(s3: S3, tmp_path: Path) -> None:
    """What is sent is read as it is sent: 200 MB go through far less."""
    source = movie(tmp_path / "movie.mp4", 200 << 20)
    env = environment({f"WEDLIVE_STORAGE_{name}": value for name, value in s3.settings.items()})
    done = subprocess.run(
        [
            "/usr/bin/env",
            "python3",
            "-c",
            "import resource, subprocess, sys; c = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(c)",
            str(wedlive_binary()),
            "storage",
            "put",
            str(source),
            "r.mp4",
        ],
        env=env,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 120_000  # KiB
