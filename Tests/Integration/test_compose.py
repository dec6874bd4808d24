"""What cluster/compose.yaml says, where no container runs: nodes understand it, its files are made."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from support.node import wedlive_binary
from support.processes import Process, run

FOLDER = Path(__file__).resolve().parents[2] / "cluster"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
NODES = [name for name, each in COMPOSE["services"].items() if each.get("image") == "wedlive"]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `cluster/compose/prepare` makes inside the image, made here by the binary under test."""
    folder = tmp_path_factory.mktemp("compose")
    (folder / "bin").mkdir()
    (folder / "bin/wedlive").symlink_to(wedlive_binary())
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    made = folder / "state"
    for _ in range(2):  # a second time changes nothing
        before = {each: each.read_bytes() for each in made.rglob("*") if each.is_file()}
        run([FOLDER / "compose/prepare", "inside", made], env={"PATH": path})
        assert all(each.read_bytes() == old for each, old in before.items())
    return made


def environment(name: str, state: Path) -> dict[str, str]:
    """A service's, with the container's folders where they are here."""
    values = COMPOSE["services"][name]["environment"]
    folders = {"/run/secrets": str(state / "secrets"), "/certs": str(state / "certs")}
    result = {}
    for key, value in values.items():
        # What stands in for a variable that nobody has set.
        text = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(value))
        for inside, here in folders.items():
            if text.startswith(inside):
                text = here + text[len(inside) :]
        result[key] = text
    return result


@pytest.mark.parametrize("name", NODES)
def test_nodes_understand_their_settings(name: str, state: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("{}\n")
    words = [wedlive_binary(), "check", "--role", name.split("-")[0], empty]
    assert "OK" in run(words, env=environment(name, state))
    wrong = {**environment(name, state), "WEDLIVE_CLUSTER_KEY": str(state / "secrets/auth")}
    with Process("check", words, tmp_path / "check.log", env=wrong) as process:
        assert process.wait() != 0, "a key that is none is seen"
    alone = {key: value for key, value in environment(name, state).items() if "REDIS" not in key}
    with Process("check", words, tmp_path / "check.log", env=alone) as process:
        assert process.wait() != 0, "one that meets nobody is seen"


def test_every_file_that_is_mounted_is_made(state: Path) -> None:
    for each in COMPOSE["secrets"].values():
        file = state.parent / "state" / Path(each["file"]).relative_to("compose/state")
        assert file.stat().st_mode & 0o077 == 0
        assert len(file.read_text()) == 64
    assert len(NODES) == 4
    for name in NODES:
        place = state / "certs/nodes"
        checked = subprocess.run(
            ["openssl", "verify", "-CAfile", place / "ca.pem", place / f"{name}.pem"],
            capture_output=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stderr
        text = run(
            ["openssl", "x509", "-in", place / f"{name}.pem", "-noout", "-ext", "subjectAltName"]
        )
        assert f"DNS:{name}" in text


def test_the_balancer_knows_every_edge() -> None:
    settings = (FOLDER / "compose/haproxy.cfg").read_text()
    for name in NODES:
        assert (f" {name}:8443 " in settings) == name.startswith("edge")
    ports = {each.split(":")[1] for each in COMPOSE["services"]["balancer"]["ports"]}
    assert ports == {"8443", "1935", "1936"}
    for port in ports:
        assert f"bind :{port}\n" in settings
