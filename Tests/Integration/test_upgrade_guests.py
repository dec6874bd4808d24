"""SIGUSR2 while a program shows a camera of a process before: what viewers were told of is to be had."""

import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support.cameras import Cameras
from support.cluster_watch import listed
from support.media import packets
from support.processes import gone, wait_until
from support.upgraded_wedding import Wedding

#: By how many seconds a date may be off the frames of its segment, as against the segment before.
EXACT = 0.1


class Told:
    """What the program's playlist lists."""

    def __init__(self, wedding: Wedding) -> None:
        self._wedding = wedding
        text = wedding.node.client().get(wedding.playlist).text
        self.names = [line for line in text.splitlines() if line and not line.startswith("#")]

    def missing(self) -> dict[str, int]:
        """Those that are not to be had, and what is said instead."""
        client = self._wedding.node.client()
        base = self._wedding.playlist.removesuffix("index.m3u8")
        answers = {name: client.get(base + name).status for name in self.names}
        return {name: status for name, status in answers.items() if status != 200}


def all_are_there(wedding: Wedding) -> list[str]:
    """All that is listed is to be had; returns the names."""
    told = Told(wedding)
    assert told.missing() == {}
    return told.names


def starts(wedding: Wedding, folder: Path, after: int) -> list[float]:
    """When each segment's pictures begin by their own clock, of those with a larger number."""
    file = folder / "one.ts"
    found: list[float] = []
    for number in sorted(each for each in wedding.viewer.bodies if each > after):
        file.write_bytes(wedding.viewer.bodies[number])
        found.append(packets(file, "v:0")[0].pts)
    return found


def goes_on_exactly(wedding: Wedding, folder: Path, after: int, seconds: int) -> None:
    """Nothing is shown twice or left out, no number is missing, and dates run with the pictures."""
    bodies = wedding.viewer.bodies
    numbers = sorted(each for each in bodies if each > after)
    assert numbers == list(range(after + 1, numbers[-1] + 1))
    begin = starts(wedding, folder, after)
    print(f"{numbers} begin at {begin}")
    for before, following in itertools.pairwise(begin):
        assert abs(following - before - seconds) < EXACT
    dates = [date for date, _ in listed(wedding.node, "both", "program")][-len(numbers) :]
    for before, following in itertools.pairwise(dates):
        assert abs(following - before - seconds) < EXACT


def show_guest(wedding: Wedding) -> int:
    """The program is with a second process, and shows a camera of the first; returns that."""
    before = wedding.node.upgrade()
    wedding.lose(1)
    wedding.come(1)
    wedding.wait_for_all()
    wedding.goes_on(1)
    cameras = Cameras(wedding.node, "both")
    for number in (1, 0):
        cameras.switch(wedding.ids[number])
        wedding.shows(number)
        assert wedding.active == wedding.ids[number]
    wedding.goes_on(1)
    all_are_there(wedding)
    return before


@pytest.mark.parametrize("seconds", [1, 4])
def test_a_guest_is_shown_on_by_the_process_after_the_next(
    wedding: Callable[..., Wedding], tmp_path: Path, seconds: int
) -> None:
    both = wedding(
        WEDLIVE_STREAMS_FRAGMENT=f"{seconds}s", WEDLIVE_STREAMS_WINDOW=f"{16 * seconds}s"
    )
    first = show_guest(both)
    # Some that the first process has made are listed, and nobody asks for them here.
    before = both.viewer.newest
    told = Told(both)
    middle = both.node.upgrade()
    longest = both.goes_on(2)
    assert set(all_are_there(both)) & set(told.names)
    print(f"longest without a segment {longest:.1f} s")
    assert longest < 2 * seconds + 2
    goes_on_exactly(both, tmp_path, before - 1, seconds)
    # What was listed by each of them is to be had when they are killed, and a while longer.
    told = Told(both)
    os.kill(middle, signal.SIGKILL)
    wait_until(lambda: gone(middle), "the one in the middle has ended")
    assert told.missing() == {}
    assert all_are_there(both)
    both.goes_on(2)
    # Asked at once: what comes next looks at every frame, and what was told goes on to leave the window.
    assert told.missing() == {}
    goes_on_exactly(both, tmp_path, before - 1, seconds)
    assert both.picture == 0
    both.come(1)
    both.wait_for_all()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: gone(first), "the first one has ended")
    all_are_there(both)
    both.shows(1)
    longest = both.goes_on(1)
    print(f"longest without a segment {longest:.1f} s; {both.viewer.bad}")
    assert longest < 2 * seconds + 2
    all_are_there(both)
    assert both.viewer.bad == []
