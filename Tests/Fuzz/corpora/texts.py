"""Fields, playlists and other text; what is signed."""

import base64
import hashlib
import hmac
import json

from .place import write

SECRET = b"a secret of thirty-two bytes ...."
NOW = 1_795_818_841


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
