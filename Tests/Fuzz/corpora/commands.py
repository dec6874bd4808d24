"""RTMP commands and chunks that no client sends."""

import struct

from .place import write


def chunk(kind: int, payload: bytes, stream: int = 0, time: int = 0, size: int = 128) -> bytes:
    """A message of one type 0 chunk, and type 3 chunks for what is left."""
    field = min(time, 0xFFFFFF)
    extended = struct.pack(">I", time) if time >= 0xFFFFFF else b""
    data = b"\x03" + struct.pack(">I", field)[1:] + struct.pack(">I", len(payload))[1:]
    data += bytes([kind]) + struct.pack("<I", stream) + extended + payload[:size]
    for start in range(size, len(payload), size):
        data += b"\xc3" + extended + payload[start : start + size]
    return data


def text(value: str) -> bytes:
    return b"\x02" + struct.pack(">H", len(value)) + value.encode()


def number(value: float) -> bytes:
    return b"\x00" + struct.pack(">d", value)


def members(**values: bytes) -> bytes:
    body = b"".join(
        struct.pack(">H", len(name)) + name.encode() + value for name, value in values.items()
    )
    return body + b"\x00\x00\x09"


def commands() -> None:
    connect = text("connect") + number(1) + b"\x03"
    connect += members(
        app=text("live"),
        flashVer=text("FMLE/3.0"),
        tcUrl=text("rtmp://h/live"),
        capsEx=number(15),
        fourCcList=b"\x0a\x00\x00\x00\x02" + text("hvc1") + text("av01"),
        videoFourCcInfoMap=b"\x03" + members(hvc1=number(7)),
    )
    create = text("createStream") + number(2) + b"\x05"
    publish = text("publish") + number(3) + b"\x05" + text("w?token=t") + text("live")
    play = text("play") + number(4) + b"\x05" + text("w") + number(-2) + number(-1) + b"\x01\x01"
    meta = text("@setDataFrame") + text("onMetaData") + b"\x08\x00\x00\x00\x02"
    meta += members(width=number(1280), encoder=text("x"))
    values = {
        "connect": connect,
        "publish": publish,
        "play": play,
        "metadata": meta,
        "nested": text("a") + number(0) + (b"\x03\x00\x01a") * 12 + b"\x05" + b"\x00\x00\x09" * 12,
        "kinds": b"\x01\x01\x06\x0b" + struct.pack(">dH", 1e12, 60) + b"\x0c\x00\x00\x00\x01z"
        b"\x0f\x00\x00\x00\x04<a/>\x10\x00\x01C" + members(x=b"\x07\x00\x00") + b"\x0d\x07\x00\x00",
        "amf3": b"\x11\x0a\x0b\x01\x09name\x06\x0bvalue\x07n\x05"
        + struct.pack(">d", 2.5)
        + b"\x01",
        "amf3-array": b"\x11\x09\x05\x01\x04\x7f\x04\x81\x00\x09\x03\x01\x06\x05ab\x0a\x02",
        "amf3-kinds": b"\x11\x09\x11\x01\x0c\x07abc\x08\x01"
        + struct.pack(">d", 1e12)
        + b"\x0d\x05\x00\x00\x00\x00\x01\x00\x00\x00\x02\x0f\x03\x00"
        + struct.pack(">d", 0.5)
        + b"\x10\x03\x00\x01\x01\x11\x03\x00\x06\x03k\x02\x0b\x07<a>\x04\xff\xff\xff\xff\x03",
    }
    for name, value in values.items():
        write("amf", name, value)
    video = b"\x17\x01\x00\x00\x00" + b"\x00\x00\x00\x02\x65\x01"
    aggregate = b"".join(
        bytes([kind])
        + struct.pack(">I", len(body))[1:]
        + b"\x00\x00"
        + bytes([at])
        + bytes(4)
        + body
        + struct.pack(">I", len(body) + 11)
        for kind, body, at in [(8, b"\xaf\x01a", 5), (9, video, 9), (8, b"\xaf\x01b", 12)]
    )
    session = chunk(20, connect) + chunk(20, create) + chunk(20, publish, 1)
    media = chunk(18, meta, 1) + chunk(9, video, 1, 40) + chunk(22, aggregate, 1, 100)
    write(
        "rtmp",
        "by-hand-publish",
        session + media + chunk(20, text("deleteStream") + number(5) + b"\x05" + number(1)),
    )
    write(
        "rtmp",
        "by-hand-play",
        chunk(20, connect)
        + chunk(20, create)
        + chunk(20, play, 1)
        + chunk(4, b"\x00\x06\x00\x00\x00\x07")
        + chunk(4, b"\x00\x03" + bytes(8))
        + chunk(20, text("pause") + number(0) + b"\x05\x01\x01" + number(0), 1),
    )
    others = [
        "releaseStream", "FCPublish", "FCSubscribe", "getStreamLength", "_checkbw", "closeStream",
        "seek", "receiveAudio", "FCUnpublish", "unknown",
    ]  # fmt: skip
    write(
        "rtmp",
        "by-hand-commands",
        session
        + b"".join(
            chunk(20, text(name) + number(9) + b"\x05" + text("w?token=t"), 1) for name in others
        ),
    )
    write("rtmp", "by-hand-amf3", chunk(17, b"\x00" + connect) + chunk(17, b"\x00" + create))
    write(
        "chunks",
        "control",
        chunk(1, b"\x00\x00\x00\x40")
        + chunk(8, bytes(200), 1, 5, 64)
        + chunk(2, b"\x00\x00\x00\x03")
        + chunk(5, b"\x00\x00\x10\x00")
        + chunk(6, bytes(5)),
    )
    write(
        "chunks",
        "extended",
        chunk(9, bytes(300), 1, 0x1000005)
        + b"\x43\x00\x00\x28"
        + b"\x00\x00\x02\x09ab"
        + b"\x83\xff\xff\xff\x01\x00\x00\x00cd"
        + b"\xc3ef",
    )
    write(
        "chunks",
        "wide-ids",
        b"\x00\x05"
        + chunk(8, b"abc", 1)[1:]
        + b"\x01\x05\x01"
        + chunk(9, b"abc", 1)[1:]
        + b"\x40\x05\x00\x00\x01\x00\x00\x01\x08z"
        + b"\xc0\x05y",
    )
    answer = (
        chunk(5, b"\x00\x4c\x4b\x40")
        + chunk(6, b"\x00\x4c\x4b\x40\x02")
        + chunk(
            20,
            text("_result")
            + number(1)
            + b"\x03"
            + members(fmsVer=text("F"))
            + b"\x03"
            + members(code=text("NetConnection.Connect.Success"), capsEx=number(1)),
        )
    )
    answer += chunk(20, text("_result") + number(4) + b"\x05" + number(1))
    for name, code in [("publish", "NetStream.Publish.Start"), ("play", "NetStream.Play.Start")]:
        status = text("onStatus") + number(0) + b"\x05\x03"
        status += members(level=text("status"), code=text(code))
        write("rtmp-client", f"by-hand-{name}", answer + chunk(20, status, 1) + media)
