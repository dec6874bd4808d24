"""The player page in Chromium."""

import shutil
from pathlib import Path

from support.browser import Browser
from support.media import Source
from support.node import Node
from support.processes import Process
from support.publishers import ffmpeg5
from support.streams import wait_on_air

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
