"""As much of AMF0 as an RTMP client needs."""

import struct
from typing import Any


def encode(*values: Any) -> bytes:
    """Numbers, booleans, strings, None and flat dictionaries, one after the other."""
    out = bytearray()
    for value in values:
        if value is None:
            out.append(5)
        elif isinstance(value, bool):
            out += bytes([1, value])
        elif isinstance(value, int | float):
            out += b"\0" + struct.pack(">d", value)
        elif isinstance(value, str):
            out += b"\2" + _text(value)
        else:
            out.append(3)
            for name, inner in value.items():
                out += _text(name) + encode(inner)
            out += b"\0\0\x09"
    return bytes(out)


def decode(data: bytes) -> list[Any]:
    """The values in `data`; stops at the first kind that it does not know."""
    values: list[Any] = []
    position = 0
    while position < len(data):
        value, position = _value(data, position)
        values.append(value)
    return values


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def _value(data: bytes, position: int) -> tuple[Any, int]:
    kind, position = data[position], position + 1
    if kind == 0:
        return struct.unpack_from(">d", data, position)[0], position + 8
    if kind == 1:
        return bool(data[position]), position + 1
    if kind == 2:
        return _read_text(data, position)
    if kind in (3, 8):
        position += 4 if kind == 8 else 0
        fields: dict[str, Any] = {}
        while data[position : position + 3] != b"\0\0\x09":
            name, position = _read_text(data, position)
            fields[name], position = _value(data, position)
        return fields, position + 3
    if kind in (5, 6):
        return None, position
    return None, len(data)


def _read_text(data: bytes, position: int) -> tuple[str, int]:
    end = position + 2 + struct.unpack_from(">H", data, position)[0]
    return data[position + 2 : end].decode(errors="replace"), end
