"""What a server costs, as the kernel counts it: all its threads and all its children."""

import os
from dataclasses import dataclass
from pathlib import Path

from support.processes import wait_until

TICKS = os.sysconf("SC_CLK_TCK")
SERVER_CORE, CLIENT_CORE = 0, 1


def family(pid: int) -> list[int]:
    """The process and everything that descends from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int(_stat(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    members, waiting = [], [pid]
    while waiting:
        member = waiting.pop()
        members.append(member)
        waiting += children.get(member, [])
    return members


def cpu_seconds(pid: int) -> float:
    """User and system time of the family, ended threads and reaped children included."""
    total = 0
    for member in family(pid):
        try:
            fields = _stat(member)
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(value) for value in fields[11:15])
    return total / TICKS


def thread_seconds(pid: int, prefix: str) -> dict[int, float]:
    """CPU time of each thread of a process whose name begins so, by the thread's number."""
    spent: dict[int, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith(prefix):
            spent[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return spent


def memory_bytes(pid: int) -> int:
    """Proportional set size of the family."""
    total = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def settled_memory(pid: int) -> int:
    """The family's memory once three readings in a row, a third of a second apart, agree."""
    readings: list[int] = []

    def settled() -> int:
        readings.append(memory_bytes(pid))
        last = readings[-3:]
        return last[-1] if len(last) == 3 and max(last) - min(last) <= 65536 else 0

    return wait_until(settled, "memory has settled", every=0.33)


@dataclass
class Meter:
    """CPU seconds spent by a family between `start` and `read`."""

    pid: int
    begun: float = 0.0

    def start(self) -> "Meter":
        self.begun = cpu_seconds(self.pid)
        return self

    def read(self) -> float:
        return cpu_seconds(self.pid) - self.begun


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
