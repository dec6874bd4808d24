"""Publishes an FLV file in real time through Debian's librtmp: librtmp_publish.py FILE URL.

A program of its own, so that a crash inside the library ends it and not the tests.
"""

import ctypes
import struct
import sys
import time


def tags(path: str):
    """Yields (milliseconds, whole tag with its trailing size) of an FLV file."""
    with open(path, "rb") as file:
        header = file.read(9)
        file.seek(struct.unpack(">I", header[5:9])[0] + 4)
        while len(start := file.read(11)) == 11:
            size = int.from_bytes(start[1:4], "big")
            stamp = int.from_bytes(start[4:7], "big") | start[7] << 24
            yield stamp, start + file.read(size + 4)


def library() -> ctypes.CDLL:
    rtmp = ctypes.CDLL("librtmp.so.1")
    rtmp.RTMP_Alloc.restype = ctypes.c_void_p
    for name in ("Init", "EnableWrite", "Close", "Free"):
        getattr(rtmp, f"RTMP_{name}").argtypes = [ctypes.c_void_p]
        getattr(rtmp, f"RTMP_{name}").restype = None
    rtmp.RTMP_SetupURL.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    rtmp.RTMP_Connect.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    rtmp.RTMP_ConnectStream.argtypes = [ctypes.c_void_p, ctypes.c_int]
    rtmp.RTMP_Write.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    return rtmp


def main(path: str, url: str) -> int:
    rtmp = library()
    handle = rtmp.RTMP_Alloc()
    rtmp.RTMP_Init(handle)
    address = ctypes.create_string_buffer(url.encode())  # the library keeps pointers into it
    if not rtmp.RTMP_SetupURL(handle, address):
        sys.exit("librtmp: not a URL")
    rtmp.RTMP_EnableWrite(handle)
    if not rtmp.RTMP_Connect(handle, None):
        sys.exit("librtmp: could not connect")
    if not rtmp.RTMP_ConnectStream(handle, 0):
        sys.exit("librtmp: was not let publish")
    start = time.monotonic()
    for stamp, tag in tags(path):
        time.sleep(max(0.0, start + stamp / 1000 - time.monotonic()))
        if rtmp.RTMP_Write(handle, tag, len(tag)) <= 0:
            sys.exit("librtmp: the connection broke")
    rtmp.RTMP_Close(handle)
    rtmp.RTMP_Free(handle)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
