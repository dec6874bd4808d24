"""The player page in Chromium."""

import shutil
from pathlib import Path
from typing import Any

from support.browser import Breaker, Browser
from support.media import Source
from support.node import Node
from support.processes import Process, wait_until
from support.publishers import ffmpeg5
from support.streams import wait_on_air

#: The page's player says that it has a hole before it, and has its sound on.
HOLE = """
const video = document.getElementById('video');
const now = video.currentTime;
const ranges = [[0, now + 60], [now + 62, now + 70]];
Object.defineProperty(video, 'buffered', { get: () => (
  { length: 2, start: (each) => ranges[each][0], end: (each) => ranges[each][1] }
) });
video.muted = false;
video.volume = 0.5;
"""

PICTURES = Path(__file__).resolve().parents[2] / ".build" / "screenshots"


def test_the_watch_page_plays(node: Node, tmp_path: Path, cleanup: list[Process]) -> None:
    source = Source(seconds=300, width=640, height=360)
    publisher = ffmpeg5(node.publish_url("browser"), source, node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, "browser", 6, publisher)
    screenshot = tmp_path / "watch.png"
    with Browser(tmp_path) as browser:
        state = browser.plays(node.watch_url("browser"), 10, screenshot)
    assert (state["width"], state["height"]) == (640, 360)
    assert state["dropped"] < state["pictures"] / 2
    PICTURES.mkdir(parents=True, exist_ok=True)
    shutil.copy(screenshot, PICTURES / "watch.png")


def test_the_watch_page_waits_for_a_program(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    with Browser(tmp_path) as browser:
        browser.open(node.watch_url("later"))
        publisher = ffmpeg5(node.publish_url("later"), Source(), node.certificates, tmp_path)
        cleanup.append(publisher)
        wait_on_air(node, "later", 3, publisher)
        state = browser.advances(3)
    assert state["pictures"] > 0


def broken_off(node: Node, folder: Path) -> dict[str, Any]:
    """What a page shows to which one segment breaks off, until it plays on."""
    folder.mkdir()
    with Breaker(node.base, node.tls()) as breaker, Browser(folder) as browser:
        browser.open(f"{breaker.url}/watch/hole")
        browser.advances(3)
        browser.watch_page()
        breaker.break_next_segment()

        def goes_on() -> bool:
            watched = browser.watched()
            return watched["videos"] > 1 or len(watched["states"]) > 1

        wait_until(goes_on, "it goes on, in another video or anew", limit=120)
        browser.advances(5)
        assert breaker.broken
        return browser.watched()


def test_what_breaks_off_is_played_on_in_another_video(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    """The built-in player gives up for good, and the page goes on in another one."""
    publisher = ffmpeg5(node.publish_url("hole"), Source(seconds=900), node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, "hole", 6, publisher)
    watched = broken_off(node, tmp_path / "page-0")
    # On a machine that is busy for seconds the other one comes too late, and the page begins anew.
    for number in range(1, 4):
        if watched["states"] != ["live"]:
            watched = broken_off(node, tmp_path / f"page-{number}")
    assert watched["states"] == ["live"], "a notice was shown"
    assert watched["shown"] == 1, "the first one is still there"
    assert watched["videos"] > 1


def test_a_hole_is_not_waited_for(node: Node, tmp_path: Path, cleanup: list[Process]) -> None:
    publisher = ffmpeg5(node.publish_url("ahead"), Source(seconds=300), node.certificates, tmp_path)
    cleanup.append(publisher)
    wait_on_air(node, "ahead", 6, publisher)
    with Browser(tmp_path) as browser:
        browser.open(node.watch_url("ahead"))
        browser.advances(3)
        browser.watch_page()
        browser.driver.execute_script(HOLE)
        # One that comes too late is followed by the next one after half a minute.
        wait_until(lambda: browser.watched()["videos"] > 1, "another video plays", limit=150)
        browser.advances(3)
        watched = browser.watched()
        script = (
            "const v = document.getElementById('video'); return [v.muted, v.volume, v.controls]"
        )
        assert browser.driver.execute_script(script) == [False, 0.5, True]
    assert watched["states"] == ["live"], "a notice was shown"
    assert watched["shown"] == 1, "the first one is still there"
