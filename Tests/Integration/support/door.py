"""A door to a server: its answers may come late, and it may lead elsewhere all of a sudden."""

import contextlib
import queue
import random
import socket
import threading
import time

from .ports import free_port


class Door:
    """A TCP proxy on loopback. Whoever goes through it has one server after the other behind it."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        #: How late what the server sends arrives, in seconds: by chance between these.
        self.delay = (0.0, 0.0)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """For nodes that find Redis behind it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def lead_to(self, target: int) -> None:
        """Who is inside is thrown out, and finds another server when it comes back."""
        self._target = target
        self._throw_out()

    def close(self) -> None:
        self._listener.close()
        self._throw_out()

    def _throw_out(self) -> None:
        with self._lock:
            inside, self._open = self._open, set()
        for each in inside:
            _end(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            late: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
            for work in (
                lambda c=client, s=server: self._carry(c, s),
                lambda s=server, q=late: self._hear(s, q),
                lambda c=client, s=server, q=late: self._tell(c, s, q),
            ):
                threading.Thread(target=work, daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """What the client says arrives at once."""
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                server.sendall(data)
        self._leave(client, server)

    def _hear(self, server: socket.socket, late: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        last = 0.0
        data = b"-"
        while data:
            try:
                data = server.recv(65_536)
            except OSError:
                data = b""
            # In its order, however late each piece is.
            last = max(last, time.monotonic() + random.uniform(*self.delay))
            late.put((last, data))

    def _tell(
        self,
        client: socket.socket,
        server: socket.socket,
        late: queue.SimpleQueue[tuple[float, bytes]],
    ) -> None:
        with contextlib.suppress(OSError):
            while True:
                due, data = late.get()
                if not data:
                    break
                time.sleep(max(0.0, due - time.monotonic()))
                client.sendall(data)
        self._leave(client, server)

    def _leave(self, *sockets: socket.socket) -> None:
        with self._lock:
            self._open -= set(sockets)
        for each in sockets:
            _end(each)


def _end(connection: socket.socket) -> None:
    """Wakes whoever waits for it, too."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
