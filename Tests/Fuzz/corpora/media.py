"""Packets, headers and recordings."""

from pathlib import Path

from .place import LONGEST, write


def media(film: Path) -> None:
    data = film.read_bytes()
    write("flv", "film", data[:LONGEST])
    write("flv", "film-short", data[:3000])
    offset = 13
    seen: dict[bytes, int] = {}
    while offset + 15 <= len(data):
        kind = data[offset]
        size = int.from_bytes(data[offset + 1 : offset + 4])
        body = data[offset + 11 : offset + 11 + size]
        offset += size + 15
        shape = bytes([kind]) + body[:2]
        seen[shape] = seen.get(shape, 0) + 1
        if kind != 18 and seen[shape] == 1:
            write("media", f"tag-{shape.hex()}", body[:400])
    avc = "0142c028ffe100176742c028da01e0089f97011000003e90000ea600f1832a01000468ce0fc8"
    interlaced = "014d401effe10018674d401ef405a126c104000003000400000300c87c50aa8001000468de0fc8"
    high = ("01f4001effe1001a67f4001e919680a02fee2f011000000300100000030320f162ea"
            "01000568ce0f1920fff8f800")  # fmt: skip
    hevc = ("01016000000090000000000078f000fcfdf8f800000f03a00001001840010c01ffff0160000003009000"
            "00030000030078959409a10001002c420101016000000300900000030000030078a003c0801107536595"
            "952930bc05a02000000300200000030321a2000100064401c073c189")  # fmt: skip
    records = {"avc": avc, "avc-interlaced": interlaced, "avc-high": high, "hevc": hevc}
    for name, record in records.items():
        write("media", f"record-{name}", bytes.fromhex(record))
    write("media", "enhanced-hevc", b"\x90hvc1" + bytes.fromhex(hevc))
    write(
        "media",
        "enhanced-tracks",
        b"\x96\x11avc1\x00\x00\x00\x04\x00\x00\x01\x65\x01\x00\x00\x03\x00\x00\x00",
    )
    write("media", "enhanced-codecs", b"\x96\x21av01\x00\x00\x00\x01avp09\x01\x00\x00\x01b")
    write("media", "enhanced-nanoseconds", b"\x97\x02\x01\x02\x03\x01avc1\x00\x00\x00\x65")
    write("media", "enhanced-opus", b"\x90OpusOpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
    write("media", "enhanced-av1", b"\x90av01\x81\x05\x0c\x00")
    write("media", "aac-sbr", bytes.fromhex("af002b920800"))
    write("media", "aac-elements", bytes.fromhex("af00110004c844002008c8"))
    picture = bytes([40, 5, 1, 2, 3, 4, 5])

    def group(step: int) -> bytes:
        sound = b"".join(bytes([8, 0, 3, 7, 8, 9]) for _ in range(2))
        return (
            bytes([4, step])
            + picture[1:2]
            + picture[2:]
            + sound
            + b"".join(bytes([0x46, 1]) + picture[1:2] + picture[2:] + sound for _ in range(9))
        )

    start = b"\x0f" + bytes([0, 0, 0]) + bytes([2, 0, 0])
    steady = start + b"".join(group(0) for _ in range(8))
    write("packager", "steady", steady)
    write(
        "packager",
        "sound",
        b"\x02" + bytes([2, 0, 0]) + b"".join(bytes([0x48, 1, 2, 1, 2]) for _ in range(60)),
    )
    write("packager", "changes", steady + bytes([1, 0, 0]) + group(0) + bytes([3, 0, 0]) + group(0))
    write("packager", "returns", steady + bytes([15, 0, 0, 0, 0, 0, 2, 0, 0]) + group(0) * 3)
    write(
        "packager",
        "jumps",
        steady
        + bytes([0xC4, 100, 1, 1])
        + group(0)
        + bytes([0x84, 200, 1, 1])
        + group(0) * 2
        + bytes([0xC8, 128, 1, 1])
        + group(0),
    )


def recordings(film: Path) -> None:
    data = film.read_bytes()[:12_000]
    middle = len(data) // 2
    write("recording", "once", b"\x00" + data)
    write("recording", "three-parts", b"\x02" + data[:5000])
    write("recording", "goes-on", b"\x05" + data[:5000])
    write("recording", "damaged", b"\x00" + data[:middle] + b"\xa5" * 300 + data[middle:])
    write("recording", "without-head", b"\x01" + data[13:4000])
