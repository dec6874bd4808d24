"""SIGUSR2 while cameras of one wedding are live: a program whose cameras are with processes before."""

import os
import signal
from collections.abc import Callable

from support.cameras import Cameras
from support.processes import gone, wait_until
from support.upgraded_wedding import SHORT, Wedding

#: So many segments of the other camera may come after a switch: the one that is being made, what is on its
#: way to viewers then, and what the machine of the tests adds.
SOON = 3


def move(wedding: Wedding, number: int) -> None:
    """A camera connects to the newest process, and is shown there."""
    wedding.lose(number)
    wedding.come(number)
    wedding.wait_for_all()
    wedding.goes_on(2)
    choose(wedding, number)


def choose(wedding: Wedding, number: int) -> None:
    """A camera is chosen, and viewers see it with the next segment or the one after."""
    Cameras(wedding.node, "both").switch(wedding.ids[number])
    before = wedding.viewer.newest
    wedding.shows(number)
    others = wedding.first(number, before) - before - 1
    print(f"camera {number} is shown after {others} segments")
    assert others <= SOON
    assert wedding.active == wedding.ids[number]


def goes_on(wedding: Wedding, count: int = 5) -> None:
    longest = wedding.goes_on(count)
    print(f"longest without a segment {longest:.1f} s; {wedding.viewer.bad}")
    assert longest < SHORT
    assert wedding.viewer.bad == []


def moved(wedding: Wedding) -> int:
    """The program is with the new process, where one of two cameras is; returns the process before."""
    before = wedding.node.upgrade()
    move(wedding, 1)
    goes_on(wedding)
    return before


def test_a_camera_of_the_process_before_is_shown(wedding: Callable[..., Wedding]) -> None:
    both = wedding()
    moved(both)
    for number in (0, 1, 0):
        choose(both, number)
        goes_on(both, 3)


def test_a_camera_of_the_process_before_stands_in_for_one_that_is_lost(
    wedding: Callable[..., Wedding],
) -> None:
    both = wedding(WEDLIVE_CAMERAS_RETURN="when_live")
    moved(both)
    both.lose(1)
    both.shows(0)
    # It is shown for longer than a lost stream is waited for.
    goes_on(both, 25)
    assert both.active == both.ids[0]
    both.come(1)
    both.shows(1)
    goes_on(both)
    assert both.active == both.ids[1]


def test_a_camera_that_is_shown_comes_from_the_process_before(
    wedding: Callable[..., Wedding],
) -> None:
    both = wedding()
    before = moved(both)
    choose(both, 0)
    # It comes while it is on the air: nothing else is shown meanwhile.
    first = both.publishers[0]
    both.come(0)
    wait_until(lambda: first.ended, "its connection to the process before is ended")
    goes_on(both)
    assert both.picture == 0
    assert both.active == both.ids[0]
    wait_until(lambda: gone(before), "the process before has ended", limit=90)
    goes_on(both)


def test_the_process_before_is_killed_while_its_camera_is_shown(
    wedding: Callable[..., Wedding],
) -> None:
    both = wedding()
    before = moved(both)
    choose(both, 0)
    goes_on(both, 3)
    os.kill(before, signal.SIGKILL)
    both.shows(1)
    goes_on(both)
    assert both.active == both.ids[1]


def test_the_process_before_is_killed_with_the_program(wedding: Callable[..., Wedding]) -> None:
    both = wedding()
    before = both.node.upgrade()
    both.lose(1)
    both.come(1)
    both.wait_for_all()
    goes_on(both)
    assert both.picture == 0
    os.kill(before, signal.SIGKILL)
    both.shows(1)
    goes_on(both)
    assert both.active == both.ids[1]


def test_cameras_of_three_processes_are_shown(wedding: Callable[..., Wedding]) -> None:
    three = wedding(count=3, WEDLIVE_CAMERAS_RETURN="when_live")
    three.node.upgrade()
    move(three, 1)
    middle = three.node.upgrade()
    three.goes_on()
    # With the one in the middle: a camera before it, and one after it.
    choose(three, 0)
    choose(three, 1)
    three.lose(2)
    three.come(2)
    three.wait_for_all()
    goes_on(three)
    choose(three, 0)
    choose(three, 2)
    goes_on(three)
    for number in (0, 1, 2):
        choose(three, number)
        goes_on(three, 3)
    # It is followed by one that is with the first process.
    three.lose(2)
    three.shows(0)
    goes_on(three)
    choose(three, 1)
    os.kill(middle, signal.SIGKILL)
    three.shows(0)
    goes_on(three)


def test_a_program_goes_on_where_only_the_first_of_three_processes_has_cameras(
    wedding: Callable[..., Wedding],
) -> None:
    both = wedding(WEDLIVE_STREAMS_WINDOW="6s")
    both.node.upgrade()
    move(both, 1)
    middle = both.node.upgrade()
    both.goes_on()
    # The newest process has none, the one in the middle has the program and is done.
    both.lose(1)
    both.shows(0)
    wait_until(lambda: gone(middle), "the one in the middle has ended", limit=120)
    longest = both.goes_on()
    print(f"{longest:.1f} s; {both.viewer.bad}")
    assert longest < 10
    assert both.picture == 0
    assert not both.viewer.is_over
