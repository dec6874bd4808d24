"""Programs that are run, and the film that they send."""

import shlex
import subprocess
from pathlib import Path


def run(command: str, seconds: float = 20) -> None:
    """Runs a client to its end, or until its time is over."""
    with subprocess.Popen(
        shlex.split(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.terminate()


def tiny_film(path: Path) -> None:
    run(
        "ffmpeg -y -loglevel error -f lavfi -i testsrc=size=64x48:rate=5 -f lavfi "
        "-i sine=frequency=440:sample_rate=44100 -t 3 -c:v libx264 -preset ultrafast "
        f"-g 5 -crf 40 -pix_fmt yuv420p -c:a aac -b:a 16k -ac 1 -f flv {path}"
    )
