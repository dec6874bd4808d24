"""Which of several processes of one run this is (pytest-xdist): they share this machine."""

import os

#: From 0 on.
NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
COUNT = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

#: A number of this process's own among them, and the next ones theirs.
OWN = os.getppid() + NUMBER if COUNT > 1 else os.getpid()
