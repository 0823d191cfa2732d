"""Kernels for torch: a net's own step on a processor, so that any loss and any optimiser of torch learn with it.

    answer = fused(net)
    loss_of(answer(x, warm_up), target).backward()

What it answers and the gradients that it gives are those of `net(x, warm_up)` within float32's rounding; the weights are the
module's parameters. On a GPU, in float64, and for nets that have no such kernels, the module itself is called.
"""

import os
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from neuralamp.learn.fused_recurrent import fused_recurrent
from neuralamp.nets.lstm.config import LstmConfig
from neuralamp.nets.wavenet.config import WaveNetConfig
from neuralamp.nets.wavenet.fused import FusedWaveNet, Tape

Answer = Callable[[Tensor, int], Tensor]


def fused(net: nn.Module, threads: int | None = None) -> Answer:
    """What answers for a module, called as the module is: (x, warm_up).

    threads  that share a batch, all cores where it is None; their number changes no bit.
    """
    config = getattr(net, "config", None)
    if isinstance(config, WaveNetConfig):
        return _FusedModule(net, config, threads or _cores())
    if isinstance(config, LstmConfig):
        return fused_recurrent(net, config, threads or _cores())
    return net


def _cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _FusedModule:
    """A WaveNet module played and learned by kernels."""

    def __init__(self, net: nn.Module, config: WaveNetConfig, threads: int):
        self.net, self.config = net, config
        self.kernels = FusedWaveNet(config, threads)
        parameters = dict(net.named_parameters())
        self.parameters = [parameters[name] for name in self.kernels.shapes]
        condition = cast(nn.Module | None, getattr(net, "condition", None))
        self.condition = None if condition is None else fused(condition, threads)

    def __call__(self, x: Tensor, warm_up: int) -> Tensor:
        """As the module's own forward."""
        if any(tensor.device.type != "cpu" or tensor.dtype != torch.float32 for tensor in (x, *self.parameters)):
            return self.net(x, warm_up)
        past = self.config.own_settling_frames
        if warm_up < self.config.settling_frames or x.shape[0] == 0 or x.shape[-1] <= warm_up:
            return self.net(x, warm_up)  # it knows what to say
        condition = None if self.condition is None else self.condition(x, warm_up - past)
        x = x[..., warm_up - past :]
        if condition is not None:
            condition = condition[..., -x.shape[-1] :]
        return cast(Tensor, _Step.apply(self.kernels, x, condition, *self.parameters))


class _Lease:
    """A tape for as long as the graph of one step lives; then its memory is the next step's."""

    def __init__(self, kernels: FusedWaveNet, tape: Tape):
        self.kernels, self.tape = kernels, tape

    def __del__(self) -> None:
        self.kernels.give_back(self.tape)


class _Step(torch.autograd.Function):
    """x, the condition and all weights -> the answer, and back."""

    @staticmethod
    def forward(ctx: Any, kernels: FusedWaveNet, x: Tensor, condition: Tensor | None, *weights: Tensor) -> Tensor:
        flat = torch.cat([weight.reshape(-1) for weight in weights])
        y, tape = kernels.forward(flat.numpy(), x.numpy(), None if condition is None else condition.numpy())
        ctx.lease = _Lease(kernels, tape)
        ctx.save_for_backward(x, condition, *weights)  # so that torch tells whoever changes them in between
        return torch.from_numpy(y)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *dy: Tensor) -> tuple[Tensor | None, ...]:
        _, condition, *weights = ctx.saved_tensors
        kernels, wants = ctx.lease.kernels, ctx.needs_input_grad
        wants_condition = wants[2] if condition is not None else wants[1]
        gradients = kernels.backward(ctx.lease.tape, dy[0].numpy(), wants[1], wants_condition)
        dx, dc = (None if array is None else torch.from_numpy(array) for array in (gradients.x, gradients.condition))
        if condition is None:  # the net is conditioned by what it hears
            dx, dc = (None if dx is None or dc is None else dx + dc), None
        flat = torch.from_numpy(gradients.weights).split([weight.numel() for weight in weights])
        return None, dx, dc, *(part.reshape(weight.shape) for part, weight in zip(flat, weights, strict=True))
