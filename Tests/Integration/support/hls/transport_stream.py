"""Reads an MPEG transport stream segment: tables, counters, access units, timestamps."""

import hashlib
from dataclasses import dataclass, field

PACKET = 188
CLOCK = 90_000
WRAP = 1 << 33
H264, AAC = 0x1B, 0x0F
RESERVED = {*range(0x10, 0x20), 0x1FFF}  # service tables and stuffing: of no interest here
ADTS_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


def ticks_between(earlier: int, later: int) -> int:
    """Signed distance of two 33-bit timestamps."""
    return (later - earlier + WRAP // 2) % WRAP - WRAP // 2


@dataclass(frozen=True)
class Unit:
    """One picture, or one AAC frame. `digest` covers the coded data without its framing."""

    pts: int
    dts: int
    key: bool
    digest: str


@dataclass
class Segment:
    """What one segment holds. `faults` are breaches that need no neighbour to be seen."""

    pictures: list[Unit] = field(default_factory=list)
    sounds: list[Unit] = field(default_factory=list)
    first_counter: dict[int, int] = field(default_factory=dict)
    last_counter: dict[int, int] = field(default_factory=dict)
    pcrs: list[int] = field(default_factory=list)
    stream_types: dict[int, int] = field(default_factory=dict)
    sps: bytes = b""
    audio_object_type: int = 0
    sample_rate: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def first_pts(self) -> int | None:
        """Where the segment starts: the first picture, or the first sound where there is none."""
        units = self.pictures or self.sounds
        return units[0].pts if units else None


class _Reader:
    def __init__(self) -> None:
        self.segment = Segment()
        self.map_pid: int | None = None
        self.pcr_pid: int | None = None
        self.open: dict[int, bytearray] = {}

    def read(self, data: bytes) -> Segment:
        fault = self.segment.faults.append
        if len(data) % PACKET:
            fault(f"{len(data)} bytes are not a whole number of packets")
        for number, start in enumerate(range(0, len(data) - PACKET + 1, PACKET)):
            packet = data[start : start + PACKET]
            if packet[0] != 0x47:
                fault(f"no sync byte at packet {number}")
                return self.segment
            self._packet(number, packet)
        for pid in list(self.open):
            self._finish(pid)
        return self.segment

    def _packet(self, number: int, packet: bytes) -> None:
        fault = self.segment.faults.append
        starts = bool(packet[1] & 0x40)
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        has_field, has_payload = packet[3] & 0x20, packet[3] & 0x10
        offset = 4
        if has_field:
            length = packet[4]
            if length and packet[5] & 0x10:
                self._clock(pid, packet)
            offset = 5 + length
        if pid in RESERVED or not has_payload:
            return
        self._counter(pid, packet[3] & 0x0F, number)
        if self.map_pid is None and pid != 0:
            fault(f"pid {pid} before the PAT")
        elif not self.segment.stream_types and pid not in (0, self.map_pid):
            fault(f"pid {pid} before the PMT")
        payload = packet[offset:]
        if pid == 0:
            self._association(payload)
        elif pid == self.map_pid:
            self._map(payload)
        elif pid in self.segment.stream_types:
            if starts:
                self._finish(pid)
                self.open[pid] = bytearray(payload)
            elif pid in self.open:
                self.open[pid] += payload
            else:
                fault(f"pid {pid} begins in the middle of a PES packet")

    def _clock(self, pid: int, packet: bytes) -> None:
        base = int.from_bytes(packet[6:10], "big") << 1 | packet[10] >> 7
        if pid == self.pcr_pid:
            self.segment.pcrs.append(base)

    def _counter(self, pid: int, counter: int, number: int) -> None:
        segment = self.segment
        if pid in segment.last_counter:
            expected = (segment.last_counter[pid] + 1) & 15
            if counter != expected:
                segment.faults.append(
                    f"pid {pid}: counter {counter} at packet {number}, expected {expected}"
                )
        else:
            segment.first_counter[pid] = counter
        segment.last_counter[pid] = counter

    def _section(self, payload: bytes, name: str) -> bytes:
        """A section without its CRC; empty, with a fault, when it is damaged."""
        section = payload[1 + payload[0] :]
        length = ((section[1] & 0x0F) << 8 | section[2]) + 3
        section = section[:length]
        if crc32_mpeg(section) != 0:
            self.segment.faults.append(f"the {name}'s CRC is wrong")
            return b""
        return section[:-4]

    def _association(self, payload: bytes) -> None:
        section = self._section(payload, "PAT")
        if len(section) >= 12:
            self.map_pid = int.from_bytes(section[10:12], "big") & 0x1FFF

    def _map(self, payload: bytes) -> None:
        section = self._section(payload, "PMT")
        if not section:
            return
        self.pcr_pid = int.from_bytes(section[8:10], "big") & 0x1FFF
        position = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
        while position + 5 <= len(section):
            pid = int.from_bytes(section[position + 1 : position + 3], "big") & 0x1FFF
            self.segment.stream_types[pid] = section[position]
            position += 5 + (int.from_bytes(section[position + 3 : position + 5], "big") & 0x0FFF)

    def _finish(self, pid: int) -> None:
        pes = bytes(self.open.pop(pid, b""))
        if not pes:
            return
        fault = self.segment.faults.append
        if pes[:3] != b"\0\0\1" or not pes[7] & 0x80:
            fault(f"pid {pid}: a PES packet without start code or PTS")
            return
        declared = int.from_bytes(pes[4:6], "big")
        if declared and declared + 6 != len(pes):
            fault(f"pid {pid}: a PES packet of {len(pes)} bytes says {declared + 6}")
        pts = _stamp(pes[9:14])
        dts = _stamp(pes[14:19]) if pes[7] & 0x40 else pts
        if ticks_between(dts, pts) < 0:
            fault(f"pid {pid}: PTS {pts} before DTS {dts}")
        payload = pes[9 + pes[8] :]
        kind = self.segment.stream_types[pid]
        if kind == H264:
            self._picture(payload, pts, dts)
        elif kind == AAC:
            self._sound(payload, pts)

    def _picture(self, payload: bytes, pts: int, dts: int) -> None:
        units = nal_units(payload)
        types = [unit[0] & 0x1F for unit in units]
        if 5 in types and not (7 in types and 8 in types):
            self.segment.faults.append(f"an IDR at {pts} without SPS and PPS")
        for unit, kind in zip(units, types, strict=True):
            if kind == 7 and not self.segment.sps:
                self.segment.sps = unit
        coded = [unit for unit, kind in zip(units, types, strict=True) if kind in (1, 5)]
        if not coded:
            self.segment.faults.append(f"a PES packet at {pts} without a picture")
        digest = hashlib.sha256(b"\0".join(coded)).hexdigest()
        self.segment.pictures.append(Unit(pts, dts, 5 in types, digest))

    def _sound(self, payload: bytes, pts: int) -> None:
        position = count = 0
        while position + 7 <= len(payload):
            header = payload[position : position + 7]
            if header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
                self.segment.faults.append(f"no ADTS header in the audio at {pts}")
                return
            self.segment.audio_object_type = (header[2] >> 6) + 1
            self.segment.sample_rate = ADTS_RATES[header[2] >> 2 & 0x0F]
            length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
            skipped = 7 if header[1] & 1 else 9
            coded = payload[position + skipped : position + length]
            at = (pts + count * 1024 * CLOCK // self.segment.sample_rate) % WRAP
            self.segment.sounds.append(Unit(at, at, True, hashlib.sha256(coded).hexdigest()))
            position += length
            count += 1
        if position != len(payload):
            self.segment.faults.append(f"an AAC frame is cut off in the PES packet at {pts}")


def read_segment(data: bytes) -> Segment:
    """Everything a checker wants to know of one segment; never raises on odd bytes."""
    reader = _Reader()
    try:
        return reader.read(data)
    except (IndexError, KeyError, ZeroDivisionError) as broken:
        reader.segment.faults.append(f"not a transport stream: {broken!r}")
        return reader.segment


def nal_units(payload: bytes) -> list[bytes]:
    """The NAL units of an Annex B byte stream, without start codes or trailing zeros."""
    units = []
    start = payload.find(b"\0\0\1")
    while start >= 0:
        following = payload.find(b"\0\0\1", start + 3)
        unit = payload[start + 3 : following if following >= 0 else None].rstrip(b"\0")
        if unit:
            units.append(unit)
        start = following
    return units


def _stamp(field: bytes) -> int:
    return (
        (field[0] >> 1 & 7) << 30
        | (int.from_bytes(field[1:3], "big") >> 1) << 15
        | int.from_bytes(field[3:5], "big") >> 1
    )


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return table


_CRC = _crc_table()


def crc32_mpeg(data: bytes) -> int:
    """ISO 13818-1's CRC; 0 over a section that includes its own."""
    value = 0xFFFFFFFF
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC[value >> 24 ^ byte]
    return value
