"""A certificate authority for tests, and the server certificate that it signs."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from .processes import run


@dataclass(frozen=True)
class Certificates:
    """Files: the authority's certificate, and the server's certificate and key."""

    authority: Path
    certificate: Path
    key: Path

    def client_context(self, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        """Verifies the server against this authority alone."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context


def make_certificates(folder: Path) -> Certificates:
    """P-256 certificates for `localhost` and `127.0.0.1`, valid for a month."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    if made.certificate.exists():
        return made
    authority_key, request = folder / "ca.key", folder / "server.csr"
    extensions = folder / "server.ext"
    extensions.write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
        "basicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth\n"
    )
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    # fmt: off
    run(["openssl", "req", "-x509", *new_key, "-keyout", authority_key, "-out", made.authority,
         "-days", "30", "-subj", "/CN=wedlive tests CA",
         "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
    run(["openssl", "req", "-new", *new_key, "-keyout", made.key, "-out", request,
         "-subj", "/CN=localhost"])
    run(["openssl", "x509", "-req", "-in", request, "-CA", made.authority, "-CAkey", authority_key,
         "-CAcreateserial", "-days", "30", "-extfile", extensions, "-out", made.certificate])
    # fmt: on
    made.key.chmod(0o600)
    return made
