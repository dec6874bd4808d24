"""A cluster whose nodes know each other by certificates, and those who would like to be one of them."""

import hashlib
import hmac
import ssl
from pathlib import Path

from .cluster import SECRETS
from .http import Client
from .node import Node, wedlive_binary
from .ports import free_port
from .processes import run

SECRET = SECRETS["WEDLIVE_CLUSTER_SECRET"].encode()


def code(text: str) -> str:
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


#: What nodes show each other.
PASS = code("wedlive node to node")


def proof(text: str) -> str:
    """What a node that knows the secret says."""
    return code(f"wedlive says: {text}")


class Authority:
    """A folder of `wedlive certs`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def file(self) -> Path:
        return self.folder / "ca.pem"

    def node(self, name: str, *options: str) -> tuple[Path, Path]:
        """The certificate and key of a node, made where there are none."""
        made = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if options or not made[0].exists():
            words = ["--node", name, "--dns", "localhost", "--ip", "127.0.0.1", *options]
            run([wedlive_binary(), "certs", "--out", self.folder, *words])
        return made

    def settings(self, name: str) -> dict[str, str]:
        """What a node needs to be one of its cluster."""
        certificate, key = self.node(name)
        return {
            "WEDLIVE_CLUSTER_TLS": "true",
            "WEDLIVE_CLUSTER_ADDRESS": "localhost",
            "WEDLIVE_CLUSTER_CA": str(self.file),
            "WEDLIVE_CLUSTER_CERTIFICATE": str(certificate),
            "WEDLIVE_CLUSTER_KEY": str(key),
            "WEDLIVE_LISTEN_PEERS": f"127.0.0.1:{free_port()}",
            "WEDLIVE_LISTEN_PEERS_RTMPS": f"127.0.0.1:{free_port()}",
        }


def peers_port(node: Node) -> int:
    return int(node.settings["WEDLIVE_LISTEN_PEERS"].rpartition(":")[2])


def knock(node: Node, path: str, files: tuple[Path, Path] | None, token: str = PASS) -> int | None:
    """The status that a peer's question gets; nothing where TLS lets it not in."""
    context = ssl.create_default_context(cafile=node.settings["WEDLIVE_CLUSTER_CA"])
    if files:
        context.load_cert_chain(*files)
    client = Client(context, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {token}"}
        return client.get(f"https://localhost:{peers_port(node)}{path}", headers).status
    except (ssl.SSLError, ConnectionError):
        return None
    finally:
        client.close()
