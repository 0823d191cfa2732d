"""What every travelling form needs: an ONNX graph put together line by line, its streaming state explicit."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from neuralamp.nets.weights import Shapes, Weights

OPSET = 17
IR_VERSION = 8  # the oldest that carries opset 17: any onnxruntime since 1.12 opens the file
INPUT, OUTPUT = "x", "y"
NEXT = "next."


class GraphBuilder:
    """Collects nodes, constants and states; `model()` checks and returns them as a whole.

    The graph has the input `x` (1, inputs, frames) and the output `y` (1, outputs, frames), any number of frames; each state is
    an input of fixed shape and an output of the same name behind "next.", to be fed back with the next buffer. A state that does
    not begin at zero has its beginning as its default: it is an initializer too, and need not be fed with the first buffer.
    """

    def __init__(self, name: str, inputs: int, outputs: int, shapes: Shapes, weights: Weights):
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.shapes = shapes
        self.constants = [numpy_helper.from_array(np.ascontiguousarray(weights[key]), key) for key in shapes]
        self.inputs = [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, inputs, "frames"])]
        self.outputs = [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [1, outputs, "frames"])]
        self._names = 0

    def add(self, operator: str, *inputs: str, outputs: int = 1, to: str | None = None, **attributes) -> str:
        """Append a node; returns the name of its first output. The others bear that name and a number."""
        self._names += 1
        first = to or f"{operator.lower()}_{self._names}"
        names = [first, *(f"{first}.{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return first

    def width(self, weight: str) -> int:
        """The length of a weight along its first axis."""
        return self.shapes[weight][0]

    def constant(self, array: np.ndarray) -> str:
        """A number or an array that belongs to the graph and not to the weights."""
        self._names += 1
        name = f"constant_{self._names}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def integers(self, *values: int) -> str:
        """Integers for Slice, Split and the like."""
        return self.constant(np.array(values, np.int64))

    def state(self, name: str, shape: tuple[int, ...]) -> str:
        """Declare a state; what it becomes is given to `add(..., to=NEXT + name)`. If named as a weight, it begins as it."""
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        self.outputs.append(helper.make_tensor_value_info(NEXT + name, TensorProto.FLOAT, shape))
        return name

    def behind_past(self, name: str, x: str, channels: int, frames: int) -> str:
        """x (1, channels, ...) behind the last `frames` of what it was before, which are the state of this name."""
        if not frames:
            return x
        whole = self.add("Concat", self.state(name, (1, channels, frames)), x, axis=2)
        self.last_frames(whole, frames, to=NEXT + name)
        return whole

    def with_skip(self, y: str, x: str, skip: float) -> str:
        """y, and in each of its rows `skip` times the first row of x."""
        if not skip:
            return y
        sound = self.add("Slice", x, self.integers(0), self.integers(1), self.integers(1))
        return self.add("Add", y, self.add("Mul", sound, self.constant(np.array(skip, np.float32))))

    def last_frames(self, x: str, frames: int, to: str | None = None) -> str:
        """The last `frames` along the time axis of (1, channels, frames)."""
        return self.add("Slice", x, self.integers(-frames), self.integers(np.iinfo(np.int64).max), self.integers(2), to=to)

    def model(self, y: str) -> onnx.ModelProto:
        """The finished graph, whose sound is `y`, passed by onnx's own checker."""
        self.add("Identity", y, to=OUTPUT)
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        model.producer_name = "neuralamp"
        onnx.checker.check_model(model, full_check=True)
        return model
