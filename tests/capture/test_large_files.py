"""A file as large as a capture may be, full of what costs most to read, is refused in time and with its place."""

import json
import re
import resource
import sys

import pytest

from neuralamp.capture.content import MOST_BYTES
from neuralamp.capture.file import open_capture
from neuralamp.errors import CaptureError

ARRAY = {"input_size": 1, "condition_size": 1, "channels": 1, "kernel_size": 1, "head_size": 1, "head_bias": True,
         "activation": "Tanh", "dilations": [1]}  # fmt: skip
LINEAR = {"architecture": "Linear", "config": {"receptive_field": 1, "bias": False}, "weights": [1]}
CONVNET = {"channels": 1, "batchnorm": False, "activation": "Tanh", "dilations": "MANY"}
SLIMMABLE = {"method": "slice_channels_uniform", "kwargs": {"allowed_channels": "MANY"}}
MOST_STEPS = 50_000  # 24,000 is the most that was counted; a walk over millions takes millions
MOST_MIB = 1024


@pytest.fixture(autouse=True)
def readers(tmp_path):
    """What the readers import is imported, and is no step of theirs."""
    for name, text in (("small.nam", json.dumps({"architecture": 1})), ("small.json", "{}")):
        (tmp_path / name).write_text(text)
        with pytest.raises(CaptureError):
            open_capture(tmp_path / name)


def refusal_of(path, says: str, most_steps: int = MOST_STEPS) -> str:
    """What is said of the file, in few enough steps of Python: nobody walked over all that it holds."""
    steps = 0

    def step(frame, event, argument):
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return step

    sys.settrace(step)
    try:
        with pytest.raises(CaptureError, match=says) as refusal:
            open_capture(path)
    finally:
        sys.settrace(None)
    assert steps < most_steps
    return str(refusal.value)


def nam(config, architecture: str = "WaveNet", weights=()) -> dict:
    return {"architecture": architecture, "config": config, "weights": list(weights)}


def wavenet(**changes) -> dict:
    return nam({"layers": [ARRAY | changes]}, weights=[1] * 9)


@pytest.mark.parametrize(
    "model, many, says",
    [
        (wavenet(dilations="MANY"), 1, "config.layers.0.dilations is a list of 8[0-9]*; it should be a list of 1000 entries"),
        (nam({"layers": "MANY"}), {}, "config.layers is a list of 5"),
        (nam({"layers": "MANY"}), ARRAY, "config.layers is a list of 1"),
        (wavenet(slimmable=SLIMMABLE), 1, "config.layers.0.slimmable.kwargs.allowed_channels is a list of 8"),
        (nam(CONVNET, "ConvNet"), 1, "config.dilations is a list of 8"),
        (nam({"submodels": "MANY"}, "SlimmableContainer"), {"max_value": 1, "model": LINEAR}, "config.submodels is a list of 1"),
        (nam(ARRAY) | {"weights": "MANY"}, [], "config.layers is missing"),
        (wavenet() | {"weights": "MANY"}, [0], "weights is a list of 4[0-9]*; it should hold numbers in 1 dimension"),
        (wavenet() | {"weights": "MANY"}, 0.1, "weights holds 4[0-9]* numbers, but its config needs 9"),
        ({"in_shape": [1], "layers": "MANY"}, {"type": "dense", "weights": [[[1]]]}, "layers is a list of 4"),
    ],
)
def test_a_list_of_millions_is_refused_in_time(tmp_path, model, many, says):
    path, unit = tmp_path / "vast.nam", json.dumps(many)
    before, _, after = json.dumps(model).partition('"MANY"')
    count = (MOST_BYTES - len(before) - len(after)) // (len(unit) + 1) - 1
    path.write_text(f"{before}[{','.join([unit] * count)}]{after}")
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refusal = refusal_of(path, says)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024 < MOST_MIB
    assert re.search(r"vast\.nam cannot be opened: ", refusal)


def test_a_net_of_thousands_of_layers_by_name_is_refused_in_time(tmp_path):
    path = tmp_path / "vast.json"
    path.write_text(json.dumps({f"{i}.weight": [[1]] for i in range(20_000)}))
    refusal_of(path, "a net of more than 256 layers", most_steps=100 * 20_000)  # a few for each name: 47 were counted
