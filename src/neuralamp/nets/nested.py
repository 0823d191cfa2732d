"""A net inside the config of another: which architecture it is, and its own config, in one JSON object."""

import json
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from neuralamp import nets
from neuralamp.errors import NetError
from neuralamp.nets.weights import Weights

MOST_DEPTH = 4  # nets inside nets; one is what captures in the wild have


def written(config: Any) -> dict[str, Any] | None:
    """A config as JSON can hold it, its architecture told beside its fields; None where there is no net."""
    if config is None:
        return None
    return {"architecture": nets.architecture_of(config).name, **TypeAdapter(type(config)).dump_python(config, mode="json")}


def read(table: Any) -> Any:
    """What `written` wrote, as a config again. Raises NetError, or what the config raises."""
    if table is None or any(isinstance(table, known.config) for known in nets.architectures().values()):
        return table
    if not isinstance(table, dict):
        raise NetError("a net inside another is written as an object with its architecture and the fields of its config")
    fields = dict(table)
    name = fields.pop("architecture", None)
    if not isinstance(name, str) or name not in nets.architectures():
        raise NetError(f"its architecture {str(name)[:40]!r} is unknown; known are {', '.join(nets.architectures())}")
    return TypeAdapter(nets.architectures()[name].config).validate_json(json.dumps(fields), strict=True)


def depth(config: Any) -> int:
    """How many nets stand inside each other here."""
    return 1 + max((depth(inner) for inner in config.inner.values()), default=0)


def within(prefix: str, weights: Weights) -> Weights:
    """The weights of the net under this prefix, by the names that it has itself."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


Net = Annotated[Any, PlainValidator(read), PlainSerializer(written)]
"""The type of a config's field that holds another net's config."""
