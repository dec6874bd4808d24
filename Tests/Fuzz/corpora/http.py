"""Requests over HTTP/1.1 and HTTP/2."""

import shutil
import struct

from .place import write
from .process import run
from .sessions import Relay


def http() -> None:
    requests = {
        "get": "GET /hls/w1/index.m3u8?token=abc&_HLS_msn=12&_HLS_part=1 HTTP/1.1\r\n"
        "Host: localhost:8443\r\nAccept-Encoding: gzip;q=0.5, *;q=0\r\nCookie: a=1; token=t\r\n"
        "If-None-Match: W/\"a\", \"v1\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
        "range": "GET /a.ts HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9, -5,990-\r\n"
        "If-Range: \"v1\"\r\n\r\n",
        "post": "POST /api/streams/auth/publish HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
        "Expect: 100-continue\r\nAuthorization: Bearer eyJ.e.s\r\n\r\nname=w1&aGET / HTTP/1.1\r\n"
        "Host: h\r\n\r\n",
        "chunked": "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nHEAD http://h/%7Ea HTTP/1.1\r\n"
        "Host: h\r\nConnection: close\r\n\r\n",
        "old": "\r\nGET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "bad": "GET /a/../b HTTP/1.1\r\nHost : h\r\n\r\n",
    }  # fmt: skip
    for name, request in requests.items():
        write("http1", name, request)
    relay = Relay(None)
    run(f"curl -s -m 1 http://127.0.0.1:{relay.port}/hls/w1/index.m3u8?token=a")
    write("http1", "curl", relay.up)
    if shutil.which("nghttp"):
        relay = Relay(None)
        url = f"http://127.0.0.1:{relay.port}/hls/w1/"
        run(f"nghttp {url}index.m3u8 {url}source/index.m3u8", seconds=1)
        write("http2", "nghttp", relay.up)
    relay = Relay(None)
    run(
        "curl -s -m 1 --http2-prior-knowledge -d name=w1 -H Cookie:token=a "
        f"http://127.0.0.1:{relay.port}/api/streams/auth/publish"
    )
    write("http2", "curl-post", relay.up)

    def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
        return (
            struct.pack(">I", len(payload))[1:]
            + bytes([kind, flags])
            + struct.pack(">I", stream)
            + payload
        )

    def field(name: str, value: str) -> bytes:
        return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()

    block = b"\x82\x87" + field(":authority", "h") + field(":path", "/a?b")
    write(
        "http2",
        "frames",
        frame(1, 5, 1, block)
        + frame(1, 4, 3, b"\x83\x87" + block[2:])
        + frame(0, 1, 3, b"body")
        + frame(6, 0, 0, bytes(8))
        + frame(8, 0, 0, b"\x00\x00\x10\x00")
        + frame(2, 0, 5, bytes(5))
        + frame(3, 0, 1, b"\x00\x00\x00\x08")
        + frame(0xEE, 0, 0, b"?"),
    )
    write(
        "http2",
        "continuation",
        frame(1, 1, 1, block[:4])
        + frame(9, 0, 1, block[4:9])
        + frame(9, 4, 1, block[9:])
        + frame(4, 0, 0, b"\x00\x04\x00\x00\x00\x01")
        + frame(1, 0x2D, 3, b"\x01\x00\x00\x00\x00\x0f" + block + b"\x00")
        + frame(7, 0, 0, bytes(8)),
    )
    values = [
        "bytes=0-0,-1, 5-,7-9", "0-499,-1", "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "W/\"a,b\", \"c\", *",
        "18446744073709551616", "00042", "Tue, 29 Feb 2000 23:59:60 GMT",
    ]  # fmt: skip
    for index, value in enumerate(values):
        write("semantics", f"value-{index}", value)
    targets = [
        "/hls/w1/main/source/12-abc.ts?token=eyJ", "/a%2e/%C3%BC//b?x=%00&_HLS_msn=7&_HLS_part=0",
        "_HLS_msn=999999999999999&_HLS_part=3", "https://h:8443/watch/w1?token=t#f",
        "rtmp://h:1935/live/w1?token=t", "rtmps://[::1]/live/a/b?x", "*", "http://h?x",
        "name=w1&app=live&tcurl=rtmp%3A%2F%2Fh%2Flive&a+b=c%zz", "w1?token=a.b.c&x=1&x=2", "/../a",
    ]  # fmt: skip
    for index, target in enumerate(targets):
        write("query", f"target-{index}", target)
