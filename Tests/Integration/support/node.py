"""`wedlive` in one of its roles, on free ports with a data folder of its own."""

import contextlib
import json
import os
import signal
import ssl
from dataclasses import dataclass
from pathlib import Path

from .certificates import Certificates, make_certificates
from .http import Client, Response
from .ports import free_port
from .processes import Failed, Process, run, wait_until


@dataclass(frozen=True)
class Place:
    """Where a node runs: the address it listens on, and the words that go before its command."""

    host: str = "127.0.0.1"
    enter: tuple[str, ...] = ()


LISTENERS = ("rtmp", "rtmps", "https", "http", "admin")


def wedlive_binary() -> Path:
    """The binary under test: `BINARY` in the environment, else the debug build of this checkout."""
    root = Path(__file__).resolve().parents[3]
    return Path(os.environ.get("BINARY") or root / ".build/debug/wedlive")


class Node:
    """One node. Its ports stay the same when it is started again on the same folder."""

    def __init__(
        self,
        folder: Path,
        settings: dict[str, str] | None = None,
        binary: Path | None = None,
        core: int | None = None,
        role: str = "standalone",
        place: Place | None = None,
    ) -> None:
        self.folder = folder
        #: With its options: `standalone --demo`.
        self.role = role
        self.data = folder / "data"
        self.binary = binary or wedlive_binary()
        self.certificates: Certificates = make_certificates(folder / "certificates")
        self.ports = {name: free_port() for name in LISTENERS}
        self.settings = settings or {}
        self.core = core
        #: Where it runs: this machine, or another network.
        self.place = place or Place()
        self.process: Process | None = None
        #: The process that is the node since an upgrade.
        self.successor: int | None = None

    def __enter__(self) -> "Node":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.stop()

    @property
    def pid(self) -> int:
        return self.successor or self._running().pid

    @property
    def log(self) -> Path:
        return self.folder / "wedlive.log"

    def environment(self) -> dict[str, str]:
        listeners = {
            f"WEDLIVE_LISTEN_{name.upper()}": f"{self.place.host}:{port}"
            for name, port in self.ports.items()
        }
        return {
            **listeners,
            "WEDLIVE_TLS_CERTIFICATE": str(self.certificates.certificate),
            "WEDLIVE_TLS_KEY": str(self.certificates.key),
            **self.settings,
        }

    def start(self) -> None:
        """Starts it and returns once `/readyz` says so."""
        if not self.binary.exists():
            raise Failed(f"no binary at {self.binary}: build it, or set BINARY")
        self.process = Process(
            "wedlive",
            [*self.place.enter, self.binary, *self.role.split(), "--data", self.data],
            self.log,
            env=self.environment(),
            core=self.core,
        )
        wait_until(self.ready, "wedlive is ready", alive=[self.process])

    def stop(self) -> int:
        """Asks it to end (SIGTERM) and returns the exit status of the process that was started."""
        if self.successor is not None:
            self._signal_all(signal.SIGTERM)
            try:
                wait_until(lambda: not self._any_left(), "all its processes have ended", limit=20)
            except Failed:
                self._signal_all(signal.SIGKILL)
                raise
            self.successor = None
        return self._running().stop()

    def kill(self) -> None:
        if self.successor is not None:
            self._signal_all(signal.SIGKILL)
            self.successor = None
        self._running().kill()

    def upgrade(self) -> int:
        """Has the program that stands at its path now take over (SIGUSR2).

        Returns the process that was replaced, which may go on for a while.
        """
        before, said = self.pid, len(self.said("upgraded"))
        os.kill(before, signal.SIGUSR2)
        wait_until(lambda: len(self.said("upgraded")) > said, "it is upgraded")
        self.successor = int(self.said("upgraded")[-1]["process"])
        return before

    def said(self, message: str) -> list[dict[str, str]]:
        """The lines of its log that have a message."""
        lines = (line for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in map(json.loads, lines) if line.get("event") == message]

    def began(self, wedding: str) -> int:
        """When a wedding went on the air, in seconds since 1970, as its backend is told."""
        headers = {"Authorization": f"Bearer {self.token('service', wedding)}"}
        answer = self.client().get(f"{self.base}/api/streams/playback/{wedding}", headers)
        told = json.loads(answer.text)
        assert told["is_live"], told
        return int(told["started_at"])

    def _signal_all(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running().pid, number)

    def _any_left(self) -> bool:
        _ = self._running().ended
        try:
            os.killpg(self._running().pid, 0)
        except ProcessLookupError:
            return False
        return True

    def ready(self) -> bool:
        try:
            answer = self.admin("/readyz")
            # Some tests start what stands behind an edge after it, or never.
            early = ("knows no origin yet", "no upstream has answered yet")
            return answer.status == 200 or any(words in answer.text for words in early)
        except OSError:
            return False

    def admin(self, path: str) -> Response:
        client = Client(timeout=10)
        try:
            return client.get(f"http://{self.place.host}:{self.ports['admin']}{path}")
        finally:
            client.close()

    def metrics(self) -> dict[str, float]:
        """The samples of `/metrics` by name and labels as written."""
        samples: dict[str, float] = {}
        for line in self.admin("/metrics").text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                samples[name] = float(value)
        return samples

    def token(self, scope: str, wedding: str, *options: str) -> str:
        """A token made by `wedlive token`, as an operator makes it."""
        command = [self.binary, "token", scope, "--wedding", wedding, *options]
        return run([*command, "--data", self.data], env=self.environment()).strip()

    def publish_url(self, wedding: str, scheme: str = "rtmp", host: str = "localhost") -> str:
        return f"{scheme}://{host}:{self.ports[scheme]}/live/{self.token('publish', wedding)}"

    def play_url(self, wedding: str) -> str:
        """Where RTMP players find it."""
        return f"rtmp://localhost:{self.ports['rtmp']}/live/{wedding}"

    @property
    def base(self) -> str:
        return f"https://localhost:{self.ports['https']}"

    def master_url(self, wedding: str) -> str:
        return f"{self.base}/hls/{wedding}/index.m3u8"

    def watch_url(self, wedding: str) -> str:
        return f"{self.base}/watch/{wedding}"

    def tls(self, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        return self.certificates.client_context(alpn)

    def client(self) -> Client:
        """A connection of its own to the HTTPS port."""
        return Client(self.tls())

    def _running(self) -> Process:
        if self.process is None:
            raise Failed("the node was never started")
        return self.process
