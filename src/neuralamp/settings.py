"""Checked settings: what pydantic is told of every dataclass that is read from a file, and what it says of a wrong one."""

from pydantic import ValidationError

NO_OTHER_KEYS = {"extra": "forbid"}
"""As `__pydantic_config__`: an unknown key is an error."""


def first_fault(reason: ValidationError, whole: str) -> str:
    """Where the first fault lies, and what it is: "arrays.0.channels: Input should be ..."; `whole` where it is everywhere."""
    first = reason.errors(include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or whole
    return f"{place}: {first['msg']}"
