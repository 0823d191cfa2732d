"""The torch form of a net kept in step with a stream, buffer by buffer: what playing in torch would be like."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from neuralamp.nets import architecture_of
from neuralamp.nets.weights import Weights


def torch_stream(config: Any, weights: Weights) -> Callable[[np.ndarray], np.ndarray]:
    """(frames,) -> (frames,), each buffer going on where the last one stopped, from a past of zeros. On one thread.

    The modules learn on whole segments and keep no state: here every convolution is given its own past in front of its input,
    every recurrent layer the state that it was left in.
    """
    torch.set_num_threads(1)
    net = architecture_of(config).module(config)
    net.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
    for layer in net.modules():
        if isinstance(layer, nn.Conv1d) and layer.kernel_size[0] > 1:
            _remember_past(layer)
        elif isinstance(layer, nn.LSTM | nn.GRU):
            _remember_state(layer)
        elif hasattr(layer, "past_frames"):
            layer.past_frames = 0  # nothing is lost at the front any more
    warm_up = config.receptive_field - 1  # what the module cuts off where it is given more than its past

    def play(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return net(torch.from_numpy(x)[None, None], warm_up)[0, 0].numpy()

    return play


def _remember_past(layer: nn.Conv1d) -> None:
    past = torch.zeros(1, layer.in_channels, (layer.kernel_size[0] - 1) * layer.dilation[0])

    def prepend(_: nn.Module, inputs: tuple) -> tuple:
        nonlocal past
        x = torch.cat((past, inputs[0]), dim=2)
        past = x[..., -past.shape[2] :]
        return (x,)

    layer.register_forward_pre_hook(prepend)


def _remember_state(layer: nn.LSTM | nn.GRU) -> None:
    state = None

    def give(_: nn.Module, inputs: tuple) -> tuple:
        return inputs if state is None else (inputs[0], state)

    def keep(_: nn.Module, inputs: tuple, outputs: tuple) -> None:
        nonlocal state
        state = outputs[1]

    layer.register_forward_pre_hook(give)
    layer.register_forward_hook(keep)
