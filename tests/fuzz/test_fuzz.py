"""No file harms a reader: never a crash, a hang, a gigabyte, a traceback, a file read outside; always a line that names it.

The short form; `python -m tests.fuzz` is the long one. A failure here says which command repeats it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from neuralamp.guest.guest import open_guest
from tests.fuzz.cases import Case, Cases, Workplace, workplace
from tests.fuzz.child import open_door
from tests.fuzz.faulty import FAULTS, FAULTY, names_nothing, raises
from tests.fuzz.odd_files import ODD_FILES
from tests.fuzz.readers import READERS
from tests.fuzz.run import KEPT, cause_of, describe, kept_cases, run, try_case
from tests.fuzz.watch import Outcome, Watch

CASES, SEED = 1000, 0
GUESTS = 20


@pytest.fixture(scope="module")
def place() -> Iterator[Workplace]:
    with workplace() as place:
        yield place


@pytest.fixture(scope="module")
def watch(place: Workplace) -> Iterator[Watch]:
    with Watch(place) as watch:
        yield watch


@pytest.mark.parametrize("name", READERS)
def test_no_file_harms_a_reader(watch: Watch, name: str):
    started = max(watch.starts, 1)  # one child for all readers
    tally = run(watch, READERS[name], range(CASES), SEED)
    first = {cause_of(outcome): (case, outcome) for case, outcome in reversed(tally.failures)}
    assert not first, "\n".join(describe(name, SEED, case, outcome) for case, outcome in first.values())
    assert tally.cases >= CASES
    # Both happen often, else the cases are too tame to find anything, or too wild to get past the first check.
    assert tally.counts["opened"] > CASES // 20
    assert tally.counts["refused"] > CASES // 20
    assert watch.starts <= started + tally.counts["contained"]  # none died unseen


def test_a_stranger_s_graph_is_opened_or_refused_in_a_line_at_the_player_s_own_door(place: Workplace):
    """A process for each case, so a few of those that `guest` opens without one."""
    reader = READERS["guest"]
    cases = Cases(reader, place, SEED)
    door = replace(reader, door=open_guest)
    kinds: Counter = Counter()
    for number in range(CASES, CASES + GUESTS):
        with place.laid(reader, cases[number]) as path:
            kind, line, _ = open_door(door, path)
        assert kind in ("opened", "refused"), describe("guest", SEED, cases[number], Outcome(kind, line))
        kinds[kind] += 1
    assert min(kinds["opened"], kinds["refused"]) > 2


@pytest.mark.parametrize("door", FAULTS, ids=lambda door: door.__name__)
def test_a_faulty_reader_is_told_from_a_safe_one(place: Workplace, door):
    reader = FAULTY[door.__name__]
    with Watch(place, most_seconds=0.5) as watch:
        assert try_case(watch, reader, Case(0, "planted", b"name = 1\n")).kind == FAULTS[door]


@pytest.mark.parametrize("wall, kind", [(raises, "traceback"), (names_nothing, "bad line"), (lambda path: None, "contained")])
def test_what_crashes_a_worker_must_still_be_told_in_a_line_by_its_player(place: Workplace, wall, kind):
    reader = replace(FAULTY["crashes"], wall=wall)
    with Watch(place) as watch:
        assert try_case(watch, reader, Case(0, "planted", b"name = 1\n")).kind == kind


def test_a_good_file_that_is_refused_is_a_failure(watch: Watch):
    watch.warm(READERS["card"])
    good = next(odd for odd in ODD_FILES if odd.opens)
    assert try_case(watch, READERS["card"], Case(0, "planted", b"polarity = 7\n", good)).kind == "shut"


def test_a_case_is_a_function_of_reader_seed_and_number(place: Workplace):
    for reader in READERS.values():
        numbers = (200, 777, 999)
        once = [Cases(reader, place, SEED)[number].data for number in numbers]
        assert once == [Cases(reader, place, SEED)[number].data for number in numbers]
        assert once != [Cases(reader, place, SEED + 1)[number].data for number in numbers]


def test_every_kept_case_belongs_to_a_reader():
    assert {folder.name for folder in KEPT.iterdir()} <= set(READERS)
    assert all(kept_cases(READERS[folder.name]) for folder in KEPT.iterdir())
