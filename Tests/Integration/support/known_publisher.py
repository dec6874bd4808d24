"""A publisher whose every frame is known, and who says how far it is."""

import itertools
import threading
import time

from . import amf
from .rtmp import COMMAND, VIDEO, Connection, Recording, message


class KnownPublisher:
    """Publishes a recording in real time, again and again, through the first of some addresses.

    One that is closed connects to the next address at once, as an encoder behind a balancer does, and
    goes on with the next key picture; what it should have sent meanwhile is `unsent`.
    """

    def __init__(self, urls: list[str], recording: Recording) -> None:
        self._urls = itertools.cycle(urls)
        self._recording = recording
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._is_ending = False
        #: Frames of each kind that were handed to the network, and those that never were.
        self.sent = {"picture": 0, "sound": 0}
        self.unsent = 0
        #: Times that its connection was closed or reset.
        self.losses: list[str] = []
        self._groups = 0
        self._pictures = 0
        self._connection = Connection(next(self._urls), publish=True)
        self._connection.send(recording.preamble)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def wait_for_picture(self, number: int) -> None:
        """Returns when that many pictures of a group that begins from now on were sent."""
        with self._changed:
            group = self._groups + 1
            if not self._changed.wait_for(
                lambda: self._groups == group and self._pictures >= number, 60
            ):
                raise AssertionError("the publisher sends nothing")

    def end(self) -> None:
        """Says that the stream ends, and closes; returns when that is done."""
        self._is_ending = True
        self._thread.join(60)

    def stop(self) -> None:
        """Closes without a word."""
        self._stop.set()
        self._thread.join(60)
        self._connection.close()

    def _run(self) -> None:
        begun = time.monotonic()
        not_before = 0.0
        waits_for_key = False
        for loop in itertools.count():
            frames = zip(self._recording.loop(loop), self._recording.tags, strict=True)
            for (at, data), (_, kind, payload) in frames:
                due = begun + at / 1000
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
                is_key = kind == VIDEO and payload[0] >> 4 == 1
                if self._is_ending:
                    self._finish()
                    return
                waits_for_key = waits_for_key and not is_key
                if due < not_before or waits_for_key:
                    self.unsent += 1
                    continue
                try:
                    self._connection.send(data)
                    self._connection.answer()
                except OSError as error:
                    self.losses.append(repr(error))
                    self.unsent += 1
                    self._connect_again()
                    not_before, waits_for_key = time.monotonic(), True
                    continue
                self._note(kind, is_key)

    def _note(self, kind: int, is_key: bool) -> None:
        self.sent["picture" if kind == VIDEO else "sound"] += 1
        if kind == VIDEO:
            with self._changed:
                self._groups += is_key
                self._pictures = 1 if is_key else self._pictures + 1
                self._changed.notify_all()

    def _connect_again(self) -> None:
        self._connection.close()
        for url in self._urls:
            try:
                self._connection = Connection(url, publish=True)
                break
            except OSError as error:
                self.losses.append(repr(error))
                if self._stop.wait(0.2):
                    return
        self._connection.send(self._recording.preamble)

    def _finish(self) -> None:
        connection = self._connection
        connection.send(message(COMMAND, 0, 1, amf.encode("deleteStream", 4, None, 1), 3))
        connection.socket.settimeout(30)
        connection.socket.sendall(connection.backlog)
        connection.close()
