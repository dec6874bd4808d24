"""Runs a client in a mount namespace whose system trust store is the tests' authority.

Clients that cannot be told which authority to trust (OBS, GStreamer's hlsdemux2, librtmp) read
`/etc/ssl/certs`; theirs alone is replaced, the machine's is untouched.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from .certificates import Certificates
from .processes import run

STORE = "/etc/ssl/certs"
ENTER = f'mount --bind "$0" {STORE} && exec "$@"'


def trusting(
    certificates: Certificates, words: Sequence[str | Path], user: int | None = None
) -> list[str | Path]:
    """The command that runs `words` with the authority trusted (as another user, if given)."""
    become: list[str | Path] = []
    if user is not None:
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]
    store = _store(certificates)
    unshare = ["unshare", "--map-root-user", "--mount", "--"] if user is None else ["unshare", "-m"]
    return [*unshare, "sh", "-c", ENTER, store, *become, *words]


def _store(certificates: Certificates) -> Path:
    """A folder laid out as `/etc/ssl/certs` is, made once beside the certificates."""
    store = certificates.authority.parent / "store"
    if not store.exists():
        partial = store.with_suffix(".partial")
        partial.mkdir()
        shutil.copy(certificates.authority, partial / "authority.pem")
        shutil.copy(certificates.authority, partial / "ca-certificates.crt")
        run(["openssl", "rehash", partial])
        partial.rename(store)
    return store
