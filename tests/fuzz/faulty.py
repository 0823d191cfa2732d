"""Readers with a fault each, by which the watch itself is tested: it has to tell every one of them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from neuralamp.errors import NeuralAmpError
from tests.fuzz import seeds
from tests.fuzz.mutate_toml import spoil_toml
from tests.fuzz.readers import Reader


def crashes(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leaves(path: Path) -> None:
    os._exit(3)


def computes_for_ever(path: Path) -> None:
    while True:
        pass


def waits_for_ever(path: Path) -> None:
    time.sleep(3600.0)


def takes_memory(path: Path) -> None:
    bytearray(2 * 2**30)


def raises(path: Path) -> None:
    raise KeyError(path)


class TwoLinesError(NeuralAmpError):
    """As every error would be, if its root did not make it one line."""

    __str__ = Exception.__str__


def speaks_twice(path: Path) -> None:
    raise TwoLinesError(f"{path} is bad\nerror: and goes on about it")


def names_nothing(path: Path) -> None:
    raise NeuralAmpError("some file or other cannot be opened")


def is_curt(path: Path) -> None:
    raise NeuralAmpError(path.name)


def reads_outside(path: Path) -> None:
    (path.parent / "link.bin").read_bytes()


def reads_the_system(path: Path) -> None:
    Path("/etc/hostname").read_bytes()


def writes(path: Path) -> None:
    path.with_name("left.bin").write_bytes(b"")


def calls_a_program(path: Path) -> None:
    subprocess.run(["true"], check=True)


FAULTS: dict[Callable[[Path], None], str] = {
    crashes: "crash",
    leaves: "crash",
    computes_for_ever: "hang",
    waits_for_ever: "hang",
    takes_memory: "memory",
    raises: "traceback",
    speaks_twice: "bad line",
    names_nothing: "bad line",
    is_curt: "bad line",
    reads_outside: "outside",
    reads_the_system: "outside",
    writes: "outside",
    calls_a_program: "outside",
}
"""Door -> the kind of failure that it is."""

FAULTY = {door.__name__: Reader(door.__name__, ".toml", door, seeds.cards, spoil_toml) for door in FAULTS}
