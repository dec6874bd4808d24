"""Players that people watch with; each plays a live URL for a while and fails if it does not."""

import os
import re
import shutil
import socket
import tempfile
from pathlib import Path

from .certificates import Certificates
from .ports import free_port
from .processes import Failed, Process, run, wait_until
from .publishers import ffmpeg9_binary
from .trust import trusting

NOBODY = 65534


def ffmpeg_decodes(
    url: str,
    seconds: float,
    program: str = "ffmpeg",
    env: dict[str, str] | None = None,
    start: int | None = None,
) -> int:
    """Decodes that much of the stream; returns how many pictures came, and fails on any error.

    `start` is the segment of the playlist to begin with; as players do, unless given.
    """
    begin = [] if start is None else ["-live_start_index", str(start)]
    words = [program, "-v", "error", "-xerror", *begin, "-i", url, "-t", str(seconds)]
    printed = run([*words, "-f", "framemd5", "-"], limit=60 + 3 * seconds, env=env)
    pictures = [line for line in printed.splitlines() if line.startswith("0,")]
    sounds = [line for line in printed.splitlines() if line.startswith("1,")]
    if not pictures or not sounds:
        raise Failed(f"{program} decoded {len(pictures)} pictures and {len(sounds)} audio frames")
    return len(pictures)


def ffmpeg9_decodes(url: str, seconds: float, certificates: Certificates) -> int:
    """The same with ffmpeg 9, which verifies the certificate, the segments' too."""
    env = {"SSL_CERT_FILE": str(certificates.authority)}
    return ffmpeg_decodes(url, seconds, ffmpeg9_binary(), env)


def gstreamer_plays(url: str, pictures: int, certificates: Certificates, folder: Path) -> None:
    """hlsdemux2 in playbin3, in real time, until that many pictures and some sound were shown."""
    # fmt: off
    words = [
        "gst-launch-1.0", "-v", "playbin3", f"uri={url}",
        "video-sink=fakesink name=picture silent=false sync=true",
        "audio-sink=fakesink name=sound silent=false sync=true",
    ]
    # fmt: on
    env = {"GST_PLUGIN_FEATURE_RANK": "hlsdemux2:512", "GST_DEBUG": "2", "GST_DEBUG_NO_COLOR": "1"}
    player = Process("hlsdemux2", trusting(certificates, words), folder / "gst.log", env=env)
    with player:

        def shown() -> bool:
            text = player.log_text()
            return text.count("picture: last-message = chain") >= pictures and (
                "sound: last-message = chain" in text
            )

        wait_until(shown, f"GStreamer has shown {pictures} pictures", alive=[player])
        if "GstHLSDemux2" not in player.log_text():
            raise Failed(f"hlsdemux2 was not used\n{player.log_tail()}")


def vlc_plays(url: str, pictures: int, certificates: Certificates, folder: Path) -> None:
    """VLC without a window, until it has shown that many pictures and decoded sound."""
    port = free_port()
    home = tempfile.mkdtemp(prefix="vlc-")  # it refuses to be root: this one may enter
    os.chown(home, NOBODY, NOBODY)
    # fmt: off
    words = [
        "env", f"HOME={home}", f"XDG_RUNTIME_DIR={home}",
        "cvlc", "-I", "oldrc", "--rc-fake-tty", "--rc-host", f"127.0.0.1:{port}",
        "--no-dbus", "--vout=dummy", "--aout=dummy", url,
    ]
    # fmt: on
    with Process("VLC", trusting(certificates, words, user=NOBODY), folder / "vlc.log") as player:

        def shown() -> bool:
            said = _ask(port, "stats")
            video = re.search(r"frames displayed\s*:\s*(\d+)", said)
            audio = re.search(r"audio decoded\s*:\s*(\d+)", said)
            return bool(video and audio and int(video[1]) >= pictures and int(audio[1]) > 0)

        wait_until(shown, f"VLC has shown {pictures} pictures", alive=[player], every=0.5)
    shutil.rmtree(home, ignore_errors=True)


def _ask(port: int, command: str) -> str:
    """What VLC's remote control answers, or nothing while it is not up."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as control:
            control.sendall(f"{command}\nlogout\n".encode())
            said = b""
            while part := control.recv(4096):
                said += part
            return said.decode(errors="replace")
    except OSError:
        return ""
