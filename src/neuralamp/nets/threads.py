"""Threads for kernels, which leave the interpreter alone, so that several run at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Result = TypeVar("Result")


def in_threads(job: Callable[[int], Result], count: int, threads: int) -> list[Result]:
    """[job(0), job(1), ...], done by this many threads."""
    return list(_pool(threads).map(job, range(count)) if min(count, threads) > 1 else map(job, range(count)))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "learn")
