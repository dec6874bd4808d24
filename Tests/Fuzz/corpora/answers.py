"""What child processes, storages, backends and Redis answer."""

import json
import struct

from .place import write


def workers() -> None:
    def message(kind: int, payload: bytes) -> bytes:
        return struct.pack(">IB", len(payload) + 1, kind) + payload

    def result(**more: object) -> bytes:
        movie = {"file": "recording.mp4", "bytes": 1000, "durationSeconds": 2}
        video = {"codec": "h264", "codecString": "avc1", "width": 16, "height": 16}
        video |= {"frameRate": 25, "frames": 50, "bitrate": 1}
        playback = {"file": "hls.mp4", "bytes": 1000, "headerBytes": 100}
        playback["segments"] = [{"offset": 100, "bytes": 900, "seconds": 2}]
        known = {"durationSeconds": 2, "movies": [movie | {"video": video, "playback": playback}]}
        return json.dumps(known | {"thumbnails": [], "gaps": [], "leftOut": []} | more).encode()

    write(
        "worker",
        "remux",
        message(1, struct.pack(">I", 500))
        + message(2, b"\x00\x02\xff\xd8")
        + message(2, b"\x00\x01WEBVTT\n")
        + message(3, result()),
    )
    write("worker", "remux-failed", message(4, b"\x46it did not work"))
    write("worker", "result", result(gaps=[{"at": 1, "reason": "damage"}], leftOut=["1 byte"]))
    frame = b"avc1\x01" + struct.pack(">qq", 9_000, 12_000) + b"\x00\x00\x00\x01\x65"
    write(
        "worker",
        "ladder",
        message(1, b"\x00avc1\x01\x42\xc0\x0d\xff\xe0\x00")
        + message(3, b"\x01\x00" + frame)
        + message(4, struct.pack(">I", 1))
        + message(5, struct.pack(">IBIQQQ", 20, 0, 3, 4, 5, 6)),
    )
    write("worker", "ladder-failed", message(6, b"\x46it did not work"))


def answers() -> None:
    part = "<Part><PartNumber>{0}</PartNumber><ETag>&quot;{0:032x}&quot;</ETag></Part>"
    pages = "<IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>"
    xml = {
        "parts": f"<R>{pages}{part.format(1)}{part.format(2)}</R>",
        "upload": "<?xml version='1.0'?><R><Key>a/b</Key><UploadId>x&amp;y&#47;</UploadId></R>",
        "uploads": "<R><Upload><Key>k</Key><UploadId>u</UploadId></Upload></R>",
        "error": "<Error><Code>SlowDown</Code><Message>less, please</Message></Error>",
        "entities": '<!DOCTYPE a [<!ENTITY b "bb">]><R><Key>&b;&#xD800;&#x1F600;&;</Key></R>',
        "cut-off": f"<R>{part.format(1)}<Part><PartNumber>2</Part",
    }
    video = {"file_id": "i", "file_size": 3, "file_path": "videos/a"}
    limit = {"parameters": {"retry_after": 7, "migrate_to_chat_id": -100}}
    bot = {
        "bot-message": {"ok": True, "result": {"message_id": 1, "video": video}},
        "bot-file": {"ok": True, "result": video},
        "bot-limit": {"ok": False, "error_code": 429, "description": "later"} | limit,
    }
    for name, text in xml.items():
        write("storage", name, text)
    for name, value in bot.items():
        write("storage", name, json.dumps(value))


def redis() -> None:
    info = "*4\r\n$6\r\nlength\r\n:2\r\n$11\r\nfirst-entry\r\n*2\r\n$3\r\n1-0\r\n*2\r\n+n\r\n+1\r\n"
    message = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
    replies = {
        "kinds": "r+OK\r\n-ERR no\r\n:-42\r\n$5\r\nhe\r\no\r\n$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n",
        "info": f"r{info}$-1\r\n{info}",
        "nested": "r" + "*1\r\n" * 7 + ":1\r\n" + "*2\r\n" * 8,
        "lengths": "r$4294967296\r\naaaa",
        "resp3": "r%1\r\n+a\r\n:1\r\n",
        "messages": f"m{message}*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n{message}-NOPERM\r\n",
    }
    for name, text in replies.items():
        write("redis", name, text)
