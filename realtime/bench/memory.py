"""What a process holds in memory, as Linux tells it."""

import os
from pathlib import Path


def memory_mb() -> float:
    """Of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
