"""h2load on the client's core, and what it must have seen for a figure to count."""

import re

from support.processes import Failed, run

from .meter import CLIENT_CORE

CIPHER = "TLS_AES_128_GCM_SHA256"


def h2load(url: str | list[str], requests: int, clients: int, streams: int) -> int:
    """Makes the requests over HTTP/2 and TLS 1.3; returns the bytes of content received.

    Of several addresses of one server each connection asks for all in turn.

    Fails unless every answer was a 2xx and the connection was what it should be.
    """
    # fmt: off
    words = ["h2load", "-t", "1", "-n", str(requests), "-c", str(clients), "-m", str(streams),
             f"--tls13-ciphers={CIPHER}", *([url] if isinstance(url, str) else url)]
    # fmt: on
    said = run(words, limit=600, core=CLIENT_CORE)
    succeeded = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", said)
    content = re.search(r"\((\d+)\) data", said)
    if not succeeded or not content or succeeded.groups() != (str(requests), "0", "0"):
        raise Failed(f"{url}: not every request succeeded:\n{said}")
    for expected in ("TLSv1.3", CIPHER, "Application protocol: h2", f"{requests} 2xx"):
        if expected not in said:
            raise Failed(f"{url}: no {expected!r} in\n{said}")
    return int(content[1])
