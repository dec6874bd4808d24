"""Where the corpus is."""

from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus"

#: Of what is recorded no more than so many bytes.
LONGEST = 16_384


def write(target: str, name: str, data: bytes | str) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
