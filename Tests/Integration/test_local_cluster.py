"""`make cluster-up`, where another process has a port that it needs."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

from support.ports import free_port

LOCAL = Path(__file__).resolve().parents[2] / "cluster/local"


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    """By somebody mute, and by somebody who takes no connection any more."""
    shutil.copytree(LOCAL, tmp_path / "cluster/local")
    script = tmp_path / "cluster/local/run"
    port = free_port()
    script.write_text(script.read_text().replace("16379", str(port)))
    with socket.socket() as mute, socket.socket() as first, socket.socket() as second:
        mute.bind(("127.0.0.1", port))
        mute.listen(0)
        for waiting in (None, first, second):
            if waiting is not None:
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            done = subprocess.run(
                [script, "up", "/bin/true"],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert done.returncode == 1
            words = f"port {port}, which redis needs, is in use by "
            assert words in done.stderr, done.stderr
            assert f"(process {os.getpid()})" in done.stderr
            assert not (tmp_path / ".build").exists()
