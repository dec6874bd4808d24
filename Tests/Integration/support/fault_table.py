"""The table of what was seen of each fault at each moment, as Markdown.

    python -m support.fault_table FOLDER

Each cell is a file of its own in the folder, so that a run of some replaces just those.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from .fault_cells import FAULTS, MOMENTS, Seen


def keep(folder: Path, seen: Seen) -> None:
    """Writes one cell, and the table anew."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{list(FAULTS).index(seen.fault)}-{list(MOMENTS).index(seen.moment)}.json"
    (folder / name).write_text(json.dumps(asdict(seen), indent=1))
    (folder / "table.md").write_text(table(folder))


def table(folder: Path) -> str:
    cells = {}
    for file in folder.glob("*.json"):
        seen = Seen(**json.loads(file.read_text()))
        cells[seen.fault, seen.moment] = text(seen)
    lines = ["| | " + " | ".join(MOMENTS) + " |", "|---" * (len(MOMENTS) + 1) + "|"]
    lines += [
        f"| {fault} | " + " | ".join(cells.get((fault, each), "") for each in MOMENTS) + " |"
        for fault in FAULTS
    ]
    return "\n".join(lines) + "\n"


def text(seen: Seen) -> str:
    """One cell: the longest wait, and all that is not as if nothing had happened."""
    words = [f"{seen.longest:.1f} s"]
    counts = {
        "disc.": seen.breaks,
        "frames lost": seen.missing,
        "frames unsent": seen.unsent,
        "frames twice": seen.repeated,
        "errors": len(set(seen.errors)),
        "wrong": sum("are missing before" not in each for each in seen.wrong),
        "reconnects": len(seen.losses),
    }
    words += [f"{count} {name}" for name, count in counts.items() if count]
    if seen.jump >= 0.1:
        words.append(f"dates {seen.jump:.1f} s off")
    return ", ".join(words)


if __name__ == "__main__":
    print(table(Path(sys.argv[1])), end="")
