"""Waiting for a published program to be on the air."""

from urllib.parse import urljoin

from .node import Node
from .processes import Process, wait_until


def media_playlists(node: Node, wedding: str) -> list[str]:
    """The URLs of the media playlists that the master lists; none while there is no master."""
    client = node.client()
    try:
        master = client.get(node.master_url(wedding))
        if master.status != 200:
            return []
        lines = [line for line in master.text.splitlines() if line and not line.startswith("#")]
    finally:
        client.close()
    base = node.master_url(wedding)
    return [urljoin(base, line) for line in lines]


def wait_on_air(node: Node, wedding: str, segments: int, publisher: Process) -> None:
    """Returns once the first media playlist lists that many segments."""

    def listed() -> bool:
        playlists = media_playlists(node, wedding)
        if not playlists:
            return False
        client = node.client()
        try:
            text = client.get(playlists[0]).text
        finally:
            client.close()
        return text.count("#EXTINF") >= segments

    wait_until(listed, f"{wedding} has {segments} segments", every=0.2, alive=[publisher])
