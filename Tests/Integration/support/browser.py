"""Chromium without a window, driven through chromedriver."""

import contextlib
import http.client
import shutil
import socket
import ssl
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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

#: Notes from now on what the page shows: its states, how many videos took the place of each other,
#: and for how long at most no other picture came, in milliseconds.
WATCH = """
const watched = window.watched = { states: [document.body.dataset.state], videos: 1, longest: 0 };
new MutationObserver(() => {
  const state = document.body.dataset.state;
  if (watched.states.at(-1) !== state) watched.states.push(state);
}).observe(document.body, { attributeFilter: ['data-state'] });
let video = document.getElementById('video');
let last = video.currentTime;
let moved = performance.now();
setInterval(() => {
  const now = performance.now();
  const shown = document.getElementById('video');
  if (shown !== video) watched.videos += 1;
  if (shown !== video || shown.currentTime !== last) moved = now;
  watched.longest = Math.max(watched.longest, now - moved);
  video = shown;
  last = shown.currentTime;
}, 50);
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

    def watch_page(self) -> None:
        """Notes from now on what the page shows: `watched` tells."""
        self.driver.execute_script(WATCH)

    def watched(self) -> dict[str, Any]:
        """What was noted, and how many videos are shown large now."""
        script = "return {...watched, shown: document.querySelectorAll('#stage > video').length}"
        return self.driver.execute_script(script)

    def errors(self) -> list[str]:
        """Errors that the console holds so far."""
        for entry in self.driver.get_log("browser"):
            self.messages.append(f"{entry['level']}: {entry['message']}")
        return [message for message in self.messages if message.startswith("SEVERE")]


class Breaker:
    """Stands between a browser and a node, and breaks segments off half-way when told to."""

    def __init__(self, target: str, tls: ssl.SSLContext) -> None:
        self._target = urlsplit(target).netloc
        self._tls = tls
        self._lock = threading.Lock()
        self._is_armed = False
        self._asked: set[str] = set()
        #: The segments that broke off, each as often as it failed.
        self.broken: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    super().handle()

            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> "Breaker":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def break_next_segment(self) -> None:
        """The next segment that nobody has asked for yet is the one."""
        with self._lock:
            self._is_armed = True

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """What the node says, all of it or half; who asks for the rest of a half is refused."""
        status, fields, body = self.ask(handler.path, handler.headers.get("Range"))
        failed = self._fails(handler.path)
        if failed == 2:
            status, fields, body = 503, [], b""
        handler.send_response(status)
        for name, value in fields:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if failed != 1:
            handler.wfile.write(body)
            return
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        # As a server that is killed: no end of the response, a reset.
        handler.close_connection = True
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def ask(self, path: str, part: str | None) -> tuple[int, list[tuple[str, str]], bytes]:
        """The node's answer."""
        connection = http.client.HTTPSConnection(self._target, context=self._tls, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Range": part} if part else {})
            response = connection.getresponse()
            skipped = (
                "content-length",
                "connection",
                "transfer-encoding",
                "alt-svc",
                "date",
                "server",
            )
            fields = [each for each in response.getheaders() if each[0].lower() not in skipped]
            return response.status, fields, response.read()

    def _fails(self, path: str) -> int:
        """Which failure of its segment this is: the first or the second; 0 for none."""
        name = path.split("?")[0]
        if not name.endswith((".ts", ".m4s")):
            return 0
        with self._lock:
            if self._is_armed and name not in self._asked:
                self._is_armed = False
                self.broken.append(name)
            elif name in self.broken and len(self.broken) == 1:
                self.broken.append(name)
            else:
                self._asked.add(name)
                return 0
            return len(self.broken)
