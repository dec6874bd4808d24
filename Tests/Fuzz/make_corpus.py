"""Makes Tests/Fuzz/corpus: real bytes of real clients, and shapes that a fuzzer would not find soon.

    Tests/Fuzz/make_corpus.py --wedlive .build/debug/wedlive

Only who changes the corpus needs it: it wants ffmpeg, curl and nghttp2-client. What it records differs
a little from run to run.
"""

import argparse
import tempfile
from pathlib import Path

from corpora.answers import answers, redis, workers
from corpora.commands import commands
from corpora.http import http
from corpora.media import media, recordings
from corpora.process import tiny_film
from corpora.sessions import rtmp
from corpora.texts import other_text, tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wedlive", required=True, help="the binary to record sessions with")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.flv"
        tiny_film(film)
        rtmp(arguments.wedlive, film, Path(folder))
        media(film)
        recordings(film)
    workers()
    answers()
    redis()
    commands()
    http()
    other_text()
    tokens()


if __name__ == "__main__":
    main()
