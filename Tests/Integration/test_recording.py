"""What was received is on disk, whole, whatever ends the stream, the node or the disk."""

import json
import sqlite3
from pathlib import Path

from support.media import Source, packets
from support.node import Node
from support.processes import wait_until
from support.publishers import ffmpeg5

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


def seconds(path: Path) -> float:
    """How long the pictures of a file last, by what is in it."""
    seen = packets(path, "v:0")
    return seen[-1].pts - seen[0].pts


def test_a_kill_loses_less_than_a_second(make_node, tmp_path: Path) -> None:
    node = make_node(**RECORDED)
    source = Source(seconds=60, gop=30, rate=30)
    with ffmpeg5(node.publish_url(WEDDING), source, node.certificates, tmp_path) as publisher:

        def received() -> float:
            status = json.loads(node.admin("/api/status").text)["streams"]
            return status[0]["time_ms"] / 1000 if status else 0

        wait_until(lambda: received() > 6, "six seconds came", alive=[publisher])
        before = received()
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
