"""What processes hold in memory, and whether that stays the same."""

from pathlib import Path

MIB = 1 << 20


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def grown(name: str, sizes: list[int]) -> list[str]:
    """What is wrong with a size that was taken every minute: more than 5 % (or 8 MiB) of growth.

    The means of the second and the last third are compared.
    """
    third = len(sizes) // 3
    if third == 0:
        return []
    before = sum(sizes[third : 2 * third]) / third
    after = sum(sizes[-third:]) / third
    if after - before <= max(0.05 * before, 8 * MIB):
        return []
    return [f"{name} grew from {before / MIB:.1f} to {after / MIB:.1f} MiB"]
