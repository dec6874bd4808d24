"""Whether a node's memory and descriptors stayed flat."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .node import Node
from .soak_clients import Counts

MIB = 1 << 20


@dataclass(frozen=True)
class Sample:
    """What the node holds at a moment, and what its clients have done so far."""

    at: float
    resident: int
    heap_used: int
    heap_free: int
    descriptors: int
    threads: int
    cpu: float
    published: int
    segments: int
    errors: int

    HEAD: ClassVar[str] = (
        "MiB resident, of the heap: used, free; descriptors, threads, CPU s, publishings, "
        "segments, errors"
    )

    def __str__(self) -> str:
        return (
            f"{self.resident / MIB:8.1f} {self.heap_used / MIB:7.1f} {self.heap_free / MIB:7.1f} "
            f"{self.descriptors:6} {self.threads:4} {self.cpu:8.1f} "
            f"{self.published:6} {self.segments:8} {self.errors:5}"
        )


def sample(node: Node, counts: Counts) -> Sample:
    """Reads /proc and the node's metrics; children are not counted."""
    pid, metrics = node.pid, node.metrics()
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Sample(
        at=time.monotonic(),
        resident=int(status["VmRSS"].split()[0]) * 1024,
        heap_used=int(
            metrics['wedlive_heap_bytes{part="used"}']
            + metrics['wedlive_heap_bytes{part="mapped"}']
        ),
        heap_free=int(metrics['wedlive_heap_bytes{part="free"}']),
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
        threads=int(status["Threads"]),
        cpu=(int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
        published=counts.published,
        segments=counts.segments,
        errors=sum(counts.all_errors.values()),
    )


def judge(
    samples: list[Sample], gone: Sample, publishers: int, viewers: int, counts: Counts
) -> list[str]:
    """What is wrong; nothing when all is well.

    After a warm-up of a third, memory may grow by 5 % (or 8 MiB) to the end, by a straight line
    through the samples: what a leak does to it is far above, what chance does far below.
    """
    wrong = [f"{times} x {error}" for error, times in counts.all_errors.items()]
    idle, rest = samples[0], samples[1 + len(samples) // 3 :]
    if not counts.segments or not counts.dropped:
        wrong.append("nothing was watched, or no publisher ever dropped")
    if len(rest) >= 3:
        level = sum(each.resident for each in rest) / len(rest)
        growth = _slope(rest) * (rest[-1].at - rest[0].at)
        if growth > max(0.05 * level, 8 * MIB):
            wrong.append(f"memory grew by {growth / MIB:.1f} MiB on {level / MIB:.1f}")
        threads = {each.threads for each in rest}
        if max(threads) - min(threads) > 8:
            wrong.append(f"threads went from {min(threads)} to {max(threads)}")
    most = max((each.descriptors for each in rest), default=0)
    if most > idle.descriptors + publishers + viewers + 32:
        wrong.append(f"{most} descriptors for {publishers + viewers} clients")
    if gone.descriptors > idle.descriptors + 32:
        wrong.append(f"{gone.descriptors} descriptors when all had gone; {idle.descriptors} before")
    return wrong


def _slope(samples: list[Sample]) -> float:
    """Bytes per second of the least-squares line."""
    count = len(samples)
    time_mean = sum(each.at for each in samples) / count
    size_mean = sum(each.resident for each in samples) / count
    above = sum((each.at - time_mean) * (each.resident - size_mean) for each in samples)
    return above / sum((each.at - time_mean) ** 2 for each in samples)
