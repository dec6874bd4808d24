"""Free TCP ports on loopback, below the range that the kernel gives to outgoing connections."""

import os
import random
import socket

from .workers import COUNT, NUMBER

_taken: set[int] = set()
_choose = random.Random(os.getpid() ^ int.from_bytes(os.urandom(4), "big"))


def free_port() -> int:
    """A port that nothing listens on, and that this process has not been given before.

    Nor is any other process of this run: one is free until who was given it listens there.
    """
    while True:
        port = _choose.randrange(15_000 + NUMBER, 32_000, COUNT)
        if port in _taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _taken.add(port)
        return port
