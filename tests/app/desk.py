"""A guitarist at the keyboard: commands typed, what is answered on stdout and stderr, and the exit code."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from neuralamp.app.cli import app


@dataclass
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> Any:
        """The one JSON object on stdout; fails where anything else stands there."""
        return json.loads(self.out)


def neuralamp(*words: str | Path) -> Answer:
    """Type a command, in this process."""
    result = CliRunner().invoke(app, [*map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


def is_one_line(text: str) -> bool:
    return text.startswith("error: ") and text.endswith("\n") and text.count("\n") == 1
