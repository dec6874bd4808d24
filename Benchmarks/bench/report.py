"""Turns figures into tables, and keeps the newest of every row in results.md."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from support.processes import Failed, run

from . import ROOT
from .row import Result, Row

KEPT = ROOT / "Benchmarks" / "out" / "results.json"
PAGE = ROOT / "Benchmarks" / "results.md"
NOTES = ROOT / "Benchmarks" / "notes"

HEAD = """# What it costs, beside its peers

Written by `make bench`; one row alone: `make bench ROW=segments`. Every figure is the server's own
CPU time or memory as the kernel counts it (all threads and children), median of the rounds, with
the least and the most in brackets. Servers run on core 0, clients on core 1, contestants take turns
within each round, and a ratio is the median of the ratios round by round. The machine is that of the newest row.

nginx serves the same bytes from tmpfs with one worker and the same certificate. *Tuned*: `sendfile
off`, `output_buffers 2 256k`, `http2_chunk_size 128k`. *Cached*: the same, and `open_file_cache`.
*Defaults*: none of these.
"""


def table(row: Row, result: Result) -> str:
    """A row as Markdown: a line per contestant, and a line per reach."""
    lines = [f"| contestant | {row.unit} | least to most |", "|---|---|---|"]
    for name, figures in result.figures.items():
        spread = f"{min(figures):.3g} to {max(figures):.3g}"
        lines.append(f"| {name} | {result.median(name):.3g} | {spread} |")
    lines.append("")
    for reach in row.reaches:
        if result.has(reach.contestant) and result.has(reach.peer):
            ratio = result.ratio(reach.contestant, reach.peer)
            line = f"- {reach.contestant} / {reach.peer}: **{ratio:.2f}**"
            if reach.limit is not None:
                verdict = "reached" if ratio <= reach.limit else "**missed**"
                line += f" (reach: ≤ {reach.limit:.2f}) {verdict}"
            lines.append(line)
    return "\n".join(lines) + "\n"


def remember(row: Row, result: Result) -> None:
    """Keeps the row's figures until `write`."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    kept[row.name] = {
        "figures": result.figures,
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _said(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]),
    }
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1))


def write(rows: list[type[Row]]) -> Path:
    """Writes results.md: rows measured in this checkout anew, all others as they stand there."""
    kept = json.loads(KEPT.read_text())
    stand = _sections()
    parts = [HEAD, _machine()]
    for row in rows:
        if row.name not in kept:
            if row.title in stand:
                parts.append(stand[row.title])
            continue
        entry = kept[row.name]
        parts.append(
            f"## {row.title}\n\n"
            f"{row.how}. `make bench ROW={row.name}`, {entry['when']}, commit {entry['commit']}.\n\n"
            + table(row, Result(entry["figures"]))
        )
        notes = NOTES / f"{row.name}.md"
        if notes.exists():
            parts.append(notes.read_text())
    PAGE.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts))
    return PAGE


def _sections() -> dict[str, str]:
    """What results.md has of each row, notes and all, by the row's title."""
    if not PAGE.exists():
        return {}
    sections = re.split(r"^(?=## )", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {section.partition("\n")[0].removeprefix("## "): section for section in sections}


def _machine() -> str:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    flags = Path("/proc/cpuinfo").read_text()
    vaes = all(f" {flag}" in flags for flag in ("vaes", "vpclmulqdq", "avx512f"))
    nginx = _said(["sh", "-c", "nginx -v 2>&1"]).rpartition("/")[2]
    facts = {
        "processor": f"{processor[1] if processor else '?'}, {os.cpu_count()} cores"
        + (", VAES and AVX-512" if vaes else ""),
        "system": f"{_pretty_name()}, Linux {platform.release()}",
        "OpenSSL": _said(["openssl", "version"]).split()[1],
        "nginx": nginx,
        "nginx-rtmp": _version("libnginx-mod-rtmp"),
        "h2load (nghttp2)": _version("nghttp2-client"),
        "libipsec-mb": _version("libipsec-mb1|libipsec-mb-dev"),
    }
    rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    return f"| machine | |\n|---|---|\n{rows}\n"


def _pretty_name() -> str:
    found = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    return found[1] if found else platform.system()


def _version(packages: str) -> str:
    for package in packages.split("|"):
        found = _said(["dpkg-query", "-W", "-f", "${Version}", package])
        if found:
            return found
    return "not installed"


def _said(words: list[str]) -> str:
    try:
        return run(words).strip()
    except (Failed, FileNotFoundError):
        return ""
