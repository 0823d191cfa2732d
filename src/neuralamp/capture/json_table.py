"""A JSON object from a stranger: every value is asked for with its kind and its bounds, and an error says where it lies."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from neuralamp.errors import CaptureError, NetError

_MISSING: Any = object()
NUMBERS = {int, float}  # what json makes of them; a truth is no number
LARGEST = float(np.finfo(np.float32).max)
MOST_ENTRIES = 1000  # of a list of layers, of their sizes, of nets: four times what a net can have; a file may hold millions


class Table:
    """A JSON object and its place in the file ("config.layers.0"). Whatever is not as asked for is a CaptureError."""

    def __init__(self, value: Any, place: str):
        self.value, self.place = value, place
        if not isinstance(value, dict):
            self.fail("", "should be an object in braces", value)

    def fail(self, key: str, should: str, value: Any = _MISSING) -> NoReturn:
        """Raise: what stands at a key, and what should."""
        where = ".".join(step for step in (self.place, key) if step) or "its content"
        found = "is missing" if value is _MISSING else f"is {short(value)}"
        raise CaptureError(f"{where} {found}; it {should}")

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """In here, what a net's config refuses is told with this place."""
        try:
            yield
        except NetError as reason:
            raise CaptureError(f"{self.place or 'its content'}: {reason}") from None

    def __contains__(self, key: str) -> bool:
        """Whether there is anything but null at a key."""
        return self.value.get(key) is not None

    def keys(self) -> Iterator[str]:
        return iter(self.value)

    def get(self, key: str) -> Any:
        """Whatever lies at a key; None where nothing does."""
        return self.value.get(key)

    def integer(self, key: str, default: int | None = None, least: int = 1, most: int = 2**31) -> int:
        """A whole number between two bounds; the default where there is none."""
        value = self._or_default(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1 or not least <= value <= most:
            self.fail(key, f"should be a whole number from {least} to {most}", value)
        return int(value)

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number of float32; text that is one will do."""
        value = self._or_default(key, default)
        number = as_number(value)
        if number is None:
            self.fail(key, "should be a number", value)
        return number

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false; 1 and 0 will do."""
        value = self._or_default(key, default)
        if not isinstance(value, bool | int) or value not in (0, 1):
            self.fail(key, "should be true or false", value)
        return bool(value)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._or_default(key, default)
        if not isinstance(value, str):
            self.fail(key, "should be a text", value)
        return value

    def items(self, key: str, default: list | None = None) -> list:
        """A list of whatever."""
        value = self._or_default(key, default)
        if not isinstance(value, list):
            self.fail(key, "should be a list", value)
        return value

    def integers(self, key: str, least: int = 1, most: int = 2**31) -> tuple[int, ...]:
        """A list of at most MOST_ENTRIES whole numbers, or one alone."""
        value = self._or_default(key, None)
        values = self._few(key) if isinstance(value, list) else [value]
        held = Table({str(i): each for i, each in enumerate(values)}, self._inside(key))
        return tuple(held.integer(str(i), None, least, most) for i in range(len(values)))

    def table(self, key: str) -> "Table":
        value = self._or_default(key, None)
        return Table(value, self._inside(key))

    def tables(self, key: str) -> list["Table"]:
        """A list of at most MOST_ENTRIES objects."""
        return [Table(value, f"{self._inside(key)}.{i}") for i, value in enumerate(self._few(key))]

    def array(self, key: str, dimensions: int) -> np.ndarray:
        """Numbers in lists in lists, all of one length, as a finite float32 array of so many dimensions."""
        return self.as_array(key, self._or_default(key, None), dimensions)

    def as_array(self, key: str, value: Any, dimensions: int) -> np.ndarray:
        """A value found under a key as a finite float32 array of so many dimensions."""
        with np.errstate(over="ignore"):
            try:
                array = np.asarray(value, np.float32) if isinstance(value, list) else None
            except (ValueError, TypeError, OverflowError):
                array = None
        if array is None or array.ndim != dimensions or holds_other_than_numbers(value):
            self.fail(key, f"should hold numbers in {dimensions} dimensions, all rows equally long", value)
        if not np.isfinite(array).all():
            self.fail(key, "should hold finite numbers of float32 only", value)
        return array

    def _few(self, key: str) -> list:
        values = self.items(key)
        if len(values) > MOST_ENTRIES:
            self.fail(key, f"should be a list of {MOST_ENTRIES} entries at most", values)
        return values

    def _or_default(self, key: str, default: Any) -> Any:
        value = self.value.get(key)
        if value is not None:
            return value
        if default is None:
            self.fail(key, "should be there")
        return default

    def _inside(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def holds_other_than_numbers(value: Any) -> bool:
    """Whether lists hold texts, truths or nothing where numbers should be: numpy would make numbers of them."""
    if not isinstance(value, list):
        return type(value) not in NUMBERS
    kinds = set(map(type, value))  # millions of numbers are looked at without a step of Python for each
    return any(map(holds_other_than_numbers, value)) if list in kinds else not kinds <= NUMBERS


def as_number(value: Any) -> float | None:
    """A number that is finite in float32 too, also out of a text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def short(value: Any) -> str:
    """A value as an error may show it, in a few words."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
