"""Chromium without a window, driven through chromedriver."""

import shutil
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from .processes import Failed, wait_until

#: What the first video element of the page says about itself.
STATE = """
const video = document.querySelector('video');
if (!video) return null;
return {
  time: video.currentTime, ready: video.readyState, paused: video.paused,
  width: video.videoWidth, height: video.videoHeight,
  pictures: video.getVideoPlaybackQuality().totalVideoFrames,
  dropped: video.getVideoPlaybackQuality().droppedVideoFrames,
  sound: video.webkitAudioDecodedByteCount, duration: String(video.duration),
  error: video.error && `${video.error.code} ${video.error.message}`,
};
"""

#: Notes from now on whether the page or its player begins anew, and what colour the picture has.
NOTE = """
const video = document.querySelector('video');
const noted = window.noted = { loads: 0, back: 0, longest: 0, colours: [] };
for (const event of ['loadstart', 'emptied']) video.addEventListener(event, () => noted.loads += 1);
const canvas = document.createElement('canvas');
canvas.width = canvas.height = 8;
const context = canvas.getContext('2d', { willReadFrequently: true });
let last = video.currentTime;
let moved = performance.now();
setInterval(() => {
  const now = performance.now();
  if (video.currentTime < last - 0.05) noted.back += 1;
  if (video.currentTime !== last) moved = now;
  noted.longest = Math.max(noted.longest, now - moved);
  last = video.currentTime;
  context.drawImage(video, 0, 0, 8, 8);
  const pixel = Array.from(context.getImageData(1, 1, 1, 1).data.slice(0, 3));
  const before = noted.colours[noted.colours.length - 1];
  if (!before || pixel.some((value, at) => Math.abs(value - before[at]) > 40)) noted.colours.push(pixel);
}, 100);
"""


class Browser:
    """One Chromium that accepts the tests' certificate and may start playing by itself."""

    def __init__(self, folder: Path) -> None:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        driver = shutil.which("chromedriver")
        if chromium is None or driver is None:
            raise Failed("chromium and chromedriver are not installed: .ci/setup test")
        options = Options()
        options.binary_location = chromium
        for word in (
            "headless=new",
            "no-sandbox",
            "disable-dev-shm-usage",
            "autoplay-policy=no-user-gesture-required",
            "ignore-certificate-errors",
            "window-size=1280,800",
            f"user-data-dir={folder / 'chromium'}",
        ):
            options.add_argument(f"--{word}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.folder = folder
        service = Service(driver, log_output=str(folder / "chromedriver.log"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.messages: list[str] = []

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def open(self, url: str) -> None:
        self.driver.get(url)

    def state(self) -> dict[str, Any]:
        """The video element's own figures; empty while there is none."""
        return self.driver.execute_script(STATE) or {}

    def plays(self, url: str, seconds: float, screenshot: Path | None = None) -> dict[str, Any]:
        """Opens a player page and returns the state once `seconds` of it have been shown.

        Fails when the time does not advance, when nothing is decoded, or when the console holds
        an error.
        """
        self.open(url)
        state = self.advances(seconds)
        if screenshot is not None:
            self.driver.save_screenshot(str(screenshot))
        errors = self.errors()
        if errors:
            raise Failed("the console says:\n" + "\n".join(errors))
        if not state["width"] or not state["pictures"] or not state["sound"] or state["error"]:
            raise Failed(f"it advances, but nothing is seen or heard: {state}")
        return state

    def advances(self, seconds: float) -> dict[str, Any]:
        """Waits until the picture has moved on by that much, and returns the state then."""
        wait_until(lambda: self.state().get("time", 0) > 0, "the video plays", every=0.25)
        first = self.state()["time"]
        wait_until(
            lambda: self.state().get("time", 0) >= first + seconds,
            f"currentTime has advanced {seconds} s",
            limit=60 + 3 * seconds,
            every=0.25,
        )
        return self.state()

    def throttle(self, kilobytes: int | None) -> None:
        """Lets in that much a second; None lets everything in."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        limit = -1 if kilobytes is None else kilobytes * 1000
        conditions = {"offline": False, "latency": 20, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions", {**conditions, "downloadThroughput": limit}
        )

    def note(self) -> None:
        """Notes from now on what happens to the page's player: `noted` tells."""
        self.driver.execute_script(NOTE)

    def noted(self) -> dict[str, Any]:
        """What was noted; fails where the page was loaded again, which forgets it."""
        found = self.driver.execute_script("return window.noted || null")
        if found is None:
            raise Failed("the page was loaded again")
        return found

    def errors(self) -> list[str]:
        """Errors that the console holds so far."""
        for entry in self.driver.get_log("browser"):
            self.messages.append(f"{entry['level']}: {entry['message']}")
        return [message for message in self.messages if message.startswith("SEVERE")]
