"""Child processes that are waited for by condition, logged to files, and ended by their id."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")

#: How long anything that must happen may take on a busy machine. Not a delay: a limit.
GENEROUS = 60.0


class Failed(AssertionError):
    """A condition that did not come true, or a process that ended when it should not have."""


def wait_until(
    condition: Callable[[], Value],
    what: str,
    limit: float = GENEROUS,
    every: float = 0.05,
    alive: Sequence["Process"] = (),
) -> Value:
    """Waits until `condition` returns something true, and returns it.

    Fails at once when one of the processes in `alive` ends meanwhile.
    """
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        for process in alive:
            if process.ended:
                raise Failed(f"{process} ended while waiting until {what}\n{process.log_tail()}")
        if time.monotonic() > deadline:
            tails = "\n".join(process.log_tail() for process in alive)
            raise Failed(f"not within {limit:.0f} s: {what}\n{tails}")
        time.sleep(every)


class Process:
    """A child in a session of its own; what it prints goes to `log`."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str | Path],
        log: Path,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        core: int | None = None,
    ) -> None:
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                pinned(core) + self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(env),
                cwd=cwd,
                start_new_session=True,
            )

    def __str__(self) -> str:
        state = "running" if self._popen.poll() is None else f"exit {self._popen.returncode}"
        return f"{self.name} (pid {self.pid}, {state})"

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def ended(self) -> bool:
        return self._popen.poll() is not None

    def wait(self, limit: float = GENEROUS) -> int:
        """The exit status, once it has ended by itself."""
        try:
            return self._popen.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self} did not end within {limit:.0f} s\n{self.log_tail()}") from None

    def succeed(self, limit: float = GENEROUS) -> None:
        """Waits for the end and fails unless the exit status is 0."""
        if self.wait(limit) != 0:
            raise Failed(f"{self}: {' '.join(self.arguments)}\n{self.log_tail()}")

    def stop(self, limit: float = 20.0) -> int:
        """SIGTERM, then SIGKILL if it has not gone within `limit`. Returns the exit status."""
        self._signal(signal.SIGTERM)
        try:
            self._popen.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._popen.returncode

    def interrupt(self, limit: float = 20.0) -> int:
        """SIGINT (a person's Ctrl-C: encoders finish their file), else as `stop`."""
        self._signal(signal.SIGINT)
        try:
            return self._popen.wait(limit)
        except subprocess.TimeoutExpired:
            return self.stop(limit)

    def kill(self) -> None:
        """SIGKILL to the whole session: nothing is said goodbye to."""
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def log_tail(self, lines: int = 15) -> str:
        tail = self.log_text().splitlines()[-lines:]
        return "\n".join([f"--- {self.name}: {self.log}", *tail])

    def _signal(self, number: int) -> None:
        if self._popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment with `more`, and without settings of a node that it may hold."""
    inherited = {name: value for name, value in os.environ.items() if name[:8] != "WEDLIVE_"}
    return {**inherited, **(more or {})}


def pinned(core: int | None) -> list[str]:
    """The words to put before a command so that it runs on one core."""
    return [] if core is None else ["taskset", "--cpu-list", str(core)]


def run(
    arguments: Sequence[str | Path],
    limit: float = GENEROUS,
    env: dict[str, str] | None = None,
    core: int | None = None,
) -> str:
    """Runs a command to its end and returns what it printed; fails on another status than 0."""
    words = pinned(core) + [str(argument) for argument in arguments]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit,
            env=environment(env),
        )
    except subprocess.TimeoutExpired as expired:
        said = (expired.stderr or b"").decode(errors="replace")[-2000:]
        raise Failed(f"not done within {limit:.0f} s: {' '.join(words)}\n{said}") from None
    if done.returncode != 0:
        raise Failed(f"exit {done.returncode}: {' '.join(words)}\n{done.stderr[-3000:]}")
    return done.stdout


def gone(process: int) -> bool:
    """Whether a process has ended, also one that nobody has waited for."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True
