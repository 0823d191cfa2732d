"""The cases of a reader: every odd file, every seed cut short in up to 20 places, then seeds spoiled by chance.

A case is a function of reader, seed and number: the same three give the same case, as long as the good files are the same.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.mutate_bytes import cut_everywhere
from tests.fuzz.odd_files import ODD_FILES, OddFile
from tests.fuzz.readers import Reader

SECRET = b"nobody who opens another file has any business here" * 10


@dataclass(frozen=True)
class Case:
    """One file to open: `data`, laid as an ordinary file or as an odd one."""

    number: int
    what: str
    data: bytes
    odd: OddFile | None = None

    @property
    def opens(self) -> bool:
        """Whether anything but opening is a failure."""
        return self.odd is not None and self.odd.opens


class Workplace:
    """A folder with the seeds' files, a folder where cases are laid, and a folder outside that no case may lead into."""

    def __init__(self, root: Path):
        self.root, self.cases, self.outside = root, root / "cases", root / "outside"
        self.cases.mkdir()
        self.outside.mkdir()
        secret = self.outside / "secret.bin"
        secret.write_bytes(SECRET)
        (self.cases / "link.bin").symlink_to(secret)
        (self.cases / "hard.bin").hardlink_to(secret)
        self.forbidden = [str(secret), "../outside/secret.bin", "link.bin", "hard.bin"]
        self._seeds: dict[str, list[Path]] = {}

    def seeds(self, reader: Reader) -> list[Path]:
        """The reader's good files; what they name lies where its cases will lie too."""
        if reader.name not in self._seeds:
            folder = self.root / reader.name
            folder.mkdir()
            self._seeds[reader.name] = reader.seeds(folder)
            for beside in set(folder.iterdir()) - set(self._seeds[reader.name]):
                shutil.copy(beside, self.cases)
        return self._seeds[reader.name]

    @contextmanager
    def laid(self, reader: Reader, case: Case) -> Iterator[Path]:
        """The path of the case's file, which is gone afterwards."""
        self.seeds(reader)
        kept = set(self.cases.iterdir())
        stem = f"case-{case.number}"
        try:
            if case.odd:
                yield case.odd.lay(self.cases, stem, reader.suffix, case.data)
            else:
                path = self.cases / (stem + reader.suffix)
                path.write_bytes(case.data)
                yield path
        finally:
            for path in set(self.cases.iterdir()) - kept:
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


@contextmanager
def workplace() -> Iterator[Workplace]:
    with tempfile.TemporaryDirectory(prefix="neuralamp-fuzz-") as folder:
        yield Workplace(Path(folder))


class Cases:
    """Case by number, from 0."""

    def __init__(self, reader: Reader, place: Workplace, seed: int):
        self.reader, self.seed, self.forbidden = reader, seed, place.forbidden
        self.seeds = {path.name: path.read_bytes() for path in place.seeds(reader)}
        first = next(iter(self.seeds.values()))
        self._fixed = [(f"odd file: {odd.name}", first, odd) for odd in ODD_FILES]
        self._fixed += [(f"seed {name} as it is", data, None) for name, data in self.seeds.items()]
        self._fixed += [
            (f"{name} cut short at {len(part)}", part, None) for name, data in self.seeds.items() for part in cut_everywhere(data)
        ]

    def __getitem__(self, number: int) -> Case:
        if number < len(self._fixed):
            what, data, odd = self._fixed[number]
            return Case(number, what, data, odd)
        rng = Random(f"{self.reader.name} {self.seed} {number}")
        name = rng.choice(list(self.seeds))
        return Case(number, f"{name} spoiled", self.reader.spoil(self.seeds[name], rng, self.forbidden))
