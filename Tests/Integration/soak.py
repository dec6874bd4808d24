"""Publishers that come and go, and viewers, for as long as asked; then a verdict.

    soak.py --wedlive BINARY --minutes 60 [--publishers 50] [--viewers 500]

Prints a line a minute. Ends by itself, with status 1 when memory or descriptors grew after the
warm-up, or when anybody was answered wrongly.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from support.media import Source
from support.node import Node
from support.rtmp import record
from support.soak_clients import Counts, publisher, viewer
from support.soak_verdict import Sample, judge, sample

SOURCE = Source(seconds=60, width=160, height=90, rate=15, gop=45, kbits=60)


async def soak(node: Node, arguments: argparse.Namespace) -> list[str]:
    """Runs the load and returns what is wrong."""
    weddings = [f"soak-{number}" for number in range(arguments.publishers)]
    counts = Counts()
    idle = sample(node, counts)
    stop = asyncio.Event()
    recording = record(SOURCE.file)
    tasks = [
        asyncio.create_task(publisher(node.publish_url(wedding), recording, counts, stop, number))
        for number, wedding in enumerate(weddings)
    ]
    tls = node.tls()
    tasks += [
        asyncio.create_task(viewer(node.ports["https"], tls, wedding, counts, stop, number))
        for number in range(arguments.viewers)
        for wedding in [weddings[number % len(weddings)]]
    ]
    samples = [idle]
    began = time.monotonic()
    for minute in range(1, arguments.minutes + 1):
        await asyncio.sleep(max(0.0, began + minute * 60 - time.monotonic()))
        samples.append(sample(node, counts))
        print(f"{minute:4} min  {samples[-1]}", flush=True)
        for error, times in counts.take_errors().items():
            print(f"          {times} x {error}", flush=True)
        broken = [task for task in tasks if task.done()]
        if broken or node.process is None or node.process.ended:
            break
    stop.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    crashed = [repr(each) for each in done if isinstance(each, Exception)]
    await asyncio.sleep(2)
    gone = sample(node, counts)
    print(f"     end  {gone}", flush=True)
    return crashed + judge(samples, gone, arguments.publishers, arguments.viewers, counts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wedlive", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--publishers", type=int, default=50)
    parser.add_argument("--viewers", type=int, default=500)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="wedlive-soak-"))
    print(f"data and log in {folder}\n{'':10}{Sample.HEAD}", flush=True)
    settings = {"WEDLIVE_STREAMS_WINDOW": "30s", "WEDLIVE_LOG_LEVEL": "warning"}
    with Node(folder, settings, arguments.wedlive.resolve()) as node:
        wrong = asyncio.run(soak(node, arguments))
    for each in wrong:
        print(f"WRONG: {each}")
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
