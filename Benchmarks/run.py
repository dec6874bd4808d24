"""Measures wedlive beside its peers, in the same run, and writes results.md.

    run.py --wedlive BINARY [--row segments] [--rounds 5] [--try]

Costs are CPU seconds or memory of the server alone. Servers run on core 0, clients on core 1.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench import report
from bench.crowd_row import Crowd
from bench.edge_rows import DiskHits, EdgeHits, Fills, TwoLoops
from bench.ladder_rows import Encryption, Ladder, Latency
from bench.relay_rows import Relay, TCPRelay
from bench.row import Context
from bench.rtmp_rows import Packaging, Players, Publishers
from bench.web_rows import Handshakes, Idle, Playlists, Segments
from support.certificates import make_certificates

ROWS = [
    Segments, Playlists, Handshakes, Idle, Packaging, Publishers, Players, Ladder, Latency, Encryption,
    EdgeHits, TwoLoops, DiskHits, Fills, Crowd, Relay, TCPRelay,
]  # fmt: skip


def main() -> int:
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--wedlive", type=Path, help="the binary; without it only peers are measured"
    )
    parser.add_argument("--row", default="all", choices=["all", *names])
    parser.add_argument("--rounds", type=int, default=5, help="at least 3 for a figure (5)")
    parser.add_argument(
        "--try", action="store_true", dest="small", help="small loads, no results.md"
    )
    parser.add_argument("--profile", action="store_true", help="also ask perf where the time goes")
    arguments = parser.parse_args()

    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="wedlive-bench-", dir=memory))
    folder.chmod(0o755)
    try:
        context = Context(
            binary=arguments.wedlive.resolve() if arguments.wedlive else None,
            folder=folder,
            certificates=make_certificates(folder / "certificates"),
            rounds=arguments.rounds,
            small=arguments.small,
            profile=report.KEPT.parent if arguments.profile else None,
        )
        for kind in ROWS:
            if arguments.row in ("all", kind.name):
                print(f"{kind.name}: {kind.title}", flush=True)
                row = kind(context)
                result = row.run()
                print(report.table(row, result), flush=True)
                if not arguments.small and context.binary:
                    report.remember(row, result)
        if not arguments.small and context.binary:
            print(f"written: {report.write(ROWS)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
