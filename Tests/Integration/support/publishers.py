"""Encoders that people publish with, each started on a URL in its own way."""

import sys
from collections.abc import Callable
from pathlib import Path

from .certificates import Certificates
from .media import Source
from .processes import Process
from .trust import trusting

#: Starts a publisher: URL, source, certificates, folder for its log and files.
Publisher = Callable[[str, Source, Certificates, Path], Process]


def ffmpeg5(url: str, source: Source, _: Certificates, folder: Path) -> Process:
    """Debian's ffmpeg, encoding live."""
    words = [
        "ffmpeg",
        "-v",
        "info",
        "-nostats",
        "-nostdin",
        *source.live_arguments(),
        "-f",
        "flv",
        url,
    ]
    return Process("ffmpeg 5", words, folder / "ffmpeg5.log")


def ffmpeg_copy(
    url: str, file: Path, folder: Path, *options: str, name: str = "ffmpeg copy"
) -> Process:
    """Debian's ffmpeg, sending a file as it is; in real time unless `options` say otherwise."""
    pace = options or ("-re",)
    words = [
        "ffmpeg",
        "-v",
        "info",
        "-nostats",
        "-nostdin",
        *pace,
        "-i",
        file,
        "-map",
        "0",
        "-c",
        "copy",
    ]
    return Process(name, [*words, "-f", "flv", url], folder / f"{name.replace(' ', '-')}.log")


def ffmpeg9_binary() -> str:
    """The newest ffmpeg that can be had: the one inside PyPI's imageio-ffmpeg."""
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()


def ffmpeg9(url: str, source: Source, certificates: Certificates, folder: Path) -> Process:
    """ffmpeg 9, encoding live; it verifies RTMPS certificates."""
    words = [ffmpeg9_binary(), "-v", "info", "-nostats", "-nostdin", *source.live_arguments()]
    if url.startswith("rtmps:"):
        words += ["-ca_file", str(certificates.authority)]
    return Process("ffmpeg 9", [*words, "-f", "flv", url], folder / "ffmpeg9.log")


def _gstreamer(source: Source, sink: list[str]) -> list[str]:
    size = f"video/x-raw,format=I420,width={source.width},height={source.height}"
    pictures, sounds = int(source.seconds * source.rate), int(source.seconds * 48000 / 1024)
    # fmt: off
    return [
        "gst-launch-1.0", "-e",
        "flvmux", "name=mux", "streamable=true", "!", *sink,
        "videotestsrc", "is-live=true", f"num-buffers={pictures}", "!",
        f"{size},framerate={source.rate}/1", "!",
        "x264enc", "tune=zerolatency", "speed-preset=ultrafast",
        f"key-int-max={source.gop}", "bitrate=500", "!", "h264parse", "!", "queue", "!", "mux.",
        "audiotestsrc", "is-live=true", f"num-buffers={sounds}", "samplesperbuffer=1024", "!",
        "audio/x-raw,rate=48000,channels=2", "!", "avenc_aac", "!", "aacparse", "!", "queue",
        "!", "mux.",
    ]
    # fmt: on


def gst_rtmp2sink(url: str, source: Source, certificates: Certificates, folder: Path) -> Process:
    """GStreamer's own RTMP client."""
    words = _gstreamer(source, ["rtmp2sink", f"location={url}"])
    return Process("rtmp2sink", trusting(certificates, words), folder / "rtmp2sink.log")


def gst_rtmpsink(url: str, source: Source, certificates: Certificates, folder: Path) -> Process:
    """GStreamer over librtmp."""
    words = _gstreamer(source, ["rtmpsink", f"location={url} live=1"])
    return Process("rtmpsink", trusting(certificates, words), folder / "rtmpsink.log")


def librtmp(url: str, source: Source, certificates: Certificates, folder: Path) -> Process:
    """librtmp itself, fed a recorded file in real time."""
    program = Path(__file__).with_name("librtmp_publish.py")
    words = trusting(certificates, [sys.executable, program, source.file, url])
    return Process("librtmp", words, folder / "librtmp.log")


PUBLISHERS: dict[str, Publisher] = {
    "ffmpeg 5": ffmpeg5,
    "ffmpeg 9": ffmpeg9,
    "rtmp2sink": gst_rtmp2sink,
    "rtmpsink": gst_rtmpsink,
    "librtmp": librtmp,
}
