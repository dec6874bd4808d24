"""http-tests/cache-tests against `wedlive edge` in front of that suite's own server; then a verdict.

    cache_tests.py --wedlive BINARY --suite CHECKOUT

CHECKOUT is one of https://github.com/http-tests/cache-tests; it is not part of this project. Fails
where a required test outside the `interim` group fails, or fewer than LEAST pass in all.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from support.node import Node
from support.ports import free_port
from support.processes import Process, run, wait_until

#: What was reached once, and is not to be lost.
LEAST = 310
#: Needs a client that isn't there on Debian 12: undici 6.
UNTRIED = {"interim"}

COUNT = """
const [checkout, file] = process.argv.slice(2)
const fs = await import("fs")
const suites = (await import(checkout + "/tests/index.mjs")).default
const { determineTestResult } = await import(checkout + "/test-engine/lib/results.mjs")
const results = JSON.parse(fs.readFileSync(file))
const rows = []
for (const suite of suites)
  for (const test of suite.tests) {
    if (test.browser_only) continue
    const symbol = determineTestResult(suites, test.id, results, false)[2]
    const said = results[test.id]
    rows.push({ suite: suite.id, id: test.id, kind: test.kind || "required", symbol,
      passed: said === true, said: said === true ? "" : String(said) })
  }
console.log(JSON.stringify(rows))
"""


def results(binary: Path, suite: Path, folder: Path) -> list[dict[str, str]]:
    """Runs all of it, and returns a row for each test."""
    port = free_port()
    engine = suite / "test-engine"
    server = Process(
        "cache-tests server",
        ["node", engine / "server/server.mjs"],
        folder / "server.log",
        env={
            "npm_config_protocol": "http",
            "npm_config_port": str(port),
            "npm_config_pidfile": str(folder / "server.pid"),
        },
    )
    settings = {
        "WEDLIVE_EDGE_UPSTREAMS": f"http://127.0.0.1:{port}",
        "WEDLIVE_HTTP_REDIRECT": "false",
    }
    try:
        with Node(folder / "edge", settings, binary, role="edge") as edge:
            base = f"http://127.0.0.1:{edge.ports['http']}"
            wait_until(
                lambda: edge.process is not None and edge.ready(),
                "the edge is ready",
                alive=[server],
            )
            text = run(
                ["node", "--no-warnings", engine / "cli.mjs"],
                limit=600,
                env={
                    "npm_config_base": base,
                    "npm_package_config_id": "",
                    "PATH": os.environ["PATH"],
                },
            )
    finally:
        server.stop()
    answers = folder / "results.json"
    answers.write_text(text)
    script = folder / "count.mjs"
    script.write_text(COUNT)
    rows: list[dict[str, str]] = json.loads(run(["node", script, suite, answers]))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--wedlive", type=Path, required=True)
    parser.add_argument("--suite", type=Path, required=True)
    arguments = parser.parse_args()
    suite = arguments.suite.resolve()
    if not (suite / "test-engine/cli.mjs").exists():
        print(f"cache-tests: {suite} is no checkout of http-tests/cache-tests", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="wedlive-cache-tests-") as folder:
        rows = results(arguments.wedlive.resolve(), suite, Path(folder))
    passed = sum(1 for row in rows if row["passed"])
    failed = [
        row
        for row in rows
        # The suite's own sign: failed, as opposed to not set up or untried.
        if row["kind"] == "required" and row["symbol"] == "\N{NO ENTRY}\ufe0f"
    ]
    for row in failed:
        print(f"required: {row['suite']}: {row['id']}: {row['said']}")
    print(f"cache-tests: {passed} of {len(rows)} pass")
    serious = [row for row in failed if row["suite"] not in UNTRIED]
    if serious or passed < LEAST:
        print(f"cache-tests: {len(serious)} required failures, at least {LEAST} must pass")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
