"""A row: one measure, its contestants, and how far we mean to reach beside a peer."""

import statistics
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from support.certificates import Certificates
from support.processes import Process, run

from .meter import family


class Contestant(Protocol):
    """A running server."""

    name: str

    @property
    def pid(self) -> int: ...

    def start(self) -> None: ...

    def stop(self) -> object: ...


#: Stands for whichever of nginx's flavours cost least in the run.
BEST_NGINX = "nginx's best"


@dataclass(frozen=True)
class Reach:
    """What `contestant` may cost at most, as a multiple of what `peer` costs.

    Without a limit the ratio is only shown.
    """

    contestant: str
    peer: str
    limit: float | None = None


@dataclass
class Context:
    """What rows need from outside. `binary` is None when only the peers are measured."""

    binary: Path | None
    folder: Path  # on tmpfs
    certificates: Certificates
    rounds: int
    small: bool = False  # a tenth of the load: to try the harness, not for figures
    profile: Path | None = None  # a folder for what `perf` says of each contestant


@dataclass
class Result:
    """The figures of every round, by contestant."""

    figures: dict[str, list[float]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        return statistics.median(self.figures[name])

    def has(self, name: str) -> bool:
        return name in self.figures or name == BEST_NGINX

    def ratio(self, name: str, peer: str) -> float:
        """The median over rounds of what one cost beside the other in the same round."""
        if peer == BEST_NGINX:
            peer = min((each for each in self.figures if "nginx" in each), key=self.median)
        pairs = zip(self.figures[name], self.figures[peer], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


class Row(ABC):
    """Subclasses say what is measured. Costs all: less is better."""

    name: str
    title: str
    unit: str
    how: str
    reaches: Sequence[Reach] = ()
    warm = True  # measure each once before it counts

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def start(self, stack: ExitStack) -> list[Contestant]:
        """Starts the contestants; what is pushed on the stack ends them."""

    @abstractmethod
    def measure(self, contestant: Contestant) -> float:
        """One figure of one contestant, in `unit`."""

    def run(self) -> Result:
        """All rounds. Each begins with another contestant, so that none is always the first."""
        result = Result()
        with ExitStack() as stack:
            contestants = self.start(stack)
            for contestant in contestants if self.warm else ():
                self.measure(contestant)  # not counted: caches and allocators warm up
            for number in range(self.context.rounds):
                turn = number % len(contestants)
                for contestant in contestants[turn:] + contestants[:turn]:
                    figure = self.measure(contestant)
                    result.figures.setdefault(contestant.name, []).append(figure)
                    print(f"  {self.name} {contestant.name}: {figure:.4g} {self.unit}", flush=True)
            for contestant in contestants if self.context.profile else ():
                file = profile(self.context.profile, self, contestant)
                print(f"  profile of {contestant.name}: {file}", flush=True)
        return result

    def count(self, full: int) -> int:
        """A number of requests or streams, or a tenth of it when only the harness is tried."""
        return max(1, full // 10) if self.context.small else full


def profile(folder: Path, row: Row, contestant: Contestant) -> Path:
    """Where the contestant's time goes during one more measure: functions by their own share."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{row.name}-{contestant.name}".replace(" ", "-").replace(",", "").replace("'", "")
    data, text = folder / f"{name}.data", folder / f"{name}.txt"
    members = ",".join(str(pid) for pid in family(contestant.pid))
    # fmt: off
    words = ["perf", "record", "--quiet", "--event", "cpu-clock", "--freq", "997", "--call-graph",
             "fp", "--pid", members, "--output", data]
    # fmt: on
    with Process("perf", words, folder / f"{name}.log") as recorder:
        row.measure(contestant)
        recorder.interrupt()
    options = ["--stdio", "--no-children", "--call-graph", "none", "--percent-limit", "0.5"]
    if data.stat().st_size == 0:  # perf writes nothing where it saw nobody work
        text.write_text("no samples: it did nothing\n")
    else:
        text.write_text(run(["perf", "report", *options, "--input", data], limit=300))
    return text
