"""The command: python -m tests.fuzz --reader rig --cases 20000 --seed 0. Without --reader, every reader in turn.

--only N tries the one case N and leaves its file to look at. Ctrl-C ends with what was found so far.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.fuzz.cases import Cases, workplace
from tests.fuzz.readers import READERS
from tests.fuzz.run import KEPT, Tally, cause_of, describe, run, try_case
from tests.fuzz.watch import FAILURES, Watch

CASES = 20_000
LOUD_EVERY = 1000  # cases, where nobody watches a line move


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--reader", action="append", choices=list(READERS), help="may be given more than once; default: all")
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="N", help="only the case of this number; its file is left in the folder here")
    parser.add_argument("--keep", type=Path, default=KEPT, help="where failures are kept")
    asked = parser.parse_args()
    readers = [READERS[name] for name in asked.reader or READERS]
    if asked.only is not None:
        return _only(readers[0].name, asked.seed, asked.only)
    tallies: list[Tally] = []
    with workplace() as place, Watch(place) as watch:
        try:
            for reader in readers:
                tallies.append(Tally(reader.name))
                run(watch, reader, range(asked.cases), asked.seed, asked.keep, _report(asked.cases), tallies[-1])
        except KeyboardInterrupt:
            sys.stderr.write("\nstopped; this was found until now\n")
        sys.stderr.write("\n")
        for tally in tallies:
            causes = Counter(cause_of(outcome) for _, outcome in tally.failures)
            for cause, count in causes.most_common():
                case, outcome = next(failure for failure in tally.failures if cause_of(failure[1]) == cause)
                sys.stdout.write(f"{count} x {describe(tally.reader, asked.seed, case, outcome)}\n")
    Console().print(table(tallies))
    return 1 if any(tally.failed for tally in tallies) else 0


def _only(name: str, seed: int, number: int) -> int:
    reader = READERS[name]
    with workplace() as place, Watch(place) as watch:
        case = Cases(reader, place, seed)[number]
        watch.warm(reader)
        outcome = try_case(watch, reader, case)
        left = Path(f"fuzz-{name}-{seed}-{number}{reader.suffix}")
        left.write_bytes(case.data)
        sys.stdout.write(f"{case.what}; its file is {left}\n{outcome}\n")
    return int(outcome.failed)


def _report(cases: int):
    moving = sys.stderr.isatty()

    def report(tally: Tally) -> None:
        if moving or tally.cases % LOUD_EVERY == 0:
            counts = ", ".join(f"{count} {kind}" for kind, count in tally.counts.most_common())
            line = f"{tally.reader}: {tally.cases} of {cases}: {counts}; slowest {tally.slowest_ms:.0f} ms"
            sys.stderr.write(f"\r\x1b[K{line}" if moving else line + "\n")

    return report


def table(tallies: list[Tally]) -> Table:
    """A column for each reader."""
    shown = Table("", title="cases of hostile files", box=None)
    for tally in tallies:
        shown.add_column(tally.reader, justify="right")
    shown.add_row("cases", *(str(tally.cases) for tally in tallies))
    for kind in ("opened", "refused", "contained", *FAILURES):
        shown.add_row(kind, *(str(tally.counts[kind]) for tally in tallies))
    shown.add_row("slowest ms", *(f"{tally.slowest_ms:.0f}" for tally in tallies))
    shown.add_row("peak MiB", *(f"{tally.peak_mib:.0f}" for tally in tallies))
    return shown


if __name__ == "__main__":
    sys.exit(main())
