"""Makes Tests/Fuzz/corpus: real bytes of real clients, and shapes that a fuzzer would not find soon.

    Tests/Fuzz/make_corpus.py --wedlive .build/debug/wedlive

Only who changes the corpus needs it: it wants ffmpeg, curl and nghttp2-client. What it records differs
a little from run to run.
"""

import argparse
import base64
import hashlib
import hmac
import json
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
HANDSHAKE = 1 + 2 * 1536
LONGEST = 16_384
SECRET = b"a secret of thirty-two bytes ...."
NOW = 1_795_818_841


def write(target: str, name: str, data: bytes | str) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


class Relay(threading.Thread):
    """Carries one connection to a server, and keeps what both sides said; without one it listens."""

    def __init__(self, upstream: int | None) -> None:
        super().__init__(daemon=True)
        self.upstream = upstream
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.up = b""
        self.down = b""
        self.start()

    def run(self) -> None:
        client, _ = self.listener.accept()
        if self.upstream is None:
            while data := client.recv(65_536):
                self.up += data
            return
        server = socket.create_connection(("127.0.0.1", self.upstream))
        threading.Thread(target=self.carry_down, args=(server, client), daemon=True).start()
        while data := client.recv(65_536):
            self.up += data
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    def carry_down(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(65_536):
                self.down += data
                client.sendall(data)
        except OSError:
            pass


def run(command: str, seconds: float = 20) -> None:
    """Runs a client to its end, or until its time is over."""
    with subprocess.Popen(
        shlex.split(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.terminate()


def tiny_film(path: Path) -> None:
    run(
        "ffmpeg -y -loglevel error -f lavfi -i testsrc=size=64x48:rate=5 -f lavfi "
        "-i sine=frequency=440:sample_rate=44100 -t 3 -c:v libx264 -preset ultrafast "
        f"-g 5 -crf 40 -pix_fmt yuv420p -c:a aac -b:a 16k -ac 1 -f flv {path}"
    )


def rtmp(wedlive: str, film: Path, folder: Path) -> None:
    environment = {
        "WEDLIVE_LISTEN_RTMP": "127.0.0.1:19351",
        "WEDLIVE_LISTEN_RTMPS": "off",
        "WEDLIVE_LISTEN_HTTPS": "127.0.0.1:0",
        "WEDLIVE_LISTEN_HTTP": "off",
        "WEDLIVE_LISTEN_ADMIN": "127.0.0.1:0",
        "WEDLIVE_ACCESS_WATCH": "public",
        "PATH": "/usr/bin:/bin",
    }
    node = subprocess.Popen(
        [wedlive, "standalone", "--data", str(folder / "data")],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", 19351)).close()
                break
            except OSError:
                time.sleep(0.2)
        token = subprocess.run(
            [wedlive, "token", "publish", "--wedding", "w1", "--data", str(folder / "data")],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        publish = f"rtmp://127.0.0.1:{{}}/live/{token}"
        clients = {
            "ffmpeg-publish": f"ffmpeg -loglevel error -re -i {film} -c copy -f flv {publish}",
            "librtmp-play": "rtmpdump -q --stop 1 -o /dev/null -r rtmp://127.0.0.1:{}/live/w1",
            "gstreamer-publish": f"gst-launch-1.0 -q filesrc location={film} ! "
            f"rtmp2sink location={publish}",
        }
        for name, command in clients.items():
            relay = Relay(19351)
            publisher = None
            if name.endswith("play"):
                publisher = threading.Thread(
                    target=run,
                    args=(clients["ffmpeg-publish"].format(19351),),
                )
                publisher.start()
                time.sleep(1)
            run(command.format(relay.port), seconds=6)
            if publisher:
                publisher.join()
            time.sleep(1)
            write("rtmp", name, relay.up[:LONGEST])
            write("rtmp-client", name, relay.down[:LONGEST])
            write("chunks", f"{name}-client", relay.up[HANDSHAKE : HANDSHAKE + 4096])
            write("chunks", f"{name}-server", relay.down[HANDSHAKE : HANDSHAKE + 4096])
    finally:
        node.terminate()
        node.wait()


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


def other_text() -> None:
    signature = b"\r\n\r\n\x00\r\nQUIT\n"
    headers = [
        b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET /",
        b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n",
        b"PROXY UNKNOWN ffff::1 x 1 2\r\n",
        signature
        + b"\x21\x11\x00\x0c"
        + bytes([192, 0, 2, 1, 198, 51, 100, 7, 1, 2, 1, 187])
        + b"G",
        signature + b"\x21\x21\x00\x27" + bytes(range(36)) + b"\x03\x00\x00",
        signature + b"\x20\x00\x00\x00",
        signature + b"\x21\x31\x00\xd8" + bytes(216),
    ]
    for index, header in enumerate(headers):
        write("proxy", f"header-{index}", header)
    lines = [
        "GET /hls/w1/index.m3u8?token=abc.def&x=1", "Authorization: Bearer abcdefghijkl",
        "stream_key=abc, clientSecret='x' Basic dXNlcjpwYXNz", "eyJa.eyJb. eyJ.a.b.c=1",
        "token=token=eyJ.a.b", "Token ümlaut İ=secret=ß",
    ]  # fmt: skip
    for index, line in enumerate(lines):
        write("redaction", f"line-{index}", line)


def tokens() -> None:
    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    def token(header: dict, claims: dict) -> str:
        signed = encoded(json.dumps(header).encode()) + "." + encoded(json.dumps(claims).encode())
        return signed + "." + encoded(hmac.digest(SECRET, signed.encode(), hashlib.sha256))

    claims = {"wedding": "w1", "camera": "main", "scope": "publish", "plan": "free", "sub": "s",
              "exp": NOW + 3600, "nbf": NOW - 60, "iat": NOW, "priority": 2}  # fmt: skip
    good = token({"alg": "HS256", "typ": "JWT"}, claims)
    write("jwt", "good", good)
    write("jwt", "other-signature", good[:-4] + "AAAA")
    write("jwt", "none", good.rsplit(".", 1)[0].replace(encoded(b"HS256"), "") + ".")
    write("jwt", "expired", token({"alg": "HS256"}, claims | {"exp": NOW - 60}))
    write("jwt", "kid", token({"alg": "RS256", "kid": "k1"}, claims))
    write("jwt", "claims", json.dumps(claims))
    write("jwt", "claims-watch", json.dumps({"scope": "watch", "wedding": "w.1", "exp": 2e9}))
    write("jwt", "claims-odd", '{"scope":"service","exp":1e300,"nbf":-1,"priority":1.5,"x":[{}]}')
    write(
        "jwt", "header-and-claims", '{"alg":"HS256","crit":["x"],"kid":"a"}\n' + json.dumps(claims)
    )
    write("jwt", "header-twice", '{"alg":"none","alg":"HS256"}\n{"scope":"service","exp":2e9}')


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wedlive", required=True, help="the binary to record sessions with")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.flv"
        tiny_film(film)
        rtmp(arguments.wedlive, film, Path(folder))
        media(film)
        recordings(film)
    workers()
    answers()
    redis()
    commands()
    http()
    other_text()
    tokens()


if __name__ == "__main__":
    main()
