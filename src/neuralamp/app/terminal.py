"""How every command speaks: results on stdout, everything else on stderr, mistakes in one line, JSON for machines."""

import importlib.util
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from neuralamp.errors import NeuralAmpError

FAILED, MISTYPED, INTERRUPTED = 1, 2, 130
COMPILE_SECONDS = 30  # measured: 20 to 29 s for the chain of the shipped rig, on one core of a busy server

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines on stdout, and nothing else there.")]


class MissingExtraError(NeuralAmpError):
    """A part of neuralamp that was not installed."""


class OneLineGroup(TyperGroup):
    """A group of commands whose mistakes are one line on stderr, and an "error" in JSON where that was asked for."""

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **more: Any) -> Any:  # type: ignore[override]
        args = sys.argv[1:] if args is None else list(args)
        try:
            code = super().main(args, standalone_mode=False, **more)
        except NeuralAmpError as reason:
            code = fail(str(reason), args)
        except BrokenPipeError:
            sys.stderr.close()  # who listened to stdout has gone; Python would complain about it at its end
            code = FAILED
        except OSError as reason:
            code = fail(f"{reason.filename or 'the system'}: {reason.strerror or reason}", args)
        except Exception as reason:
            # typer carries its own copy of click in newer versions: what a mistyped command raises has no public name.
            if not hasattr(reason, "format_message"):
                raise
            path = context.command_path if (context := getattr(reason, "ctx", None)) else "neuralamp"
            code = fail(f"{reason.format_message()} (neuralamp {path.partition(' ')[2]} --help tells more)", args, MISTYPED)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def fail(message: str, args: Sequence[str], code: int = FAILED) -> int:
    """One line on stderr; with --json an object on stdout as well. Returns the exit code."""
    line = " ".join(message.split())
    sys.stderr.write(f"error: {line}\n")
    if "--json" in args:
        show_json({"error": line})
    return code


def show_json(facts: Any) -> None:
    """One JSON object on stdout. What is not finite becomes null, which every parser knows."""
    sys.stdout.write(json.dumps(plain(facts), ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def plain(facts: Any) -> Any:
    """Dataclasses, paths, tuples and infinities as what JSON has."""
    if is_dataclass(facts) and not isinstance(facts, type):
        return plain(asdict(facts))
    if isinstance(facts, Mapping):
        return {str(name): plain(fact) for name, fact in facts.items()}
    if isinstance(facts, list | tuple):
        return [plain(fact) for fact in facts]
    if isinstance(facts, Path):
        return str(facts)
    if isinstance(facts, float) and not math.isfinite(facts):
        return None
    return facts


def say(line: str, json_wanted: bool = False) -> None:
    """A line for people; on stderr where stdout is for machines."""
    (sys.stderr if json_wanted else sys.stdout).write(line + "\n")


def warn(line: str) -> None:
    """A line on stderr about something that will be heard."""
    sys.stderr.write(f"warning: {' '.join(line.split())}\n")


def progress_console() -> Any:
    """A rich console on stderr for what moves; silent where nobody watches."""
    from rich.console import Console

    return Console(stderr=True, quiet=not sys.stderr.isatty())


def require(extra: str, *packages: str) -> None:
    """Raise MissingExtraError, which says what to install, unless the packages of an extra are there. Nothing is imported."""
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingExtraError(f"this needs {' and '.join(missing)}, not installed here; pip install 'neuralamp[{extra}]'")


def announce_compiling() -> None:
    """Before the first kernel is wanted on this machine: why nothing happens for a while."""
    from neuralamp.dsp.kernel_cache import kernels_are_cold

    if kernels_are_cold():
        sys.stderr.write(f"compiling kernels, once, about {COMPILE_SECONDS} s\n")
        sys.stderr.flush()
