"""Many cases of a reader, counted; what fails is kept as a small file and opened first the next time."""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.fuzz.cases import Case, Cases
from tests.fuzz.child import open_door
from tests.fuzz.readers import Reader
from tests.fuzz.watch import FAILURES, Outcome, Watch

KEPT = Path(__file__).with_name("kept")
LARGEST_KEPT = 256 * 1024  # bytes; a larger one is made again from its number
BEHIND_A_WALL = ("crash", "hang", "memory")  # what may happen to a worker, as long as its player says so in a line
KEPT_OF_A_KIND = 3  # of failures with the same cause


@dataclass
class Tally:
    """What became of a reader's cases."""

    reader: str
    counts: Counter = field(default_factory=Counter)
    failures: list[tuple[Case, Outcome]] = field(default_factory=list)
    slowest_ms: float = 0.0
    peak_mib: float = 0.0

    @property
    def cases(self) -> int:
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        return sum(self.counts[kind] for kind in FAILURES)

    def add(self, case: Case, outcome: Outcome) -> None:
        self.counts[outcome.kind] += 1
        self.slowest_ms, self.peak_mib = max(self.slowest_ms, outcome.ms), max(self.peak_mib, outcome.mib)
        if outcome.failed:
            self.failures.append((case, outcome))


def kept_cases(reader: Reader) -> list[Case]:
    """What once failed, by name of its file."""
    files = sorted((KEPT / reader.name).glob("*")) if (KEPT / reader.name).is_dir() else []
    return [Case(number, f"kept {file.name}", file.read_bytes()) for number, file in enumerate(files)]


def try_case(watch: Watch, reader: Reader, case: Case) -> Outcome:
    """Lay the case's file and have it opened; where the child falls over it, at the door that a player goes through."""
    with watch.place.laid(reader, case) as path:
        outcome = watch.open(reader, path)
        if reader.wall and outcome.kind in BEHIND_A_WALL:
            kind, line, where = open_door(replace(reader, door=reader.wall), path)
            outcome = Outcome("contained" if kind in ("opened", "refused") else kind, line, where, outcome.ms, outcome.mib)
    if case.opens and outcome.kind == "refused":
        return Outcome("shut", outcome.line, "", outcome.ms, outcome.mib)
    return outcome


def run(
    watch: Watch,
    reader: Reader,
    numbers: Iterable[int],
    seed: int,
    keep: Path | None = None,
    report: Callable[[Tally], None] = lambda tally: None,
    tally: Tally | None = None,
) -> Tally:
    """Try the kept cases, then these; failures are kept below the folder `keep`, up to KEPT_OF_A_KIND of a kind.

    tally  where to count, for who wants to have the counts of a run that was broken off.
    """
    tally = Tally(reader.name) if tally is None else tally
    causes: Counter = Counter()
    watch.warm(reader)
    cases = Cases(reader, watch.place, seed)
    for case in itertools.chain(kept_cases(reader), map(cases.__getitem__, numbers)):
        outcome = try_case(watch, reader, case)
        tally.add(case, outcome)
        if outcome.failed and not case.what.startswith("kept"):
            cause = cause_of(outcome)
            causes[cause] += 1
            if keep and case.odd is None and causes[cause] <= KEPT_OF_A_KIND and len(case.data) <= LARGEST_KEPT:
                folder = keep / reader.name
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{outcome.kind.replace(' ', '-')}-{seed}-{case.number}{reader.suffix}").write_bytes(case.data)
        report(tally)
    return tally


def cause_of(outcome: Outcome) -> str:
    """What failures of one cause have in common: their kind and place, or how their text ends once numbers are left out."""
    return f"{outcome.kind} {outcome.where or re.sub('[0-9]+', '0', outcome.line)[-60:]}"


def describe(reader: str, seed: int, case: Case, outcome: Outcome) -> str:
    """A failure in one line, with the command that repeats it."""
    which = "--cases 0" if case.what.startswith("kept") else f"--seed {seed} --only {case.number}"
    again = f"python -m tests.fuzz --reader {reader} {which}"
    where = f" at {outcome.where}" if outcome.where else ""
    return f"{reader} case {case.number} ({case.what}): {outcome.kind}{where}: {outcome.line[:400]!r}; again: {again}"
