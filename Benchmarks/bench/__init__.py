"""The benchmarks: contestants, loads, and rows that bring them together.

What they share with the integration tests (nodes, processes, media) is imported from there.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Integration"))
