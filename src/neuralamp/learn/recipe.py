"""How a net is to be learned: a flat TOML file, read into a frozen dataclass and held against what is possible."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationError

from neuralamp.errors import NetError, RecipeError, one_line
from neuralamp.files import read_toml
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.resources import shipped
from neuralamp.settings import NO_OTHER_KEYS, first_fault

Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every recipe says; the shape of the net is added by one class for each architecture.

    steps             of the optimiser when no budget is given.
    batch             segments in a step, each answered over segment_frames, at offsets drawn anew for each step.
    optimiser         "muon" (learn/optimiser.py) or "adam".
    learning_rate     the peak of the one cycle: it rises over the first `rise` of the steps, then falls along a cosine to nought.
    clip              the largest length of the gradient; longer ones are shortened to it.
    loss_...          how much each loss of learn/losses.py counts.
    listen_every      steps between two hearings of the held-out part; the best of the iterates heard is exported.
    checkpoint_every  steps between two checkpoints: the most that a power cut costs.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    name: str
    architecture: str
    steps: Count
    batch: Count
    segment_frames: Count
    optimiser: Literal["muon", "adam"] = "muon"
    learning_rate: Annotated[float, Field(gt=0.0, lt=1.0)]
    rise: Annotated[float, Field(ge=0.0, le=1.0)] = 0.1
    clip: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 1.0
    loss_esr: Weight = 1.0
    loss_esr_preemphasis: Weight = 0.0
    loss_dc: Weight = 0.0
    loss_mrstft: Weight = 0.0
    listen_every: Count = 200
    checkpoint_every: Count = 100

    @property
    def config(self) -> Any:
        """The net's shape."""
        raise NotImplementedError

    @property
    def warm_up(self) -> int:
        """Frames in front of each segment that the net hears before its answer counts."""
        raise NotImplementedError

    def text(self) -> str:
        """Every setting, as one line that tells two recipes apart."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, kw_only=True)
class WaveNetRecipe(Recipe):
    """A WaveNet with one kernel size and one activation.

    channels   one number for each layer array.
    dilations  one list for each layer array, in frames.
    """

    channels: tuple[int, ...]
    dilations: tuple[tuple[int, ...], ...]
    kernel_size: int = 3
    activation: str = "tanh"

    def __post_init__(self):
        if len(self.channels) != len(self.dilations):
            raise RecipeError(
                f"it has channels for {len(self.channels)} layer arrays and dilations for {len(self.dilations)}; "
                "give one number of channels and one list of dilations for each"
            )
        _ = self.config  # an impossible shape is told now

    @property
    def config(self) -> WaveNetConfig:
        return WaveNetConfig.stacked(self.channels, self.dilations, self.kernel_size, self.activation)

    @property
    def warm_up(self) -> int:
        return self.config.settling_frames


@dataclass(frozen=True, kw_only=True)
class RecurrentRecipe(Recipe):
    """An LSTM or GRU; nets/lstm/config.py has the meaning of its shape.

    input_skip      adds the sound that came in to the sound that goes out: the net learns only the difference.
    warm_up_frames  bring the state to where the music has it, in front of each segment; no gradient flows through them.
    """

    hidden: int
    layers: int = 1
    cell: str = "lstm"
    input_skip: bool = False
    warm_up_frames: Annotated[int, Field(ge=0)] = 1024

    def __post_init__(self):
        _ = self.config  # an impossible shape is told now

    @property
    def config(self) -> LstmConfig:
        return LstmConfig(self.hidden, self.layers, self.cell, skip=1.0 if self.input_skip else 0.0)

    @property
    def warm_up(self) -> int:
        return self.warm_up_frames


ARCHITECTURES: dict[str, type[Recipe]] = {"lstm": RecurrentRecipe, "wavenet": WaveNetRecipe}


def recipes() -> dict[str, Path]:
    """Every shipped recipe: its name and its file."""
    return {file.stem: file for file in sorted(shipped("training/recipes").glob("*.toml"))}


def find_recipe(name: str | Path) -> Recipe:
    """A recipe by its name among the shipped ones, or by the path of its .toml file."""
    path = Path(name)
    if path.suffix == ".toml":
        return read_recipe(path)
    if str(name) in recipes():
        return read_recipe(recipes()[str(name)])
    raise RecipeError(f"recipe {name} is unknown; known are {', '.join(recipes())}, or give the path of a .toml file")


def read_recipe(path: Path | str) -> Recipe:
    """A recipe file, every key known and every value possible; RecipeError in one line where not."""
    path = Path(path)
    _, table = read_toml(path, RecipeError, example='architecture = "lstm"')
    kind = ARCHITECTURES.get(str(table.get("architecture")))
    if kind is None:
        raise RecipeError(
            f'recipe {path} has architecture = "{table.get("architecture", "")}"; known are {", ".join(ARCHITECTURES)}'
        )
    known = [field.name for field in fields(kind) if field.name != "name"]
    if unknown := [key for key in table if key not in known]:
        raise RecipeError(f"recipe {path} has an unknown key {unknown[0]}; known are {', '.join(known)}")
    try:
        # By way of JSON: there, strict typing takes a list for a tuple and 1 for 1.0, and nothing else for anything else.
        return TypeAdapter(kind).validate_json(json.dumps(table | {"name": one_line(path.stem)}, default=str), strict=True)
    except ValidationError as reason:
        raise RecipeError(f"recipe {path} is not possible at {first_fault(reason, whole='its text')}") from None
    except (NetError, RecipeError) as reason:
        raise RecipeError(f"recipe {path} asks for an impossible net: {reason}") from None
