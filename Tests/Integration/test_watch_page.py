"""The player page of a wedding with several cameras, in Chromium."""

from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from support.browser import Browser
from support.cameras import Cameras, Picture, publish, publish_url
from support.node import Node
from support.processes import Process, wait_until

PICTURES = Path(__file__).resolve().parents[2] / ".build" / "screenshots"

#: Every video of the page that is shown: whose it is, whether it plays, how far it is.
VIDEOS = """
return [...document.querySelectorAll('video')].filter((video) => video.offsetParent).map((video) => ({
  camera: video.closest('[data-camera]')?.dataset.camera ?? 'large', time: video.currentTime,
  muted: video.muted, width: video.videoWidth, source: video.currentSrc,
}));
"""

#: What stands under each camera's name in the list.
BADGES = """
return Object.fromEntries([...document.querySelectorAll('#cameras .camera')].map((item) => [
  item.dataset.camera, item.querySelector('.status').textContent,
]));
"""


def videos(browser: Browser) -> dict[str, dict[str, Any]]:
    return {video["camera"]: video for video in browser.driver.execute_script(VIDEOS)}


def statuses(browser: Browser) -> dict[str, str]:
    """The badges of the camera list, by camera."""
    return browser.driver.execute_script(BADGES)


def click(browser: Browser, selector: str) -> None:
    browser.driver.find_element(By.CSS_SELECTOR, selector).click()


def keep(browser: Browser, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    browser.driver.save_screenshot(str(PICTURES / name))


def test_cameras_on_the_watch_page(node: Node, tmp_path: Path, cleanup: list[Process]) -> None:
    cameras = Cameras(node, "page")
    added = [cameras.add(name) for name in ("Altar", "Guests", "Drone")]
    ids = [camera["camera_id"] for camera in added]
    processes = []
    for number in (0, 1):
        url = publish_url(node, added[number])
        processes.append(publish(url, Picture(number), tmp_path, f"camera {number}"))
        cleanup.append(processes[-1])
        wait_until(lambda n=number: cameras.status(ids[n]) == "live", "it is live")
    cameras.switch(ids[0])
    with Browser(tmp_path) as browser:
        browser.open(node.watch_url("page"))
        browser.advances(2)
        wait_until(lambda: len(statuses(browser)) == 4, "three cameras and the program are listed")
        assert statuses(browser) == {
            "program": "Altar",
            ids[0]: "Live · on air",
            ids[1]: "Live",
            ids[2]: "Not yet live",
        }
        assert list(videos(browser)) == ["large"]
        # Every live camera at once, one of them with sound at most.
        click(browser, "[data-layout=grid]")
        wait_until(
            lambda: (
                set(videos(browser)) == {"large", ids[0], ids[1]}
                and all(video["time"] > 1 for video in videos(browser).values())
            ),
            "the grid plays",
        )
        tiles = [video for camera, video in videos(browser).items() if camera != "large"]
        assert all(video["muted"] for video in tiles)
        keep(browser, "cameras-grid.png")
        # One camera large; the program takes its place in the grid.
        click(browser, f".tile[data-camera='{ids[1]}']")
        wait_until(
            lambda: (
                set(videos(browser)) == {"large", "program", ids[0]}
                and f"/{ids[1]}/" in videos(browser)["large"]["source"]
            ),
            "the tile is large",
        )
        browser.advances(1)
        # One over the picture, and swapped with it.
        click(browser, "[data-layout=pip]")
        wait_until(lambda: len(videos(browser)) == 2, "one over the picture")
        click(browser, "#cameras .camera[data-camera=program]")
        wait_until(
            lambda: (
                set(videos(browser)) == {"large", ids[1]}
                and all(video["time"] > 1 for video in videos(browser).values())
            ),
            "the other camera over the program",
        )
        keep(browser, "cameras-pip.png")
        click(browser, ".inset .tile")
        wait_until(lambda: set(videos(browser)) == {"large", "program"}, "they are swapped")
        # A camera that isn't live says so; one that ends too, and the program goes on.
        click(browser, f"#cameras .camera[data-camera='{ids[2]}']")
        wait_until(
            lambda: (
                browser.driver.find_element(By.ID, "headline").text == "This camera isn’t live yet"
            ),
            "it says what is the matter",
        )
        click(browser, "#cameras .camera[data-camera=program]")
        browser.advances(2)
        processes[0].interrupt()
        wait_until(lambda: statuses(browser).get(ids[0]) == "Away", "its badge", limit=30)
        assert statuses(browser)[ids[1]] == "Live · on air"
        browser.advances(2)
        # A camera that is taken away takes the viewer back to the program.
        click(browser, f"#cameras .camera[data-camera='{ids[1]}']")
        browser.advances(1)
        cameras.remove(ids[1])
        wait_until(lambda: ids[1] not in statuses(browser), "it is no longer listed", limit=30)
        assert not [
            message for message in browser.errors() if "404" not in message and "503" not in message
        ]
        # An address of one camera begins with it.
        browser.open(f"{node.watch_url('page')}/{ids[2]}")
        wait_until(
            lambda: (
                browser.driver.find_element(By.ID, "headline").text == "This camera isn’t live yet"
            ),
            "the page of one camera",
        )


def test_qualities_on_the_watch_page(
    make_node: Any, tmp_path: Path, cleanup: list[Process]
) -> None:
    node = make_node(
        WEDLIVE_TRANSCODE_ENABLED="true",
        WEDLIVE_QUALITIES_4K="off",
        WEDLIVE_QUALITIES_1080P="off",
        WEDLIVE_QUALITIES_720P="off",
        WEDLIVE_QUALITIES_480P="off",
        WEDLIVE_QUALITIES_360P="off",
        WEDLIVE_QUALITIES_240P="160x90 100k 32k",
    )
    cleanup.append(publish(node.publish_url("choose"), Picture(2), tmp_path, "camera"))
    with Browser(tmp_path) as browser:
        browser.open(node.watch_url("choose"))
        browser.advances(2)
        chooser = browser.driver.find_element(By.ID, "qualities")
        wait_until(lambda: chooser.is_displayed(), "there is a choice", limit=40)
        choice = Select(chooser)
        assert [option.get_attribute("value") for option in choice.options] == [
            "auto",
            "source",
            "240p",
        ]
        choice.select_by_value("240p")
        wait_until(
            lambda: (
                browser.state().get("width") == 160
                and "/240p/" in videos(browser)["large"]["source"]
            ),
            "the small picture",
        )
        browser.advances(1)
        keep(browser, "qualities.png")
        Select(chooser).select_by_value("source")
        wait_until(lambda: browser.state().get("width") == 320, "the large picture")
        browser.advances(1)


#: A player that finds the same fault again as soon as it has repaired it.
BROKEN_PLAYER = """
window.seen = { players: 0, repairs: 0 };
window.Hls = class {
  static isSupported() { return true; }
  constructor() { window.seen.players += 1; }
  on(_, told) { this.told = told; }
  loadSource() {}
  attachMedia() { this.fail(); }
  recoverMediaError() { window.seen.repairs += 1; this.fail(); }
  fail() { setTimeout(() => this.told?.("error", { fatal: true, type: "media" }), 20); }
  destroy() { this.told = null; }
};
window.Hls.Events = { ERROR: "error" };
window.Hls.ErrorTypes = { MEDIA_ERROR: "media" };
"""


def test_what_cannot_be_decoded_is_not_repaired_without_a_pause(
    node: Node, tmp_path: Path, cleanup: list[Process]
) -> None:
    cleanup.append(publish(node.publish_url("broken"), Picture(0), tmp_path, "camera"))
    with Browser(tmp_path) as browser:
        browser.driver.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument", {"source": BROKEN_PLAYER}
        )
        browser.open(node.watch_url("broken") + "?player=hls.js")
        wait_until(
            lambda: browser.driver.execute_script("return window.seen.players") >= 3,
            "the player was begun anew twice",
        )
        assert browser.driver.execute_script("return window.seen.repairs") <= 2
