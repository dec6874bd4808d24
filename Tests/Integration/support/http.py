"""One keep-alive HTTP/1.1 connection over TLS, as a player's loader holds it."""

import gzip
import http.client
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Response:
    """An answer. `body` is as it came; `text` and `content` undo a gzip content coding."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> bytes:
        if self.headers.get("content-encoding") == "gzip":
            return gzip.decompress(self.body)
        return self.body

    @property
    def text(self) -> str:
        return self.content.decode()

    def __str__(self) -> str:
        return f"{self.status} {self.url} ({len(self.body)} bytes)"


class Client:
    """Requests to one server, over one connection that is opened again when it was closed."""

    def __init__(self, context: ssl.SSLContext | None = None, timeout: float = 30.0) -> None:
        self._context = context
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None
        self._server: tuple[str, str] | None = None

    def get(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Response:
        """The answer, whatever its status; redirects are not followed.

        A request on a connection that the server closed while idle is sent once more.
        """
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        if self._server != (parts.scheme, parts.netloc):
            self.close()
            self._server = (parts.scheme, parts.netloc)
        reused = self._connection is not None
        try:
            return self._exchange(method, url, target, headers or {}, body)
        except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
            self.close()
            if not reused:
                raise
            self._server = (parts.scheme, parts.netloc)
            return self._exchange(method, url, target, headers or {}, body)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._server = None

    def _exchange(
        self, method: str, url: str, target: str, headers: dict[str, str], body: bytes | None
    ) -> Response:
        if self._connection is None:
            assert self._server is not None
            scheme, server = self._server
            if scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    server, timeout=self._timeout, context=self._context
                )
            else:
                self._connection = http.client.HTTPConnection(server, timeout=self._timeout)
        headers = {"User-Agent": "checker", **headers}
        self._connection.request(method, target, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        names = {name.lower(): value for name, value in answer.getheaders()}
        if names.get("connection", "").lower() == "close":
            self._connection.close()
            self._connection = None
        return Response(url, answer.status, names, content)
