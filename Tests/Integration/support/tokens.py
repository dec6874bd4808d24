"""Signs tokens (HS256) that `wedlive token` would rather not make: expired, early, foreign."""

import base64
import hashlib
import hmac
import json
import time


def sign(secret: str, starts_in: float = 0, ends_in: float = 3600, **claims: str) -> str:
    """A JWT with these claims, valid from `starts_in` to `ends_in` seconds from now."""
    now = int(time.time())
    body = {**claims, "iat": now, "nbf": now + int(starts_in), "exp": now + int(ends_in)}
    signed = ".".join(_encode(json.dumps(part).encode()) for part in (_HEADER, body))
    mac = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encode(mac)}"


_HEADER = {"alg": "HS256", "typ": "JWT"}


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
