"""What is refused, each in one line that names the file, the operator or the input, and what to do."""

import os
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from neuralamp.errors import CaptureError
from neuralamp.guest.graph import OPERATORS
from neuralamp.guest.guest import open_guest
from tests.guest.graphs import Sketch, convolution, one_pole, write

SOUND = (1, 1, "frames")


def tanh_then(operator: str, *more, domain: str = "", **attributes) -> onnx.ModelProto:
    """y = operator(tanh(x), ...)."""
    g = Sketch(x=SOUND)
    constants = [g.constant(value, kind) for value, kind in more]
    g(operator, g("Tanh", "x"), *constants, into="y", domain=domain, **attributes)
    return g.model(y=SOUND)


def with_subgraph(operator: str) -> onnx.ModelProto:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["z"])], "branch", [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)]
    )
    g = Sketch(x=SOUND)
    if operator == "If":
        g("If", g.constant(True, np.bool_), into="y", then_branch=branch, else_branch=branch)
    else:
        g(operator, g.constant(3, np.int64), "", "x", into="y", body=branch)
    return g.model(y=SOUND)


def with_function() -> onnx.ModelProto:
    model = tanh_then("Identity")
    body = [helper.make_node("Tanh", ["a"], ["b"])]
    model.functions.append(helper.make_function("own", "Warm", ["a"], ["b"], body, [helper.make_opsetid("", 17)]))
    return model


def with_weight_elsewhere(where: str) -> onnx.ModelProto:
    model = convolution(pads=(2, 0))
    tensor = model.graph.initializer[0]
    if where == "a constant":
        model.graph.node.insert(0, helper.make_node("Constant", [], ["z"], value=tensor))
        tensor = model.graph.node[0].attribute[0].t
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return model


def bidirectional() -> onnx.ModelProto:
    model = one_pole()
    next(node for node in model.graph.node if node.op_type == "RNN").attribute.append(
        helper.make_attribute("direction", "bidirectional")
    )
    return model


def two_sounds() -> onnx.ModelProto:
    g = Sketch(x=SOUND, sidechain=SOUND)
    g("Mul", "x", "sidechain", into="y")
    return g.model(y=SOUND)


def with_knob() -> onnx.ModelProto:
    g = Sketch(x=SOUND, gain=(1, 1))
    g("Mul", "x", "gain", into="y")
    return g.model(y=SOUND)


def two_answers() -> onnx.ModelProto:
    g = Sketch(x=SOUND)
    g("Tanh", "x", into="y")
    g("Neg", "x", into="z")
    return g.model(y=SOUND, z=SOUND)


def stereo() -> onnx.ModelProto:
    g = Sketch(x=(1, 2, "frames"))
    g("Tanh", "x", into="y")
    return g.model(y=(1, 2, "frames"))


def stereo_answer() -> onnx.ModelProto:
    g = Sketch(x=SOUND)
    g("Concat", "x", "x", axis=1, into="y")
    return g.model(y=(1, 2, "frames"))


def integers() -> onnx.ModelProto:
    model = tanh_then("Identity")
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT16
    return model


def mean_over_time() -> onnx.ModelProto:
    g = Sketch(x=SOUND)
    g("Sub", "x", g("ReduceMean", "x", axes=[2]), into="y")
    return g.model(y=SOUND)


def forgetful() -> onnx.ModelProto:
    """Its state comes back, but a convolution beside it pads with zeros at every buffer."""
    g = Sketch(x=SOUND, h=(1, 1, 1))
    g("Add", g("Conv", "x", g.constant(np.ones((1, 1, 9))), pads=[8, 0]), "h", into="y")
    g("Identity", "h", into="h_out")
    return g.model(y=SOUND, h_out=(1, 1, 1))


def growing_state() -> onnx.ModelProto:
    g = Sketch(x=SOUND, h=(1, 1, "n"))
    g("Tanh", "x", into="y")
    g("Concat", "h", "h", axis=2, into="h_out")
    return g.model(y=SOUND, h_out=(1, 1, "n"))


def half_the_rate() -> onnx.ModelProto:
    g = Sketch(x=SOUND)
    g("Conv", "x", g.constant(np.ones((1, 1, 2))), strides=[2], into="y")
    return g.model(y=(1, 1, "half"))


def no_number() -> onnx.ModelProto:
    return tanh_then("Log")


def integrator() -> onnx.ModelProto:
    """A sum of all that it ever heard, without a state."""
    g = Sketch(x=(1, 1, "frames"))
    steps = g("Transpose", "x", perm=[2, 0, 1])
    rnn = g("RNN", steps, g.constant([[[1.0]]]), g.constant([[[1.0]]]), outputs=1, hidden_size=1, activations=["Affine"],
            activation_alpha=[1.0], activation_beta=[0.0])  # fmt: skip
    g("Transpose", g("Squeeze", rnn, g.constant([1], np.int64)), perm=[1, 2, 0], into="y")
    return g.model(y=SOUND)


def hostile_name() -> onnx.ModelProto:
    model = tanh_then("Identity")
    model.graph.node[0].op_type = "Bad\n\x1b[31m" + "x" * 500
    return model


def look_ahead(frames: int) -> onnx.ModelProto:
    """A delay the wrong way round: y[n] = x[n + frames]."""
    g = Sketch(x=SOUND)
    g("Conv", "x", g.constant(np.eye(1, frames + 1, frames)[None]), pads=[0, frames], into="y")
    return g.model(y=SOUND)


REFUSALS = {
    r"its sound input x \(1, 1, 1099511627776\) wants buffers of more than 262144 frames": lambda: convolution(
        (2, 0), frames=2**40
    ),
    r"operator If \(node 'if_1'\) holds a graph of its own": lambda: with_subgraph("If"),
    r"operator Loop \(node 'loop_1'\) holds a graph of its own": lambda: with_subgraph("Loop"),
    r"operator Scan \(node 'scan_1'\) holds a graph of its own": lambda: with_subgraph("Scan"),
    r"operator com\.own\.Warm \(node 'warm_1'\) is not one of ONNX's own": lambda: tanh_then("Warm", domain="com.own"),
    r"operator RandomNormalLike \(node 'randomnormallike_1'\) is not among": lambda: tanh_then("RandomNormalLike"),
    r"operator Bad \?\[31mx+\.\.\. \(node": hostile_name,
    "defines a function, Warm": with_function,
    "weight c0 lies in another file": lambda: with_weight_elsewhere("an initializer"),
    "lies in another file; export": lambda: with_weight_elsewhere("a constant"),
    r"operator RNN \(node 'rnn_3'\) runs bidirectional": bidirectional,
    r"two sound inputs, x \(1, 1, any\) and sidechain \(1, 1, any\)": two_sounds,
    r"input gain \(1, 1\) is neither the sound nor a state": with_knob,
    r"output z \(1, 1, any\) belongs to no state": two_answers,
    r"sound input cannot be told \(its first input: x \(1, 2, any\)\)": stereo,
    r"output y is float32 of shape \(1, 2, \d+\)": stereo_answer,
    "its x is no tensor of float32": integers,
    "looks 1 frames ahead": lambda: look_ahead(1),
    "looks 45 frames ahead": lambda: convolution(pads=(1, 1)),
    "looks 1536 frames ahead": mean_over_time,
    "cut into buffers it sounds": forgetful,
    r"state h comes back with shape \(1, 1, 2\) instead of \(1, 1, 1\)": growing_state,
    "one frame for each that it hears": half_the_rate,
    "values that are no numbers": no_number,
    "hears further back than 131072 frames": integrator,
}


@pytest.mark.parametrize("says", REFUSALS)
def test_what_cannot_be_played_is_refused_by_name(says, tmp_path):
    path = write(tmp_path / "stranger.onnx", REFUSALS[says]())
    with pytest.raises(CaptureError, match=says) as refusal:
        open_guest(path)
    assert str(refusal.value).startswith(f"{path} cannot be played: ")
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 400 + len(str(path))


def test_what_is_no_graph_is_refused(tmp_path):
    whole = convolution(pads=(2, 0)).SerializeToString()
    torn = convolution(pads=(2, 0))
    torn.graph.node[1].input[0] = "nothing"
    contents = {
        "empty": (b"", "it holds no graph"),
        "noise": (bytes(range(256)) * 9, "it is not a whole ONNX file"),
        "cut": (whole[: len(whole) // 2], "it is not a whole ONNX file"),
        "not UTF-8": (
            torn.SerializeToString().replace(b"nothing", b"nothi\x9dg"),
            r"onnxruntime cannot play it \('utf-8'",
        ),  # it prints a page, too
    }
    for name, (content, says) in contents.items():
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(content)
        with pytest.raises(CaptureError, match=rf"{name}\.onnx cannot be played: {says}"):
            open_guest(path)
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(4 * 2**30)  # sparse: it takes no room on the disk
    with pytest.raises(CaptureError, match="it has 4294967296 bytes"):
        open_guest(tmp_path / "huge.onnx")


def test_what_is_no_file_is_refused_without_a_worker(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    for name in (".", "pipe.onnx"):
        with pytest.raises(CaptureError, match="is not a file"):
            open_guest(tmp_path / name)
    for name in ("absent.onnx", "nul\0.onnx"):
        with pytest.raises(CaptureError, match="cannot be read"):
            open_guest(tmp_path / name)


def test_the_operators_that_the_guide_lists_are_those_that_play(request):
    guide = (request.config.rootpath / "docs" / "guests.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", guide.split("## Operators")[1].split("##")[0])) == OPERATORS


def test_every_operator_that_plays_is_one_of_onnx():
    assert {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""} >= OPERATORS
