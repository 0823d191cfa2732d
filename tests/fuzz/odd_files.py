"""Paths that are no ordinary file, or an ordinary one under another name. Each is tried on every reader."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LONGEST_RIFF = (2**32 - 2**16).to_bytes(4, "little")
SPARSE_BYTES = 4 * 2**30  # they take no room on the disk


@dataclass(frozen=True)
class OddFile:
    """A way to lay a file; `good` is what its reader opens.

    lay    (folder, name without ending, ending, good) -> the path to open.
    opens  whether it is as good as any other file, and has to open.
    """

    name: str
    lay: Callable[[Path, str, str, bytes], Path]
    opens: bool = False


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _folder(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    (folder / (stem + suffix)).mkdir()
    return folder / (stem + suffix)


def _pipe(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    """Nobody writes into it: whoever opens it to read waits for ever."""
    os.mkfifo(folder / (stem + suffix))
    return folder / (stem + suffix)


def _socket(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    path = folder / (stem + suffix)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    return path


def _link(target: str) -> Callable[[Path, str, str, bytes], Path]:
    def lay(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
        path = folder / (stem + suffix)
        path.symlink_to(target or path.name)
        return path

    return lay


def _link_to_good(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    path = folder / (stem + suffix)
    path.symlink_to(_written(folder / f"{stem}-behind{suffix}", good))
    return path


def _hard_link(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    path = folder / (stem + suffix)
    path.hardlink_to(_written(folder / f"{stem}-behind{suffix}", good))
    return path


def _under(name: str) -> Callable[[Path, str, str, bytes], Path]:
    """The good file, its name going on like this."""
    return lambda folder, stem, suffix, good: _written(folder / f"{stem}{name}{suffix}", good)


def _long_name(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    return _written(folder / (stem.ljust(255 - len(suffix), "x") + suffix), good)


def _too_long_name(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    return folder / (stem.ljust(300, "x") + suffix)


def _below_a_file(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    return _written(folder / (stem + suffix), good) / (stem + suffix)


def _round_about(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    _written(folder / (stem + suffix), good)
    return folder / ".." / folder.name / (stem + suffix)


def _content(data: Callable[[bytes], bytes]) -> Callable[[Path, str, str, bytes], Path]:
    return lambda folder, stem, suffix, good: _written(folder / (stem + suffix), data(good))


def _sparse(begins_good: bool) -> Callable[[Path, str, str, bytes], Path]:
    def lay(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
        path = _written(folder / (stem + suffix), good if begins_good else b"")
        os.truncate(path, SPARSE_BYTES)
        return path

    return lay


def _sparse_as_promised(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    """A WAV whose head tells of 4 GiB, which are there; any other file simply goes on."""
    if good[:4] == b"RIFF":
        at = good.index(b"data") + 4
        good = good[:4] + LONGEST_RIFF + good[8:at] + LONGEST_RIFF + good[at + 4 :]
    return _sparse(begins_good=True)(folder, stem, suffix, good)


def _not_allowed(folder: Path, stem: str, suffix: str, good: bytes) -> Path:
    path = _written(folder / (stem + suffix), good)
    path.chmod(0)
    return path


ODD_FILES = (
    OddFile("absent", lambda folder, stem, suffix, good: folder / (stem + suffix)),
    OddFile("empty", _content(lambda good: b"")),
    OddFile("one byte", _content(lambda good: b"\0")),
    OddFile("blanks", _content(lambda good: b" " * 100_000)),
    OddFile("a folder", _folder),
    OddFile("a pipe that nobody fills", _pipe),
    OddFile("a socket", _socket),
    OddFile("a link to nothing", _link("nowhere")),
    OddFile("a link to itself", _link("")),
    OddFile("a link to endless noughts", _link("/dev/zero")),
    OddFile("a link to nought", _link("/dev/null")),
    OddFile("a link to a folder", _link("/")),
    OddFile("a link to a good file", _link_to_good, opens=True),
    OddFile("a hard link to a good file", _hard_link, opens=True),
    OddFile("a good file, as it is", _content(lambda good: good), opens=True),
    OddFile("a good file by a way round", _round_about, opens=True),
    OddFile("a good file of the longest name", _long_name, opens=True),
    OddFile("a good file, a blank and a mark in its name", _under(" (1)'\"$;é"), opens=True),
    OddFile("a good file, a line's end in its name", _under("\nerror: b"), opens=True),
    OddFile("a good file, a colour in its name", _under("\x1b[31m"), opens=True),
    OddFile("a good file, no UTF-8 in its name", _under("\udcff"), opens=True),
    OddFile(
        "a bad file, no UTF-8 in its name", lambda folder, stem, suffix, good: _under("\udcff\n")(folder, stem, suffix, good[:9])
    ),
    OddFile("too long a name", _too_long_name),
    OddFile("below a file", _below_a_file),
    OddFile("4 GiB of noughts", _sparse(begins_good=False)),
    OddFile("a good file, 4 GiB of noughts behind it", _sparse(begins_good=True)),
    OddFile("a good file that goes on for 4 GiB, as its head says", _sparse_as_promised),
    *(() if os.geteuid() == 0 else (OddFile("not allowed", _not_allowed),)),
)
"""The last only where somebody may be kept out: the system's root never is."""
